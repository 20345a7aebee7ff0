# SPDX-License-Identifier: Apache-2.0
"""Everything the supply current depends on, at one instant."""

from dataclasses import dataclass
from typing import Literal, NamedTuple

from hil.parts import Part

Mode = Literal[
    "run",
    "sleep",
    "lprun",
    "lpsleep",
    "stop0",
    "stop1",
    "stop2",
    "standby",
    "shutdown",
    "off",
    "reset",
]


@dataclass(frozen=True)
class WakeUp:
    """Coming out of a low-power mode: the mode, the clock it wakes to and its frequency."""

    mode: Mode
    clock: Literal["msi", "hsi16"]
    clock_hz: int


class OperatingPoint(NamedTuple):
    """One operating condition; a tuple, because one is made and looked up at every change of a part."""

    mode: Mode
    vdd_v: float
    temperature_c: float
    part: Part
    """Whose figures they are."""
    spread: float = 0.0
    """Where the part lies between typical (0) and maximum (1) figures."""
    waking: WakeUp | None = None
    voltage_range: int = 1
    hclk_hz: int = 0
    art_on: bool = False
    code_in_sram: bool = False
    flash_off_in_sleep: bool = False
    clocked_in_stop: bool = False
    """DBG_STOP or DBG_STANDBY: the part sleeps at ``wake_hz`` instead."""
    wake_hz: int = 0
    msi_range: int | None = None
    """The range of the MSI if it runs."""
    hsi16_on: bool = False
    hse_crystal_on: bool = False
    lse_on: bool = False
    lse_drive: int = 0
    lsi_on: bool = False
    iwdg_on: bool = False
    pll_vco_hz: int = 0
    rtc_source: str = "off"
    """off, lsi, lse_quartz or lse_bypass."""
    sram2_retained: bool = False
    voltage_detector_on: bool = False
    """PVD, or a brown-out level above 0."""
    peripheral_monitors: tuple[int, int] = (0, 0)
    """How many of PVM1 and PVM2, and of PVM3 and PVM4, are on."""
    vrefbuf_on: bool = False
    lcd_on: bool = False
    """The LCD controller is on, and has its clock."""
    switch_booster_on: bool = False
    """The charge pump of the I/O analog switches."""
    floating_inputs: int = 0
    """Digital inputs with a level that nothing defines."""
    floating_wakeup_pins: tuple[str, ...] = ()
    """Enabled WKUP pins with such a level in Standby and Shutdown."""
    console_pin: str = ""
    """The one of them that the board wires to its probe, if any."""
    peripheral_clocks: tuple[tuple[str, int], ...] = ()
    """(row of Table 51, clock in Hz) of every enabled peripheral beyond the reset state."""
    adc_rates_hz: tuple[float, ...] = ()
    """Conversions per second of each enabled ADC."""
    reference_buffer_on: bool = False
    temperature_sensor_on: bool = False
    flash_activity: Literal["write", "erase"] | None = None
    flash_peak: bool = False
    """Its first moments."""
    load_current_a: float = 0.0
    """Through outputs and pull resistors."""
    external_current_a: float = 0.0
    """What the board adds at the supply terminal."""
    nrst_low: bool = False
