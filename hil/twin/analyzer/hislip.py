# SPDX-License-Identifier: Apache-2.0
"""HiSLIP, the instrument's other way in: ``TCPIP::<host>::hislip0,<port>::INSTR``.

Message formats and numbers: IVI-6.1, High-Speed LAN Instrument Protocol, sections 4 and 6. A client has two
connections: the synchronous one carries program and response messages, the asynchronous one status queries
and device clear, which a SOCKET connection does not have.
"""

from __future__ import annotations

import contextlib
import itertools
import socket
import socketserver
import struct
import threading
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Protocol

from hil.twin.analyzer.server import INPUT_BUFFER_BYTES
from hil.twin.tcp_server import TcpServer

_HEADER = struct.Struct("!2sBBIQ")
_PROLOGUE = b"HS"
_VERSION = 0x0100  # 1.0, no encryption
_VENDOR = int.from_bytes(b"KS", "big")
"""Two letters that name the maker (assumption: the instrument's own are not known to us)."""

_MESSAGE_STEP = 2
_NO_MESSAGE = 0xFFFF_FF00 - _MESSAGE_STEP
"""Message numbers begin at 0xFFFFFF00 and go up in twos (IVI-6.1, section 3.1)."""

_CATCH_UP_S = 0.5
"""Wall-clock patience of a status query with a message that is still under way (assumption)."""

_DISCARD_BYTES = 1 << 16


class MessageType(IntEnum):
    """The messages that are served here."""

    INITIALIZE = 0
    INITIALIZE_RESPONSE = 1
    FATAL_ERROR = 2
    ERROR = 3
    ASYNC_LOCK = 4
    ASYNC_LOCK_RESPONSE = 5
    DATA = 6
    DATA_END = 7
    DEVICE_CLEAR_COMPLETE = 8
    DEVICE_CLEAR_ACKNOWLEDGE = 9
    ASYNC_REMOTE_LOCAL_CONTROL = 10
    ASYNC_REMOTE_LOCAL_RESPONSE = 11
    TRIGGER = 12
    ASYNC_MAX_MESSAGE_SIZE = 15
    ASYNC_MAX_MESSAGE_SIZE_RESPONSE = 16
    ASYNC_INITIALIZE = 17
    ASYNC_INITIALIZE_RESPONSE = 18
    ASYNC_DEVICE_CLEAR = 19
    ASYNC_STATUS_QUERY = 21
    ASYNC_STATUS_RESPONSE = 22
    ASYNC_DEVICE_CLEAR_ACKNOWLEDGE = 23
    ASYNC_LOCK_INFO = 24
    ASYNC_LOCK_INFO_RESPONSE = 25


FATAL_POOR_HEADER = 1
FATAL_BOTH_CHANNELS = 2
FATAL_INITIALIZATION = 3
ERROR_MESSAGE_TYPE = 1
ERROR_CONTROL_CODE = 2
ERROR_VENDOR_MESSAGE = 3
ERROR_TOO_LARGE = 4
"""Codes of the FatalError and Error messages (IVI-6.1, section 6). A fatal one ends the session."""

_FIRST_VENDOR_TYPE = 128
"""Message types from here on are for the makers (IVI-6.1, section 6.14)."""

_CONTROL_MAX = {
    MessageType.DATA: 1,
    MessageType.DATA_END: 1,
    MessageType.TRIGGER: 1,
    MessageType.ASYNC_STATUS_QUERY: 1,
    MessageType.ASYNC_LOCK: 1,
    MessageType.ASYNC_REMOTE_LOCAL_CONTROL: 6,
}
"""The largest control code that each message may have; others have none that counts."""


class Instrument(Protocol):
    """What is behind the protocol."""

    def execute(self, message: bytes) -> bytes:
        """Run one program message; the response with its terminator, or nothing."""

    def serial_poll(self, *, message_available: bool) -> int:
        """The status byte."""


@dataclass
class Session:
    """What the two connections of one client share."""

    number: int
    synchronous: socket.socket
    asynchronous: socket.socket | None = None
    message_available: bool = False
    response_bytes: int = 1 << 20
    message: bytearray = field(default_factory=bytearray)
    handled: int = _NO_MESSAGE
    changed: threading.Condition = field(default_factory=threading.Condition)

    def end(self) -> None:
        """Both connections end together."""
        for connection in (self.synchronous, self.asynchronous):
            if connection is not None:
                with contextlib.suppress(OSError):  # it is gone already
                    connection.shutdown(socket.SHUT_RDWR)

    def has_handled(self, message_id: int) -> None:
        """Message ``message_id`` of the synchronous connection is done with."""
        with self.changed:
            self.handled = message_id
            self.changed.notify_all()

    def catch_up(self, message_id: int) -> None:
        """Let the synchronous connection reach a message, so that a status query does not overtake it.

        Clients differ in whether they name the last message they sent or the next one they will.
        """
        reached = (message_id, message_id - _MESSAGE_STEP & 0xFFFF_FFFF)
        with self.changed:
            self.changed.wait_for(lambda: self.handled in reached, _CATCH_UP_S)


