# SPDX-License-Identifier: Apache-2.0
"""Power control (RM0351, PWR section): regulator, low-power mode selection, wake-up flags."""

from collections.abc import Callable, Mapping
from typing import ClassVar, Final, Literal

from hil.parts import Block, Part
from hil.twin.core.scheduler import Event, Scheduler
from hil.twin.ip.register_block import RegisterBlock, field
from hil.twin.ip.tick_counter import PS_PER_S
from hil.twin.signal import Signal

CR1: Final = 0x00
CR2: Final = 0x04
CR3: Final = 0x08
CR4: Final = 0x0C
SR1: Final = 0x10
SR2: Final = 0x14
SCR: Final = 0x18

_SBF, _WUFI = 1 << 8, 1 << 15
_REGLPS, _REGLPF, _VOSF = 1 << 8, 1 << 9, 1 << 10
_LPR: Final = 1 << 14
_APC: Final = 1 << 10
_PVDE, _PVDO = 1 << 0, 1 << 11
_PVD_EXTERNAL: Final = 7
"""PLS code that compares PB7 with VREFINT."""
_TYPICAL: Final = 1
"""Index of the typical threshold in Table 25's columns (minimum, typical, maximum)."""
_WAKEUP_PINS: Final = 5
_LATE_WRITE_CYCLES: Final = 16
"""How close before the entry of a low-power mode a write of PWR_CR4 gets lost: assumption late_cr4_write."""
_PULL_REGISTERS: Final = tuple(range(0x20, 0x60, 4))

_VBE, _VBRS = 1 << 8, 1 << 9
_CHARGING_OHM: Final = (5000.0, 1500.0)
"""By VBRS (ST's HAL, PWR_BATTERY_CHARGING_RESISTOR_5 and _1_5)."""

DeepSleepMode = Literal["stop0", "stop1", "stop2", "standby", "shutdown"]
_DEEP_SLEEP: Final[tuple[DeepSleepMode, ...]] = ("stop0", "stop1", "stop2", "standby")


