# SPDX-License-Identifier: Apache-2.0
"""Writes the results of a bring-up as TOML, quantities as texts with their unit."""

from __future__ import annotations

import json

from hil.config import BringUpResults
from hil.places import put_in_place


def write(results: BringUpResults) -> None:
    """Write the file, replacing the one before in one step."""
    draft = results.file.with_suffix(".new")
    draft.write_text(to_toml(results), "utf-8")
    put_in_place(draft, results.file)


def to_toml(results: BringUpResults) -> str:
    """The contents of the file."""
    lines = [
        f"# Measured by `hil bringup --rig {results.rig}`, and read by every run on this rig.",
        "# It counts for the instruments and the wiring that it was measured on. Measure again; do not edit.",
        "",
        f"date = {results.date.isoformat()}",
        f"rig = {_text(results.rig)}",
        f"fingerprint = {_text(results.fingerprint)}",
    ]
    for key, value, unit in (
        ("arming", results.arming_s, "s"),
        ("smallest_range", results.smallest_range_a, "A"),
    ):
        if value is not None:
            lines.append(f"{key} = {_quantity(value, unit)}")
    lines += _table("serials", {_key(name): _text(serial) for name, serial in results.serials.items()})
    if results.supply is not None:
        supply = results.supply
        lines += _table(
            "supply",
            {
                "rise": _quantity(supply.rise_s, "s"),
                "fall": _quantity(supply.fall_s, "s"),
                "back_feed": _quantity(supply.back_feed_v, "V"),
            },
        )
    for name, latency in results.round_trips.items():
        lines += _table(
            f"round_trips.{_key(name)}",
            {
                "mean": _quantity(latency.mean_s, "s"),
                "longest": _quantity(latency.longest_s, "s"),
                "count": str(latency.count),
            },
        )
    for role, load in results.marker_loads.items():
        lines += _table(
            f"marker_loads.{role}",
            {
                "current": _quantity(load.current_a, "A"),
                "uncertainty": _quantity(load.uncertainty_a, "A"),
                "at": _quantity(load.at_v, "V"),
            },
        )
    for entry in results.by_hand:
        lines += _table(
            "by_hand", {"question": _text(entry.question), "answer": _text(entry.answer)}, array=True
        )
    for step in results.steps:
        fields = {"number": str(step.number), "title": _text(step.title), "measured": _text(step.measured)}
        lines += _table("steps", fields, array=True)
    return "\n".join(lines) + "\n"


def _table(name: str, fields: dict[str, str], *, array: bool = False) -> list[str]:
    head = f"[[{name}]]" if array else f"[{name}]"
    return ["", head, *(f"{key} = {value}" for key, value in fields.items())]


def _key(name: str) -> str:
    return _text(name) if "." in name else name  # a dot would begin a table


def _quantity(value: float, unit: str) -> str:
    return _text(f"{value:.6g} {unit}")


def _text(value: str) -> str:
    return json.dumps(value, ensure_ascii=False)  # a TOML basic string has JSON's escapes