@dataclass(frozen=True)
class Message:
    """One message as it came."""

    type: int
    control: int
    parameter: int
    payload: bytes
    too_large: bool = False


class HislipServer(TcpServer):
    """A running server of any number of sessions."""

    def __init__(self, instrument: Instrument, host: str, port: int) -> None:
        super().__init__(host, port, _Connection)
        self.instrument = instrument
        self.sessions: dict[int, Session] = {}
        """Sessions by number; one connection of each may not have come yet."""
        self.answering = threading.Event()
        self.answering.set()
        self._numbers = itertools.cycle(range(1, 1 << 16))
        self.start()

    def hang(self, hung: bool) -> None:
        """A fault: take messages and act on none until it is over."""
        if hung:
            self.answering.clear()
        else:
            self.answering.set()

    def free_number(self) -> int:
        """The number of a new session."""
        return next(number for number in self._numbers if number not in self.sessions)

    def drop_clients(self) -> None:
        """A fault: every connection ends; clients may connect again."""
        for session in list(self.sessions.values()):
            session.end()

    def close(self) -> None:
        """Stop listening and drop the clients."""
        super().close()
        self.hang(False)
        self.drop_clients()


class _Connection(socketserver.StreamRequestHandler):
    server: HislipServer
    disable_nagle_algorithm = True

    def handle(self) -> None:
        with contextlib.suppress(OSError):  # the client may be gone at any moment
            first = self._receive()
            if first is None:
                return
            if first.type == MessageType.INITIALIZE:
                self._serve_synchronous()
            elif first.type == MessageType.ASYNC_INITIALIZE:
                session = self.server.sessions.get(first.parameter)
                if session is None or session.asynchronous is not None:
                    self._fatal(FATAL_INITIALIZATION, b"no session waits for this connection")
                else:
                    self._serve_asynchronous(session)
            else:
                self._fatal(FATAL_INITIALIZATION, b"expected Initialize first")

    def _serve_synchronous(self) -> None:
        session = Session(self.server.free_number(), self.connection)
        self.server.sessions[session.number] = session
        try:
            self._send(MessageType.INITIALIZE_RESPONSE, parameter=_VERSION << 16 | session.number)
            while (message := self._receive()) is not None and self._synchronous(session, message):
                pass
        finally:
            del self.server.sessions[session.number]
            session.end()

    def _synchronous(self, session: Session, message: Message) -> bool:
        """Act on a message; whether the session goes on."""
        self.server.answering.wait()
        if session.asynchronous is None:
            return self._fatal(FATAL_BOTH_CHANNELS, b"AsyncInitialize comes first")
        if message.type in (MessageType.INITIALIZE, MessageType.ASYNC_INITIALIZE):
            return self._fatal(FATAL_INITIALIZATION, b"initialized already")
        if not self._control_known(message):
            return True
        match message.type:
            case MessageType.DATA | MessageType.DATA_END:
                session.message_available = False
                session.message += message.payload
                if message.too_large:  # refused while it came in
                    session.message.clear()
                elif len(session.message) > INPUT_BUFFER_BYTES:
                    session.message.clear()
                    self._send(MessageType.ERROR, ERROR_TOO_LARGE, payload=b"message too large")
                elif message.type == MessageType.DATA_END:
                    self._execute(session, message.parameter)
                session.has_handled(message.parameter)
            case MessageType.TRIGGER:
                self.server.instrument.execute(b"*TRG")
                session.has_handled(message.parameter)
            case MessageType.DEVICE_CLEAR_COMPLETE:
                session.message.clear()
                session.has_handled(_NO_MESSAGE)
                session.message_available = False
                self._send(MessageType.DEVICE_CLEAR_ACKNOWLEDGE)
            case _:
                self._refuse(message)
        return True

    def _control_known(self, message: Message) -> bool:
        largest = _CONTROL_MAX.get(message.type)  # type: ignore[call-overload]
        known = largest is None or message.control <= largest
        if not known:
            self._send(MessageType.ERROR, ERROR_CONTROL_CODE, payload=b"unrecognized control code")
        return known

    def _execute(self, session: Session, message_id: int) -> None:
        program = bytes(session.message)
        session.message.clear()
        for line in program.rstrip(b"\r\n").split(b"\n"):
            response = self.server.instrument.execute(line.rstrip(b"\r"))
            if not response:
                continue
            session.message_available = True
            whole = range(0, len(response), session.response_bytes)
            for start in whole:
                last = start == whole[-1]
                self._send(
                    MessageType.DATA_END if last else MessageType.DATA,
                    parameter=message_id,
                    payload=response[start : start + session.response_bytes],
                )

    def _serve_asynchronous(self, session: Session) -> None:
        session.asynchronous = self.connection
        try:
            self._send(MessageType.ASYNC_INITIALIZE_RESPONSE, parameter=_VENDOR)
            while (message := self._receive()) is not None and self._asynchronous(session, message):
                pass
        finally:
            session.end()

    def _asynchronous(self, session: Session, message: Message) -> bool:
        """Act on a message; whether the session goes on."""
        self.server.answering.wait()
        if message.type in (MessageType.INITIALIZE, MessageType.ASYNC_INITIALIZE):
            return self._fatal(FATAL_INITIALIZATION, b"initialized already")
        if not self._control_known(message):
            return True
        match message.type:
            case MessageType.ASYNC_MAX_MESSAGE_SIZE:
                if len(message.payload) == 8:
                    wanted = int.from_bytes(message.payload, "big") - _HEADER.size
                    session.response_bytes = min(max(wanted, 1), INPUT_BUFFER_BYTES)
                largest = struct.pack("!Q", INPUT_BUFFER_BYTES)
                self._send(MessageType.ASYNC_MAX_MESSAGE_SIZE_RESPONSE, payload=largest)
            case MessageType.ASYNC_STATUS_QUERY:
                session.catch_up(message.parameter)
                if message.control & 1:  # the client has read the response to its end
                    session.message_available = False
                status = self.server.instrument.serial_poll(message_available=session.message_available)
                self._send(MessageType.ASYNC_STATUS_RESPONSE, status)
            case MessageType.ASYNC_DEVICE_CLEAR:
                self._send(MessageType.ASYNC_DEVICE_CLEAR_ACKNOWLEDGE)
            case MessageType.ASYNC_LOCK:
                self._send(MessageType.ASYNC_LOCK_RESPONSE, 1)  # granted: the bench's own lock keeps order
            case MessageType.ASYNC_LOCK_INFO:
                self._send(MessageType.ASYNC_LOCK_INFO_RESPONSE)
            case MessageType.ASYNC_REMOTE_LOCAL_CONTROL:
                self._send(MessageType.ASYNC_REMOTE_LOCAL_RESPONSE)
            case _:
                self._refuse(message)
        return True

    def _refuse(self, message: Message) -> None:
        if message.type >= _FIRST_VENDOR_TYPE:
            self._send(MessageType.ERROR, ERROR_VENDOR_MESSAGE, payload=b"unrecognized vendor message")
        else:
            self._send(MessageType.ERROR, ERROR_MESSAGE_TYPE, payload=b"unrecognized message type")

    def _fatal(self, code: int, why: bytes) -> bool:
        self._send(MessageType.FATAL_ERROR, code, payload=why)
        return False

    def _receive(self) -> Message | None:
        """The next message; ``None`` at the end of the connection, which a bad header brings about."""
        header = self.rfile.read(_HEADER.size)
        if len(header) < _HEADER.size:
            return None
        prologue, kind, control, parameter, size = _HEADER.unpack(header)
        if prologue != _PROLOGUE:
            self._send(MessageType.FATAL_ERROR, FATAL_POOR_HEADER, payload=b"poorly formed message header")
            return None
        if size <= INPUT_BUFFER_BYTES:
            payload = self.rfile.read(size)
            return Message(kind, control, parameter, payload) if len(payload) == size else None
        # At once: what was announced may never come.
        self._send(MessageType.ERROR, ERROR_TOO_LARGE, payload=b"message too large")
        while size and (piece := self.rfile.read(min(size, _DISCARD_BYTES))):
            size -= len(piece)
        return None if size else Message(kind, control, parameter, b"", too_large=True)

    def _send(self, kind: MessageType, control: int = 0, parameter: int = 0, payload: bytes = b"") -> None:
        self.connection.sendall(_HEADER.pack(_PROLOGUE, kind, control, parameter, len(payload)) + payload)
