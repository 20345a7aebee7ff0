# SPDX-License-Identifier: Apache-2.0
"""VXI-11, the instrument's oldest way in over LAN: ``TCPIP::<host>,<port>::inst0::INSTR``.

Procedures, flags and error codes: VXI-11 TCP/IP Instrument Protocol, revision 1.0, sections B.5 and B.6;
remote procedure calls: RFC 5531; their encoding: RFC 4506. Served are the core and the abort channel, and a
port mapper's GETPORT, all on one port. An instrument has its port mapper on port 111, which a bench on
loopback may not take: a client names the port, as PyVISA-py lets it. The interrupt channel is not modelled;
asking for it is refused.
"""

from __future__ import annotations

import contextlib
import itertools
import socketserver
import struct
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import IntEnum, IntFlag
from typing import Protocol

from hil.twin.analyzer.server import INPUT_BUFFER_BYTES
from hil.twin.tcp_server import TcpServer

DEVICE_NAME = "inst0"
MAX_RECEIVE_BYTES = 1 << 14
"""Largest piece of a message that a client may send at once (assumption: the standard demands 1024)."""

_CORE, _ABORT, _PORT_MAPPER = 0x0607AF, 0x0607B0, 100000
_VERSIONS = {_CORE: 1, _ABORT: 1, _PORT_MAPPER: 2}
_LAST_FRAGMENT = 1 << 31
_RECORD_BYTES = INPUT_BUFFER_BYTES + 4096
_CALL, _REPLY = 0, 1
_RPC_VERSION = 2
_TCP = 6


class Accept(IntEnum):
    """What a server says of a call (RFC 5531, section 9)."""

    SUCCESS = 0
    PROGRAM_UNAVAILABLE = 1
    PROGRAM_MISMATCH = 2
    PROCEDURE_UNAVAILABLE = 3
    GARBAGE_ARGUMENTS = 4


class Error(IntEnum):
    """Device_ErrorCode (B.5.2)."""

    NONE = 0
    DEVICE_NOT_ACCESSIBLE = 3
    INVALID_LINK = 4
    OPERATION_NOT_SUPPORTED = 8
    LOCKED_BY_ANOTHER_LINK = 11
    NO_LOCK_HELD = 12
    IO_TIMEOUT = 15


class Flag(IntFlag):
    """Device_Flags (B.5.3)."""

    WAIT_LOCK = 0x01
    END = 0x08
    TERMCHAR_SET = 0x80


class Reason(IntFlag):
    """Why a read ended (B.6.4)."""

    REQUEST_COUNT = 1
    CHARACTER = 2
    END = 4


class Instrument(Protocol):
    """What is behind the protocol."""

    def execute(self, message: bytes) -> bytes:
        """Run one program message; the response with its terminator, or nothing."""

    def overrun(self) -> None:
        """A message was too long and has been thrown away."""

    def serial_poll(self, *, message_available: bool) -> int:
        """The status byte."""


class _GarbageError(Exception):
    """The arguments of a call cannot be decoded."""


@dataclass
class Link:
    """One client's way to the instrument."""

    number: int
    message: bytearray = field(default_factory=bytearray)
    response: bytearray = field(default_factory=bytearray)
    overrun: bool = False


class _Arguments:
    """XDR: big-endian words; opaque data and strings are padded to whole words."""

    def __init__(self, data: bytes) -> None:
        self._data, self._position = data, 0

    def words(self, count: int) -> tuple[int, ...]:
        end = self._position + 4 * count
        if end > len(self._data):
            raise _GarbageError
        values = struct.unpack_from(f"!{count}I", self._data, self._position)
        self._position = end
        return values

    def opaque(self) -> bytes:
        (size,) = self.words(1)
        start = self._position
        self._position += size + -size % 4
        if self._position > len(self._data):
            raise _GarbageError
        return self._data[start : start + size]


def _words(*values: int) -> bytes:
    return struct.pack(f"!{len(values)}I", *values)


def _opaque(data: bytes) -> bytes:
    return _words(len(data)) + data + bytes(-len(data) % 4)


class Vxi11Server(TcpServer):
    """A running server of any number of links."""

    def __init__(self, instrument: Instrument, host: str, port: int) -> None:
        super().__init__(host, port, _Connection)
        self.instrument = instrument
        self.links: dict[int, Link] = {}
        self.numbers = itertools.count(1)
        self.lock_holder: int | None = None
        self.lock_released = threading.Condition()
        self.connections: set[_Connection] = set()
        self.answering = threading.Event()
        self.answering.set()
        self.start()

    def hang(self, hung: bool) -> None:
        """A fault: take calls and answer none until it is over."""
        if hung:
            self.answering.clear()
        else:
            self.answering.set()

    def drop_clients(self) -> None:
        """A fault: every connection ends; clients may connect again."""
        for connection in list(self.connections):
            connection.end()

    def close(self) -> None:
        """Stop listening and drop the clients."""
        super().close()
        self.hang(False)
        self.drop_clients()

    def lock(self, link: int, *, wait_s: float) -> Error:
        """Give ``link`` the instrument's lock."""
        with self.lock_released:
            free = self.lock_released.wait_for(lambda: self.lock_holder in (None, link), wait_s)
            if not free or self.lock_holder == link:
                return Error.LOCKED_BY_ANOTHER_LINK
            self.lock_holder = link
            return Error.NONE

    def unlock(self, link: int) -> Error:
        """Take the lock from ``link``."""
        with self.lock_released:
            if self.lock_holder != link:
                return Error.NO_LOCK_HELD
            self.lock_holder = None
            self.lock_released.notify_all()
            return Error.NONE

    def may_use(self, link: int, *, wait_s: float) -> bool:
        """Whether no other link holds the lock, once that time has passed."""
        with self.lock_released:
            return self.lock_released.wait_for(lambda: self.lock_holder in (None, link), wait_s)

    def remove(self, link: int) -> None:
        """Forget a link and its lock."""
        self.unlock(link)
        self.links.pop(link, None)


