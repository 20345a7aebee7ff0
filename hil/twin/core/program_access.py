# SPDX-License-Identifier: Apache-2.0
"""The program's loads and stores that leave its memories: devices, and stores into flash.

The emulator calls from inside an instruction. No exception may leave these calls, so what they find waits in
an ``Ending`` for whoever started the emulator.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from hil.twin.core import state_layout as words
from hil.twin.core.bus import STRONGLY_ORDERED, Bus, BusFault, is_device
from hil.twin.core.cycle_counter import CycleCounter
from hil.twin.core.engine import Engine
from hil.twin.core.memory import Memory
from hil.twin.core.polling import Polling
from hil.twin.core.protection import Protection
from hil.twin.core.stop import Stop
from hil.twin.core.watchpoints import WATCH_READS, WATCH_WRITES, Watchpoints

_PRIVATE_BUS, _PRIVATE_BUS_END = 0xE000_0000, 0xE010_0000


@dataclass
class Ending:
    """Why the emulator was told to stop, by what it called while it ran."""

    stop: Stop | None = None
    fault_address: int = 0
    """Address of the access behind the last DATA_FAULT or FETCH_FAULT."""
    imprecise: bool = False
    """A store that the write buffer had taken failed, while the program went on."""
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
        protection: Protection,
        watchpoints: Watchpoints,
        flash_written: Callable[[int, int, int], None],
        ignores_data_faults: Callable[[], bool],
    ) -> None:
        """``flash_written`` is told of stores into flash; ``ignores_data_faults`` is asked where a buffered
        store fails: true lets it go without a trace (CCR.BFHFNMIGN).
        """
        self._engine = engine
        self._counter = counter
        self._state = counter.state
        self._memory = memory
        self._bus = bus
        self._ending = ending
        self._polling = polling
        self._protection = protection
        self._watchpoints = watchpoints
        self._flash_written = flash_written
        self.buffers_stores = True
        """The write buffer is on (ACTLR.DISDEFWBUF is 0)."""
        self._ignores_data_faults = ignores_data_faults
        self._accessing = False
        self._access_cycles: int | None = None
        self._access_pc: int | None = None
        """`cycles_now()` and `pc` during the present access, once they were asked for."""

    @property
    def pc(self) -> int:
        """Address of the next instruction; inside an access, of the accessing one."""
        if not self._accessing:
            return self._engine.pc
        if self._access_pc is None:
            self._access_pc = self._engine.pc
        return self._access_pc

    def cycles_now(self) -> int:
        """Return the cycles executed; inside an access, up to its instruction."""
        if not self._engine.is_running:
            return int(self._state[words.CYCLES])
        if not self._accessing:
            return int(self._state[words.BLOCK_CYCLES])
        if self._access_cycles is None:
            self._access_cycles = self._counter.cycles_inside_block(self.pc)
        return self._access_cycles

    def load(self, address: int, width: int) -> int:
        """Answer a load of the program from a device; return -1 to stop at it."""
        if self._protection.has_stopped:
            return -1
        try:
            self._check_privilege(address, "read")
            if address % width and is_device(address):
                self._ending.stop = Stop.UNALIGNED  # as a store
                return -1
            if self._watchpoints.check(address, width, WATCH_READS):
                return -1
            self._polling.loading(address)
            self._begin_access()
            value = self._bus.read(address, width)
            if self._watchpoints.watching and self._watchpoints.loaded(address, width, value):
                self._state[words.STOP_REQUEST] = 1
            self._polling.loaded(address, width, value, watched=self._watchpoints.watching)
            return value
        except BusFault:
            self._ending.fault_address = address
            self._ending.stop = Stop.DATA_FAULT
        except BaseException as error:  # noqa: BLE001 - raised again by `run`
            self._fail(error)
        finally:
            self._accessing = False
        return -1

    def _begin_access(self) -> None:
        self._accessing = True
        self._access_cycles = self._access_pc = None

    def _check_privilege(self, address: int, operation: str) -> None:
        """Raise BusFault for an unprivileged access to the private peripheral bus (DDI 0403, B3.1)."""
        if _PRIVATE_BUS <= address < _PRIVATE_BUS_END and not self._protection.privileged:
            raise BusFault(address, operation, "the private peripheral bus needs privilege")

    def store(self, address: int, width: int, value: int) -> bool:
        """Carry out a store of the program to a device or into flash; return False to stop at it."""
        if self._protection.has_stopped:
            return False
        self._begin_access()
        try:
            self._check_privilege(address, "write")
            if address % width and is_device(address):
                # Always a fault in device memory (DDI 0403, A3.2.1).
                self._ending.stop = Stop.UNALIGNED
                return False
            if self._watchpoints.check(address, width, WATCH_WRITES, value):
                return False
            if self._memory.takes_no_store(address):
                self._polling.disturb()
                self._flash_written(address, width, value & (1 << 8 * width) - 1)
            elif not self._polling.stored(address, width, value, watched=self._watchpoints.watching):
                self._bus.write(address, width, value)
            return True
        except BusFault:
            if self.buffers_stores and address < STRONGLY_ORDERED:
                if not self._ignores_data_faults():
                    self._ending.imprecise = True
                    self._state[words.STOP_REQUEST] = 1
                return True
            self._ending.fault_address = address
            self._ending.stop = Stop.DATA_FAULT
            return False
        except BaseException as error:  # noqa: BLE001 - raised again by `run`
            self._fail(error)
            return False
        finally:
            self._accessing = False

    def _fail(self, error: BaseException) -> None:
        if self._ending.error is None:
            self._ending.error = error
