"""The process that imports once and forks a kernel per request: `python -P -m analysis.report.kernels.server`.

It is handed two open files: a listening socket (descriptor given as argument) and a pipe on standard input that
closes when its owner dies. One connection asks for one kernel and lives as long as the kernel may: a JSON line
{"cmd", "cwd", "env"} in, {"pid"} out, {"returncode"} when the kernel has ended. When the other side closes, by will
or by its death, the kernel and its whole process group are killed.

It only imports. A library that has computed may hold threads, and a thread does not survive a fork: its locks do.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import importlib
import json
import os
import selectors
import signal
import socket
import sys
import threading
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from analysis.report.kernels.sockets import is_same_user

# The slow libraries that a notebook needs sooner or later; more are named by the owner. Not matplotlib_inline: it must
# be imported where IPython is, or figures show as text.
STACK = (
    "ipykernel.kernelapp",
    "ipykernel.ipkernel",
    "IPython.core.completer",
    "matplotlib.pyplot",
    "matplotlib.backends.backend_agg",
    "pandas.plotting._matplotlib",
    "pyarrow.parquet",
    "pyarrow.dataset",
    "scipy.stats",
    "scipy.optimize",
    "seaborn",
    "lifelines",
    "sksurv.nonparametric",
    "pandera.pandas",
    "PIL.PngImagePlugin",
)
_LONGEST_REQUEST = 4_000_000
_PARENT_DEATH_SIGNAL = 1  # PR_SET_PDEATHSIG of prctl(2)


@dataclass(eq=False)
class Kernel:
    """One connection: what came in so far, and the kernel that was forked for it."""

    connection: socket.socket
    received: bytes = b""
    pid: int = 0
    pidfd: int = -1


def main(arguments: list[str]) -> None:
    """Import, then serve until the owner is gone."""
    os.environ.setdefault("MPLBACKEND", "module://matplotlib_inline.backend_inline")  # as ipykernel does
    os.environ["JPY_PARENT_PID"] = str(os.getpid())  # read once, when ipykernel is imported
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    listener = socket.socket(fileno=int(arguments[0]))
    preload([*STACK, *arguments[1:]])
    if threading.active_count() > 1:
        raise SystemExit("an imported library started a thread: kernels cannot be forked from here")
    gc.collect()
    gc.freeze()
    serve(listener)


def preload(names: Iterable[str]) -> None:
    """Import what is there; a notebook that needs what is not says so itself."""
    for name in names:
        with contextlib.suppress(Exception):  # whatever it is, the import in the notebook will tell
            importlib.import_module(name)


def serve(listener: socket.socket) -> None:
    """Answer requests until standard input closes; then take every kernel along."""
    selector = selectors.DefaultSelector()
    selector.register(listener, selectors.EVENT_READ, "asks")
    selector.register(sys.stdin, selectors.EVENT_READ, "owner")
    kernels: list[Kernel] = []
    while True:
        for key, _ in selector.select():
            if key.data == "owner":
                for kernel in kernels:
                    _end(kernel)
                return
            if key.data == "asks":
                connection = listener.accept()[0]
                if not is_same_user(connection):
                    connection.close()
                else:
                    kernels.append(Kernel(connection))
                    selector.register(connection, selectors.EVENT_READ, kernels[-1])
            elif key.data not in kernels:
                continue  # ended by an event of the same round
            elif key.fileobj == key.data.pidfd:
                selector.unregister(key.data.pidfd)
                _tell_return_code(key.data)
            elif not _read(key.data, selector):
                _forget(key.data, selector)
                kernels.remove(key.data)


def _read(kernel: Kernel, selector: selectors.BaseSelector) -> bool:
    """Take in what came; fork when the request is whole. False when the other side is gone, or cannot be served."""
    try:
        part = kernel.connection.recv(65536)
        kernel.received += part
        if not part or kernel.pid or len(kernel.received) > _LONGEST_REQUEST:
            return False
        if kernel.received.endswith(b"\n"):
            kernel.pid = _fork(json.loads(kernel.received), selector)
            kernel.pidfd = os.pidfd_open(kernel.pid)
            selector.register(kernel.pidfd, selectors.EVENT_READ, kernel)
            _send(kernel, {"pid": kernel.pid})
    except (OSError, ValueError):  # no process or descriptor to be had; the owner then starts an ordinary kernel
        return False
    return True


def _fork(request: dict[str, Any], selector: selectors.BaseSelector) -> int:
    server = os.getpid()
    pid = os.fork()
    if pid:
        with contextlib.suppress(OSError):  # the fork does it too; whoever comes first
            os.setpgid(pid, pid)
        return pid
    code = 1
    try:
        _become_kernel(request, selector, server)
        code = 0
    except SystemExit as stop:
        code = stop.code if isinstance(stop.code, int) else 1
    except BaseException:
        sys.excepthook(*sys.exc_info())
    finally:
        os._exit(code)


def _become_kernel(request: dict[str, Any], selector: selectors.BaseSelector, server: int) -> None:
    """In the fork: shed what belongs to the server, put on the request, and be an ipykernel until it ends."""
    with contextlib.suppress(OSError):
        os.setpgid(0, 0)
    ctypes.CDLL(None, use_errno=True).prctl(_PARENT_DEATH_SIGNAL, signal.SIGKILL)
    if os.getppid() != server:
        os._exit(1)  # the server died before the line above could see it
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for key in list(selector.get_map().values()):
        if key.data != "owner":
            os.close(key.fd) if isinstance(key.fileobj, int) else key.fileobj.close()
    selector.close()
    os.dup2(os.open(os.devnull, os.O_RDONLY), sys.stdin.fileno())
    os.environ.clear()
    os.environ.update(request["env"], JPY_PARENT_PID=str(server))
    os.chdir(request["cwd"])
    if "numpy" in sys.modules:
        sys.modules["numpy"].random.seed()  # else every fork would draw the same numbers
    from ipykernel.kernelapp import IPKernelApp

    sys.argv = request["cmd"][request["cmd"].index("ipykernel_launcher") :]
    IPKernelApp.launch_instance(sys.argv[1:])


def _tell_return_code(kernel: Kernel) -> None:
    """Say how the kernel ended, as Popen would; the body stays unburied until its owner lets go (no reused pid)."""
    ended = os.waitid(os.P_PID, kernel.pid, os.WEXITED | os.WNOWAIT)
    _send(kernel, {"returncode": ended.si_status if ended.si_code == os.CLD_EXITED else -ended.si_status})


def _send(kernel: Kernel, message: dict[str, int]) -> None:
    with contextlib.suppress(OSError):  # the other side is gone; its closed connection is seen in the next round
        kernel.connection.sendall(json.dumps(message).encode() + b"\n")


def _forget(kernel: Kernel, selector: selectors.BaseSelector) -> None:
    selector.unregister(kernel.connection)
    if kernel.pidfd >= 0:
        with contextlib.suppress(KeyError):  # already out when its end was told
            selector.unregister(kernel.pidfd)
    _end(kernel)


def _end(kernel: Kernel) -> None:
    kernel.connection.close()
    if kernel.pid:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(kernel.pid, signal.SIGKILL)
        os.waitpid(kernel.pid, 0)
    if kernel.pidfd >= 0:
        os.close(kernel.pidfd)


if __name__ == "__main__":
    main(sys.argv[1:])
