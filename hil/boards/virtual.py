"""The reference model behind a real pty or a socket: a board without hardware."""

from __future__ import annotations

import os
import select
import socket
import threading
from collections.abc import Callable
from contextlib import ExitStack

from firmware_model.contract import Flip, ResetCause
from firmware_model.table import Table
from hil.boards import Board
from hil.boards.port import greet
from hil.device import Device
from hil.errors import RigError
from hil.transport import CHUNK, SerialTransport, SocketTransport, Transport

#: Longest time until the thread of a board has ended.
END_TIMEOUT_S = 5.0


def missing() -> str:
    return "" if os.name == "posix" else "the virtual board needs Linux, macOS or another POSIX system"


def start(table: Table) -> Board:
    with ExitStack() as resources:
        device = Device(table)
        transport = on_pty(device.take, resources)
        return greet("virtual", transport, table, resources, bench=VirtualBench(device))


class VirtualBench:
    """The memory of a virtual board. It restarts when the wire asks it to, as it has no power to lose."""

    def __init__(self, device: Device) -> None:
        self._device = device

    def restart(self, cause: ResetCause) -> bool:
        return False

    def flip(self, flip: Flip) -> None:
        """Its thread waits for the host then: in lockstep nothing runs between two requests."""
        self._device.flip(flip)


def carrier(table: Table, resources: ExitStack) -> Transport:
    """A board at a pty of its own."""
    return on_pty(Device(table).take, resources)


def on_pty(take: Callable[[bytes], bytes], resources: ExitStack) -> SerialTransport:
    """Offer what ``take`` makes of bytes at a new pty."""
    import tty

    host_side, board_side = os.openpty()
    # A pty echoes and translates bytes until it is told not to.
    tty.setraw(host_side)
    tty.setraw(board_side)
    resources.callback(os.close, host_side)
    # Kept open here as well: a pty without a reader looks unplugged to the other end.
    resources.callback(os.close, board_side)
    _Worker(_Descriptors(host_side, take), resources)
    return SerialTransport(os.ttyname(board_side))


def on_socket(take: Callable[[bytes], bytes], resources: ExitStack) -> SocketTransport:
    """Offer it at a free port of this computer."""
    listener = socket.create_server(("127.0.0.1", 0))
    resources.callback(listener.close)
    _Worker(_Listener(listener, take), resources)
    host, port = listener.getsockname()[:2]
    return SocketTransport((host, port))


class _Descriptors:
    """Bytes of one descriptor, answered at once."""

    def __init__(self, descriptor: int, take: Callable[[bytes], bytes]) -> None:
        self.descriptor, self._take = descriptor, take
        os.set_blocking(descriptor, False)

    def serve(self, stop: int) -> None:
        while True:
            if stop in select.select([self.descriptor, stop], [], [])[0]:
                return
            try:
                answer = memoryview(self._take(os.read(self.descriptor, CHUNK)))
            except OSError:
                return  # the host closed it
            while answer:
                if stop in select.select([stop], [self.descriptor], [])[0]:
                    return
                try:
                    answer = answer[os.write(self.descriptor, answer) :]
                except BlockingIOError:
                    continue


class _Listener:
    """One host after the other at a socket."""

    def __init__(self, listener: socket.socket, take: Callable[[bytes], bytes]) -> None:
        self._listener, self._take = listener, take

    def serve(self, stop: int) -> None:
        while stop not in select.select([self._listener.fileno(), stop], [], [])[0]:
            connection, _ = self._listener.accept()
            with connection:
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                if not self._one(connection, stop):
                    return

    def _one(self, connection: socket.socket, stop: int) -> bool:
        """Serve a host until it goes; False: until told to stop."""
        connection.settimeout(END_TIMEOUT_S)
        while stop not in select.select([connection.fileno(), stop], [], [])[0]:
            try:
                data = connection.recv(CHUNK)
                if not data:
                    return True
                connection.sendall(self._take(data))
            except OSError:
                return True
        return False


class _Worker:
    """A thread that serves until the resources are closed."""

    def __init__(self, served: _Descriptors | _Listener, resources: ExitStack) -> None:
        self._served = served
        self._stopped, self._stop = os.pipe()
        self._failed: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="virtual board", daemon=True)
        self._thread.start()
        resources.callback(self._end)

    def _run(self) -> None:
        try:
            self._served.serve(self._stopped)
        except Exception as problem:  # noqa: BLE001 - raised again by _end, in the thread of the owner
            self._failed = problem

    def _end(self) -> None:
        os.write(self._stop, b"\0")
        self._thread.join(END_TIMEOUT_S)
        if self._thread.is_alive():
            raise RigError(f"the virtual board has not ended within {END_TIMEOUT_S} s")
        os.close(self._stop)
        os.close(self._stopped)
        if self._failed is not None:
            raise RigError(f"the virtual board failed: {self._failed!r}") from self._failed
