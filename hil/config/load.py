# SPDX-License-Identifier: Apache-2.0
"""From a rig's name to its validated configuration, whose gaps the service's addresses fill."""

from __future__ import annotations

import difflib
import re
import tomllib
import typing
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError, create_model
from pydantic_core import ErrorDetails

from hil.config import drivers
from hil.config.bring_up import SUFFIX
from hil.config.contradictions import find_contradictions
from hil.config.models import DaqsConfig, RailConfig, RailsConfig, RigConfig
from hil.config.tables import DaqTable, InstrumentTable
from hil.config.toml_lines import KeyPath, key_lines, line_of
from hil.errors import ConfigError, QuantityError
from hil.places import shipped

_RETIRED = {
    ("wiring", "debug_isolation"): (
        "the role 'debug_isolation' is retired: its relay connected the lines at rest",
        'debug_connection = { terminal = ..., active = "high" }, after moving the lines to the normally open '
        "contacts",
    )
}
"""Keys of earlier versions whose meaning cannot be carried over: (what is wrong, what takes its place)."""

_ROLE_NAME = re.compile(r"[a-z][a-z0-9_]*")
_PLACEHOLDER = re.compile(r"\{service\.(\w+)(?:\.(host|port))?\}")


def rig_directories() -> list[Path]:
    """Where rig names are looked up: ``rig_configs`` here, then those that hil-rig ships."""
    candidates = [Path.cwd() / "rig_configs", shipped("rig_configs")]
    return [path for path in dict.fromkeys(candidates) if path.is_dir()]


def available_rigs() -> dict[str, Path]:
    """Rig names and their files; the first directory that has a name wins."""
    rigs: dict[str, Path] = {}
    for directory in rig_directories():
        for file in sorted(directory.glob("*.toml")):
            if not file.name.endswith(SUFFIX):  # results of a bring-up, no rig
                rigs.setdefault(file.stem, file)
    return rigs


def load_rig(name_or_path: str | Path) -> RigConfig:
    """Load and check a rig configuration.

    Args:
        name_or_path: a name ("sim" is rig_configs/sim.toml), or a path (has a directory or ends in .toml).

    Raises:
        ConfigError: no such rig, no valid TOML, a wrong key, unit or value, or wires that contradict.
    """
    file = _find(name_or_path)
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"cannot be read: {error}", file=file, expected="a UTF-8 text file") from error
    try:
        data = tomllib.loads(text)
    except (
        RecursionError,
        ValueError,
    ) as error:  # of brackets in brackets; of numbers of 5,000 digits as well
        match = re.search(r"\(at line (\d+), column (\d+)\)", str(error))
        line = int(match[1]) if match else text.count("\n") + 1
        raise ConfigError(f"not valid TOML: {error}", file=file, line=line, expected="TOML 1.0") from error
    lines = key_lines(text)
    model = _with_drivers(data, file, lines)
    try:
        config = model.model_validate({**_with_board_file(data, file), "file": file})
    except ValidationError as error:
        raise _first_problem(error, model, file, lines) from error
    if "file" in data:
        raise ConfigError("unknown key 'file'", file=file, line=line_of(lines, ("file",)), key="file")
    contradictions = list(find_contradictions(config))
    if contradictions:
        first = contradictions[0]
        more = len(contradictions) - 1
        raise ConfigError(
            first.message + _more(more),
            file=file,
            line=line_of(lines, first.path),
            key=".".join(str(part) for part in first.path),
            expected=first.expected,
        )
    return config


def resolve(config: RigConfig, addresses: Mapping[str, str]) -> RigConfig:
    """Fill ``{service.NAME}``, ``{service.NAME.host}`` and ``{service.NAME.port}`` in the addresses.

    Args:
        config: a loaded configuration.
        addresses: ``host:port`` by name, from the service's ready line.

    Raises:
        ConfigError: a placeholder names an address that the service did not give.
    """

    def fill(value: Any) -> Any:
        if isinstance(value, str):
            return _PLACEHOLDER.sub(replacement, value)
        if isinstance(value, BaseModel):
            return value.model_copy(update={key: fill(inner) for key, inner in value})
        return value

    def replacement(match: re.Match[str]) -> str:
        name, part = match[1], match[2]
        if name not in addresses:
            raise ConfigError(
                f"the service gave no address {name!r}",
                file=config.file,
                key=match[0],
                expected=f"one of {', '.join(sorted(addresses)) or 'none'}",
            )
        host, _, port = addresses[name].rpartition(":")
        return {"host": host, "port": port, None: addresses[name]}[part]

    tables = ("probe", *drivers.KINDS, "daqs", "rails", "console", "clock", "bringup")
    return config.model_copy(update={table: fill(getattr(config, table)) for table in tables})


