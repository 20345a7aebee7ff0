# SPDX-License-Identifier: Apache-2.0
"""LSM6DSL accelerometer (ST's datasheet DocID028475), on I2C or SPI.

Modelled: identity, software reset, the accelerometer's data rate, full scale, status, output registers, the
FIFO, data ready and the FIFO's threshold on INT1. The gyroscope stands still and the die has 25 °C; embedded
functions only store.

On a supply of its own it answers from 1.71 V on, and loses its settings below (DocID028475, first page). It
draws 3 µA in power-down, 150 µA with the accelerometer alone, 160 µA from a data rate of 1.6 kHz on, and
0.65 mA with the gyroscope on. The last figure is on the datasheet's first page. ASSUMPTION: the others are
those of its table of electrical characteristics as remembered, at any voltage; the table was not at hand.
The lower currents of the low-power modes are not modelled.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from hil.twin.core.scheduler import Event, Scheduler
from hil.twin.devices import lsm6dsl_fifo
from hil.twin.devices.lsm6dsl_fifo import Fifo
from hil.twin.pins import Pin
from hil.twin.signal import Signal

if TYPE_CHECKING:
    from hil.twin.board_devices import Surroundings

INT1_CTRL: Final = 0x0D
WHO_AM_I: Final = 0x0F
CTRL1_XL: Final = 0x10
CTRL2_G: Final = 0x11
CTRL3_C: Final = 0x12
STATUS_REG: Final = 0x1E
OUT_TEMP_L: Final = 0x20
OUTX_L_XL: Final = 0x28
OUTZ_H_XL: Final = 0x2D

_IDENTITY: Final = 0x6A
_SW_RESET, _IF_INC, _BOOT = 1 << 0, 1 << 2, 1 << 7
_XLDA, _INT1_DRDY_XL, _INT1_FTH = 1 << 0, 1 << 0, 1 << 3
_READ_ONLY: Final = frozenset({WHO_AM_I, *range(0x1A, 0x40)})
_RATES_MILLIHERTZ: Final = (
    0,
    12_500,
    26_000,
    52_000,
    104_000,
    208_000,
    416_000,
    833_000,
    1_660_000,
    3_330_000,
    6_660_000,
    1_600,
)
"""ODR_XL codes 0 to 11; 11 is for low power only (accelerometer ODR register setting)."""
_UG_PER_LSB: Final = (61, 488, 122, 244)
"""Sensitivity by FS_XL: 2, 16, 4 and 8 g (mechanical characteristics)."""
_PS_PER_S: Final = 10**12

SUPPLY_MIN_V: Final = 1.71
POWER_DOWN_A: Final = 3e-6
ACCELEROMETER_A: Final = 150e-6
FAST_ACCELEROMETER_A: Final = 160e-6
BOTH_A: Final = 650e-6
"""The supply; see the module's docstring."""
_FAST_MILLIHERTZ: Final = 1_600_000

STANDARD_GRAVITY_M_S2: Final = 9.80665
"""One g (3rd General Conference on Weights and Measures, 1901)."""

Acceleration = tuple[float, float, float]


