"""A jupyter_client kernel provisioner that asks a fork server for a kernel, and starts an ordinary one on any doubt."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import socket
import time
from pathlib import Path
from typing import Any

from jupyter_client.provisioning import LocalProvisioner
from traitlets import Float, Unicode

from analysis.report.kernels.sockets import bound


class ForkedProcess:
    """A kernel of the fork server, with the part of subprocess.Popen that jupyter_client's provisioner uses."""

    stdin = stdout = stderr = None

    def __init__(self, address: str, request: dict[str, Any], patience_seconds: float):
        """Ask for a kernel; raises OSError or ValueError when none comes."""
        self.returncode: int | None = None
        self._received = b""
        self._connection = socket.socket(socket.AF_UNIX)
        try:
            self._connection.settimeout(patience_seconds)
            self._connection.connect(bound(address))
            self._connection.sendall(json.dumps(request).encode() + b"\n")
            self.pid = int(self._message()["pid"])
        except BaseException:
            self._connection.close()
            raise

    def _message(self) -> dict[str, int]:
        while b"\n" not in self._received:
            part = self._connection.recv(4096)
            if not part:
                raise ConnectionError("the fork server is gone")
            self._received += part
        line, _, self._received = self._received.partition(b"\n")
        return json.loads(line)

    def poll(self) -> int | None:
        """The return code when the kernel has ended, else None; -9 when the server, and the kernel with it, died."""
        if self.returncode is None:
            self._connection.settimeout(0)
            try:
                self.returncode = self._message()["returncode"]
            except BlockingIOError:
                return None
            except OSError:
                self.returncode = -signal.SIGKILL
                with contextlib.suppress(OSError):  # its group can no longer be killed by the server
                    os.killpg(self.pid, signal.SIGKILL)
        return self.returncode

    def wait(self) -> int:
        """Wait for the end, then let go: the server buries the kernel and kills what it left behind."""
        while self.poll() is None:
            time.sleep(0.01)
        self._connection.close()
        return self.returncode

    def send_signal(self, number: int) -> None:
        """A signal to the kernel alone."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        """SIGKILL to the kernel alone."""
        self.send_signal(signal.SIGKILL)

    def terminate(self) -> None:
        """SIGTERM to the kernel alone."""
        self.send_signal(signal.SIGTERM)


class ForkProvisioner(LocalProvisioner):
    """Kernels out of the fork server at `address`; everything else as jupyter_client does it."""

    forked = False

    address = Unicode("", help="name of the fork server's socket").tag(config=True)
    patience_seconds = Float(60.0, help="how long to wait for a fork before an ordinary kernel").tag(config=True)

    async def launch_kernel(self, cmd: list[str], **kwargs: Any) -> Any:
        """Fork a kernel; an ordinary one when that fails."""
        request = {"cmd": cmd, "cwd": str(kwargs.get("cwd") or Path.cwd()), "env": dict(kwargs.get("env") or {})}
        with contextlib.suppress(OSError, ValueError, KeyError):
            self.process = ForkedProcess(self.address, request, self.patience_seconds)
            self.pid = self.pgid = self.process.pid
            self.cwd = request["cwd"]
            self.forked = True
            return self.connection_info
        return await super().launch_kernel(cmd, **kwargs)

    async def wait(self) -> int | None:
        """Wait for the kernel's end; jupyter_client looks ten times a second, which is a fifth of a short run."""
        while self.process and self.process.poll() is None:
            await asyncio.sleep(0.005)
        return await super().wait()
