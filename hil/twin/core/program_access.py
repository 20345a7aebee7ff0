# SPDX-License-Identifier: Apache-2.0
"""The program's loads and stores that leave its memories: devices, and stores into flash.

The emulator calls from inside an instruction. No exception may leave these calls, so what they find waits in
an ``Ending`` for whoever started the emulator.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from hil.twin.core import block_hook
from hil.twin.core.bus import Bus, BusFault
from hil.twin.core.cycle_counter import CycleCounter
from hil.twin.core.engine import Engine
from hil.twin.core.memory import Memory
from hil.twin.core.polling import Polling
from hil.twin.core.programming import Programming
from hil.twin.core.protection import Protection
from hil.twin.core.stop import Stop
from hil.twin.core.watchpoints import WATCH_READS, WATCH_WRITES, Watchpoints

_PRIVATE_BUS, _PRIVATE_BUS_END = 0xE000_0000, 0xE010_0000
_TIMED_READS = frozenset((0xE000_1004, 0xE000_E018))
"""DWT_CYCCNT and SYST_CVR: programs time themselves with these, so their loads have exact instants."""


@dataclass
class Ending:
    """Why the emulator was told to stop, by what it called while it ran."""

    stop: Stop | None = None
    fault_address: int = 0
    """Address of the access behind the last DATA_FAULT or FETCH_FAULT."""
    error: BaseException | None = None
    """An exception to be raised again where the emulator was started."""


class ProgramAccess:
    """Carries out the accesses, and tells where the program is meanwhile."""

    def __init__(
        self,
        engine: Engine,
        counter: CycleCounter,
        memory: Memory,
        bus: Bus,
        *,
        ending: Ending,
        polling: Polling,
        programming: Programming,
        protection: Protection,
        watchpoints: Watchpoints,
    ) -> None:
        self._engine = engine
        self._counter = counter
        self._state = counter.state
        self._memory = memory
        self._bus = bus
        self._ending = ending
        self._polling = polling
        self._programming = programming
        self._protection = protection
        self._watchpoints = watchpoints
        self.on_flash_write: Callable[[int, int, int], None] = lambda address, width, value: None
        self.restarting = False
        """The present load was taken back, to be executed again as the first of its block."""
        self._accessing = self._accessing_store = False
        self._access_cycles: int | None = None
        self._access_pc: int | None = None
        """`cycles_now()` and `pc` during the present access, once they were asked for."""

    @property
    def pc(self) -> int:
        """Address of the next instruction; inside a store, of the storing one."""
        if not self._accessing:
            return self._engine.pc
        if self._access_pc is None:
            self._access_pc = self._engine.pc
        return self._access_pc

    def cycles_now(self) -> int:
        """Return the cycles executed; inside an access, up to the store or the first load of the block."""
        if not self._engine.is_running:
            return int(self._state[block_hook.CYCLES])
        if not self._accessing:
            return self._counter.cycles_inside_block(None)
        if self._access_cycles is None:
            store_pc = self.pc if self._accessing_store else None
            self._access_cycles = self._counter.cycles_inside_block(store_pc)
        return self._access_cycles

    def load(self, address: int, width: int) -> int:
        """Answer a load of the program from a device."""
        if self._protection.has_stopped:
            return 0
        try:
            self._programming.catch_up()
            self._check_privilege(address, "read")
            if self._watchpoints.check(address, width, WATCH_READS):
                self._engine.stop()  # aborts the load, which is executed again
                return 0
            if address in _TIMED_READS and self._must_restart():
                self._engine.stop()
                return 0
            self._polling.loading(address)
            self._begin_access()
            value = self._bus.read(address, width)
            self._polling.loaded(address, width, value, watched=self._watchpoints.watching)
            return value
        except BusFault:
            self._ending.fault_address = address
            self._ending.stop = Stop.DATA_FAULT
            self._engine.stop()  # aborts the load; the program counter then is the load's
        except BaseException as error:  # noqa: BLE001 - raised again by `run`
            self._fail(error)
        finally:
            self._accessing = False
        return 0

    def _begin_access(self) -> None:
        self._accessing = True
        self._access_cycles = self._access_pc = None

    def _check_privilege(self, address: int, operation: str) -> None:
        """Raise BusFault for an unprivileged access to the private peripheral bus (DDI 0403, B3.1)."""
        if _PRIVATE_BUS <= address < _PRIVATE_BUS_END and not self._protection.privileged:
            raise BusFault(address, operation, "the private peripheral bus needs privilege")

    def _must_restart(self) -> bool:
        """Have a load executed again as the first of its block, where its instant is known, if it is not yet.

        Stopping the emulator inside a load takes the load back, with the exact program counter.
        """
        if self.restarting:
            self.restarting = False
            return False
        timing = self._counter.present_block()
        self.restarting = (
            timing is not None and len(timing.load_addresses) > 1 and bool(self._state[block_hook.COUNTING])
        )
        return self.restarting

    def store(self, address: int, width: int, value: int) -> bool:
        """Carry out a store of the program to a device or into flash; return False to stop at it."""
        if self._protection.has_stopped:
            return False
        self._accessing_store = True
        self._begin_access()
        try:
            self._check_privilege(address, "write")
            if address % width and not self._memory.is_flash(address):
                # Always a fault in device memory (DDI 0403, A3.2.1).  A load arrives here cut into aligned
                # ones, and so faults only where CCR.UNALIGN_TRP asks for it.
                self._ending.stop = Stop.UNALIGNED
                return False
            if self._watchpoints.check(address, width, WATCH_WRITES):
                return False
            if self._memory.is_flash(address):
                self._polling.forget()
                self._programming.catch_up()
                self.on_flash_write(address, width, value & (1 << 8 * width) - 1)
            else:
                if not self._polling.stored(address, width, value, watched=self._watchpoints.watching):
                    self._programming.catch_up()
                    self._bus.write(address, width, value)
            return True
        except BusFault:
            self._ending.fault_address = address
            self._ending.stop = Stop.DATA_FAULT
            return False
        except BaseException as error:  # noqa: BLE001 - raised again by `run`
            self._fail(error)
            return True
        finally:
            self._accessing = self._accessing_store = False

    def _fail(self, error: BaseException) -> None:
        if self._ending.error is None:
            self._ending.error = error
        self._engine.stop()
