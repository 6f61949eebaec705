"""Offering a board as a port for another program: a pty, or a socket of this computer."""

from __future__ import annotations

import os
import select
import socket
from collections.abc import Callable
from contextlib import ExitStack

from hil.errors import PortBusy
from hil.transport import CHUNK, WRITE_TIMEOUT_S, Transport


def serve_on_pty(board: Transport, announce: Callable[[str], None]) -> None:
    """Carry bytes between an open board and a new pty until interrupted. Raises a RigError."""
    import tty

    with ExitStack() as resources:
        ours, theirs = os.openpty()
        resources.callback(os.close, ours)
        # Kept open: hosts may come and go, and a pty without any reads as an error.
        resources.callback(os.close, theirs)
        tty.setraw(ours)
        tty.setraw(theirs)
        announce(os.ttyname(theirs))
        _carry(board, ours)


def serve_on_socket(board: Transport, port: int, announce: Callable[[str], None]) -> None:
    """The same at a port of this computer (0: any free one), one host after the other."""
    try:
        listener = socket.create_server(("127.0.0.1", port))
    except OSError as problem:
        raise PortBusy(f"port {port} cannot be offered: {problem.strerror}; choose another, or 0") from None
    with listener:
        announce(f"socket://127.0.0.1:{listener.getsockname()[1]}")
        while True:
            host, _ = listener.accept()
            with host:
                host.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                _carry(board, host.fileno())


def _carry(board: Transport, host: int) -> None:
    """Until the host goes. What the board says without a host is read and dropped with it."""
    os.set_blocking(host, False)
    while True:
        ready = select.select([board.fileno(), host], [], [])[0]
        if host in ready:
            try:
                data = os.read(host, CHUNK)
            except OSError:
                return
            if not data:
                return
            board.write(data)
        if board.fileno() in ready and not _give(host, board.read(0)):
            return


def _give(host: int, data: bytes) -> bool:
    """Whether the host took all of it; one that stops reading is let go."""
    view = memoryview(data)
    while view:
        if not select.select([], [host], [], WRITE_TIMEOUT_S)[1]:
            return False
        try:
            view = view[os.write(host, view) :]
        except BlockingIOError:
            continue
        except OSError:
            return False
    return True
