"""What the command says: plain lines, and how far long work is - a bar on a terminal, a line per step in a log."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from rich.console import Console


def say(text: str) -> None:
    """One line of what is going on, on standard output."""
    _print(Console(), text)


def complain(text: str) -> None:
    """What went wrong, on standard error, in as many lines as it comes in."""
    for line in text.split("\n"):
        _print(Console(stderr=True), line)


def _print(console: Console, line: str) -> None:
    # rich ends the program when nobody reads any more (`relapse report | head -1`); a report goes on
    with contextlib.suppress(BrokenPipeError, SystemExit):
        console.print(_inert(line), markup=False, highlight=False, soft_wrap=True)


def _inert(line: str) -> str:
    """A line as a terminal shows it and never obeys it: names of files and columns come from others."""
    return "".join(character if character.isprintable() else repr(character)[1:-1] for character in line)


@contextmanager
def notebook_progress(total: int) -> Iterator[Callable[[str, str], None]]:
    """How far the run is: a bar on a terminal, a plain line per step in a log. Yields what the runner tells it to."""
    console = Console()
    begin = time.monotonic()
    if not console.is_terminal:
        yield lambda name, status: say(f"[{time.monotonic() - begin:6.1f} s] {name} {status}")
        return
    from rich.progress import Progress

    running: list[str] = []
    with Progress(console=console) as progress:
        bar = progress.add_task("notebooks", total=total)

        def tell(name: str, status: str) -> None:
            if status == "started":
                running.append(name)
            else:
                running[:] = [other for other in running if other != name]
                progress.advance(bar)
                progress.console.print(f"{name} {status}", markup=False, highlight=False)
            progress.update(bar, description=", ".join(running) or "notebooks")

        yield tell


@contextmanager
def cases_progress() -> Iterator[Callable[[int, int], None]]:
    """How far a download is: a bar on a terminal, a plain line per page in a log. Yields tell(done, total)."""
    console = Console()
    if not console.is_terminal:
        yield lambda done, total: say(f"{done:,} of {total:,} cases")
        return
    from rich.progress import Progress

    with Progress(console=console) as progress:
        bar = progress.add_task("cases", total=None)
        yield lambda done, total: progress.update(bar, completed=done, total=total)


def counted(parts: Iterable[dict[str, Any]], patients: int) -> Iterator[dict[str, Any]]:
    """The same parts, with a bar on a terminal and a plain line per part in a log."""
    console = Console()
    if console.is_terminal:
        from rich.progress import Progress

        with Progress(console=console) as progress:
            bar = progress.add_task("patients", total=patients)
            for part in parts:
                yield part
                progress.advance(bar, len(part["patients"]))
        return
    done = 0
    for part in parts:
        yield part
        done += len(part["patients"])
        say(f"{done:,} of {patients:,} patients")
