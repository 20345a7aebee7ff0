# SPDX-License-Identifier: Apache-2.0
"""Writes docs/reference/rig_file.md and docs/reference/faults.md from the code that they describe.

``python -m tests.rig_file_page``. The descriptions are the docstrings of the fields. The examples come from
the rig files that hil-rig ships, or from the model's own ``examples``.
"""

from __future__ import annotations

import ast
import inspect
import math
import re
import textwrap
import tomllib
import typing
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from hil.config import RigConfig, drivers, quantities
from hil.config.models import RailConfig
from hil.twin import bench_config, faults, hands, miswiring, realism

PROJECT = Path(__file__).parents[1]
RIG_FILE_PAGE = PROJECT / "docs" / "reference" / "rig_file.md"
FAULTS_PAGE = PROJECT / "docs" / "reference" / "faults.md"
RIGS = ("sim", "nucleo", "sim-lowcost", "nucleo-lowcost", "sim-lsm6dsl", "sim-sensor-rail", "sim-two-daqs")
"""Where examples are looked for, first in the first."""

_UNITS = {
    typing.get_args(kind)[1]: text
    for kind, text in {
        quantities.Voltage: "voltage in V",
        quantities.Current: "current in A",
        quantities.Duration: "time in s",
        quantities.Frequency: "frequency in Hz",
        quantities.Temperature: "temperature in °C",
        quantities.TemperatureDifference: "difference of temperatures in °C",
        quantities.Resistance: "resistance in ohm",
        quantities.AccelerationPerVolt: "acceleration per volt in m/s/s/V",
        quantities.Ratio: "ratio (%, ppm)",
    }.items()
}
"""Validators of the quantities, and what a reader calls their dimension."""
_SUFFIXES = {
    "_v": "voltage in V",
    "_a": "current in A",
    "_s": "time in s",
    "_c": "temperature in °C",
    "_f": "capacitance in F",
    "_ohm": "resistance in ohm",
    "_lsb": 'steps of the converter ("LSB")',
}
"""Of the fields of the virtual bench, whose configuration holds SI values."""


def attribute_docs(owner: type) -> dict[str, str]:
    """The docstrings of a class's fields, its bases' included."""
    found: dict[str, str] = {}
    for part in reversed(owner.__mro__):
        if not part.__module__.startswith("hil."):
            continue
        (body,) = ast.parse(textwrap.dedent(inspect.getsource(part))).body
        assert isinstance(body, ast.ClassDef)
        for field, said in zip(body.body, body.body[1:], strict=False):
            if (
                isinstance(field, ast.AnnAssign)
                and isinstance(field.target, ast.Name)
                and isinstance(said, ast.Expr)
                and isinstance(said.value, ast.Constant)
            ):
                found[field.target.id] = said.value.value
    return found


def cell(text: str) -> str:
    """A docstring as one cell of a Markdown table."""
    text = re.sub(r":\w+:`~?([\w.]+)`", r"`\1`", " ".join(text.split()))
    return text.replace("``", "`").replace("|", "\\|")


