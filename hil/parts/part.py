# SPDX-License-Identifier: Apache-2.0
"""One microcontroller: its memories, packages and identity, and every figure of its datasheet."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any, Literal

from hil.datasheet.figures import DatasheetError, Fact, Figure, fact_from, interpolate, scale_of
from hil.parts import blocks, files, registers

Regime = Literal["range1", "range2", "lprun"]
"""Main regulator in voltage range 1 or 2, or the low-power regulator (low-power run and sleep)."""

_COLUMN: dict[Regime, int] = {"range1": 0, "range2": 1, "lprun": 2}
_TABLES = ("supply_current.toml", "timing.toml", "limits.toml")


@dataclass(frozen=True)
class Memory:
    """A range of addresses that holds bytes."""

    base: int
    size: int

    @property
    def end(self) -> int:
        """The first address behind it."""
        return self.base + self.size

    def holds(self, address: int, size: int = 1) -> bool:
        """Whether ``size`` bytes from ``address`` on lie in it."""
        return self.base <= address and address + size <= self.end


@dataclass(frozen=True)
class Flash(Memory):
    """The flash array. Its first bytes also appear at ``alias``, where the core starts."""

    alias: int
    banks: int
    page_size: int

    @property
    def bank_size(self) -> int:
        """Bytes of one bank."""
        return self.size // self.banks

    @property
    def pages_per_bank(self) -> int:
        """Pages of one bank."""
        return self.bank_size // self.page_size


@dataclass(frozen=True)
class Package:
    """One package of the part."""

    name: str
    code: int
    """As the part's package register names it."""
    pins: frozenset[str]
    """Port pins that reach a terminal, "PA0" ..."""


