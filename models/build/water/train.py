"""Train the water net.

    python models/build/water/train.py STREETS OUT [--steps N N] [--seed S]

STREETS is the folder that `streets.py` rendered, OUT the folder for the weights. Two stages: with the masks
at hand; then another net from the beginning, with the first one's opinion of the photos that have none.
"""

from __future__ import annotations

import argparse
import copy
import math
import time
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from lessons import Lessons
from material import KEPT, Photo, dry_cameras, dry_for_testing, masked, roads, unmasked, views
from net import WaterNet, pretrained
from score import measured, probabilities
from torch import Tensor
from torch.utils.data import DataLoader

BATCH = 12
RATE, TRUNK_RATE = 2e-3, 0.25
#: Blocks of the trunk whose ImageNet weights are left as they are.
FROZEN = 3
KEEP = 0.995
COMMON = {"land": 0.14, "ponds": 0.11, "streets": 0.06, "puddles": 0.04, "transplants": 0.08, "roads": 0.06, "cameras": 0.05}
FIRST = COMMON | {"photos": 0.4}
SECOND = COMMON | {"photos": 0.24, "pseudo": 0.22}


def loss_of(logits: Tensor, mask: Tensor) -> Tensor:
    """Return BCE and Dice over the pixels that are asked for."""
    small = F.interpolate(mask[:, None].float(), size=logits.shape[2:], mode="nearest")[:, 0]
    logits = logits[:, 0].float()
    asked = ((small < 100) | (small > 160)).float()
    water = (small > 160).float()
    bce = (F.binary_cross_entropy_with_logits(logits, water, reduction="none") * asked).sum() / asked.sum().clamp(min=1)
    wet = torch.sigmoid(logits) * asked
    dice = 1 - (2 * (wet * water).sum((1, 2)) + 60) / (wet.sum((1, 2)) + (water * asked).sum((1, 2)) + 60)
    return bce + 0.5 * dice.mean()


class Average:
    """The running mean of the weights, which generalises better than the last ones."""

    def __init__(self, net: WaterNet) -> None:
        self.net, self.steps = copy.deepcopy(net), 0

    def take(self, net: WaterNet) -> None:
        self.steps += 1
        keep = min(KEEP, (1 + self.steps) / (10 + self.steps))
        with torch.no_grad():
            for mine, new in zip(self.net.state_dict().values(), net.state_dict().values(), strict=True):
                if mine.is_floating_point():
                    mine.lerp_(new, 1 - keep)
                else:
                    mine.copy_(new)


def train(net: WaterNet, lessons: Lessons, steps: int, watch: Any) -> WaterNet:
    """Return the averaged net after ``steps`` batches."""
    frozen = [net.trunk._conv_stem, net.trunk._bn0, *net.trunk._blocks[:FROZEN]]
    for part in frozen:
        part.requires_grad_(False)
    trunk = [p for p in net.trunk.parameters() if p.requires_grad]
    rest = [p for name, p in net.named_parameters() if not name.startswith("trunk.")]
    groups = [{"params": trunk, "lr": RATE * TRUNK_RATE}, {"params": rest, "lr": RATE}]
    optimiser = torch.optim.AdamW(groups, weight_decay=0.02)
    warm = max(1, steps // 20)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimiser, lambda n: min(1.0, (n + 1) / warm) * (0.02 + 0.98 * (0.5 + 0.5 * math.cos(math.pi * n / steps)))
    )
    average = Average(net)
    began = time.monotonic()
    mean = 0.0
    for step, (images, masks) in zip(range(steps), DataLoader(lessons, BATCH, num_workers=1, prefetch_factor=6), strict=False):
        net.train()
        net.trunk.eval()  # its statistics are those of a million pictures, better than of these few
        loss = loss_of(net(images.float().contiguous(memory_format=torch.channels_last)), masks)
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), 2.0)
        optimiser.step()
        schedule.step()
        average.take(net)
        mean += (loss.item() - mean) * (0.02 if step else 1)
        if step % 50 == 49:
            print(f"step {step + 1}/{steps} loss {mean:.4f} {time.monotonic() - began:.0f} s", flush=True)
        if step % 250 == 249 or step + 1 == steps:
            print({key: round(value, 4) for key, value in watch(average.net).items()}, flush=True)
    return average.net


def opinions(net: WaterNet, photos: list[Photo]) -> list[Photo]:
    """Return the photos with masks as the net draws them; what it is unsure of is not asked."""
    images = [photo.image for photo in photos]
    wet = (probabilities(net, images) + probabilities(net, [image[:, ::-1] for image in images])[:, :, ::-1]) / 2
    masks = np.where(wet > 0.75, 255, np.where(wet < 0.25, 0, 128)).astype(np.uint8)
    return [
        photo._replace(mask=cv2.resize(mask, KEPT, interpolation=cv2.INTER_NEAREST))
        for photo, mask in zip(photos, masks, strict=True)
        if (mask == 128).mean() < 0.25
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("streets", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--steps", type=int, nargs=2, default=(700, 1300))
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--all", action="store_true", help="learn from the photos kept for testing, too")
    given = parser.parse_args()
    torch.manual_seed(given.seed)
    cv2.setNumThreads(1)
    given.out.mkdir(parents=True, exist_ok=True)
    test, dry = masked(test=True), dry_for_testing()
    photos = masked(test=False) + (test if given.all else [])
    streets, paved = views(given.streets), roads()
    print(f"{len(photos)} photos, {len(test)} kept for testing, {len(streets)} views, {len(paved)} roads, {len(dry)} dry pictures")

    def watch(net: WaterNet) -> dict[str, float]:
        return measured(net, test, dry)

    common = {"photos": photos, "streets": streets, "roads": paved, "cameras": dry_cameras()}
    net = pretrained().to(memory_format=torch.channels_last)
    first = train(net, Lessons(given.seed, FIRST, pseudo=[], **common), given.steps[0], watch)
    torch.save(first.state_dict(), given.out / "first.pt")
    pseudo = opinions(first, unmasked())
    print(f"{len(pseudo)} photos with opinions")
    second = train(pretrained().to(memory_format=torch.channels_last), Lessons(given.seed + 1, SECOND, pseudo=pseudo, **common), given.steps[1], watch)
    torch.save(second.state_dict(), given.out / "second.pt")


if __name__ == "__main__":
    main()