def literal(value: Any) -> str:
    """A value as TOML has it, on one line."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return f'"{value}"'
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{key} = {literal(part)}" for key, part in value.items()) + " }"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(literal(part) for part in value) + "]"
    return str(value)


def dimension(annotation: Any, metadata: list[Any]) -> str | None:
    """The dimension of a quantity; None for anything else."""
    parts = [*metadata, *(part for kind in typing.get_args(annotation) for part in typing.get_args(kind))]
    return next((_UNITS[part] for part in parts if part in _UNITS), None)


def kind(field: FieldInfo) -> str:
    """What a value may be."""
    annotation = field.annotation
    limits = {type(part).__name__: part for part in field.metadata}
    bounds = [
        f"{sign} {getattr(limits[name], name.lower()):g}"
        for name, sign in (("Gt", ">"), ("Ge", "≥"), ("Le", "≤"))
        if name in limits
    ]
    said = dimension(annotation, field.metadata)
    if said is None:
        choices = [
            part
            for part in (annotation, *typing.get_args(annotation))
            if typing.get_origin(part) is typing.Literal
        ]
        names = {str: "text", int: "whole number", bool: "true or false", float: "number"}
        kinds = [part for part in (annotation, *typing.get_args(annotation)) if part in names]
        if choices:
            said = " or ".join(literal(word) for word in typing.get_args(choices[0]))
        elif typing.get_origin(annotation) is tuple:
            said = "list"
        elif typing.get_origin(annotation) is dict:
            said = "table"
        elif kinds:
            said = names[kinds[0]]
        else:
            said = "date"
    return ", ".join([said, *bounds])


def nested(field: FieldInfo) -> type[BaseModel] | None:
    """The model of a table in a table."""
    for part in (field.annotation, *typing.get_args(field.annotation)):
        if isinstance(part, type) and issubclass(part, BaseModel):
            return part
    return None


def files() -> list[dict[str, Any]]:
    """The shipped rig files."""
    folder = PROJECT / "rig_configs"
    return [tomllib.loads((folder / f"{name}.toml").read_text("utf-8")) for name in RIGS]


def lookup(tables: Any, path: tuple[str, ...]) -> Any:
    """What a file says under a path of keys; a list's first entry stands for the list."""
    for key in path:
        if isinstance(tables, list):
            tables = tables[0]
        if not isinstance(tables, dict) or key not in tables:
            return None
        tables = tables[key]
    return tables


@dataclass(frozen=True)
class Key:
    """One row of the reference."""

    name: str
    kind: str
    default: str
    example: str
    text: str

    def row(self) -> str:
        return f"| `{self.name}` | {self.kind} | {self.default} | {self.example} | {self.text} |"


HEAD = "| key | value | default | example | what it is |\n|---|---|---|---|---|"


def keys(
    model: type[BaseModel], place: tuple[str, ...], having: Mapping[str, Any] | None = None
) -> Iterator[Key]:
    """The keys of one table; ``having`` are keys that a file must have to serve as an example."""
    docs = attribute_docs(model)
    for name, field in model.model_fields.items():
        alias = field.alias or name
        example = None
        for tables in files():
            table = lookup(tables, place)
            if having and not (isinstance(table, dict) and having.items() <= table.items()):
                continue
            example = lookup(tables, (*place, alias))
            if example is not None:
                break
        if example is None and field.examples:
            example = field.examples[0]
        table_of = nested(field)
        if table_of is not None and isinstance(example, (dict, list)):
            said = "table" if isinstance(example, dict) else "list of tables"
            example = example if isinstance(example, dict) else example[0]
            said += f", see [{table_of.__name__}](#{anchor(table_of)})"
        else:
            said = kind(field)
        default = "required" if field.is_required() else shown_default(field, alias)
        shown = "" if example is None else f"`{literal(example)}`"
        yield Key(alias, cell(said), default, shown, cell(docs.get(name, "")))


def engineering(value: float, unit: str) -> str:
    """A quantity with an SI prefix, "40 uA"."""
    if unit in ("°C", "LSB") or value == 0:
        return f"{value:g} {unit}"
    exponent = max(-9, min(6, 3 * math.floor(math.log10(abs(value)) / 3)))
    prefix = {-9: "n", -6: "u", -3: "m", 0: "", 3: "k", 6: "M"}[exponent]
    return f"{value / 10**exponent:g} {prefix}{unit}"


def shown_default(field: FieldInfo, alias: str) -> str:
    if field.default is None:
        return "none"
    text = dimension(field.annotation, field.metadata)
    if text is not None:
        unit = text.rpartition(" in ")[2]
        if field.default % 86400 == 0:
            return f'`"{field.default / 86400:g} day"`'
        return f'`"{engineering(field.default, unit)}"`'
    return f"`{literal(field.default)}`"


def anchor(model: type[BaseModel]) -> str:
    return model.__name__.lower()


