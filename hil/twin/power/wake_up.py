# SPDX-License-Identifier: Apache-2.0
"""How long the part takes to wake, and what it draws meanwhile (DS10198 Rev 8, Tables 45, 46, 48, 49, 52)."""

from functools import cache
from typing import Final, Literal

from hil.parts import Part
from hil.twin.ip.tick_counter import PS_PER_S
from hil.twin.power.operating_point import Mode, WakeUp

_MSI_LATENCY_ROWS: Final = (
    (48_000_000, "msi48_range1"),
    (24_000_000, "msi24_range2"),
    (4_000_000, "msi4_range2"),
)
_MSI_CURRENT_ROWS: Final = ((48_000_000, "msi48"), (4_000_000, "msi4"))
_STANDBY_ROWS: Final = ((8_000_000, "msi8"), (4_000_000, "msi4"))
_STOP_MODES: Final = ("stop0", "stop1", "stop2")


def _over_period(clock_hz: int, points: list[tuple[int, float]]) -> float:
    """Linear in the clock period through (Hz, value) points (assumption msi_wakeup_interpolation)."""
    period = 1 / clock_hz
    ordered = sorted((1 / hz, value) for hz, value in points)
    upper = next((i for i, (p, _) in enumerate(ordered) if p >= period), len(ordered) - 1)
    (p0, y0), (p1, y1) = ordered[max(upper, 1) - 1], ordered[max(upper, 1)]
    return y0 + (y1 - y0) * (period - p0) / (p1 - p0)


@cache
def latency_ps(
    part: Part,
    mode: Mode,
    clock: str,
    clock_hz: int,
    voltage_range: int,
    low_power_regulator: bool,
    memory: Literal["flash", "sram1"] = "flash",
) -> int:
    """Time from the wake-up event to the first instruction.

    ``clock`` is msi or hsi16; ``memory`` is where the instruction lies.
    """
    if mode == "stop1" and low_power_regulator:
        seconds = part.fact(f"wakeup_stop1_to_lprun_{memory}_msi2").typ_scalar()
    elif mode in _STOP_MODES and clock == "hsi16":
        seconds = part.fact(f"wakeup_{mode}_{memory}_hsi16_range{voltage_range}").typ_scalar()
    elif mode in _STOP_MODES:
        rows = [
            (hz, part.fact(f"wakeup_{mode}_{memory}_{row}").typ_scalar()) for hz, row in _MSI_LATENCY_ROWS
        ]
        seconds = _over_period(clock_hz, rows)
    elif mode == "standby":
        rows = [(hz, part.fact(f"wakeup_standby_{row}").typ_scalar()) for hz, row in _STANDBY_ROWS]
        seconds = _over_period(clock_hz, rows)
    elif mode == "shutdown":
        seconds = part.fact("wakeup_shutdown_msi4").typ_scalar()
    else:
        cycles = part.fact("wakeup_sleep_to_run").typ_scalar()
        seconds = cycles / clock_hz
    return round(seconds * PS_PER_S)


@cache
def current_a(part: Part, waking: WakeUp) -> float:
    """Mean current over the wake-up time at 3 V and 25 °C, the only condition printed."""
    mode = "stop1" if waking.mode == "stop0" else waking.mode  # assumption stop0_wakeup_current
    if mode in ("standby", "shutdown"):
        return part.fact(f"wakeup_current_{mode}_msi4").typ_scalar()
    if waking.clock == "hsi16":
        return part.fact(f"wakeup_current_{mode}_hsi16").typ_scalar()
    rows = [(hz, part.fact(f"wakeup_current_{mode}_{row}").typ_scalar()) for hz, row in _MSI_CURRENT_ROWS]
    return _over_period(waking.clock_hz, rows)
