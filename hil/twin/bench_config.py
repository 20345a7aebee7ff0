# SPDX-License-Identifier: Apache-2.0
"""What the virtual bench reads from a rig file: ``[twin]``, ``[wiring]`` and the name of the DAQ device.

The rig controller reads the same file with code of its own. The two share no parser on purpose: the file is
a contract between two programs, and this side takes from it only what a bench can know: which wire goes
where, and what the virtual part's surroundings are like.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, get_args

from hil.boards import REFERENCE, Board, Device
from hil.datasheet.figures import DatasheetError
from hil.twin import bench_devices, bench_rails, bench_wires, miswiring, realism
from hil.twin.bench_rails import Analyzer, RailConfig
from hil.twin.bench_values import quantity
from hil.twin.bench_wires import Wire
from hil.twin.errors import BenchConfigError
from hil.twin.miswiring import Miswiring
from hil.twin.realism import Realism

DEFAULT_SEED = 1
DEFAULT_DEVICE = "Dev1"
"""Of the DAQ in a rig file that does not name it."""
DEFAULT_CONSOLE_BAUD = 115_200
"""Of the host's end where the rig file has no console."""
DEFAULT_AMBIENT_TEMPERATURE = "25 °C"
DEFAULT_SENSOR_NOISE = "0.3 mV"
"""RMS white noise on the sensor wire. An ASSUMPTION: half a step of a 12-bit converter at 3 V, a tidy
cable."""
MSI_ERROR_MOST = 0.08
"""What an MSI may be off at most (DS10198 Rev 8, table 60: -8 % to +6 %, -40 to 125 °C)."""
TWIN_KEYS = (
    {
        "seed",
        "ambient_temperature",
        "ambient_changes",
        "spread",
        "trace",
        "sensor_noise",
        "adc_noise",
        "msi_error",
        "unparked_leak",
        "power_on_at_start",
        "vbat",
        "input_pull_down",
        "wires",
        "power_analyzer",
        "daq",
        "thermometer",
    }
    | realism.KEYS
    | miswiring.KEYS
)
"""All keys of ``[twin]``."""

_RANGES = (
    "List of tables `full_scale_{0}`, `gain` (fraction), `offset_{0}` and optionally `noise_rms_{0}` (of one "
    "5.12 µs sample; else a quarter of the offset)."
)
INSTRUMENT_KEYS: Mapping[str, Mapping[str, str]] = {
    "power_analyzer": {
        "serial": "Serial number that the instrument answers, a text.",
        "current_ranges": _RANGES.format("a"),
        "voltage_ranges": _RANGES.format("v"),
        "errors": 'Of gain and offset: "uniform" within their bounds, as the controller assumes, or "normal" '
        "with the bounds at two standard deviations.",
        "programming_gain_accuracy": "Of the voltage that the source is set to, a fraction.",
        "programming_offset_accuracy_v": "Of the voltage that the source is set to, in volts.",
    },
    "daq": {
        "device": "Name of the device, if it is not the one of `[daq]`.",
        "serial": "Serial number that the device answers, a whole number.",
        "timebase_accuracy_ppm": "Bound of the timebase's error, in ppm.",
        "ao_gain_accuracy": "Bound of an analog output's gain error, a fraction.",
        "ao_offset_accuracy_v": "Bound of an analog output's offset, in volts.",
        "ai_gain_accuracy": "Bound of the analog input's gain error, a fraction.",
        "ai_offset_accuracy": "Bound of the analog input's offset, a fraction of the range.",
        "ai_noise_rms": "Noise of one sample of the analog input, a fraction of the range.",
    },
    "thermometer": {
        "serial": "Serial number that the instrument answers, a text.",
        "offset_accuracy_k": "Bound of its error, in kelvin; 0.05 by default.",
        "noise_rms_k": "Noise of one reading, in kelvin; 0.01 by default.",
    },
}
"""Keys of ``[twin.power_analyzer]``, ``[twin.daq]`` and ``[twin.thermometer]``, which the virtual instruments
read."""

_CHANGE_KEYS = {"at", "temperature"}
Spread = Literal["typical", "seeded"]
"""Currents of a typical part, or of one that the seed draws between the typical and the maximum figures."""
ProbeLevels = Literal["own", "target"]
"""An ST-LINK drives its lines to its own 3.3 V, or through level shifters to the target's supply."""


