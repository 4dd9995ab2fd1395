"""The socket between fork server and provisioner: a name in Linux's own name space, which no folder holds."""

from __future__ import annotations

import os
import socket
import struct

_CREDENTIALS = "3i"  # process, user and group, as the kernel saw them when the other side connected


def bound(address: str) -> str:
    """The name as sockets take it; in `address` "@" stands for its first byte, 0."""
    return address.replace("@", "\0", 1)


def is_same_user(connection: socket.socket) -> bool:
    """Does the other side run as this user? Names without a folder are open to everybody on a machine."""
    raw = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize(_CREDENTIALS))
    return struct.unpack(_CREDENTIALS, raw)[1] == os.getuid()