class Lsm6dsl:
    """One LSM6DSL; ``acceleration_g`` gives what it feels along x, y and z at a time in ps.

    ``address`` is 0x6A with SA0 low, 0x6B with SA0 high; ``int1`` is the pin of the part that INT1 drives.
    """

    def __init__(
        self,
        scheduler: Scheduler,
        acceleration_g: Callable[[int], Acceleration] = lambda time_ps: (0.0, 0.0, 1.0),
        *,
        address: int = 0x6A,
        int1: Pin | None = None,
    ) -> None:
        self.address = address
        self._scheduler = scheduler
        self._acceleration_g = acceleration_g
        self._int1 = int1
        self._powered = True
        self.current_changed: Signal[[]] = Signal()
        """Tells when it may draw another current."""
        self._next_sample: Event | None = None
        self._pointer: int | None = None
        self._reading = False
        self._fifo = Fifo(
            scheduler, lambda: self._registers, _RATES_MILLIHERTZ[:11], self._codes, self._fifo_reached
        )
        self._reset()

    # Supply

    @property
    def current_a(self) -> float:
        """What it draws, in amperes."""
        if not self._powered:
            return 0.0
        if self._registers[CTRL2_G] >> 4:
            return BOTH_A
        if not self._rate_millihertz:
            return POWER_DOWN_A
        return FAST_ACCELEROMETER_A if self._rate_millihertz >= _FAST_MILLIHERTZ else ACCELEROMETER_A

    def set_supply_voltage(self, voltage_v: float) -> None:
        """A supply of its own has this voltage; until one is told it is supplied from elsewhere."""
        powered = voltage_v >= SUPPLY_MIN_V
        if powered is not self._powered:
            self._powered = powered
            self._reset()
            if self._int1 is not None:
                self._int1.set_external_level(False, self._scheduler.now_ps)

    # I2C

    def start(self, *, read: bool) -> bool:
        """There while it is supplied."""
        if not read:
            self._pointer = None
        return self._powered

    def write(self, byte: int) -> bool:
        """The first byte is the register, the others are its values."""
        if self._pointer is None:
            self._pointer = byte & 0x7F
        else:
            self._write_register(byte)
        return True

    def read(self) -> int:
        """The register that was selected, and the following ones."""
        return self._read_register()

    def stop(self) -> None:
        """Nothing is pending."""

    # SPI

    def select(self, selected: bool) -> None:
        """A new exchange begins."""
        self._pointer = None

    def exchange(self, byte: int) -> int:
        """The first byte is the register, with bit 7 to read it; without a supply it drives nothing."""
        if not self._powered:
            return 0xFF
        if self._pointer is None:
            self._pointer, self._reading = byte & 0x7F, bool(byte & 0x80)
            return 0xFF
        if self._reading:
            return self._read_register()
        self._write_register(byte)
        return 0xFF

    # Registers

    def _reset(self) -> None:
        self._registers = bytearray(0x80)
        self._registers[WHO_AM_I] = _IDENTITY
        self._registers[CTRL3_C] = _IF_INC
        self._enabled_ps = self._scheduler.now_ps
        self._taken = 0
        self._latched: tuple[int, bytes] = (0, bytes(6))
        self._plan()
        self._fifo.restart()
        self.current_changed()

    def _advance_pointer(self) -> int:
        register = self._pointer or 0
        if self._registers[CTRL3_C] & _IF_INC:
            # Reading on goes round within the FIFO's output.
            last_of_fifo = register == lsm6dsl_fifo.DATA_OUT_H
            self._pointer = lsm6dsl_fifo.DATA_OUT_L if last_of_fifo else (register + 1) & 0x7F
        return register

    def _read_register(self) -> int:
        register = self._advance_pointer()
        if register == STATUS_REG:
            return _XLDA if self._samples > self._taken else 0
        if OUTX_L_XL <= register <= OUTZ_H_XL:
            return self._output(register - OUTX_L_XL)
        if lsm6dsl_fifo.STATUS1 <= register <= lsm6dsl_fifo.DATA_OUT_H:
            return self._fifo.read(register)
        return self._registers[register]

    def _write_register(self, value: int) -> None:
        register = self._advance_pointer()
        if register in _READ_ONLY:
            return
        if register == CTRL3_C and value & (_SW_RESET | _BOOT):
            self._reset()
            return
        before = self._registers[register]
        self._registers[register] = value
        if register == CTRL1_XL and (before ^ value) & 0xF0:
            self._enabled_ps = self._scheduler.now_ps
            self._taken = 0
            self._latched = (0, bytes(6))
        if register in (CTRL1_XL, INT1_CTRL):
            self._plan()
        if register in (CTRL1_XL, CTRL2_G):
            self.current_changed()
        if register in lsm6dsl_fifo.CONFIGURATION:
            self._fifo.restart()
        elif register in (lsm6dsl_fifo.CTRL1, lsm6dsl_fifo.CTRL2, INT1_CTRL):
            self._fifo.plan()

    # Samples

    @property
    def _rate_millihertz(self) -> int:
        code = self._registers[CTRL1_XL] >> 4
        return _RATES_MILLIHERTZ[code] if code < len(_RATES_MILLIHERTZ) else 0

    @property
    def _samples(self) -> int:
        """Samples taken since the data rate was set."""
        elapsed_ps = self._scheduler.now_ps - self._enabled_ps
        return elapsed_ps * self._rate_millihertz // (1000 * _PS_PER_S)

    def _sample_time_ps(self, number: int) -> int:
        return self._enabled_ps - (-number * 1000 * _PS_PER_S // self._rate_millihertz)

    def _output(self, index: int) -> int:
        newest = self._samples
        if newest > self._latched[0] and index % 2 == 0:  # an axis is read low byte first, from one sample
            codes = self._codes(self._sample_time_ps(newest))
            self._latched = (newest, b"".join(code.to_bytes(2, "little", signed=True) for code in codes))
        self._taken = self._latched[0]
        self._drive_int1(False)
        return self._latched[1][index]

    def _codes(self, time_ps: int) -> tuple[int, int, int]:
        """What the accelerometer finds at a time, in steps of its full scale; zero while it is off."""
        if not self._rate_millihertz:
            return 0, 0, 0
        ug_per_lsb = _UG_PER_LSB[self._registers[CTRL1_XL] >> 2 & 3]
        x, y, z = (
            min(max(round(axis_g * 1e6 / ug_per_lsb), -0x8000), 0x7FFF)
            for axis_g in self._acceleration_g(time_ps)
        )
        return x, y, z

    def _fifo_reached(self, reached: bool) -> None:
        if self._int1 is not None and self._registers[INT1_CTRL] & _INT1_FTH:
            self._int1.set_external_level(reached, self._scheduler.now_ps)

    def _plan(self) -> None:
        if self._next_sample is not None:
            self._next_sample.cancel()
            self._next_sample = None
        if self._int1 is not None and self._registers[INT1_CTRL] & _INT1_DRDY_XL and self._rate_millihertz:
            time_ps = self._sample_time_ps(self._samples + 1)
            self._next_sample = self._scheduler.at(time_ps, self._sampled)

    def _sampled(self) -> None:
        self._next_sample = None
        self._drive_int1(True)
        self._plan()

    def _drive_int1(self, level: bool) -> None:
        if self._int1 is not None and self._registers[INT1_CTRL] & _INT1_DRDY_XL:
            self._int1.set_external_level(level, self._scheduler.now_ps)


def on_bench(bench: Surroundings) -> Lsm6dsl:
    """One that a board or a rig file names. It lies flat: along z are gravity and the shaker's motion."""

    def acceleration_g(time_ps: int) -> Acceleration:
        return 0.0, 0.0, 1.0 + bench.motion(time_ps) / STANDARD_GRAVITY_M_S2

    address = 0x6A if bench.address is None else bench.address
    return Lsm6dsl(bench.scheduler, acceleration_g, address=address, int1=bench.pins.get("int1"))
