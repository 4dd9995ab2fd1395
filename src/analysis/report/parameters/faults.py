"""What is said of a wrong command, study file or parameter cell."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import Any


class UsageError(ValueError):
    """The command, the study file or a parameter cell asks for something that does not exist; `faults` lists all."""

    def __init__(self, faults: list[str]):
        self.faults = list(faults)
        super().__init__("\n".join(self.faults))


def nearest(name: str, known: Iterable[str]) -> str:
    """A hint for a misspelt name: "; did you mean 'x'?", or the list of what there is.

    Example
    -------
    >>> nearest("horizon_month", ["horizon_months", "cohort"])
    "; did you mean 'horizon_months'?"
    """
    names = list(known)
    near = difflib.get_close_matches(name, names, n=1)
    return f"; did you mean {near[0]!r}?" if near else f"; known: {', '.join(names) or 'none'}"


def came(value: Any) -> str:
    """A value as an error shows it: on one line, with control characters escaped, and not longer than a line.

    Example
    -------
    >>> came("red\\x1b[31m" + "!" * 100)[:20]
    "'red\\\\x1b[31m!!!!!!!!"
    """
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:77]}..."
