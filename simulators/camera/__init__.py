"""A simulated network camera: the simulated street as MJPEG over HTTP, in a process of its own.

Importing this package imports neither OpenCV nor numpy; only the process does.
"""

from lamppost.simulators.camera.faults import CameraFault
from lamppost.simulators.camera.process import CameraError, CameraProcess
from lamppost.simulators.camera.settings import CameraSettings

__all__ = ["CameraError", "CameraFault", "CameraProcess", "CameraSettings"]