def _with_board_file(data: dict[str, Any], file: Path) -> dict[str, Any]:
    """A board's own file is named relative to the rig file."""
    board = data.get("board")
    name = board.get("name") if isinstance(board, dict) else None
    if not (isinstance(board, dict) and isinstance(name, str) and name.endswith(".toml")):
        return data
    return {**data, "board": {**board, "name": str((file.parent / name).resolve())}}


def _find(name_or_path: str | Path) -> Path:
    text = str(name_or_path)
    if text.endswith(".toml") or "/" in text or "\\" in text:
        path = Path(name_or_path)
        if not path.is_file():
            raise ConfigError("no such file", file=path, expected="the path of a rig configuration (.toml)")
        return path
    rigs = available_rigs()
    if text in rigs:
        return rigs[text]
    close = difflib.get_close_matches(text, rigs, n=1)
    places = ", ".join(str(directory) for directory in rig_directories()) or "no rig_configs directory found"
    raise ConfigError(
        f"no rig named {text!r}",
        expected=f"one of {', '.join(sorted(rigs))} ({places})"
        if rigs
        else f"a rig configuration ({places})",
        hint=f"--rig {close[0]}" if close else "--rig path/to/file.toml",
    )


def _with_drivers(data: Mapping[str, Any], file: Path, lines: dict[KeyPath, int]) -> type[RigConfig]:
    """The configuration's model, with the table of each instrument as its driver defines it.

    Raises:
        ConfigError: a driver is not named, not known, or one of another kind of instrument.
    """
    own = _driver_fields(data, drivers.KINDS, (), file, lines)
    if isinstance(data.get("rails"), dict):
        rails: dict[str, Any] = {}
        for rail, table in _by_role(data, "rails", "rail", file, lines):
            fields = (
                _driver_fields(table, drivers.RAIL_KINDS, ("rails", rail), file, lines)
                if isinstance(table, dict)
                else {}  # no table, which the model says
            )
            rails[rail] = (create_model("RailConfig", __base__=RailConfig, **fields), ...)
        own["rails"] = (create_model("RailsConfig", __base__=RailsConfig, **rails), ...)
    if isinstance(data.get("daqs"), dict):
        daqs: dict[str, Any] = {}
        for daq, table in _by_role(data, "daqs", "DAQ", file, lines):
            model = (
                _driver_table(table, "daq", ("daqs", daq), file, lines)
                if isinstance(table, dict)
                else DaqTable
            )
            daqs[daq] = (model, ...)
        own["daqs"] = (create_model("DaqsConfig", __base__=DaqsConfig, **daqs), ...)
    return create_model("RigConfig", __base__=RigConfig, **own)


def _by_role(
    data: Mapping[str, Any], place: str, what: str, file: Path, lines: dict[KeyPath, int]
) -> Iterator[tuple[str, Any]]:
    """The tables at ``place``, by the names that the file gives them.

    Raises:
        ConfigError: a name is none.
    """
    for name, table in data[place].items():
        if _ROLE_NAME.fullmatch(name) is None:
            raise ConfigError(
                f"{name!r} is no name of a {what}",
                file=file,
                line=line_of(lines, (place, name)),
                key=f"{place}.{name}",
                expected="small letters, digits and _, a letter first",
            )
        yield name, table


