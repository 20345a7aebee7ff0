# SPDX-License-Identifier: Apache-2.0
"""The exchange of a run as a page: what a lab can hold against its own log.

A log (``pytest --rig NAME --log-exchange FILE``) has every message with its time. The page has the order of
messages and no figure that differs between two good runs: readings, times, addresses in the firmware and
counts of polls are left out.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hil.errors import ResultsError

_LONGEST_PERIOD = 12
"""Lines of the longest group whose repetition is folded."""

_ANY_NUMBER = re.compile(r"(?<!\w)[-+]?(?:0x[0-9a-f]+|\d+(?:\.\d+)?(?:e[-+]?\d+)?)\b", re.IGNORECASE)
_SAYS_A_STATE = ("SYST:", "STAT:", "*ESR?", "*STB?", "*OPC?")
"""Queries whose answer is a state or an error, and no reading."""
_SPAN = re.compile(r"\d+ values from \S+ to [^\s,)]+")
_CONSOLE_VALUE = re.compile(r"=\S+")
_CONSOLE_FRAME = re.compile(r"@\d+ |\*[0-9A-F]{4}$")


@dataclass
class _Line:
    """An operation with the messages that it was made of, or a message outside any."""

    instrument: str
    text: str
    answer: str = ""
    messages: list[str] = field(default_factory=list)


def read(path: Path) -> list[dict[str, Any]]:
    """The events of a log. Raises ResultsError."""
    try:
        return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    except (OSError, ValueError) as error:
        raise ResultsError(f"cannot be read: {error}", where=str(path), operation="exchange") from error


def page(events: Iterable[dict[str, Any]]) -> str:
    """The page in Markdown.

    Args:
        events: of a log, in order (:func:`read`).
    """
    procedures: dict[tuple[str, ...], str] = {}
    chapters: list[str] = []
    for name, lines in _chapters(events):
        shown = [_shown(line, procedures) for line in lines]
        body = "\n".join(_folded(shown))
        chapters.append(f"### {name}\n\n```text\n{body}\n```\n")
    parts = [
        "# The exchange of a run\n",
        "What the controller says to the instruments while the suite runs, and what they answer, in order.\n"
        "`pytest --rig NAME --log-exchange FILE` writes the same with times and figures, on any bench, and\n"
        "`hil exchange FILE` makes this page of it. `#` stands for a number that differs from run to run,\n"
        "`[P1]` for the messages of procedure P1. A line stands for one or several in a row,\n"
        "and the lines from `┐` to `┘` are repeated.\n",
        "## Procedures on the power analyzer\n",
    ]
    parts += [
        f"### {label}\n\n```text\n" + "\n".join(messages) + "\n```\n"
        for messages, label in procedures.items()
    ]
    return "\n".join([*parts, "## The run\n", *chapters])


def _chapters(events: Iterable[dict[str, Any]]) -> Iterator[tuple[str, list[_Line]]]:
    """The lines of each test, and of what is before and after the tests."""
    name: str | None = None
    lines: list[_Line] = []
    open_operation: _Line | None = None
    depth = 0
    for event in events:
        if event["during"] != name and open_operation is None:
            if name is not None and lines:
                yield name, lines
            name, lines = event["during"], []
        match event["kind"]:
            case "begin":
                depth += 1
                if open_operation is None:
                    open_operation = _Line(event["instrument"], _sent(event))
            case "end":
                depth -= 1
                if depth == 0 and open_operation is not None:
                    open_operation.answer = _answered(event)
                    lines.append(open_operation)
                    open_operation = None
            case "message" if open_operation is not None and event["instrument"] != "console":
                open_operation.messages.append(_message(event))
            case _:
                lines.append(_Line(event["instrument"], _message(event)))
    if name is not None and lines:
        yield name, lines


def _message(event: dict[str, Any]) -> str:
    if event["instrument"] == "console":
        text = event["text"] or event["answer"]
        text = _CONSOLE_VALUE.sub("=#", _CONSOLE_FRAME.sub("", text))
        return f"> {text}" if event["text"] else f"< {text}"
    answer = _answered(event)
    return f"{event['text']}  < {answer}" if answer else str(event["text"])


def _sent(event: dict[str, Any]) -> str:
    text = _SPAN.sub("# values", str(event["text"]))
    return _ANY_NUMBER.sub("#", text) if event["instrument"] == "board" else text


def _answered(event: dict[str, Any]) -> str:
    text = str(event["answer"])
    if event["text"].startswith(_SAYS_A_STATE):
        return text
    if "serial" in text or event["text"] == "*IDN?":
        return "who it is"
    return _ANY_NUMBER.sub("#", _SPAN.sub("# values", text))


def _shown(line: _Line, procedures: dict[tuple[str, ...], str]) -> str:
    text = f"{line.instrument:<14} {line.text}"
    if line.messages:
        messages = tuple(_folded(line.messages))
        label = procedures.setdefault(messages, f"P{len(procedures) + 1}")
        text += f"  [{label}]"
    return f"{text}  = {line.answer}" if line.answer else text


def _folded(lines: list[str]) -> list[str]:
    """The lines, each one or group that is repeated at once written once.

    Equal lines are one: how often a state is polled depends on the bench.
    """
    lines = [line for line, before in zip(lines, [None, *lines], strict=False) if line != before]
    shown: list[str] = []
    at = 0
    while at < len(lines):
        for period in range(2, _LONGEST_PERIOD + 1):
            group = lines[at : at + period]
            times = 1
            while lines[at + times * period : at + (times + 1) * period] == group:
                times += 1
            if times > 1:
                at += times * period
                shown += [f"{group[0]}  ┐", *group[1:-1], f"{group[-1]}  ┘"]
                break
        else:
            shown.append(lines[at])
            at += 1
    return shown