class Part:
    """A part as its folder describes it. :meth:`load` makes one; two loads of a name are one object.

    Every figure is in SI units. A figure outside the printed conditions raises DatasheetError.
    """

    def __init__(self, folder: Path) -> None:
        self._folders = files.lineage(folder)
        data = self._data = files.merged(self._folders, files.PART_FILE)
        self.name: str = folder.name
        self.title: str = data["title"]
        """As people write it: STM32L476."""
        self.datasheet: str = data["datasheet"]
        """The document that the figures are from."""
        self.core: str = data["core"]["name"]
        self.interrupt_lines: int = data["core"]["interrupt_lines"]
        self.device_id: int = data["debug"]["device_id"]
        """DEV_ID, the low 12 bits of DBGMCU_IDCODE."""
        self.device_id_code: int = data["debug"]["device_id_code"]
        """DBGMCU_IDCODE of the silicon revision that the tables are of."""
        self.device_id_address: int = data["debug"]["device_id_address"]
        self.pyocd_target: str = data["debug"]["pyocd_target"]
        """pyOCD's built-in target with this part's flash controller."""
        self.svd: str = data["debug"]["svd"]
        """The register description in pyOCD's archive."""
        memory = data["memory"]
        self.flash = Flash(**memory["flash"])
        self.sram1 = Memory(**memory["sram1"])
        self.sram2 = Memory(**memory["sram2"])
        self.system_memory = Memory(**memory["system_memory"])
        self.packages = {name: _package(name, entry) for name, entry in data["packages"].items()}
        self.lacks_blocks = frozenset(data.get("lacks", {}).get("blocks", ()))
        """Peripherals of the part that it extends which it does not have."""
        self._lacks_lines = frozenset(data.get("lacks", {}).get("lines", ()))

    @staticmethod
    def load(name: str) -> Part:
        """The part of that name: a folder of this package, or a path to a folder with a part.toml.

        Raises:
            DatasheetError: there is no such part, or its files cannot be read.
        """
        return _load(files.folder_of(name).resolve())

    def __repr__(self) -> str:
        return f"Part({self.name!r})"

    @cached_property
    def blocks(self) -> blocks.Blocks:
        """The part's peripherals."""

        def table(name: str) -> dict[str, Any]:
            return files.merged(self._folders, name)

        return blocks.read(
            table("blocks.toml"),
            table("clocks.toml"),
            table("pins.toml"),
            table("dma.toml"),
            self.lacks_blocks,
        )

    @cached_property
    def sleep_registers(self) -> registers.SleepRegisters:
        """The registers that tell what the part draws asleep."""
        return registers.read(files.merged(self._folders, "registers.toml"), self.blocks)

    # Operating range

    @cached_property
    def vdd_min_v(self) -> float:
        """Lowest operating supply voltage, in V."""
        return self.fact("vdd_operating").min_scalar()

    @cached_property
    def vdd_max_v(self) -> float:
        """Highest operating supply voltage, in V."""
        return self.fact("vdd_operating").max_scalar()

    @property
    def vdd_source(self) -> str:
        """Where the operating supply voltages are printed."""
        return self.fact("vdd_operating").source

    @cached_property
    def temperature_range_c(self) -> tuple[float, float]:
        """Widest ambient range of the part, over all its suffixes, in °C."""
        ranges = self.fact("ta").extra.values()
        return min(low for low, _ in ranges), max(high for _, high in ranges)

    @cached_property
    def supply_current_max_a(self) -> float:
        """Absolute maximum of the current into all supply pins together, in A."""
        return float(self.fact("abs_max_current").extra["sum_ivdd"])

    # Supply current

    def supply_current(self, table_id: str, vdd_v: float, temperature_c: float) -> Figure:
        """Supply current of a low-power mode, in A, at a supply voltage (V) and an ambient temperature (°C).

        Linear between the rows in voltage; the logarithm is interpolated in temperature, since what grows is
        leakage. Raises DatasheetError for an unknown table or conditions outside the part's operating range.
        """
        self._check_conditions(temperature_c, vdd_v)
        table = self._table("voltage_temperature", table_id)
        return _figure(table, "vdd_v", vdd_v, temperature_c, logarithmic=True)

    def run_current(self, table_id: str, hclk_hz: float, temperature_c: float) -> Figure:
        """Supply current of a run or sleep mode, in A, at a core clock (Hz) and an ambient temperature (°C).

        Linear in both; a clock outside the printed ones continues the outermost segment. The tables have no
        voltage column. Raises DatasheetError for an unknown table or a temperature outside the range.
        """
        self._check_conditions(temperature_c)
        table = self._table("frequency_temperature", table_id)
        return _figure(table, "hclk_mhz", hclk_hz / 1e6, temperature_c, logarithmic=False)

    def peripheral_current_a_per_hz(self, name: str, regime: Regime) -> float:
        """Current that an enabled peripheral clock adds, in A per Hz of its bus clock.

        Raises DatasheetError for a name that the table does not have.
        """
        rows = self.peripheral_currents
        if name not in rows:
            raise DatasheetError(
                f"{self.peripheral_currents_source} has no row {name!r}; there are {', '.join(sorted(rows))}"
            )
        return rows[name][_COLUMN[regime]]

    @cached_property
    def peripheral_currents(self) -> dict[str, tuple[float, float, float]]:
        """What each peripheral's clock adds, in A/Hz: (range 1, range 2, low-power run and sleep)."""
        table = self.tables("supply_current")["peripheral_ua_per_mhz"]
        rows = {name: row for name, row in table.items() if name != "source"}
        # 1 µA/MHz is 1e-12 A/Hz.
        return {name: (r1 * 1e-12, r2 * 1e-12, lp * 1e-12) for name, (r1, r2, lp) in rows.items()}

    @property
    def peripheral_currents_source(self) -> str:
        """Where the currents of the peripherals' clocks are printed."""
        return str(self.tables("supply_current")["peripheral_ua_per_mhz"]["source"])

    # Single lines

    def fact(self, fact_id: str) -> Fact:
        """One line of the datasheet by its id, in SI units. Raises DatasheetError for an unknown id."""
        facts = self._facts
        if fact_id not in facts:
            raise DatasheetError(f"no datasheet line {fact_id!r} of the {self.title} is on file")
        return facts[fact_id]

    @property
    def fact_ids(self) -> tuple[str, ...]:
        """The ids of every line on file."""
        return tuple(self._facts)

    def tables(self, name: str) -> dict[str, Any]:
        """A data file of the part as it is printed: "supply_current", "timing" or "limits"."""
        return self._printed[f"{name}.toml"]

    @cached_property
    def _printed(self) -> dict[str, dict[str, Any]]:
        return {name: self._without_lacking(files.merged(self._folders, name)) for name in _TABLES}

    def _without_lacking(self, tables: dict[str, Any]) -> dict[str, Any]:
        return {
            kind: [entry for entry in entries if entry["id"] not in self._lacks_lines]
            if isinstance(entries, list)
            else entries
            for kind, entries in tables.items()
        }

    @cached_property
    def _facts(self) -> dict[str, Fact]:
        return {
            line["id"]: fact_from(line)
            for tables in self._printed.values()
            for line in tables.get("fact", ())
        }

    @cached_property
    def _by_id(self) -> dict[str, dict[str, dict[str, Any]]]:
        kinds = ("voltage_temperature", "frequency_temperature")
        printed = self.tables("supply_current")
        return {kind: {table["id"]: table for table in printed[kind]} for kind in kinds}

    def _table(self, kind: str, table_id: str) -> dict[str, Any]:
        tables = self._by_id[kind]
        if table_id not in tables:
            known = ", ".join(sorted(tables))
            raise DatasheetError(f"no supply-current table {table_id!r} is on file; there are {known}")
        return tables[table_id]

    def _check_conditions(self, temperature_c: float, vdd_v: float | None = None) -> None:
        low_c, high_c = self.temperature_range_c
        if not low_c <= temperature_c <= high_c:
            source = self.fact("ta").source
            raise DatasheetError(f"{temperature_c:g} °C is outside {low_c:g} to {high_c:g} °C ({source})")
        if vdd_v is not None and not self.vdd_min_v <= vdd_v <= self.vdd_max_v:
            raise DatasheetError(
                f"{vdd_v:g} V is outside {self.vdd_min_v:g} to {self.vdd_max_v:g} V ({self.vdd_source})"
            )


@cache
def _load(folder: Path) -> Part:
    return Part(folder)


def _package(name: str, entry: dict[str, Any]) -> Package:
    """``pins`` names single pins ("PD2") and whole ports by their range ("PA0-15")."""
    pins: set[str] = set()
    for text in entry["pins"]:
        first, _, last = text.partition("-")
        if last:
            pins |= {f"{first[:2]}{number}" for number in range(int(first[2:]), int(last) + 1)}
        else:
            pins.add(text)
    return Package(name, entry["code"], frozenset(pins))


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