class _Connection(socketserver.StreamRequestHandler):
    server: Vxi11Server
    disable_nagle_algorithm = True

    def setup(self) -> None:
        super().setup()
        self._links: set[int] = set()
        self._ended = threading.Event()
        self.server.connections.add(self)

    def finish(self) -> None:
        self.server.connections.discard(self)
        for link in self._links:  # a client that is gone leaves no lock behind (B.4.4)
            self.server.remove(link)
        super().finish()

    def end(self) -> None:
        """End the connection."""
        self._ended.set()
        with contextlib.suppress(OSError):  # it is gone already
            self.connection.shutdown(2)

    def handle(self) -> None:
        with contextlib.suppress(OSError):  # the client may be gone at any moment
            while (record := self._receive()) is not None:
                self.server.answering.wait()
                reply = self._call(record)
                if reply is None:
                    return
                self.wfile.write(_words(_LAST_FRAGMENT | len(reply)) + reply)

    def _receive(self) -> bytes | None:
        """The next record (RFC 5531, section 11); ``None`` at the end, or when it is absurdly long."""
        record = b""
        while True:
            header = self.rfile.read(4)
            if len(header) < 4:
                return None
            (mark,) = struct.unpack("!I", header)
            size = mark & ~_LAST_FRAGMENT
            if len(record) + size > _RECORD_BYTES:
                return None
            fragment = self.rfile.read(size)
            if len(fragment) < size:
                return None
            record += fragment
            if mark & _LAST_FRAGMENT:
                return record

    def _call(self, record: bytes) -> bytes | None:
        arguments = _Arguments(record)
        try:
            number, kind, rpc_version, program, version, procedure = arguments.words(6)
            if kind != _CALL:
                return None
            if rpc_version != _RPC_VERSION:
                return _words(number, _REPLY, 1, 0, _RPC_VERSION, _RPC_VERSION)
            for _ in ("credentials", "verifier"):
                arguments.words(1)
                arguments.opaque()
        except _GarbageError:
            return None  # not a call at all
        accepted = _words(number, _REPLY, 0, 0, 0)
        if program not in _VERSIONS:
            return accepted + _words(Accept.PROGRAM_UNAVAILABLE)
        if version != _VERSIONS[program]:
            return accepted + _words(Accept.PROGRAM_MISMATCH, _VERSIONS[program], _VERSIONS[program])
        handler = self._procedures().get((program, procedure))
        if handler is None:
            return accepted + _words(Accept.PROCEDURE_UNAVAILABLE)
        try:
            return accepted + _words(Accept.SUCCESS) + handler(arguments)
        except _GarbageError:
            return accepted + _words(Accept.GARBAGE_ARGUMENTS)

    def _procedures(self) -> dict[tuple[int, int], Callable[[_Arguments], bytes]]:
        return {
            (_PORT_MAPPER, 0): lambda arguments: b"",
            (_PORT_MAPPER, 3): self._get_port,
            (_CORE, 0): lambda arguments: b"",
            (_ABORT, 1): lambda arguments: _words(self._known(arguments.words(1)[0])),
            (_CORE, 10): self._create_link,
            (_CORE, 11): self._write,
            (_CORE, 12): self._read,
            (_CORE, 13): self._read_status_byte,
            (_CORE, 14): lambda arguments: self._generic(arguments, self._trigger),
            (_CORE, 15): lambda arguments: self._generic(arguments, self._clear),
            (_CORE, 16): lambda arguments: self._generic(arguments, lambda link: None),  # remote
            (_CORE, 17): lambda arguments: self._generic(arguments, lambda link: None),  # local
            (_CORE, 18): self._lock,
            (_CORE, 19): self._unlock,
            (_CORE, 20): lambda arguments: _words(Error.OPERATION_NOT_SUPPORTED),  # enable_srq
            (_CORE, 22): lambda arguments: _words(Error.OPERATION_NOT_SUPPORTED, 0),  # docmd
            (_CORE, 23): self._destroy_link,
            (_CORE, 25): lambda arguments: _words(Error.OPERATION_NOT_SUPPORTED),  # create_intr_chan
            (_CORE, 26): lambda arguments: _words(Error.OPERATION_NOT_SUPPORTED),  # destroy_intr_chan
        }

    def _known(self, link: int) -> Error:
        return Error.NONE if link in self._links else Error.INVALID_LINK

    def _ready(self, link: int, flags: int, lock_timeout_ms: int) -> Error:
        """Whether a link may act now."""
        if link not in self._links:
            return Error.INVALID_LINK
        wait_s = lock_timeout_ms / 1e3 if flags & Flag.WAIT_LOCK else 0.0
        return Error.NONE if self.server.may_use(link, wait_s=wait_s) else Error.LOCKED_BY_ANOTHER_LINK

    def _get_port(self, arguments: _Arguments) -> bytes:
        program, version, protocol, _ = arguments.words(4)
        served = _VERSIONS.get(program) == version and protocol == _TCP
        return _words(self.server.server_address[1] if served else 0)

    def _create_link(self, arguments: _Arguments) -> bytes:
        _, lock, lock_timeout_ms = arguments.words(3)
        name = arguments.opaque()
        if name.decode("ascii", "replace").lower() != DEVICE_NAME:
            return _words(Error.DEVICE_NOT_ACCESSIBLE, 0, 0, 0)
        link = Link(next(self.server.numbers))
        if lock:
            error = self.server.lock(link.number, wait_s=lock_timeout_ms / 1e3)
            if error is not Error.NONE:
                return _words(error, 0, 0, 0)
        self.server.links[link.number] = link
        self._links.add(link.number)
        return _words(Error.NONE, link.number, self.server.server_address[1], MAX_RECEIVE_BYTES)

    def _destroy_link(self, arguments: _Arguments) -> bytes:
        (number,) = arguments.words(1)
        error = self._known(number)
        if error is Error.NONE:
            self._links.discard(number)
            self.server.remove(number)
        return _words(error)

    def _write(self, arguments: _Arguments) -> bytes:
        number, _, lock_timeout_ms, flags = arguments.words(4)
        data = arguments.opaque()
        error = self._ready(number, flags, lock_timeout_ms)
        if error is not Error.NONE:
            return _words(error, 0)
        link = self.server.links[number]
        link.message += data
        if len(link.message) > INPUT_BUFFER_BYTES:
            link.message.clear()
            link.overrun = True
        if flags & Flag.END:
            self._execute(link)
        return _words(Error.NONE, len(data))

    def _execute(self, link: Link) -> None:
        program = bytes(link.message)
        link.message.clear()
        link.response.clear()
        if link.overrun:
            link.overrun = False
            self.server.instrument.overrun()
            return
        for line in program.rstrip(b"\r\n").split(b"\n"):
            link.response += self.server.instrument.execute(line.rstrip(b"\r"))

    def _read(self, arguments: _Arguments) -> bytes:
        number, size, io_timeout_ms, lock_timeout_ms, flags, character = arguments.words(6)
        error = self._ready(number, flags, lock_timeout_ms)
        if error is not Error.NONE:
            return _words(error, 0) + _opaque(b"")
        link = self.server.links[number]
        if not link.response:  # nothing will come: a message is answered before the next call
            self._ended.wait(io_timeout_ms / 1e3)
            return _words(Error.IO_TIMEOUT, 0) + _opaque(b"")
        data = bytes(link.response[:size])
        reason = Reason(0)
        if flags & Flag.TERMCHAR_SET:
            found = data.find(character & 0xFF)
            if found >= 0:
                data = data[: found + 1]
                reason |= Reason.CHARACTER
        del link.response[: len(data)]
        if len(data) == size:
            reason |= Reason.REQUEST_COUNT
        if not link.response:
            reason |= Reason.END
        return _words(Error.NONE, reason) + _opaque(data)

    def _read_status_byte(self, arguments: _Arguments) -> bytes:
        number, flags, lock_timeout_ms, _ = arguments.words(4)
        error = self._ready(number, flags, lock_timeout_ms)
        if error is not Error.NONE:
            return _words(error, 0)
        available = bool(self.server.links[number].response)
        return _words(error, self.server.instrument.serial_poll(message_available=available))

    def _generic(self, arguments: _Arguments, action: Callable[[Link], None]) -> bytes:
        number, flags, lock_timeout_ms, _ = arguments.words(4)
        error = self._ready(number, flags, lock_timeout_ms)
        if error is Error.NONE:
            action(self.server.links[number])
        return _words(error)

    def _trigger(self, link: Link) -> None:
        self.server.instrument.execute(b"*TRG")

    def _clear(self, link: Link) -> None:
        link.message.clear()
        link.response.clear()
        link.overrun = False

    def _lock(self, arguments: _Arguments) -> bytes:
        number, flags, lock_timeout_ms = arguments.words(3)
        error = self._known(number)
        if error is Error.NONE:
            wait_s = lock_timeout_ms / 1e3 if flags & Flag.WAIT_LOCK else 0.0
            error = self.server.lock(number, wait_s=wait_s)
        return _words(error)

    def _unlock(self, arguments: _Arguments) -> bytes:
        (number,) = arguments.words(1)
        error = self._known(number)
        return _words(self.server.unlock(number) if error is Error.NONE else error)
