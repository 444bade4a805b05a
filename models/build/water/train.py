"""Train the water net.

    python models/build/water/train.py FOLDER [--steps N] [--seed S] [--all]

FOLDER has `streets` (see streets.py) and `panoramas` (see panoramas.py), and gets the weights, water.pt.
"""

from __future__ import annotations

import argparse
import copy
import math
import time
from pathlib import Path
from typing import Any

import cv2
import torch
import torch.nn.functional as F
from lessons import Lessons
from material import drawn, dry_cameras, dry_for_testing, grounds, masked, roads, views
from net import WaterNet, pretrained
from score import measured
from torch import Tensor
from torch.utils.data import DataLoader

BATCH = 12
RATE, TRUNK_RATE = 2e-3, 0.2
#: Blocks of the trunk whose ImageNet weights are left as they are.
FROZEN = 3
KEEP = 0.995
SHARES = {
    "photos": 0.28, "drawn": 0.13, "land": 0.1, "ponds": 0.1, "streets": 0.09, "puddles": 0.03, "transplants": 0.08,
    "patches": 0.05, "roads": 0.05, "cameras": 0.04, "grounds": 0.05,
}  # fmt: skip


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
    """Return the net after ``steps`` batches, averaged over the second half of its way."""
    frozen = [net.trunk._conv_stem, net.trunk._bn0, *net.trunk._blocks[:FROZEN]]
    for part in frozen:
        part.requires_grad_(False)
    trunk = [p for p in net.trunk.parameters() if p.requires_grad]
    rest = [p for name, p in net.named_parameters() if not name.startswith("trunk.")]
    groups = [{"params": trunk, "lr": RATE * TRUNK_RATE}, {"params": rest, "lr": RATE}]
    optimiser = torch.optim.AdamW(groups, weight_decay=0.05)
    warm = max(1, steps // 20)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimiser, lambda n: min(1.0, (n + 1) / warm) * (0.02 + 0.98 * (0.5 + 0.5 * math.cos(math.pi * n / steps)))
    )
    average = Average(net)
    began = time.monotonic()
    mean = 0.0
    kept: list[dict[str, Tensor]] = []
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
        if step % 100 == 99 or step + 1 == steps:
            print({key: round(value, 4) for key, value in watch(average.net).items()}, flush=True)
        if step + 1 in (steps // 2, steps * 3 // 4, steps):
            kept.append(copy.deepcopy(average.net.state_dict()))
    average.net.load_state_dict(_mean(kept))
    return average.net


def _mean(nets: list[dict[str, Tensor]]) -> dict[str, Tensor]:
    """Return the mean of the weights of nets on one way: each overfits in its own direction."""
    return {
        key: torch.stack([net[key].float() for net in nets]).mean(0).to(first.dtype)
        for key, first in nets[0].items()
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--steps", type=int, default=800)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--all", action="store_true", help="learn from the photos kept for testing, too")
    given = parser.parse_args()
    torch.manual_seed(given.seed)
    cv2.setNumThreads(1)
    test, dry = masked(test=True), dry_for_testing()
    shown = {
        "photos": masked(test=False) + (test if given.all else []),
        "drawn": drawn(),
        "streets": views(given.folder / "streets"),
        "roads": roads(),
        "cameras": dry_cameras(),
        "grounds": grounds(given.folder / "panoramas"),
    }
    print(*(f"{len(pictures)} {kind}," for kind, pictures in shown.items()), f"{len(test)} kept for testing, {len(dry)} dry")
    net = pretrained().to(memory_format=torch.channels_last)
    net = train(net, Lessons(given.seed, SHARES, **shown), given.steps, lambda it: measured(it, test, dry))
    torch.save(net.state_dict(), given.folder / "water.pt")


if __name__ == "__main__":
    main()
