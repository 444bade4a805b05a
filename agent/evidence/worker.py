"""A thread that does one thing after the other."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from queue import SimpleQueue
from typing import Any, ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


class Worker:
    """Does what it is given, in order, off the event loop.

    A daemon, unlike those of `concurrent.futures`: a disk that hangs must not keep the agent from ending.
    """

    def __init__(self, name: str) -> None:
        self._tasks: SimpleQueue[tuple[Future[Any], Callable[[], Any]] | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._started = False

    def submit(self, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Return the future result of a call."""
        if not self._started:
            self._started = True
            self._thread.start()
        future: Future[T] = Future()
        self._tasks.put((future, lambda: call(*args, **kwargs)))
        return future

    def end(self) -> None:
        """Let the thread end when all that was given to it is done."""
        self._tasks.put(None)

    def _run(self) -> None:
        while (task := self._tasks.get()) is not None:
            future, call = task
            try:
                future.set_result(call())
            except BaseException as error:  # noqa: BLE001 - it is the caller's, who finds it in the future
                future.set_exception(error)
            del task, future, call  # or they would be kept until the next one comes