def table(title: str, text: str, rows: Iterator[Key]) -> str:
    body = "\n".join(row.row() for row in rows)
    return f"{title}\n\n{text}\n\n{HEAD}\n{body}\n"


def summary(model: type[Any]) -> str:
    """The docstring without the table's name, which stands in the title."""
    text = inspect.cleandoc(model.__doc__ or "").replace("``", "`")
    text = re.sub(r"^`\[\w+\]`:? ?(of )?", lambda match: "Of " if match[1] else "", text)
    return text[:1].upper() + text[1:]


def rig_file_page() -> str:
    """The page of all tables and keys."""
    parts = [
        "# The rig file, key by key\n\nMade by `python -m tests.rig_file_page` from the models that read the "
        'file. A quantity is a text with its unit\n(`"3.0 V"`, `"5 %"`, `"100 mA"`). The tables name the '
        "unit of the bounds; any unit of that dimension is taken. An\nunknown key is refused with its line. "
        "`rig_configs/nucleo.toml` is a whole file with comments.\n"
    ]
    top = RigConfig.model_fields
    parts.append(
        "## Top level\n\n`name` is the rig's name, letters, digits, `-` and `_`. All else are tables. "
        "`[board]` is required; a rig without one of\nthe others skips what needs it.\n"
    )
    inner: list[type[BaseModel]] = []

    def collect(model: type[BaseModel]) -> None:
        for field in model.model_fields.values():
            part = nested(field)
            if part is not None and part not in inner:
                inner.append(part)
                collect(part)

    for name, field in top.items():
        model = nested(field)
        if model is None or name in drivers.KINDS or name in ("rails", "daqs"):
            continue
        text = summary(model)
        parts.append(table(f"## `[{name}]`", text, keys(model, (name,))))
        collect(model)
    for name in drivers.KINDS:
        for driver in sorted(drivers.names(name)):
            if not drivers.find(driver).table.__module__.startswith("hil."):
                continue  # another package's, which this page does not describe
            if name in ("supply", "ammeter"):
                continue
            model = drivers.find(driver).table
            title = f'## `[{name}]` with `driver = "{driver}"`'
            parts.append(table(title, summary(model), keys(model, (name,), {"driver": driver})))
            collect(model)
    parts.append(
        "`[supply]` and `[ammeter]` take the place of `[power_analyzer]` where two instruments share its "
        "work. Their keys are\nthose of the driver's `[power_analyzer]`.\n"
    )
    parts.append(
        "## `[daqs.NAME]`\n\nA DAQ beside `[daq]`, with the same keys. Its `device` is a name that no other "
        "DAQ has, and the terminals of `[wiring]`\nbegin with it. `rig_configs/sim-two-daqs.toml` is a whole "
        "example.\n"
    )
    text = summary(RailConfig).replace("`[rails.NAME]`: a supply", "A supply")
    rail = [key for key in keys(RailConfig, ("rails", "sensor")) if key.name not in drivers.RAIL_KINDS]
    parts.append(table("## `[rails.NAME]`", text, iter(rail)))
    parts.append(
        "`[rails.NAME.power_analyzer]`, or `[rails.NAME.supply]` and `[rails.NAME.ammeter]` or one of the "
        "two, are its\ninstruments. Their keys are those of `[power_analyzer]` with the same driver. "
        "`rig_configs/sim-sensor-rail.toml` is a\nwhole example, `docs/how_to_add_an_instrument.md` says how "
        "a test uses them.\n"
    )
    places = {
        "CurrentRange": ("power_analyzer", "ranges"),
        "VoltageAccuracy": ("daq", "analog_output"),
        "DeviceConfig": ("board", "devices"),
        "AnalogWire": ("wiring", "sensor"),
        "ShakerWire": ("wiring", "shaker"),
        "InputWire": ("wiring", "sensor_readback"),
        "CounterWire": ("wiring", "marker_inference"),
        "RelayWire": ("wiring", "debug_connection"),
        "ContactWire": ("wiring", "button"),
        "SupplyReadbackWire": ("wiring", "supply_readback"),
    }
    parts.append("## Tables inside tables\n")
    for model in inner:
        parts.append(table(f"### {model.__name__}", summary(model), keys(model, places[model.__name__])))
    parts.append(twin_tables())
    return "\n".join(parts)


