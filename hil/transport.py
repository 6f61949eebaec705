"""Carriers of bytes between this computer and a board. Every wait has a deadline.

A carrier knows nothing of frames. One thread owns it: it is opened, used and closed by the same one.
"""

from __future__ import annotations

import errno
import os
import select
import socket
import subprocess
import time
from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from hil.errors import NoSuchPort, PortBusy, RigError, Silent, Unplugged

#: Longest time until a carrier takes bytes; a board that stops reading is found out by it.
WRITE_TIMEOUT_S = 2.0
#: Longest time until a connection is made.
CONNECT_TIMEOUT_S = 5.0
#: Longest time a process may take to end by itself before it is killed.
END_TIMEOUT_S = 2.0
CHUNK = 65536


class Transport(ABC):
    """A carrier. ``name`` is what a person would call the port."""

    name: str

    @abstractmethod
    def open(self) -> None:
        """Connect. Raises NoSuchPort, PortBusy or another RigError."""

    @abstractmethod
    def write(self, data: bytes) -> None:
        """Send all of it within WRITE_TIMEOUT_S. Raises Unplugged, or Silent when nobody takes it."""

    @abstractmethod
    def read(self, timeout_s: float) -> bytes:
        """What has arrived; waits for the first byte only. Empty after ``timeout_s``. Raises Unplugged."""

    @abstractmethod
    def fileno(self) -> int:
        """What to wait on for bytes, while it is open (POSIX)."""

    @abstractmethod
    def close(self) -> None:
        """Disconnect; does nothing when it is not open."""

    def __enter__(self) -> Self:
        self.open()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class DescriptorTransport(Transport):
    """A carrier over file descriptors that can be waited for: a socket, a pipe."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._in = self._out = -1

    def write(self, data: bytes) -> None:
        view, deadline = memoryview(data), time.monotonic() + WRITE_TIMEOUT_S
        while view:
            try:  # there is room nearly always, so it is waited for only when there is none
                view = view[os.write(self._out, view) :]
            except BlockingIOError:
                left = deadline - time.monotonic()
                if left <= 0 or not select.select([], [self._out], [], left)[1]:
                    raise Silent(
                        f"{self.name}: the board has taken no bytes for {WRITE_TIMEOUT_S} s; restart it"
                    ) from None
            except OSError as problem:
                raise self._gone(problem) from None

    def read(self, timeout_s: float) -> bytes:
        if not select.select([self._in], [], [], max(0.0, timeout_s))[0]:
            return b""
        try:
            data = os.read(self._in, CHUNK)
        except BlockingIOError:
            return b""
        except OSError as problem:
            raise self._gone(problem) from None
        if not data:
            raise self._gone(None)
        return data

    def fileno(self) -> int:
        return self._in

    def _gone(self, problem: OSError | None) -> Unplugged:
        reason = f" ({problem.strerror})" if problem else ""
        return Unplugged(f"{self.name}: the other end has gone{reason}; see that it runs and start again")


class SocketTransport(DescriptorTransport):
    """``socket://HOST:PORT`` or ``unix:PATH``."""

    def __init__(self, address: tuple[str, int] | str) -> None:
        super().__init__(
            f"unix:{address}" if isinstance(address, str) else f"socket://{address[0]}:{address[1]}"
        )
        self._address = address
        self._socket: socket.socket | None = None

    def open(self) -> None:
        try:
            if isinstance(self._address, str):
                self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
                self._socket.settimeout(CONNECT_TIMEOUT_S)
                self._socket.connect(self._address)
            else:
                self._socket = socket.create_connection(self._address, CONNECT_TIMEOUT_S)
                # Otherwise small frames wait for acknowledgements, some 40 ms each.
                self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        except (OSError, OverflowError) as problem:
            self.close()
            raise NoSuchPort(
                f"{self.name}: nobody listens there ({problem}); start the board first"
            ) from None
        self._socket.setblocking(False)
        self._in = self._out = self._socket.fileno()

    def close(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None


class ProcessTransport(DescriptorTransport):
    """A board that is a process and speaks on its standard input and output."""

    def __init__(self, command: Sequence[str], name: str, files: Sequence[int] = ()) -> None:
        super().__init__(name)
        self._command, self._files = list(command), tuple(files)  # open files handed on to it
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        """Of the running process."""
        return self._process.pid if self._process else None

    def open(self) -> None:
        try:
            self._process = subprocess.Popen(
                self._command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                bufsize=0,
                pass_fds=self._files,
            )
        except OSError as problem:
            raise NoSuchPort(f"{self._command[0]} cannot be started: {problem.strerror}") from None
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._out, self._in = self._process.stdin.fileno(), self._process.stdout.fileno()
        os.set_blocking(self._out, False)
        os.set_blocking(self._in, False)

    def kill_and_restart(self) -> None:
        """End it without a word, as a loss of power does, and start it again. Raises NoSuchPort."""
        if self._process is not None:
            self._process.kill()
        self.close()
        self.open()

    def close(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.close()  # the firmware ends when its input does
        try:
            process.wait(END_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(END_TIMEOUT_S)
        process.stdout.close()


class SerialTransport(Transport):
    """A serial port, 8N1: ``/dev/tty*``, ``COM*``, a pty."""

    def __init__(self, port: str, baud: int = 115200) -> None:
        self.name, self._baud = port, baud
        self._serial: Any = None  # pyserial has no types

    def open(self) -> None:
        import serial

        device = serial.Serial()
        device.port, device.baudrate = self.name, self._baud
        device.timeout, device.write_timeout = 0, WRITE_TIMEOUT_S
        # Many boards reset when DTR rises; what opening the port may do must be settled before.
        device.dtr = device.rts = False
        if os.name == "posix":
            device.exclusive = True
        try:
            device.open()
        except (OSError, ValueError) as problem:  # SerialException is an OSError
            raise _cannot_open(self.name, problem) from None
        self._serial = device
        if os.name == "posix":
            _keep_dtr_on_close(device.fileno())

    def write(self, data: bytes) -> None:
        import serial

        device = self._device()
        try:
            device.write(data)
        except serial.SerialTimeoutException:
            raise Silent(
                f"{self.name}: no bytes were taken for {WRITE_TIMEOUT_S} s; restart the board"
            ) from None
        except OSError as problem:
            raise self._gone(problem) from None

    def read(self, timeout_s: float) -> bytes:
        device = self._device()
        device.timeout = max(0.0, timeout_s)
        try:
            # Not read(many): that would wait the whole time for all of them.
            data: bytes = device.read(device.in_waiting or 1)
        except (OSError, TypeError) as problem:  # a dead pty gives a bare OSError
            raise self._gone(problem) from None
        return data

    def close(self) -> None:
        if self._serial is not None:
            device, self._serial = self._device(), None
            try:
                device.close()
            except OSError:
                return  # it was pulled out; there is nothing left to close

    def fileno(self) -> int:
        return int(self._device().fileno())

    def _device(self) -> Any:
        if self._serial is None:
            raise Unplugged(f"{self.name}: the port is not open")
        return self._serial

    def _gone(self, problem: BaseException) -> Unplugged:
        return Unplugged(f"{self.name}: the port has gone ({problem}); plug the board in and start again")


def _cannot_open(port: str, problem: OSError | ValueError) -> RigError:
    number = getattr(problem, "errno", None)
    text = str(problem)
    if number in (errno.EBUSY, errno.EAGAIN, errno.EWOULDBLOCK) or "exclusively lock" in text:
        return PortBusy(f"{port}: another program has the port; end it and start again")
    if number == errno.EACCES or "PermissionError" in text:
        return PortBusy(
            f"{port}: not allowed to open it; end another program that has it, or add yourself to its "
            "group (Debian: adduser $USER dialout, then log in again)"
        )
    known = ", ".join(ports()) or "none"
    return NoSuchPort(f"{port}: cannot be opened ({text}); serial ports here: {known}")


def _keep_dtr_on_close(descriptor: int) -> None:
    """Clear HUPCL, so that closing the port does not reset the board and the next opening neither."""
    import termios

    try:
        attributes = termios.tcgetattr(descriptor)
        attributes[2] &= ~termios.HUPCL
        termios.tcsetattr(descriptor, termios.TCSANOW, attributes)
    except termios.error:
        return  # not a terminal driver that knows it; such ports have no DTR either


def ports() -> list[str]:
    """Names of the serial ports of this computer."""
    from serial.tools.list_ports import comports

    return sorted(port.device for port in comports())


def looks_like_port(text: str) -> bool:
    """Whether ``--board`` names a port rather than a kind of board."""
    return (
        text.startswith(("socket://", "unix:", "/", "./"))
        or (text.upper().startswith("COM") and text[3:].isdigit())
        or Path(text).exists()
    )


def transport_for(port: str) -> Transport:
    """The carrier for a port as a user writes it. Raises NoSuchPort when it is written wrongly."""
    if port.startswith("unix:"):
        return SocketTransport(port.removeprefix("unix:"))
    if port.startswith("socket://"):
        host, _, number = port.removeprefix("socket://").rpartition(":")
        if not host or not number.isdigit() or not 0 < int(number) < 65536:
            raise NoSuchPort(f"{port}: write socket://HOST:PORT with a port from 1 to 65535")
        return SocketTransport((host, int(number)))
    return SerialTransport(port)