@dataclass(frozen=True)
class BenchConfig:
    """The virtual bench as its rig file describes it; SI units, temperatures in degrees Celsius."""

    source: str
    """The file it came from, for messages."""
    board: Board
    """What stands on the bench."""
    devices: tuple[Device, ...]
    """What ``[[board.devices]]`` connects to buses of the part."""
    rails: tuple[RailConfig, ...]
    """What ``[rails]`` supplies beside the part."""
    seed: int
    """Seed of all noise and of the part's spread. One seed gives one journal."""
    ambient_temperature_c: float
    """Temperature around the part at the start."""
    ambient_changes: tuple[tuple[float, float], ...]
    """From each bench time ``at`` on, the ambient has the ``temperature``: (s, °C)."""
    spread: Spread
    """"typical": the currents of a typical part. "seeded": of one that the seed draws between the typical and
    the maximum figures."""
    sensor_noise_v: float
    """RMS white noise on the sensor's wire."""
    adc_noise_lsb: float | None
    """RMS noise of a conversion in steps of the 12-bit converter; without it what the model assumes."""
    msi_error: float
    """Error of the part's MSI, at most 8 % either way, while it is not locked to the crystal."""
    unparked_leak_a: float
    """Current that connected debug and console lines feed into the part."""
    realism: Realism
    """What a real bench does that an ideal one does not."""
    miswiring: Miswiring
    """What is wrong with the bench."""
    vbat_v: float | None
    """Voltage of a cell at VBAT; without it VBAT is tied to VDD, as the board ties it."""
    power_on_at_start: bool | None
    """Whether the part is supplied when the bench starts. Without it, it is where the bench was started by
    hand, and where no analyzer could supply it."""
    trace: Path | None
    """Where a trace is written as a value change dump, if at all."""
    wires: Mapping[str, Wire]
    """Wires by role; what ``[twin.wires]`` says wins over ``[wiring]``."""
    analyzer: Analyzer
    """Which instrument supplies and measures the part."""
    probe_levels: ProbeLevels
    """What the probe's lines are driven to."""
    analyzer_role: str
    """The table that names it: "power_analyzer" or "supply"."""
    power_analyzer: Mapping[str, Any]
    """The table ``[twin.power_analyzer]``, which the virtual instrument reads itself."""
    daq: Mapping[str, Any]
    """The table ``[twin.daq]``, which the virtual instrument reads itself, and the device's name from
    ``[daq]``."""
    daq_names: Mapping[str, str]
    """The device's name that the wiring gives each DAQ, by its table: "daq", "daqs.signal"."""

    has_thermometer: bool
    """Whether the rig file has a ``[thermometer]``."""
    thermometer: Mapping[str, Any]
    """The table ``[twin.thermometer]``, which the virtual instrument reads itself."""
    console_baud: int
    """What the host's end of the console receives and sends with: ``[console] baud``."""

    def with_console_baud(self, baud: int) -> BenchConfig:
        """The same bench with another rate at the host's end of the console."""
        return replace(self, console_baud=baud)

    def with_trace(self, path: Path) -> BenchConfig:
        """The same bench, traced to a file."""
        return replace(self, trace=path)

    def with_seed(self, seed: int) -> BenchConfig:
        """The same bench with another seed."""
        return replace(self, seed=seed)


def find_rig_file(name_or_path: str) -> Path:
    """The rig file called ``name_or_path``: a path to a TOML file, or NAME for ``./rig_configs/NAME.toml``,
    or the one of that name that hil-rig ships.

    Raises:
        BenchConfigError: there is no such file.
    """
    named = Path(name_or_path)
    if not name_or_path.endswith(".toml"):
        named = Path("rig_configs", f"{name_or_path}.toml")
        package = Path(__file__).resolve().parents[1]
        shipped = [folder / named for folder in (package.parent, package / "shipped")]
        named = next((path for path in (named, *shipped) if path.is_file()), named)
    path = named
    if not path.is_file():
        raise BenchConfigError(
            f"no rig file {path} (looked from {Path.cwd()}); "
            "give a path to a .toml file, or NAME for ./rig_configs/NAME.toml"
        )
    return path


