"""What the net is shown: batches mixed from all material, made while it learns."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from material import Picture, Photo, Road, View
from numpy.random import Generator
from ponds import flooded, land, patched, puddled, transplanted, unflooded
from torch.utils.data import IterableDataset, get_worker_info
from vary import varied

Pair = tuple[Picture, Picture]


class Lessons(IterableDataset[Any]):
    """Endless pairs of picture (3, H, W) RGB and mask (H, W), mixed by ``shares``.

    Kinds: photos; drawn (see `material.drawn`); land (what is dry in those); ponds and streets (rendered, with
    and without water); puddles (painted on roads) and transplants (water of photos on dry ground);
    patches (dry ground on dry ground); roads, cameras and grounds (dry).
    """

    def __init__(self, seed: int, shares: dict[str, float], *, photos: list[Photo], drawn: list[Photo], streets: list[View], roads: list[Road], cameras: list[Road], grounds: list[Road]) -> None:
        self.seed, self.shares = seed, shares
        self.photos, self.drawn, self.streets = photos, drawn, streets
        self.roads, self.cameras, self.grounds = roads, cameras, grounds

    def __iter__(self) -> Any:
        worker = get_worker_info()
        chance = np.random.default_rng((self.seed, worker.id if worker else 0))
        made: dict[str, Callable[[Generator], Pair]] = {
            "photos": lambda c: _photo(_any(self.photos, c)),
            "drawn": lambda c: _photo(_any(self.drawn, c)),
            "ponds": lambda c: flooded(_any(self.streets, c), c),
            "streets": lambda c: _dry(unflooded(_any(self.streets, c), c)),
            "puddles": lambda c: puddled(_any(self.roads, c), c),
            "transplants": lambda c: self._transplanted(c),
            "patches": lambda c: self._patched(c),
            "land": lambda c: land(_any(self.photos + self.drawn, c), c),
            "cameras": lambda c: _dry(_any(self.cameras, c).image),
            "roads": lambda c: _dry(_any(self.roads, c).image),
            "grounds": lambda c: _dry(_any(self.grounds, c).image),
        }
        kinds = list(self.shares)
        shares = np.array(list(self.shares.values())) / sum(self.shares.values())
        while True:
            kind = kinds[int(chance.choice(len(kinds), p=shares))]
            image, mask = varied(*made[kind](chance), chance)
            yield torch.from_numpy(image[..., ::-1].copy()).permute(2, 0, 1), torch.from_numpy(mask)

    def _dry(self, chance: Generator) -> Pair:
        """Return a dry picture, and where there is ground in it."""
        how = chance.random()
        if how < 0.4:
            view = _any(self.streets, chance)
            return unflooded(view, chance), view.height < float(chance.uniform(0.05, 0.4))
        image, road = _any(self.roads if how < 0.6 else self.grounds if how < 0.8 else self.cameras, chance)
        return image, road > 100

    def _patched(self, chance: Generator) -> Pair:
        return patched(*self._dry(chance), self._dry(chance)[0], chance)

    def _transplanted(self, chance: Generator) -> Pair:
        image, ground = self._dry(chance)
        return transplanted(image, ground, _any(self.photos + self.drawn, chance), chance)


def _any(things: list[Any], chance: Generator) -> Any:
    return things[int(chance.integers(len(things)))]


def _photo(photo: Photo) -> Pair:
    return photo.image, photo.mask


def _dry(image: Picture) -> Pair:
    return image, np.zeros(image.shape[:2], np.uint8)
