# SPDX-License-Identifier: Apache-2.0
"""Finds a part's folder and reads its files, with those of the part that it extends underneath."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

from hil.datasheet.figures import DatasheetError

PART_FILE = "part.toml"
_FOLDER = Path(__file__).parent


def folder_of(name: str) -> Path:
    """The folder of the part called ``name``: one of this package, or a path to a folder with a part.toml.

    Raises DatasheetError for a part that there is not.
    """
    outside = Path(name)
    folder = outside if (outside / PART_FILE).is_file() else _FOLDER / name
    if not (folder / PART_FILE).is_file():
        raise DatasheetError(
            f"no part {name!r}; expected {', '.join(names())}, or a folder with a {PART_FILE}"
        )
    return folder


def names() -> tuple[str, ...]:
    """The parts of this package."""
    return tuple(sorted(path.parent.name for path in _FOLDER.glob(f"*/{PART_FILE}")))


def lineage(folder: Path) -> list[Path]:
    """The folders of a part and of all that it extends, the part's own last.

    Raises DatasheetError for a part that extends itself.
    """
    found = [folder]
    while parent := _read(found[0] / PART_FILE).get("extends"):
        # A folder beside this one goes before the package's part of the same name.
        beside = found[0].parent / parent
        above = beside if (beside / PART_FILE).is_file() else folder_of(parent)
        if above in found:
            raise DatasheetError(f"{folder / PART_FILE}: the part extends itself through {parent!r}")
        found.insert(0, above)
    return found


def merged(folders: list[Path], name: str) -> dict[str, Any]:
    """The file ``name`` of every folder, each over the ones before it.

    A list of tables is merged by the tables' ``id``; any other value takes the place of the one beneath.
    """
    result: dict[str, Any] = {}
    for folder in folders:
        path = folder / name
        if path.is_file():
            result = _over(result, _read(path))
    return result


def _over(below: dict[str, Any], above: dict[str, Any]) -> dict[str, Any]:
    result = dict(below)
    for key, value in above.items():
        beneath = result.get(key)
        if isinstance(value, dict) and isinstance(beneath, dict):
            result[key] = _over(beneath, value)
        elif isinstance(value, list) and isinstance(beneath, list) and _have_ids(beneath + value):
            result[key] = list({table["id"]: table for table in beneath + value}.values())
        else:
            result[key] = value
    return result


def _have_ids(items: list[Any]) -> bool:
    return all(isinstance(item, dict) and "id" in item for item in items)


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise DatasheetError(f"{path}: cannot be read: {error}") from error
