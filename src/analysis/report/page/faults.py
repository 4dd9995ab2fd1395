"""What a page may not have, said all at once."""

from __future__ import annotations

from collections.abc import Iterable


class PageError(ValueError):
    """A page breaks rules of the house; the message lists every breach and what to do in the notebook."""

    def __init__(self, faults: Iterable[str]):
        self.faults = list(faults)
        super().__init__("\n".join(f"  - {fault}" for fault in self.faults))
