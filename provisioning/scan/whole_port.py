"""What hangs on one serial port, whatever it speaks."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

from lamppost.drivers.api import DriverError
from lamppost.provisioning.scan.found import Found, Progress
from lamppost.provisioning.scan.listening import ask_for_meter, listen
from lamppost.provisioning.scan.modbus import scan_line


async def scan_port(
    path: str, settings: Sequence[tuple[int, str]], units: Sequence[int], progress: Progress
) -> AsyncIterator[Found]:
    """Listen, then ask Modbus units at the speeds. Raises DriverError.

    What speaks by itself has the port alone. Where no unit is known for sure at the first speed a meter is
    asked for, which is quicker than all other speeds.
    """
    share = 1 / len(settings)

    def first(text: str, done: float) -> None:
        progress(text, done * share)

    def then(text: str, done: float) -> None:
        progress(text, share + done * (1 - share))

    alone = await listen(path, progress=first)
    left, sure = list(dict.fromkeys(units)), False
    if not alone:
        try:
            async for one in scan_line(path, settings=settings[:1], units=left, progress=first):
                yield one
                left.remove(one.settings["unit"])
                sure |= one.sure
        except DriverError:  # the adapter does not know this speed, or there is no port, as will be told
            if len(settings) == 1:
                raise
        alone = [] if sure else await ask_for_meter(path, progress=then)
    for one in alone:
        yield one
    if left and settings[1:] and not alone:
        async for one in scan_line(path, settings=settings[1:], units=left, progress=then):
            yield one
