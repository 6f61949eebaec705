"""What can go wrong with a board. Each message says what to do about it."""

from __future__ import annotations

from firmware_model.contract import ControllerFailed


class RigError(ControllerFailed):
    """A board or its connection does not do its part."""


class NoSuchPort(RigError):
    """There is nothing at that port."""


class PortBusy(RigError):
    """Someone else has the port."""


class Silent(RigError):
    """No answer within the time allowed, after all repetitions."""


class Unplugged(RigError):
    """The connection ended."""


class ProtocolMismatch(RigError):
    """What answers does not speak this protocol, or breaks its rules."""


class WrongTable(RigError):
    """The board holds another interlock table."""


class UnexpectedReset(RigError):
    """The board restarted although nobody asked it to."""


class Undetected(RigError):
    """A flipped bit of its memory was not found by the firmware."""


class Refused(RigError):
    """The board answered that it cannot do what was asked."""


class NotAvailable(RigError):
    """This kind of board cannot be started here; the message says what to install."""