def load(path: Path) -> BenchConfig:
    """Read a rig file.

    Raises:
        BenchConfigError: it cannot be read, is not TOML, or has a value this bench cannot use.
    """
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise BenchConfigError(f"{path}: cannot be read: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BenchConfigError(f"{path}: not a TOML file: {error}") from error
    return parse(tables, str(path))


def parse(tables: Mapping[str, Any], source: str) -> BenchConfig:
    """Take the bench's part out of a rig file's tables; ``source`` names the file in messages.

    Raises:
        BenchConfigError: a value this bench cannot use; the message names the file and the key.
    """
    twin = _table(tables, "twin", source)
    unknown = sorted(set(twin) - TWIN_KEYS)
    if unknown:
        raise BenchConfigError(
            f"{source}: [twin] has no key {unknown[0]!r}; known are {', '.join(sorted(TWIN_KEYS))}"
        )
    _check_type(twin, "seed", int, source)
    _check_type(twin, "power_on_at_start", bool, source)
    _check_type(twin, "trace", str, source)
    wires = {
        role: bench_wires.parse(role, entry, f"[wiring] {role}", source)
        for role, entry in _table(tables, "wiring", source).items()
    }
    for role, entry in _table(twin, "wires", source).items():
        if role not in wires:
            raise BenchConfigError(
                f"{source}: [twin.wires] {role}: no such role in [wiring], "
                f"which has {', '.join(sorted(wires)) or 'none'}"
            )
        wires[role] = bench_wires.override(wires[role], entry, f"[twin.wires] {role}", source)
    if "input_pull_down" in twin:
        pull_down_ohm = _quantity(twin, "input_pull_down", "ohm", "20 kohm", source)
        planted = _table(twin, "wires", source)
        for role, wire in wires.items():
            own = "input_resistance" in planted.get(role, {})
            if not own and bench_wires.channel(wire).startswith(bench_wires.PULLED_DOWN):
                wires[role] = replace(wire, input_resistance_ohm=pull_down_ohm)
    board = _board(tables, source)
    devices = bench_devices.parse(_table(tables, "board", source).get("devices", []), board, source)
    named = {device.name for device in (*board.devices, *devices)}
    analyzer_role = "supply" if "supply" in tables and "power_analyzer" not in tables else "power_analyzer"
    return BenchConfig(
        source=source,
        board=board,
        devices=devices,
        rails=bench_rails.parse(_table(tables, "rails", source), named, source),
        seed=twin.get("seed", DEFAULT_SEED),
        ambient_temperature_c=_quantity(
            twin, "ambient_temperature", "degC", DEFAULT_AMBIENT_TEMPERATURE, source
        ),
        ambient_changes=_ambient_changes(twin, source),
        spread=_spread(twin, source),
        sensor_noise_v=_quantity(twin, "sensor_noise", "V", DEFAULT_SENSOR_NOISE, source),
        adc_noise_lsb=_quantity(twin, "adc_noise", "LSB", "1 LSB", source) if "adc_noise" in twin else None,
        msi_error=_msi_error(twin, source),
        unparked_leak_a=_quantity(twin, "unparked_leak", "A", f"{1e6 * board.unparked_leak_a:g} uA", source),
        realism=realism.parse(twin, source),
        miswiring=miswiring.parse(twin, source),
        vbat_v=_battery(twin, board, source),
        # In a rig without an analyzer the board's own supply feeds the part, from the start.
        power_on_at_start=twin.get("power_on_at_start", None if analyzer_role in tables else True),
        trace=Path(twin["trace"]) if "trace" in twin else None,
        wires=wires,
        analyzer=bench_rails.analyzer(tables, f"{source}:"),
        analyzer_role=analyzer_role,
        probe_levels=_probe_levels(tables, source),
        power_analyzer=_instrument(twin, "power_analyzer", source),
        console_baud=_console_baud(tables, source),
        daq_names=_daq_names(tables, source),
        daq={**_device_name(tables, source), **_instrument(twin, "daq", source)},
        has_thermometer="thermometer" in tables,
        thermometer=_instrument(twin, "thermometer", source),
    )


def _msi_error(twin: Mapping[str, Any], source: str) -> float:
    error = _quantity(twin, "msi_error", "percent", "0 %", source) / 100
    if abs(error) > MSI_ERROR_MOST:
        raise BenchConfigError(
            f"{source}: [twin] msi_error: {100 * error:g} % is more than the {100 * MSI_ERROR_MOST:g} % that "
            'an MSI may be off at -40 to 125 °C (DS10198 Rev 8, table 60); expected a value such as "1.5 %"'
        )
    return error


def _table(parent: Mapping[str, Any], key: str, source: str) -> Mapping[str, Any]:
    table = parent.get(key, {})
    if not isinstance(table, dict):
        raise BenchConfigError(f"{source}: {key}: expected a table, not {table!r}")
    return table


def _board(tables: Mapping[str, Any], source: str) -> Board:
    """``[board] name``; the path of a board's own file is relative to the rig file."""
    name = _table(tables, "board", source).get("name", REFERENCE)
    try:
        return Board.load(str(name), Path(source).parent)
    except DatasheetError as error:
        raise BenchConfigError(f"{source}: [board] name: {error}") from error


def _instrument(twin: Mapping[str, Any], name: str, source: str) -> Mapping[str, Any]:
    """A virtual instrument's own table, with keys that it reads."""
    table, known = _table(twin, name, source), INSTRUMENT_KEYS[name]
    unknown = sorted(set(table) - set(known))
    if unknown:
        raise BenchConfigError(
            f"{source}: [twin.{name}] has no key {unknown[0]!r}; known are {', '.join(known)}"
        )
    return table


def _probe_levels(tables: Mapping[str, Any], source: str) -> ProbeLevels:
    levels: ProbeLevels = _table(tables, "probe", source).get("levels", "own")
    if levels not in get_args(ProbeLevels):
        raise BenchConfigError(f'{source}: [probe] levels: expected "own" or "target", not {levels!r}')
    return levels


def _console_baud(tables: Mapping[str, Any], source: str) -> int:
    """``[console] baud``; a rig without a console has a far end all the same."""
    baud: int = _table(tables, "console", source).get("baud", DEFAULT_CONSOLE_BAUD)
    if not isinstance(baud, int) or isinstance(baud, bool) or baud <= 0:
        raise BenchConfigError(f"{source}: [console] baud: expected a whole number above 0, not {baud!r}")
    return baud


def _device_name(tables: Mapping[str, Any], source: str) -> Mapping[str, Any]:
    """``[daq] device``: the terminals in ``[wiring]`` begin with it."""
    return {key: value for key, value in _table(tables, "daq", source).items() if key == "device"}


def _daq_names(tables: Mapping[str, Any], source: str) -> Mapping[str, str]:
    """The device of ``[daq]`` and those of ``[daqs]``; each has a name of its own."""
    found = {"daq": str(_device_name(tables, source).get("device", DEFAULT_DEVICE))}
    for name, table in _table(tables, "daqs", source).items():
        device = table.get("device") if isinstance(table, dict) else None
        if not isinstance(device, str) or device in found.values():
            raise BenchConfigError(
                f"{source}: [daqs.{name}] device: expected a name that no other DAQ has, not {device!r}"
            )
        found[f"daqs.{name}"] = device
    return found


def _quantity(table: Mapping[str, Any], key: str, unit: str, default: str, source: str) -> float:
    return quantity(table, key, unit, default, f"{source}: [twin]")


def _spread(twin: Mapping[str, Any], source: str) -> Spread:
    spread: Spread = twin.get("spread", "typical")
    if spread not in get_args(Spread):
        raise BenchConfigError(f'{source}: [twin] spread: expected "typical" or "seeded", not {spread!r}')
    return spread


def _battery(twin: Mapping[str, Any], board: Board, source: str) -> float | None:
    if "vbat" not in twin:
        return None
    voltage_v = _quantity(twin, "vbat", "V", "3.0 V", source)
    limit_v = board.part.fact("abs_max_vdd").max_scalar()  # of VBAT too
    if not 0 <= voltage_v <= limit_v:
        raise BenchConfigError(
            f"{source}: [twin] vbat: expected 0 to {limit_v:g} V, which the part survives, "
            f"not {voltage_v:g} V"
        )
    return voltage_v


def _ambient_changes(twin: Mapping[str, Any], source: str) -> tuple[tuple[float, float], ...]:
    entries = twin.get("ambient_changes", [])
    if not isinstance(entries, list) or not all(
        isinstance(entry, dict) and set(entry) == _CHANGE_KEYS for entry in entries
    ):
        raise BenchConfigError(
            f"{source}: [twin] ambient_changes: expected a list of "
            f'{{ at = "10 s", temperature = "60 °C" }}, not {entries!r}'
        )
    return tuple(
        (
            _quantity(entry, "at", "s", "10 s", source),
            _quantity(entry, "temperature", "degC", DEFAULT_AMBIENT_TEMPERATURE, source),
        )
        for entry in entries
    )


def _check_type(table: Mapping[str, Any], key: str, kind: type, source: str) -> None:
    if key in table and type(table[key]) is not kind:
        raise BenchConfigError(f"{source}: [twin] {key}: expected {kind.__name__}, not {table[key]!r}")
