"""What the net is shown: batches mixed from all material, made while it learns."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from material import Picture, Photo, Road, View
from numpy.random import Generator
from ponds import flooded, land, puddled, transplanted, unflooded
from torch.utils.data import IterableDataset, get_worker_info
from vary import varied

Pair = tuple[Picture, Picture]


class Lessons(IterableDataset[Any]):
    """Endless pairs of picture (3, H, W) RGB and mask (H, W), mixed by ``shares``.

    Kinds: photos; pseudo (photos whose masks a trained net drew); land (what is dry in those); ponds and streets
    (rendered, with and without water); puddles (painted on roads) and transplants (water of photos on dry
    ground); roads and cameras (dry).
    """

    def __init__(self, seed: int, shares: dict[str, float], *, photos: list[Photo], pseudo: list[Photo], streets: list[View], roads: list[Road], cameras: list[Road]) -> None:
        self.seed, self.shares = seed, shares
        self.photos, self.pseudo, self.streets, self.roads, self.cameras = photos, pseudo, streets, roads, cameras

    def __iter__(self) -> Any:
        worker = get_worker_info()
        chance = np.random.default_rng((self.seed, worker.id if worker else 0))
        made: dict[str, Callable[[Generator], Pair]] = {
            "photos": lambda c: _photo(_any(self.photos, c)),
            "pseudo": lambda c: _photo(_any(self.pseudo, c)),
            "ponds": lambda c: flooded(_any(self.streets, c), c),
            "streets": lambda c: _dry(unflooded(_any(self.streets, c), c)),
            "puddles": lambda c: puddled(_any(self.roads, c), c),
            "transplants": lambda c: self._transplanted(c),
            "land": lambda c: land(_any(self.photos + self.pseudo, c), c),
            "cameras": lambda c: _dry(_any(self.cameras, c).image),
            "roads": lambda c: _dry(_any(self.roads, c).image),
        }
        kinds = list(self.shares)
        shares = np.array(list(self.shares.values())) / sum(self.shares.values())
        while True:
            kind = kinds[int(chance.choice(len(kinds), p=shares))]
            image, mask = varied(*made[kind](chance), chance)
            yield torch.from_numpy(image[..., ::-1].copy()).permute(2, 0, 1), torch.from_numpy(mask)


    def _transplanted(self, chance: Generator) -> Pair:
        how = chance.random()
        if how < 0.4:
            view = _any(self.streets, chance)
            image, ground = unflooded(view, chance), view.height < float(chance.uniform(0.05, 0.4))
        else:
            image, road = _any(self.roads if how < 0.7 else self.cameras, chance)
            ground = road > 100
        return transplanted(image, ground, _any(self.photos, chance), chance)


def _any(things: list[Any], chance: Generator) -> Any:
    return things[int(chance.integers(len(things)))]


def _photo(photo: Photo) -> Pair:
    assert photo.mask is not None
    return photo.image, photo.mask


def _dry(image: Picture) -> Pair:
    return image, np.zeros(image.shape[:2], np.uint8)
