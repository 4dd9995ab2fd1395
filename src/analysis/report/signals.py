"""SIGTERM and SIGHUP, as schedulers, containers and closed terminals send them, taken as Ctrl-C is: once."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def interrupted_once() -> Iterator[None]:
    """While this holds, the first signal to end raises KeyboardInterrupt and all further ones are ignored.

    So records and index are still written, and kernels end with us, however impatient somebody is. What the caller
    had ignored (nohup ignores SIGHUP) stays ignored.
    """
    if threading.current_thread() is not threading.main_thread():  # only there can a handler be set
        yield
        return
    names = ("SIGINT", "SIGTERM", "SIGHUP")
    before = {number: signal.getsignal(number) for name in names if (number := getattr(signal, name, None))}
    heeded = [number for number, handler in before.items() if handler is not signal.SIG_IGN]

    def interrupt(number: int, frame: Any) -> None:
        for other in heeded:
            signal.signal(other, signal.SIG_IGN)
        raise KeyboardInterrupt(signal.Signals(number).name)

    for number in heeded:
        signal.signal(number, interrupt)
    try:
        yield
    finally:
        for number in heeded:
            signal.signal(number, before[number])
