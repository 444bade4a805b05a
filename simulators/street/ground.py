"""The street without vehicles: dry, wet, and under any depth of water."""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np

from lamppost.simulators.street.renders import Assets, Floats, Image

#: How fast water hides the ground, per metre; see-through share of water without depth.
_MURK, _CLEAR = 16.0, 0.62
#: The ground is wet so far above the water, along a ragged edge.
_MARGIN_M, _RAGGED_M = 0.045, 0.02
#: Width over which the water's edge becomes water.
_EDGE_M = 0.006
#: What a thin film takes of blue, green and red.
_FILM = np.array((0.80, 0.86, 0.88), np.float32)


class Ground(NamedTuple):
    """A background; ``cover`` is how much of a pixel is water, softly, 0..1."""

    image: Image
    cover: Floats


class Backgrounds:
    """Mixes backgrounds; the last is kept."""

    def __init__(self, assets: Assets) -> None:
        self._assets = assets
        high, wide = assets.height.shape
        coarse = np.random.default_rng(3).random((high // 6, wide // 6), np.float32)
        ragged = cv2.resize(coarse, (wide, high), interpolation=cv2.INTER_CUBIC)
        self._ragged = assets.height + (ragged - 0.5) * _RAGGED_M
        self._last: tuple[float, float, Ground] | None = None

    def at(self, level_m: float, wet: float) -> Ground:
        """Return the street with water up to ``level_m`` and wetness 0..1."""
        if self._last is None or self._last[:2] != (level_m, wet):
            self._last = (level_m, wet, self._mixed(level_m, wet))
        return self._last[2]

    def _mixed(self, level_m: float, wet: float) -> Ground:
        assets = self._assets
        dry = np.asarray(cv2.addWeighted(assets.dry, 1 - wet, assets.wet, wet, 0), np.uint8)
        if level_m <= 0:
            return Ground(dry, np.zeros(assets.height.shape, np.float32))
        margin = ((level_m + _MARGIN_M - self._ragged) / _RAGGED_M).clip(0, 1)[..., None]
        image = dry + (assets.wet.astype(np.float32) - dry) * margin
        depth = level_m - assets.height
        sharp = (depth / _EDGE_M + 0.5).clip(0, 1).astype(np.float32)
        cover = cv2.GaussianBlur(sharp, (0, 0), 0.6)[..., None]
        image += (image * _FILM - image) * cover
        hidden = cover * (1 - _CLEAR * np.exp(-_MURK * depth.clip(0, 0.5)))[..., None]
        image += (self._opaque(level_m) - image) * hidden
        return Ground(image.round().astype(np.uint8), cover[..., 0].astype(np.float32))

    def _opaque(self, level_m: float) -> Floats:
        """Return opaque water: between the rendered levels their mixture, where the lower one reaches."""
        levels = sorted(self._assets.water)
        above = next((level for level in levels if level >= level_m), levels[-1])
        below = max((level for level in levels if level <= level_m), default=above)
        high = self._assets.water[above].astype(np.float32)
        if above == below:
            return high
        low = self._assets.water[below].astype(np.float32)
        share = (level_m - below) / (above - below)
        reached = (self._assets.height < below - 0.003)[..., None]
        return np.where(reached, low + (high - low) * share, high).astype(np.float32)