EXAMPLES: Mapping[str, Any] = {
    "seed": 7,
    "ambient_temperature": "55 °C",
    "ambient_changes": [{"at": "10 s", "temperature": "60 °C"}],
    "spread": "seeded",
    "trace": "run.vcd",
    "sensor_noise": "1 mV",
    "adc_noise": "0.5 LSB",
    "msi_error": "1.5 %",
    "unparked_leak": "10 uA",
    "power_on_at_start": True,
    "vbat": "3.0 V",
    "input_pull_down": "20 kohm",
    "wires": {"sensor": {"open": True}},
    "power_analyzer": {"serial": "MY00000002"},
    "daq": {"timebase_accuracy_ppm": 20},
    "thermometer": {"offset_accuracy_k": 0.2},
    "realism": "bench",
    "scpi_latency": "5 ms",
    "daq_latency": "2 ms",
    "probe_latency": "1 ms",
    "output_on": "50 ms",
    "output_off": "25 ms",
    "supply_capacitance": "5.2 uF",
    "off_resistance": "47 kohm",
    "relay_operate": "3 ms",
    "relay_bounce": "1 ms",
    "stray_bytes": True,
    "analyzer_noise": "keysight",
    "log_overflow": "silent",
    "ammeter": "reversed",
    "relay": "welded",
    "jp6": "on",
    "sense_leads": "open",
    "ground": "floating",
    "neighbour_channel_on": True,
    "lse": "slow",
    "st_link": "unplugged",
    "target": "another",
    "console_port": "busy",
}
"""Of the keys of [twin]; each differs from the default."""

CHOICES: Mapping[str, tuple[str, ...]] = {
    "spread": typing.get_args(bench_config.Spread),
    "realism": realism.REALISMS,
    "analyzer_noise": realism.NOISES,
    "log_overflow": realism.OVERFLOWS,
    "ammeter": miswiring.AMMETERS,
    "relay": miswiring.RELAYS,
    "jp6": miswiring.JUMPERS,
    "sense_leads": miswiring.LEADS,
    "ground": miswiring.GROUNDS,
    "lse": miswiring.CRYSTALS,
    "st_link": miswiring.ST_LINKS,
    "target": miswiring.TARGETS,
    "console_port": miswiring.PORTS,
}

INSTEAD: Mapping[str, str] = {
    "realism": "Figures of real instruments for all keys of this table; a single key overrides its figure.",
    "input_pull_down": "What the DAQ's PFI and port inputs are to ground, for all of them. A wire's own "
    "`input_resistance` in `[twin.wires]` wins.",
}
"""Keys that are spread over fields, and so have no docstring of their own."""
RATIOS = {"msi_error"}
"""Keys that are relative."""
FIELDS = {"analyzer_noise": "noise"}
"""Keys whose field has another name."""


