# SPDX-License-Identifier: Apache-2.0
"""Flash memory interface (RM0351, FLASH section): wait states, programming, erasing, option bytes.

Read protection: level 1 closes flash, SRAM2 and backup registers to a debugger, and going back to level 0
erases them. Level 2 is refused, because nothing could ever undo it.
Not modelled: fast programming, PCROP, ECC, and level 1 for programs that run from SRAM.
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import ClassVar, Final, Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from hil.parts import Block, Part
from hil.twin.core.bus import BusFault
from hil.twin.core.scheduler import Event, Scheduler
from hil.twin.ip.interrupts import InterruptSource
from hil.twin.ip.register_block import RegisterBlock, field
from hil.twin.ip.tick_counter import PS_PER_S
from hil.twin.signal import Signal
from hil.twin.soc.stm32l4.option_bytes import FACTORY, OPTR, RDP_LEVEL_0, RDP_LEVEL_2, OptionBytes

ACR: Final = 0x00
PDKEYR: Final = 0x04
KEYR: Final = 0x08
OPTKEYR: Final = 0x0C
SR: Final = 0x10
CR: Final = 0x14
ECCR: Final = 0x18

_KEYS: Final = (0x4567_0123, 0xCDEF_89AB)
_OPTION_KEYS: Final = (0x0819_2A3B, 0x4C5D_6E7F)
_EOP, _PROGERR, _WRPERR, _PGAERR, _SIZERR, _PGSERR = 1, 1 << 3, 1 << 4, 1 << 5, 1 << 6, 1 << 7
_BSY: Final = 1 << 16
_ERRORS: Final = 0xC3FA
_PG, _PER, _MER1, _MER2, _STRT, _OPTSTRT = 1, 1 << 1, 1 << 2, 1 << 15, 1 << 16, 1 << 17
_EOPIE, _ERRIE, _OBL_LAUNCH, _OPTLOCK, _LOCK = 1 << 24, 1 << 25, 1 << 27, 1 << 30, 1 << 31
_LEVEL_2_REFUSED: Final = (
    "read protection level 2 (RDP = 0xCC) is refused: no debugger would ever get in again"
)
_ICRST, _DCRST = 1 << 11, 1 << 12
_RUN_PD, _FSTPG, _RDERRIE, _ECCIE = 1 << 13, 1 << 18, 1 << 26, 1 << 24
_BFB2, _DUALBANK, _NBOOT1, _SRAM2_PE = 1 << 20, 1 << 21, 1 << 23, 1 << 24
"""BOOT0 is low on every board here, so that nBOOT1 decides nothing."""
_ERASED: Final = (1 << 64) - 1
_WRITE_PROTECTION: Final = ((0x2C, 0x30), (0x4C, 0x50))

Activity = Literal["write", "erase"]


class Operation(NamedTuple):
    """Programming or erasing under way. A tuple: one is made for each double word."""

    activity: Activity
    peak_end_ps: int
    """Until then it draws most."""
    end_ps: int
    banks: int
    """Bit 0: the first bank, bit 1: the second; nobody reads them meanwhile."""
    complete: Callable[[], None]
    undo: Callable[[], None]
    """Called when it is broken off."""
    event: Event | None
    """Planned for its end, where something happens then that nobody asks for."""


SetTiming = Callable[[int, bool, bool, bool], None]
"""Takes wait states, instruction cache, data cache and prefetch."""


class Flash(RegisterBlock):
    """The flash interface over the array ``cells``.

    ``on_timing`` gets the access settings; ``caches_changed`` follows it. ``activity_changed`` tells that
    a write or erase started or ended, unless :attr:`operation` already announced it. ``invalidate`` gets
    every range (address, size) that changed. ``option_load`` launches the reset that loads the option bytes.
    ``is_closed`` says whether read protection keeps a debugger's program out of the array.
    """

    resets: ClassVar[Mapping[int, int]] = {
        ACR: 0x600,
        PDKEYR: 0,
        KEYR: 0,
        OPTKEYR: 0,
        SR: 0,
        CR: _LOCK | _OPTLOCK,
        ECCR: 0,
    } | FACTORY
    polled: ClassVar[frozenset[int]] = frozenset({SR, CR})
    writable: ClassVar[Mapping[int, int]] = {ACR: 0x7F07, KEYR: 0, OPTKEYR: 0, ECCR: 1 << 24}
    write_one: ClassVar[frozenset[int]] = frozenset({SR})
    not_modelled: ClassVar[Mapping[int, int]] = {
        ACR: _RUN_PD,
        PDKEYR: 0xFFFF_FFFF,
        CR: _FSTPG | _RDERRIE,
        ECCR: _ECCIE,
        OPTR: _DUALBANK | _BFB2 | _NBOOT1 | _SRAM2_PE,
        **dict.fromkeys((0x24, 0x44), 0xFFFF),
        0x28: 0x8000_FFFF,
        0x48: 0xFFFF,
    }
    stored_only: ClassVar[Mapping[int, int]] = {ACR: _ICRST | _DCRST}
    """They act on a cache that is off only, which is empty here anyway."""

    def __init__(
        self,
        block: Block,
        part: Part,
        scheduler: Scheduler,
        interrupt: InterruptSource,
        cells: npt.NDArray[np.uint8],
        options: OptionBytes,
        invalidate: Callable[[int, int], None],
        on_timing: SetTiming,
        is_closed: Callable[[], bool],
    ) -> None:
        super().__init__(block)
        self._array = part.flash

        def duration_ps(fact: str) -> int:
            return round(part.fact(fact).typ_scalar() * PS_PER_S)

        self._program_ps = duration_ps("flash_prog_dword")
        self._page_erase_ps = duration_ps("flash_page_erase")
        self._mass_erase_ps = duration_ps("flash_mass_erase")
        peaks_s = part.fact("flash_idd").extra
        self._peak_ps: dict[Activity, int] = {
            "write": round(peaks_s["write_peak_s"] * PS_PER_S),
            "erase": round(peaks_s["erase_peak_s"] * PS_PER_S),
        }
        self._scheduler = scheduler
        self._interrupt = interrupt
        self._cells = cells
        self.options = options
        self._invalidate = invalidate
        self._on_timing = on_timing
        self._operation: Operation | None = None
        self._first_word: tuple[int, int] | None = None
        self._keys_seen = {KEYR: 0, OPTKEYR: 0}
        self.activity_changed: Signal[[]] = Signal(required=True)
        self.caches_changed: Signal[[]] = Signal(required=True)
        self.option_load: Signal[[]] = Signal(required=True)
        self.unprotected: Signal[[]] = Signal(required=True)
        """The read protection went back to level 0: SRAM2 and the backup registers are erased."""
        self._is_closed = is_closed
        self.busy: Signal[[int, int]] = Signal(required=True)
        """Told until when nobody reads which banks, see :class:`Operation`; no bank once it is over."""

    def reset(self) -> None:
        """System reset: locked; an operation under way is broken off and the option bytes are loaded."""
        operation = self.operation
        if operation is not None:
            operation.undo()
            if operation.event is not None:
                operation.event.cancel()
            self._operation = None
            self.busy(0, 0)
            self.activity_changed()
        super().reset()
        self.words.update(self.options.loaded)
        self._first_word = None
        self._keys_seen = {KEYR: 0, OPTKEYR: 0}
        self._update_interrupt()
        self._set_timing()

    @property
    def operation(self) -> Operation | None:
        """What is under way."""
        self._settle()
        return self._operation

    @property
    def activity(self) -> Activity | None:
        """What the array is doing."""
        operation = self.operation
        return None if operation is None else operation.activity

    @property
    def peak(self) -> bool:
        """The activity is in its first moments, when it draws most."""
        operation = self.operation
        return operation is not None and self._scheduler.now_ps < operation.peak_end_ps

    @property
    def caches_on(self) -> bool:
        """Whether the ART accelerator's instruction cache is on."""
        return bool(field(self.words[ACR], 9))

    @property
    def powered_down_in_sleep(self) -> bool:
        """SLEEP_PD: the flash is off in low-power sleep."""
        return bool(field(self.words[ACR], 14))

    def array_write(self, address: int, width: int, value: int) -> None:
        """A store into the flash range: programs a double word when both its words have come."""
        offset = address & (self._array.size - 1)
        self._finish()  # the bus would stall the store until the operation under way has ended
        control = self.words[CR]
        if self._is_closed():
            raise BusFault(address, "write", "read protection level 1 closes the flash to a debugger")
        if not control & _PG or self.words[SR] & _ERRORS:
            self._fail(_PGSERR)
        elif width != 4:
            self._fail(_SIZERR)
        elif self._first_word is None:
            if offset % 8:
                self._fail(_PGAERR)
            else:
                self._first_word = (offset, value)
        else:
            first_offset, first_value = self._first_word
            self._first_word = None
            if offset != first_offset + 4:
                self._fail(_PGAERR)
            else:
                self._program(first_offset, value << 32 | first_value)

    def read_word(self, offset: int) -> int:
        """Read a register."""
        if offset == SR and self._operation is not None:
            self._settle()
        return super().read_word(offset)

    def changes_at_ps(self, offset: int) -> int | None:
        """BSY ends with the operation under way."""
        operation = self._operation
        return operation.end_ps if offset == SR and operation is not None else None

    def write_word(self, offset: int, value: int) -> None:
        """Write a register."""
        if offset in (KEYR, OPTKEYR):
            self._key(offset, value)
        elif offset == SR:
            self._settle()
            self.words[SR] &= ~(value & ~_BSY)
            self._update_interrupt()
        elif offset == CR:
            self._write_control(value)
        elif offset in FACTORY:
            if not self.words[CR] & _OPTLOCK:
                if offset == OPTR and value & 0xFF == RDP_LEVEL_2:
                    raise BusFault(self.base + OPTR, "write", _LEVEL_2_REFUSED)
                self.store(offset, value)
        else:
            self.store(offset, value)
            if offset == ACR:
                self._set_timing()

    def _key(self, register: int, value: int) -> None:
        """Take a key; a wrong one, or one too many, is a bus error and locks until the next reset.

        Source: RM0351, 3.3.5 and 3.4.2. That a further key after the right ones counts as a wrong one, and
        an option key while FLASH_CR is locked, was seen on parts.
        """
        keys, lock = (_KEYS, _LOCK) if register == KEYR else (_OPTION_KEYS, _OPTLOCK)
        seen = self._keys_seen[register]
        if seen >= len(keys) or value != keys[seen] or (register == OPTKEYR and self.words[CR] & _LOCK):
            self._keys_seen[register] = len(keys) + 1
            self.words[CR] |= lock
            raise BusFault(self.base + register, "write", "wrong key; locked until the next reset")
        self._keys_seen[register] = seen + 1
        if seen + 1 == len(keys):
            self.words[CR] &= ~lock

    def _write_control(self, value: int) -> None:
        if self.words[CR] & _LOCK or self.operation is not None:
            return
        kept = self.words[CR] & _OPTLOCK
        self.words[CR] = (
            (value & 0x0FC7_8FFF & ~(_STRT | _OPTSTRT | _OBL_LAUNCH)) | kept | value & (_LOCK | _OPTLOCK)
        )
        if value & _LOCK:
            self._keys_seen[KEYR] = 0
        if value & _OPTLOCK:
            self._keys_seen[OPTKEYR] = 0
        if not value & _PG:
            self._first_word = None
        if value & _OBL_LAUNCH and not kept:
            self.options.load()
            self.option_load()
        elif value & _OPTSTRT and not kept:
            self._program_options()
        elif value & _STRT and value & (_PER | _MER1 | _MER2):
            self._erase(value)
        self._update_interrupt()

    def _program_options(self) -> None:
        """Erase and program the option area; back to read protection level 0 the whole part is erased."""
        words = {offset: self.words[offset] for offset in FACTORY}
        unprotects = self.options.read_protected and words[OPTR] & 0xFF == RDP_LEVEL_0

        def written() -> None:
            self.options.program(words)
            if unprotects:
                self._cells[:] = 0xFF
                self._changed(0, self._array.size)
                self.unprotected()

        # Each bank has option bytes of its own, at 0x1FFF7800 and 0x1FFFF800.
        duration_ps = self._page_erase_ps + (self._mass_erase_ps if unprotects else 0)
        self._start("erase", duration_ps, 0b11, written)

    def _erase(self, control: int) -> None:
        if self.words[SR] & _ERRORS:
            self._fail(_PGSERR)
            return
        if control & (_MER1 | _MER2):
            banks = [bank for bank, bit in enumerate((_MER1, _MER2)) if control & bit]
            ranges = [(bank * self._array.bank_size, self._array.bank_size) for bank in banks]
            duration_ps = self._mass_erase_ps
        else:
            page = field(control, 3, 8) + self._array.pages_per_bank * field(control, 11)
            ranges = [(page * self._array.page_size, self._array.page_size)]
            duration_ps = self._page_erase_ps
        if self._is_closed() or any(self._protected(offset, size) for offset, size in ranges):
            self._fail(_WRPERR)
            return

        def erased() -> None:
            for offset, size in ranges:
                self._cells[offset : offset + size] = 0xFF
                self._changed(offset, size)

        busy = sum({1 << offset // self._array.bank_size for offset, _ in ranges})
        self._start("erase", duration_ps, busy, erased)

    def _program(self, offset: int, value: int) -> None:
        old = int.from_bytes(self._cells[offset : offset + 8].tobytes(), "little")
        if self._protected(offset, 8):
            self._fail(_WRPERR)
        elif old != _ERASED and value != 0:
            self._fail(_PROGERR)
        else:
            # At once: the bus would stall whoever reads it before the end.
            self._fill(offset, value)
            banks = 1 << offset // self._array.bank_size
            self._start("write", self._program_ps, banks, undo=partial(self._fill, offset, old))

    def _fill(self, offset: int, value: int) -> None:
        """Give a double word of the array a value."""
        self._cells[offset : offset + 8] = np.frombuffer(value.to_bytes(8, "little"), dtype=np.uint8)
        self._changed(offset, 8)

    def _protected(self, offset: int, size: int) -> bool:
        first, last = offset // self._array.page_size, (offset + size - 1) // self._array.page_size
        bank, first_in_bank = divmod(first, self._array.pages_per_bank)
        last_in_bank = last - bank * self._array.pages_per_bank
        for register in _WRITE_PROTECTION[bank]:
            start, end = field(self.words[register], 0, 8), field(self.words[register], 16, 8)
            if first_in_bank <= end and last_in_bank >= start and start <= end:
                return True
        return False

    def _start(
        self,
        activity: Activity,
        duration_ps: int,
        banks: int,
        complete: Callable[[], None] = lambda: None,
        undo: Callable[[], None] = lambda: None,
    ) -> None:
        """Begin what ``complete`` ends, or ``undo`` if it is broken off.

        Without anything to do at its end there is no event: whoever looks at the operation later ends it,
        and the program polls BSY without ever leaving the emulator.
        """
        self.words[SR] |= _BSY
        now_ps = self._scheduler.now_ps
        end_ps = now_ps + duration_ps
        quiet = activity == "write" and not self.words[CR] & _EOPIE
        event = None if quiet else self._scheduler.at(end_ps, self._finish)
        peak_end_ps = now_ps + self._peak_ps[activity]
        self._operation = Operation(activity, peak_end_ps, end_ps, banks, complete, undo, event)
        self.busy(end_ps, banks)
        self.activity_changed()

    def _settle(self) -> None:
        """End an operation whose time has passed."""
        operation = self._operation
        if operation is not None and operation.event is None and self._scheduler.has_passed(operation.end_ps):
            self._end(operation)

    def _finish(self) -> None:
        """End what is under way, now."""
        operation = self.operation
        if operation is not None:
            if operation.event is not None:
                operation.event.cancel()
            self._end(operation)
            self.activity_changed()

    def _end(self, operation: Operation) -> None:
        self._operation = None
        self.busy(0, 0)
        operation.complete()
        self.words[SR] &= ~_BSY
        if self.words[CR] & _EOPIE:
            self.words[SR] |= _EOP
            self._update_interrupt()

    def _fail(self, error: int) -> None:
        self.words[SR] |= error
        self._first_word = None
        self._update_interrupt()

    def _changed(self, offset: int, size: int) -> None:
        self._invalidate(offset, size)
        self._invalidate(self._array.base + offset, size)

    def _set_timing(self) -> None:
        acr = self.words[ACR]
        self._on_timing(acr & 7, bool(field(acr, 9)), bool(field(acr, 10)), bool(field(acr, 8)))
        self.caches_changed()

    def _update_interrupt(self) -> None:
        status, control = self.words[SR], self.words[CR]
        wanted = (control & _EOPIE and status & _EOP) or (control & _ERRIE and status & _ERRORS)
        self._interrupt.set(bool(wanted))
