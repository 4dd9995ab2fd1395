"""Kernels for the notebooks: forked from one process that has imported everything, or started the ordinary way.

Most of a short notebook's time goes into starting Python and importing the same libraries. `fork_server` starts one
process that imports them once (server.py); each kernel is then a fork of it, reached through a jupyter_client
provisioner (provisioner.py), so that papermill need not know. Where forking is not possible, not wished
(RELAPSE_FORK_KERNELS=0) or fails, kernels start as jupyter_client starts them: everything works, only slower.
"""

from __future__ import annotations

import ast
import contextlib
import importlib.util
import os
import secrets
import signal
import socket
import subprocess
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from analysis import shelf
from analysis.report.kernels.sockets import bound

SWITCH = "RELAPSE_FORK_KERNELS"


def can_fork() -> bool:
    """Are kernels to be forked here? On Linux, unless the environment says RELAPSE_FORK_KERNELS=0.

    Elsewhere forks are missing (Windows) or break libraries that the system brings along (macOS).
    """
    return sys.platform == "linux" and hasattr(os, "pidfd_open") and os.environ.get(SWITCH, "1") != "0"


@contextmanager
def fork_server(modules: Iterable[str] = ()) -> Iterator[str | None]:
    """Where can a forked kernel be had? Yields the address of a fork server, None where there is none.

    `modules` are imported besides the libraries of the stack. The server, and every kernel of it, dies with the
    process that started it, however that ends.
    """
    address = f"@relapse-{secrets.token_hex(16)}"
    try:
        server = _start_server(address, modules) if can_fork() else None
    except OSError:  # no process or socket to be had: then without
        server = None
    if server is None:
        yield None
        return
    try:
        yield address
    finally:
        server.stdin.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            server.wait(timeout=10)
        server.kill()
        server.wait()


def _start_server(address: str, modules: Iterable[str]) -> subprocess.Popen:
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(bound(address))
        listener.listen(64)
        number = listener.fileno()
        # the listener is closed here: from then on a dead server is a refused connection, and no endless wait
        return subprocess.Popen(
            [sys.executable, "-P", "-m", "analysis.report.kernels.server", str(number), *modules],
            stdin=subprocess.PIPE,
            pass_fds=[number],
            start_new_session=True,  # Ctrl-C is for its owner, who then closes the pipe
            env=os.environ | _settings(),
        )


def _settings() -> dict[str, str]:
    """What makes two kernels alike: the order of sets (so the bytes of a page), and no look of somebody's own."""
    plain = Path(importlib.util.find_spec("matplotlib").origin).parent / "mpl-data" / "matplotlibrc"
    return {"PYTHONHASHSEED": "0", "MATPLOTLIBRC": str(plain)}


def imported_by(notebooks: Iterable[Path]) -> list[str]:
    """The modules that these notebooks import, for the fork server to have ready; sorted.

    What cannot be read is left out: the notebook itself will say what is wrong with it.
    """
    import nbformat

    names: set[str] = set()
    for notebook in notebooks:
        for cell in nbformat.read(notebook, as_version=4).cells:
            if cell.cell_type == "code":
                with contextlib.suppress(SyntaxError):
                    names |= _imports(ast.parse(cell.source))
    return sorted(names)


def _imports(tree: ast.AST) -> set[str]:
    """Full names; `from a import b` gives both a and a.b, of which only modules can be imported."""
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return names


def manager_class(
    address: str | None = None, memory_gigabytes: float | None = None, ipython_folder: Path | None = None
) -> type:
    """The class that papermill starts kernels with: this very Python, forked from the server at `address` if given.

    Each call makes a class of its own. Its `managers` lists the kernel managers made of it, so that whoever asked
    for a run can see its kernel, and kill it. A kernel that takes more memory than it may gets a MemoryError (Linux;
    elsewhere the limit is not held). IPython keeps its things in `ipython_folder`, so that nobody's own start-up
    files run in a report.
    """
    from ipykernel.kernelspec import get_kernel_dict
    from jupyter_client.kernelspec import KernelSpec
    from jupyter_client.manager import AsyncKernelManager

    # kernels start in the notebook's folder, so that a relative RELAPSE_DATA would point elsewhere
    environment = _settings() | {"RELAPSE_DATA": str(shelf.data_folder().resolve())}
    if ipython_folder is not None:
        environment["IPYTHONDIR"] = str(ipython_folder.resolve())

    class ThisPython(AsyncKernelManager):
        """Starts this interpreter, whatever kernels the machine has registered under `python3`."""

        managers: list = []  # noqa: RUF012 - one list per class, and one class per run

        def __init__(self, **traits):
            super().__init__(**traits)
            self.managers.append(self)

        @property
        def kernel_spec(self) -> KernelSpec:
            kernel = get_kernel_dict()
            if address:
                kernel["metadata"]["kernel_provisioner"] = {
                    "provisioner_name": "relapse-fork",
                    "config": {"address": address},
                }
            return KernelSpec(**kernel, env=environment)

        async def start_kernel(self, **words):
            await super().start_kernel(**words)
            if memory_gigabytes is not None and sys.platform == "linux":
                import resource

                most = int(memory_gigabytes * 2**30)
                resource.prlimit(self.provisioner.pid, resource.RLIMIT_DATA, (most, most))

    return ThisPython


def is_forked(manager: Any) -> bool:
    """Did this manager's kernel come out of the fork server?"""
    return getattr(manager.provisioner, "forked", False)


def kill(manager: Any) -> None:
    """Kill a manager's kernel and its process group from another thread; its run ends as one whose kernel died."""
    process, group = (getattr(manager.provisioner, name, None) for name in ("process", "pgid"))
    with contextlib.suppress(OSError):
        if group and process is not None:
            os.killpg(group, signal.SIGKILL)
        elif process is not None:
            process.kill()
