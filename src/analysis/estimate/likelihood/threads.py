"""One thread for linear algebra on tall, narrow matrices: two made each Newton step 1.4 to 6 times slower."""

from __future__ import annotations

from contextlib import AbstractContextManager
from functools import cache


def one_thread() -> AbstractContextManager:
    """A context in which numpy's linear algebra keeps to one thread; what was before comes back after it."""
    return _controller().limit(limits=1, user_api="blas")


@cache
def _controller():
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController()
