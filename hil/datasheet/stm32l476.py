# SPDX-License-Identifier: Apache-2.0
"""STM32L476xx: supply currents, timing and limits from the datasheet DS10198 Rev 8."""

from functools import cache
from typing import Any, Literal

from hil.datasheet.figures import DatasheetError, Fact, Figure, fact_from, interpolate, load, scale_of

VDD_MIN_V = 1.71
"""Lowest operating supply voltage (DS10198 Rev 8, Table 23)."""
VDD_MAX_V = 3.6
"""Highest operating supply voltage (DS10198 Rev 8, Table 23)."""
TEMPERATURE_MIN_C = -40.0
TEMPERATURE_MAX_C = 125.0
"""Widest ambient range of the part (DS10198 Rev 8, Table 23, suffix 3)."""

Regime = Literal["range1", "range2", "lprun"]
"""Main regulator in voltage range 1 or 2, or the low-power regulator (low-power run and sleep)."""

_COLUMN: dict[Regime, int] = {"range1": 0, "range2": 1, "lprun": 2}


@cache
def _tables(kind: str) -> dict[str, dict[str, Any]]:
    return {table["id"]: table for table in load("stm32l476_supply_current.toml")[kind]}


@cache
def _facts() -> dict[str, Fact]:
    files = ("stm32l476_supply_current.toml", "stm32l476_timing.toml", "stm32l476_limits.toml")
    return {line["id"]: fact_from(line) for name in files for line in load(name)["fact"]}


def _table(kind: str, table_id: str) -> dict[str, Any]:
    tables = _tables(kind)
    if table_id not in tables:
        known = ", ".join(sorted(tables))
        raise DatasheetError(f"no supply-current table {table_id!r} is on file; there are {known}")
    return tables[table_id]


def _check_conditions(temperature_c: float, vdd_v: float | None = None) -> None:
    if not TEMPERATURE_MIN_C <= temperature_c <= TEMPERATURE_MAX_C:
        raise DatasheetError(f"{temperature_c:g} °C is outside -40 to 125 °C (DS10198 Rev 8, Table 23)")
    if vdd_v is not None and not VDD_MIN_V <= vdd_v <= VDD_MAX_V:
        raise DatasheetError(f"{vdd_v:g} V is outside 1.71 to 3.6 V (DS10198 Rev 8, Table 23)")


def _surface(
    table: dict[str, Any],
    row_key: str,
    row_at: float,
    temperature_c: float,
    column: str,
    *,
    logarithmic: bool,
) -> float | None:
    rows = [row for row in table["rows"] if column in row]
    if not rows:
        return None
    # The tables begin at 25 °C. Colder parts draw less, so the 25 °C column stands in for them.
    at_c = max(temperature_c, table["temperatures_c"][0])
    along_t = [
        interpolate(at_c, table["temperatures_c"], row[column], logarithmic=logarithmic) for row in rows
    ]
    return interpolate(row_at, [row[row_key] for row in rows], along_t) * scale_of(table["unit"])


def _figure(
    table: dict[str, Any], row_key: str, row_at: float, temperature_c: float, *, logarithmic: bool
) -> Figure:
    typ = _surface(table, row_key, row_at, temperature_c, "typ", logarithmic=logarithmic)
    if typ is None:
        raise DatasheetError(f"{table['id']} has no typical figures ({table['source']})")
    maximum = _surface(table, row_key, row_at, temperature_c, "max", logarithmic=logarithmic)
    return Figure(typ, maximum, table["source"])


def supply_current(table_id: str, vdd_v: float, temperature_c: float) -> Figure:
    """Supply current of a low-power mode, in A, at a supply voltage (V) and an ambient temperature (°C).

    Linear between the rows in voltage; the logarithm is interpolated in temperature, since what grows is
    leakage. Raises DatasheetError for an unknown table or conditions outside the part's operating range.
    """
    _check_conditions(temperature_c, vdd_v)
    return _figure(_table("voltage_temperature", table_id), "vdd_v", vdd_v, temperature_c, logarithmic=True)


def run_current(table_id: str, hclk_hz: float, temperature_c: float) -> Figure:
    """Supply current of a run or sleep mode, in A, at a core clock (Hz) and an ambient temperature (°C).

    Linear in both; a clock outside the printed ones continues the outermost segment. The tables have no
    voltage column. Raises DatasheetError for an unknown table or a temperature outside the range.
    """
    _check_conditions(temperature_c)
    table = _table("frequency_temperature", table_id)
    return _figure(table, "hclk_mhz", hclk_hz / 1e6, temperature_c, logarithmic=False)


def peripheral_current_a_per_hz(name: str, regime: Regime) -> float:
    """Current that an enabled peripheral clock adds, in A per Hz of its bus clock (DS10198 Rev 8, Table 51).

    Raises DatasheetError for a name that the table does not have.
    """
    rows = peripheral_currents()
    if name not in rows:
        raise DatasheetError(f"Table 51 has no row {name!r}; there are {', '.join(sorted(rows))}")
    return rows[name][_COLUMN[regime]]


@cache
def peripheral_currents() -> dict[str, tuple[float, float, float]]:
    """All rows of Table 51 in A/Hz: (range 1, range 2, low-power run and sleep)."""
    table = load("stm32l476_supply_current.toml")["peripheral_ua_per_mhz"]
    rows = {name: row for name, row in table.items() if name != "source"}
    # 1 µA/MHz is 1e-12 A/Hz.
    return {name: (r1 * 1e-12, r2 * 1e-12, lp * 1e-12) for name, (r1, r2, lp) in rows.items()}


def fact(fact_id: str) -> Fact:
    """One line of the datasheet by its id, in SI units. Raises DatasheetError for an unknown id."""
    facts = _facts()
    if fact_id not in facts:
        raise DatasheetError(f"no datasheet line {fact_id!r} is on file")
    return facts[fact_id]


def fact_ids() -> tuple[str, ...]:
    """The ids of every line on file."""
    return tuple(_facts())