class Pwr(RegisterBlock):
    """The PWR block. ``regulator_changed`` tells of new settings of the regulator.

    ``wakeup_pin_level`` gives the level outside at WKUP pin 1 to 5, ``None`` if nothing defines it.
    """

    resets: ClassVar[Mapping[int, int]] = {
        CR1: 0x200,
        CR2: 0,
        CR3: 0x8000,
        CR4: 0,
        SR1: 0,
        SR2: 0,
        SCR: 0,
    } | dict.fromkeys(_PULL_REGISTERS, 0)
    polled: ClassVar[frozenset[int]] = frozenset({SR2})
    writable: ClassVar[Mapping[int, int]] = {
        CR1: 0x4707,
        CR2: 0x6FF,
        CR3: 0x851F,
        CR4: 0x31F,
        SR1: 0,
        SR2: 0,
        SCR: 0,
    }
    write_one: ClassVar[frozenset[int]] = frozenset({SCR})
    not_modelled: ClassVar[Mapping[int, int]] = {CR2: 0x6F0}
    """Monitors of VDDUSB, VDDIO2 and VDDA, and the isolation of the first two."""

    def __init__(
        self,
        block: Block,
        part: Part,
        scheduler: Scheduler,
        wakeup_pin_level: Callable[[int], bool | None],
    ) -> None:
        super().__init__(block)
        self._part = part
        self._scheduler = scheduler
        self._settling: dict[int, Event] = {}
        self._late_write: tuple[int, int] | None = None
        """When PWR_CR4 was written, and its value before, until the next access to the block."""
        self._wakeup_pin_level = wakeup_pin_level
        self.regulator_changed: Signal[[]] = Signal(required=True)
        self._supply_v = 0.0
        self.supply_low: Signal[[bool]] = Signal(required=True)
        """Gets the level of the voltage detector's output, PVDO (EXTI line 16)."""

    def reset(self) -> None:
        """System reset; the wake-up flags stay (they say why the part left Standby)."""
        flags = self.words[SR1]
        self._late_write = None
        super().reset()
        self.words[SR1] = flags
        self._settle()
        self._compare_supply()

    def power_on_reset(self) -> None:
        """Power-on: also the flags."""
        self.words[SR1] = 0
        self.reset()

    def supply_changed(self, voltage_v: float) -> None:
        """VDD has this voltage now."""
        self._supply_v = voltage_v
        self._compare_supply()

    def _compare_supply(self) -> None:
        """PVDO rises below the falling threshold, falls above the rising one (DS10198 Rev 8, Table 25)."""
        level, was_low = field(self.words[CR2], 1, 3), bool(self.words[SR2] & _PVDO)
        low = False
        if self.words[CR2] & _PVDE and level != _PVD_EXTERNAL:
            edge = "rise" if was_low else "fall"
            low = self._supply_v < self._part.fact("pvd_V").extra[f"pvd{level}_{edge}"][_TYPICAL]
        if low != was_low:
            self.words[SR2] ^= _PVDO
            self.supply_low(low)

    @property
    def backup_access(self) -> bool:
        """DBP: the backup domain may be written."""
        return bool(field(self.words[CR1], 8))

    @property
    def low_power_regulator(self) -> bool:
        """LPR: low-power run, low-power sleep."""
        return bool(self.words[CR1] & _LPR)

    @property
    def voltage_range(self) -> int:
        """1 (up to 80 MHz) or 2 (up to 26 MHz)."""
        return 2 if field(self.words[CR1], 9, 2) == 2 else 1

    @property
    def monitor_enabled(self) -> bool:
        """PVDE: the programmable voltage detector is on."""
        return bool(self.words[CR2] & 1)

    @property
    def peripheral_monitors(self) -> tuple[int, int]:
        """How many of the monitors PVM1 and PVM2, and of PVM3 and PVM4, are on (PVME1 to PVME4)."""
        enables = field(self.words[CR2], 4, 4)
        return (enables & 3).bit_count(), (enables >> 2).bit_count()

    @property
    def battery_charging_ohm(self) -> float | None:
        """VBE and VBRS: the resistor through which VDD charges the cell at VBAT, ``None`` if it does not."""
        return _CHARGING_OHM[bool(self.words[CR4] & _VBRS)] if self.words[CR4] & _VBE else None

    @property
    def sram2_retained(self) -> bool:
        """RRS: SRAM2 keeps its content in Standby."""
        return bool(field(self.words[CR3], 8))

    @property
    def deep_sleep_mode(self) -> DeepSleepMode:
        """The mode that WFI or WFE with SLEEPDEEP enters.

        With the low-power regulator selected Stop 2 cannot be entered: the part goes to Stop 1 instead
        (RM0351, PWR_CR1.LPR). The regulator is still the low-power one until REGLPF says otherwise.
        """
        code = field(self.words[CR1], 0, 3)
        if code >= 4:
            return "shutdown"
        mode = _DEEP_SLEEP[code]
        # assumptions stop_lpr for Stop 0, lprun_until_reglpf for the flag
        if (self.low_power_regulator or self.words[SR2] & _REGLPF) and mode in ("stop0", "stop2"):
            return "stop1"
        return mode

    def enter_deep_sleep(self, hclk_hz: int) -> None:
        """The part enters a low-power mode: a write of PWR_CR4 that was not read back may not have arrived
        (errata sheet ES0250, Rev 4, 2.1.9; assumptions errata_worst_case and late_cr4_write).
        """
        if self._late_write is None:
            return
        written_ps, before = self._late_write
        self._late_write = None
        if (self._scheduler.now_ps - written_ps) * hclk_hz <= _LATE_WRITE_CYCLES * PS_PER_S:
            self.words[CR4] = before

    @property
    def wakeup_pin_flagged(self) -> bool:
        """Whether any WUFx is set: Standby and Shutdown then end at once."""
        return bool(field(self.words[SR1], 0, _WAKEUP_PINS))

    def wakeup_pin_enabled(self, index: int) -> bool:
        """EWUPx of WKUP pin ``index`` (1 to 5)."""
        return bool(field(self.words[CR3], index - 1))

    def flag_standby(self) -> None:
        """The part was in Standby."""
        self.words[SR1] |= _SBF

    def flag_internal_wakeup(self, level: bool) -> None:
        """Level of the internal wake-up line (RTC); it wakes Standby and Shutdown if EIWUL is set."""
        self.words[SR1] = self.words[SR1] | _WUFI if level else self.words[SR1] & ~_WUFI

    @property
    def internal_wakeup_enabled(self) -> bool:
        """EIWUL."""
        return bool(field(self.words[CR3], 15))

    @property
    def kept_settings(self) -> dict[int, int]:
        """PWR_CR3, PWR_CR4 and the pulls, which Standby and Shutdown keep."""
        return {offset: self.words[offset] for offset in (CR3, CR4, *_PULL_REGISTERS)}

    def restore_settings(self, settings: dict[int, int]) -> None:
        """Put them back after the reset that goes with Standby and Shutdown."""
        self.words.update(settings)

    def pulls(self, port: str) -> tuple[int, int]:
        """The pins of a port with a pull-up, and with a pull-down, in Standby and Shutdown (APC)."""
        if not self.words[CR3] & _APC:
            return 0, 0
        up = _PULL_REGISTERS[2 * (ord(port) - ord("A"))]
        # The pull-down wins where both are set (ST's HAL, HAL_PWREx_EnableGPIOPullUp).
        return self.words[up] & ~self.words[up + 4], self.words[up + 4]

    def pulled(self, pin: str) -> bool:
        """Whether one of them is at a pin, "PA0"."""
        up, down = self.pulls(pin[1])
        return bool((up | down) >> int(pin[2:]) & 1)

    def wakeup_pin(self, index: int, rising: bool) -> bool:
        """An edge on WKUP pin ``index`` (1 to 5): sets its flag; true if it is enabled with this polarity."""
        matches = self.wakeup_pin_enabled(index) and rising != bool(field(self.words[CR4], index - 1))
        if matches:
            self.words[SR1] |= 1 << (index - 1)
        return matches

    def read(self, offset: int, width: int) -> int:
        """PWR answers loads without its bus clock, too: assumption pwr_read."""
        word = self.read_word(offset & ~3)
        return word >> 8 * (offset & 3) & ((1 << 8 * width) - 1)

    def read_word(self, offset: int) -> int:
        """Reading any register waits for the writes before it."""
        self._late_write = None
        return super().read_word(offset)

    def write_word(self, offset: int, value: int) -> None:
        """Write a register; changes of the regulator take their time (VOSF, REGLPF)."""
        self._late_write = (self._scheduler.now_ps, self.words[CR4]) if offset == CR4 else None
        if offset == SCR:
            self.words[SR1] &= ~(value & 0x11F)
            return
        before = self.words[CR1]
        enabled = field(self.words[CR3], 0, _WAKEUP_PINS)
        self.store(offset, value)
        if offset == CR3:
            self._flag_active_pins(field(self.words[CR3], 0, _WAKEUP_PINS) & ~enabled)
        if offset == CR1:
            changed = before ^ self.words[CR1]
            if changed & 0x600:
                self._busy(_VOSF, "vos_transition")
            if changed & _LPR:
                if self.words[CR1] & _LPR:
                    self._settled(_REGLPF)
                    self.words[SR2] |= _REGLPF | _REGLPS
                else:
                    self._busy(_REGLPF, "lprun_to_run")
        elif offset == CR2:
            self._compare_supply()
        self.regulator_changed()

    def _flag_active_pins(self, fresh: int) -> None:
        """A WKUP pin that is enabled at its active level sets its flag (assumption wakeup_level)."""
        for index in range(1, _WAKEUP_PINS + 1):
            level = self._wakeup_pin_level(index) if fresh >> (index - 1) & 1 else None
            if level is not None:
                self.wakeup_pin(index, rising=level)

    def _busy(self, flag: int, fact_id: str) -> None:
        self.words[SR2] |= flag
        if flag in self._settling:
            self._settling.pop(flag).cancel()
        delay_ps = round(self._part.fact(fact_id).typ_scalar() * PS_PER_S)
        self._settling[flag] = self._scheduler.after(delay_ps, lambda: self._settled(flag))

    def _settled(self, flag: int) -> None:
        if flag in self._settling:
            self._settling.pop(flag).cancel()
        self.words[SR2] &= ~flag

    def _settle(self) -> None:
        for flag in tuple(self._settling):
            self._settled(flag)