def _driver_fields(
    data: Mapping[str, Any],
    kinds: Iterable[str],
    place: tuple[str, ...],
    file: Path,
    lines: dict[KeyPath, int],
) -> dict[str, Any]:
    """The fields of the instruments' tables in the table ``data`` at ``place``, as their drivers define them.

    Raises:
        ConfigError: a driver is not named, not known, or one of another kind of instrument.
    """
    fields: dict[str, Any] = {}
    for kind in kinds:
        table = data.get(kind)
        if not isinstance(table, dict):
            continue  # absent, or no table, which the model says
        fields[kind] = (_driver_table(table, kind, (*place, kind), file, lines) | None, None)
    return fields


def _driver_table(
    table: Mapping[str, Any], kind: str, place: tuple[str, ...], file: Path, lines: dict[KeyPath, int]
) -> type[InstrumentTable]:
    """The model of an instrument's table at ``place``, as its driver defines it.

    Raises:
        ConfigError: a driver is not named, not known, or one of another kind of instrument.
    """
    path = (*place, "driver")
    key = ".".join(path)
    name = table.get("driver")
    if not isinstance(name, str):
        line = line_of(lines, path) or line_of(lines, place)
        message = "the key 'driver' is missing" if name is None else f"{name!r} is no text"
        expected = f"one of {', '.join(drivers.names(kind))}"
        raise ConfigError(message, file=file, line=line, key=key, expected=expected)
    try:
        return drivers.find_for(kind, name).table
    except ConfigError as error:
        raise ConfigError(
            error.message, file=file, line=line_of(lines, path), key=key, expected=error.expected
        ) from error


def _more(count: int) -> str:
    return f" (and {count} more)" if count else ""


def _first_problem(
    error: ValidationError, model: type[RigConfig], file: Path, lines: dict[KeyPath, int]
) -> ConfigError:
    """The problem that stands first in the file, as one line."""
    details = error.errors(include_url=False)

    def place(detail: ErrorDetails) -> int:
        return line_of(lines, detail["loc"]) or 0

    # A misspelt key is reported rather than the "missing" one that it causes in the same table.
    first = min(details, key=lambda detail: (detail["type"] == "missing", place(detail)))
    path = first["loc"]
    message, expected = _explain(first, model)
    return ConfigError(
        message + _more(len(details) - 1),
        file=file,
        line=line_of(lines, path) or 1,
        key=".".join(str(part) for part in path),
        expected=expected,
    )


def _explain(detail: ErrorDetails, root: type[RigConfig]) -> tuple[str, str]:
    """(what is wrong, what would be right) for one of pydantic's findings."""
    kind, path, context = detail["type"], detail["loc"], detail.get("ctx", {})
    cause = context.get("error")
    if isinstance(cause, QuantityError):
        return cause.message, cause.expected
    if kind == "missing":
        return f"the key {path[-1]!r} is missing", "it to be present"
    if path in _RETIRED:
        return _RETIRED[path]
    if kind == "extra_forbidden":
        keys = _keys_at(path[:-1], root)
        close = difflib.get_close_matches(str(path[-1]), keys, n=1)
        return (
            f"unknown key {path[-1]!r}",
            f"{close[0]!r}" if close else f"one of {', '.join(repr(key) for key in keys)}",
        )
    if kind == "literal_error":
        return f"{detail['input']!r} is not known", str(context["expected"])
    if kind in ("model_type", "dict_type"):
        return f"{detail['input']!r} is not a table", "a table"
    expected = detail["msg"].removeprefix("Input should be ")
    expected = expected.replace("String should match pattern", "a text matching").replace(
        "Input should", "to"
    )
    return f"{detail['input']!r} is not allowed", expected


def _keys_at(path: tuple[str | int, ...], root: type[RigConfig]) -> list[str]:
    """The keys that the table at ``path`` may have."""
    model: type[BaseModel] = root
    for part in path:
        if isinstance(part, int):
            continue  # an element of an array has the model of the array
        by_key = {field.alias or name: field for name, field in model.model_fields.items()}
        nested = _model_in(by_key[part].annotation)
        if nested is None:
            return []
        model = nested
    return [field.alias or name for name, field in model.model_fields.items() if not field.exclude]


def _model_in(annotation: Any) -> type[BaseModel] | None:
    """The model inside ``X | None`` or ``tuple[X, ...]``."""
    for candidate in (annotation, *typing.get_args(annotation)):
        if isinstance(candidate, type) and issubclass(candidate, BaseModel):
            return candidate
    return None
