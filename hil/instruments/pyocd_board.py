# SPDX-License-Identifier: Apache-2.0
"""The board through pyOCD: any probe that pyOCD knows, also one served over the network."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress

from pyocd.core import exceptions
from pyocd.core.helpers import ConnectHelper
from pyocd.core.session import Session
from pyocd.core.target import Target
from pyocd.debug.svd.loader import SVDFile
from pyocd.flash.loader import MemoryLoader
from pyocd.probe.debug_probe import DebugProbe
from pyocd.probe.tcp_client_probe import TCPClientProbe

from hil.errors import ConnectError, ImageError, InstrumentTimeoutError, ProtocolError
from hil.instruments import remote_probe
from hil.instruments.interrupts import whole_exchange
from hil.instruments.protocols import Identity, Progress
from hil.instruments.usb_probes import explain_missing, hint_for, identity_of

_DBGMCU_CR = 0xE0042004
_DBGMCU_FREEZE = (0xE0042008, 0xE004200C, 0xE0042010)
"""DBGMCU_CR, and APB1FZR1, APB1FZR2, APB2FZR (RM0351, MCU debug component). They keep their value through
every reset but power-on, and pyOCD sets them all on connecting: the core's clocks then run on in Stop
mode."""

_DHCSR = 0xE000EDF0
_DEMCR = 0xE000EDFC
_DBGKEY = 0xA05F0000
"""Debug halting control, debug exception control, and the key that a write to the former needs (ARMv7-M
Architecture Reference Manual, C1.6). The key alone clears C_HALT and C_DEBUGEN: the core runs, without a
debugger."""

_READ_AT_ONCE = 1 << 14
"""Bytes of a memory that one request asks for, so that its answer has a time by which it is due."""

_OPTIONS = {
    "auto_unlock": False,  # unlocking would erase the part without being asked
    "cache.enable_memory": False,  # the firmware writes the same memory that the rig reads
    "chip_erase": "sector",  # touch only what the image covers
    "hide_programming_progress": True,  # our own callback reports
    "keep_unwritten": True,
    "no_config": True,  # a pyocd.yaml in the working directory does not change a measurement
    "resume_on_disconnect": True,
    "smart_flash": True,
}


class PyocdBoard:
    """A part behind a debug probe. A session is opened by :meth:`connect` and ended by :meth:`detach`."""

    def __init__(self, uid: str, target: str, frequency_hz: float) -> None:
        """Nothing is opened yet.

        Args:
            uid: pyOCD unique id of the probe, or ``remote:host:port``.
            target: pyOCD target type.
            frequency_hz: SWD clock.
        """
        self._uid = uid
        self._target_type = target
        self._frequency_hz = frequency_hz
        self._session: Session | None = None
        self._identity: Identity | None = None

    @property
    def connected(self) -> bool:
        """Whether a debug session is open."""
        return self._session is not None

    def identity(self) -> Identity:
        """The probe's identity; opens the probe for a moment if no session ever has, and leaves the part
        alone.
        """
        if self._identity is None:
            with self._explained("identify"):
                session = self._new_session()
                try:
                    session.open(init_board=False)  # pyOCD's USB probes open in a session only
                    self._identity = identity_of(session.probe, self._frequency_hz)
                finally:
                    session.close()
        return self._identity

    def connect(self, *, under_reset: bool = False) -> None:
        """Open a debug session and halt the core; an open session is kept.

        Args:
            under_reset: hold NRST while connecting. This restarts the part, and reaches one that sleeps.

        Raises:
            ConnectError: no such probe, or no part behind it.
        """
        if self._session is not None:
            return
        with self._explained("connect"):
            session = self._new_session(connect_mode="under-reset" if under_reset else "halt")
            try:
                session.open()
                self._identity = identity_of(session.probe, self._frequency_hz)
                self._session = session
            finally:
                if self._session is None:
                    try:
                        session.close()
                    finally:
                        remote_probe.hang_up(session.probe)

    def program(self, segments: Iterable[tuple[int, bytes]], progress: Progress | None = None) -> bool:
        """Make the flash hold ``segments``, then read them back.

        Args:
            segments: addresses and bytes.
            progress: called with the fraction done.

        Returns:
            Whether anything had to be written.

        Raises:
            ImageError: a segment is outside the part's memory.
            ProtocolError: the flash does not hold what was written.
        """
        wanted = [(address, bytes(data)) for address, data in segments if data]
        self.halt()
        if self._differing(wanted) is None:
            return False
        with self._explained("program"):
            loader = MemoryLoader(self._open_session(), progress=progress or _no_progress)
            for address, data in wanted:
                try:
                    loader.add_data(address, data)
                except ValueError as error:
                    raise ImageError(
                        str(error),
                        where="board",
                        operation="program",
                        expected=f"addresses in the flash of {self._target_type}",
                    ) from error
            loader.commit()
        wrong = self._differing(wanted)
        if wrong is not None:
            raise ProtocolError(
                f"the flash differs from the image at 0x{wrong:08X} after programming",
                where="board",
                operation="program",
                hint="a lower [probe] frequency; check the supply",
            )
        return True

    def reset(self, *, halt: bool = False) -> None:
        """Reset the part; with ``halt`` the core stops before its first instruction."""
        with self._explained("reset"):
            target = self._target()
            if halt:
                target.reset_and_halt()
            else:
                target.reset()

    def halt(self) -> None:
        """Stop the core."""
        with self._explained("halt"):
            self._target().halt()

    def resume(self) -> None:
        """Let the core run."""
        with self._explained("resume"):
            self._target().resume()

    def read_memory(self, address: int, size: int) -> bytes:
        """Read ``size`` bytes; the core may be running."""
        with self._explained(f"read {size} bytes at 0x{address:08X}"):
            target, end = self._target(), address + size
            return b"".join(
                bytes(target.read_memory_block8(start, min(_READ_AT_ONCE, end - start)))
                for start in range(address, end, _READ_AT_ONCE)
            )

    def write_memory(self, address: int, data: bytes) -> None:
        """Write bytes to RAM or registers; the core may be running. Flash is :meth:`program`'s."""
        with self._explained(f"write {len(data)} bytes at 0x{address:08X}"):
            self._target().write_memory_block8(address, list(data))  # a remote probe takes no bytes

    def round_trip(self) -> None:
        """Read one register of the core."""
        with self._explained("round trip"):
            self._target().read32(_DHCSR)

    def detach(self) -> None:
        """End the debug session so that the part draws what it draws without a debugger, and let the core
        run.

        DBGMCU is cleared last and read back, with the core still halted: once it sleeps in Stop 2 without
        DBG_STOP its bus cannot be reached any more.

        Raises:
            ProtocolError: a DBGMCU register does not read back as 0.
        """
        if self._session is None:
            return
        try:
            self.halt()
            with self._explained("detach"):
                target = self._target()
                target.write32(_DEMCR, 0)
                for register in (*_DBGMCU_FREEZE, _DBGMCU_CR):
                    target.write32(register, 0)
                for register in (*_DBGMCU_FREEZE, _DBGMCU_CR):
                    value = target.read32(register)
                    if value != 0:
                        raise ProtocolError(
                            f"register 0x{register:08X} reads 0x{value:08X}",
                            where="board",
                            operation="detach",
                            expected="0: debug bits left set keep the current up in Stop mode",
                            hint="a power cycle clears them",
                        )
                target.write32(_DHCSR, _DBGKEY)
                # A program that enters Standby at once takes the debug port's supply away.
                with suppress(exceptions.TransferError):
                    target.dp.disconnect()
        finally:
            self.abandon()

    def abandon(self) -> None:
        """End the debug session without touching the part, for one whose power is gone."""
        session, self._session = self._session, None
        if session is not None:
            with self._explained("close"):
                session.options.set("resume_on_disconnect", False)
                session.close()

    def _differing(self, segments: Iterable[tuple[int, bytes]]) -> int | None:
        """Address of the first byte that the part does not hold, if any."""
        for address, data in segments:
            held = self.read_memory(address, len(data))
            if held != data:
                return address + next(i for i, (a, b) in enumerate(zip(held, data, strict=True)) if a != b)
        return None

    def _find_probe(self) -> DebugProbe:
        probes = ConnectHelper.get_all_connected_probes(blocking=False, unique_id=self._uid)
        if len(probes) != 1:
            message, hint = explain_missing(self._uid, [probe.unique_id for probe in probes])
            raise ConnectError(
                message, where="board", operation="find the probe", expected="one debug probe", hint=hint
            )
        if isinstance(probes[0], TCPClientProbe):
            remote_probe.bound(probes[0])
        return probes[0]

    def _new_session(self, connect_mode: str = "halt") -> Session:
        """A session on the probe, not open yet."""
        # pyOCD reports through logging as well; its errors reach the caller as exceptions.
        logging.getLogger("pyocd").setLevel(logging.CRITICAL)
        options = {
            **_OPTIONS,
            "connect_mode": connect_mode,
            "frequency": int(self._frequency_hz),
            "target_override": self._target_type,
        }
        with _without_register_descriptions():
            return Session(self._find_probe(), options=options)

    def _open_session(self) -> Session:
        if self._session is None:
            raise ConnectError("no debug session", where="board", expected="connect() first")
        return self._session

    def _target(self) -> Target:
        return self._open_session().target

    @contextmanager
    def _explained(self, operation: str) -> Iterator[None]:
        """Turn pyOCD's errors, and those of the connection under it, into the controller's."""
        try:
            with whole_exchange():
                yield
        except TimeoutError as error:
            raise InstrumentTimeoutError(
                str(error),
                where="board",
                operation=operation,
                hint="is the probe's server alive? It took the request; check [probe] uid",
            ) from error
        except (exceptions.ProbeError, OSError) as error:
            raise ConnectError(
                str(error) or type(error).__name__,
                where="board",
                operation=operation,
                hint=hint_for(error),
            ) from error
        except exceptions.Error as error:
            raise ProtocolError(
                str(error) or type(error).__name__,
                where="board",
                operation=operation,
                hint="is the board supplied? A sleeping part answers to a connection under reset only",
            ) from error
        except (TypeError, ValueError, LookupError, AttributeError) as error:
            # pyOCD takes the values in a probe's answers as they come.
            raise ProtocolError(
                f"pyOCD cannot use the probe's answer ({type(error).__name__}: {error})",
                where="board",
                operation=operation,
                hint=hint_for(error),
            ) from error


@contextmanager
def _without_register_descriptions() -> Iterator[None]:
    """Keep pyOCD from opening its archive of SVD files for a new session.

    It never closes the archive, and reads the part's file in a thread that slows the connection down by a
    second. Nothing here looks registers up by name.
    """
    original = SVDFile.__dict__["from_builtin"]
    SVDFile.from_builtin = lambda _name: None
    try:
        yield
    finally:
        SVDFile.from_builtin = original


def _no_progress(_fraction: float) -> None:
    """Given to pyOCD, whose default prints a bar."""
