"""Cameras: RTSP, HTTP, V4L2, recordings and GStreamer pipelines, each read in a process of its own.

Nothing is imported here until it is asked for: the process that reads the camera is
`lamppost.drivers.camera.capture`, and it must not carry the driver's settings and pydantic with it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lamppost.drivers.camera.driver import Camera

__all__ = ["Camera"]


def __getattr__(name: str) -> Any:
    if name == "Camera":
        from lamppost.drivers.camera.driver import Camera  # noqa: PLC0415

        return Camera
    raise AttributeError(name)
