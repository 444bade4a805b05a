"""`python -m lamppost.simulators.camera`: a camera as a child process: its settings as JSON, its speed.

Prints ``serving URL``, then an answer to each line that it is told; see `standalone`.
"""

from __future__ import annotations

import asyncio
import sys

import cv2

from lamppost.simulators.camera.camera import Camera
from lamppost.simulators.camera.settings import CameraSettings
from lamppost.simulators.camera.standalone import Standalone


async def _main(settings: CameraSettings, speed: float) -> None:
    async with Camera(settings, speed=speed) as camera:
        print(f"serving {camera.url}", flush=True)
        await Standalone(camera, quiet=True).run()


if __name__ == "__main__":
    # One picture is too little to share out, and the box under test needs the other cores.
    cv2.setNumThreads(1)
    try:
        asyncio.run(_main(CameraSettings.model_validate_json(sys.argv[1]), float(sys.argv[2])))
    except (LookupError, OSError) as error:
        sys.exit(str(error))