def twin_key(name: str, owner: type, ideal: object | None, bench: object | None) -> Key:
    docs = attribute_docs(owner)
    wanted = FIELDS.get(name, name)
    field = next(
        (key for key in docs if key == wanted or re.sub("_(v|a|s|c|f|ohm|lsb)$", "", key) == wanted), None
    )
    text = INSTEAD[name] if name in INSTEAD else docs.get(field or "", "")
    example = EXAMPLES[name]
    suffix = next((said for end, said in _SUFFIXES.items() if field and field == name + end), None)
    if name in CHOICES:
        said = " or ".join(literal(word) for word in CHOICES[name])
    elif suffix is not None:
        said = suffix
    elif isinstance(example, bool):
        said = "true or false"
    elif isinstance(example, int):
        said = "whole number"
    elif isinstance(example, dict):
        said = "table"
    elif isinstance(example, list):
        said = "list of tables"
    elif name in RATIOS:
        said = "ratio (%, ppm)"
    elif name == "input_pull_down":
        said = "resistance in ohm"
    else:
        said = "text"

    def value(of: object | None) -> str:
        if of is None or field is None:
            return "none"
        found = getattr(of, field)
        if found is None or isinstance(found, (Mapping, tuple)):
            return "none"
        unit = field.removeprefix(f"{name}_").replace("lsb", "LSB") if suffix else ""
        unit = {"v": "V", "a": "A", "c": "°C", "f": "F"}.get(unit, unit)
        if isinstance(found, float) and name in RATIOS:
            return f'`"{100 * found:g} %"`'
        if isinstance(found, float):
            return f'`"{engineering(found, unit)}"`'
        return f"`{literal(found)}`"

    if name == "power_on_at_start":
        ideal = None  # it depends, as the text says
    default = f"`{literal(CHOICES[name][0])}`" if name in CHOICES and bench is None else value(ideal)
    if bench is not None and name != "realism" and value(bench) != value(ideal):
        default += f'; with `realism = "bench"` {value(bench)}'
    if name == "realism":
        default = '`"ideal"`'
    return Key(name, cell(said), default, f"`{literal(example)}`", cell(text))


def twin_tables() -> str:
    """The keys that only the virtual bench reads."""
    plain = bench_config.parse({}, "no file")
    bench = realism.parse({"realism": "bench"}, "no file")
    own = sorted(bench_config.TWIN_KEYS - realism.KEYS - miswiring.KEYS)
    parts = [
        table(
            "## `[twin]`: what the virtual bench is like",
            "The controller looks into no key of `[twin]`.",
            (twin_key(name, bench_config.BenchConfig, plain, None) for name in own),
        ),
        table(
            "## `[twin]`: what a real bench does",
            summary(realism.Realism) + " [The unkind bench](../unkind_bench.md) has the sources.",
            (twin_key(name, realism.Realism, realism.IDEAL, bench) for name in sorted(realism.KEYS)),
        ),
        table(
            "## `[twin]`: what is wrong with the bench",
            summary(miswiring.Miswiring),
            (
                twin_key(name, miswiring.Miswiring, miswiring.NOTHING_WRONG, None)
                for name in sorted(miswiring.KEYS)
            ),
        ),
        "## `[twin.wires]`\n\nBy role: `{ open = true }`, or another `pin`, `terminal` or `input_resistance` "
        "than `[wiring]` says.\n",
    ]
    for name, known in bench_config.INSTRUMENT_KEYS.items():
        rows = "\n".join(f"| `{key}` | {cell(text)} |" for key, text in known.items())
        parts.append(
            f"## `[twin.{name}]`\n\nAll keys are optional.\n\n| key | what it is |\n|---|---|\n{rows}\n"
        )
    return "\n".join(parts)


def faults_page() -> str:
    """The page of what can be done to a running virtual bench."""

    def rows(verbs: Mapping[str, str]) -> str:
        return "\n".join(f"| `{cell(verb)}` | {cell(text)} |" for verb, text in verbs.items())

    head = "| request | what it does |\n|---|---|"
    return (
        "# Faults and hands of a running virtual bench\n\n"
        "Made by `python -m tests.rig_file_page`. The virtual bench tells the addresses `faults` and\n"
        "`hands`. A client connects, sends `TOKEN` and the word before the `@` of the address, and then one\n"
        "request a line. The answer is `OK` or `ERR` and the reason. The tests of the suite know neither\n"
        "port: on a real bench a person does the same.\n\n"
        f"## `faults`\n\n{head}\n{rows(faults.VERBS)}\n\n## `hands`\n\n{head}\n{rows(hands.VERBS)}\n"
    )


def main() -> None:
    """Write both pages."""
    RIG_FILE_PAGE.write_text(rig_file_page(), encoding="utf-8")
    FAULTS_PAGE.write_text(faults_page(), encoding="utf-8")


if __name__ == "__main__":
    main()
