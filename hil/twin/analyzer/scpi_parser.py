# SPDX-License-Identifier: Apache-2.0
"""From bytes on a socket to commands: SCPI program messages.

A program message is a line of units separated by ``;``. A unit is a header, optionally ``?``, and
comma-separated parameters. Headers come in a short and a long form, may leave out optional nodes, and are
relative to the unit before them unless they start with ``:`` (SCPI-99 volume 1, sections 6 and 8; IEEE 488.2,
section 7).
"""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass

from hil.twin.analyzer.status import ScpiError

_HEADER = re.compile(
    r"(?P<common>\*)?(?P<root>:)?(?P<path>[A-Za-z][A-Za-z0-9_]*(:[A-Za-z][A-Za-z0-9_]*)*)(?P<query>\?)?"
)
_NUMBER = re.compile(r"(?P<value>[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,4})?)\s*(?P<suffix>[A-Za-z]*)")
_CHARACTER = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
_CHANNEL_RANGE = re.compile(r"\s*(\d{1,3})\s*(?::\s*(\d{1,3})\s*)?")
_NODE = re.compile(r"(?P<optional>\[:?)?(?P<name>[A-Za-z]+[0-9]*)(?P<trailing>:)?\]?:?")

CHANNELS_MAX = 4
"""Slots of the mainframe (N6705C User's Guide)."""


@dataclass(frozen=True)
class Number:
    """Decimal numeric data with its unit suffix (upper case, empty if none)."""

    value: float
    suffix: str


@dataclass(frozen=True)
class Character:
    """A bare word: ``ON``, ``BUS``, ``MAX``."""

    text: str


@dataclass(frozen=True)
class String:
    """Text in quotes."""

    text: str


@dataclass(frozen=True)
class ChannelList:
    """``(@1)``, ``(@1,2)``, ``(@1:4)``."""

    channels: tuple[int, ...]


Parameter = Number | Character | String | ChannelList


@dataclass(frozen=True)
class ProgramUnit:
    """One command or query: its header's nodes in upper case from the root, and its parameters."""

    header: tuple[str, ...]
    query: bool
    parameters: tuple[Parameter, ...]

    @property
    def text(self) -> str:
        """The header as SCPI writes it, for messages."""
        return ":".join(self.header) + ("?" if self.query else "")


def split_outside(text: str, separator: str) -> list[str]:
    """Split at ``separator``, but not inside quotes or parentheses.

    Raises:
        ScpiError: -151 for a quote that never ends, -171 for unbalanced parentheses.
    """
    parts: list[str] = []
    start = depth = 0
    quote = ""
    for position, character in enumerate(text):
        if quote:
            if character == quote:
                quote = ""
        elif character in "\"'":
            quote = character
        elif character == "(":
            depth += 1
        elif character == ")":
            depth -= 1
        elif character == separator and depth == 0:
            parts.append(text[start:position])
            start = position + 1
    if quote:
        raise ScpiError(-151, "a quote is not closed")
    if depth:
        raise ScpiError(-171, "parentheses do not match")
    return [*parts, text[start:]]


class MessageParser:
    """Reads the units of one program message, keeping the header path from unit to unit."""

    def __init__(self) -> None:
        self._path: tuple[str, ...] = ()

    def unit(self, text: str) -> ProgramUnit:
        """Parse one unit.

        Raises:
            ScpiError: a command error (-1xx) that says what is wrong.
        """
        text = text.strip()
        match = _HEADER.match(text)
        if match is None:
            raise ScpiError(-102, f"no header in '{text[:40]}'")
        rest = text[match.end() :]
        if rest and not rest[0].isspace():
            raise ScpiError(-103, f"'{rest[0]}' after the header {match.group()[:40]}")
        nodes = tuple(match["path"].upper().split(":"))
        if match["common"]:
            header = ("*" + nodes[0], *nodes[1:])  # a common command leaves the path as it is
        else:
            header = nodes if match["root"] else self._path + nodes
            self._path = header[:-1]
        parameters = tuple(parse_parameter(part) for part in split_outside(rest, ",")) if rest.strip() else ()
        return ProgramUnit(header, match["query"] is not None, parameters)


def parse_parameter(text: str) -> Parameter:
    """Parse one parameter.

    Raises:
        ScpiError: -109 for nothing between two commas, -101, -121, -151 or -171 for what cannot be read.
    """
    text = text.strip()
    if not text:
        raise ScpiError(-109, "empty parameter")
    if text[0] in "\"'":
        if len(text) < 2 or text[-1] != text[0]:
            raise ScpiError(-151, text[:40])
        return String(text[1:-1])
    if text[0] == "(":
        return _channel_list(text)
    if number := _NUMBER.fullmatch(text):
        return Number(float(number["value"]), number["suffix"].upper())
    if _CHARACTER.fullmatch(text):
        return Character(text.upper())
    raise ScpiError(-121 if text[0] in "+-.0123456789" else -101, text[:40])


def _channel_list(text: str) -> ChannelList:
    if not (text.startswith("(@") and text.endswith(")")):
        raise ScpiError(-171, text[:40])
    channels: list[int] = []
    for part in text[2:-1].split(","):
        match = _CHANNEL_RANGE.fullmatch(part)
        if match is None:
            raise ScpiError(-171, text[:40])
        first = int(match[1])
        last = int(match[2]) if match[2] else first
        if not 1 <= first <= last <= CHANNELS_MAX:
            raise ScpiError(-222, f"channels {part.strip()}: expected 1 to {CHANNELS_MAX}, ascending")
        channels.extend(range(first, last + 1))
    if len(channels) > CHANNELS_MAX:
        raise ScpiError(-222, f"{len(channels)} channels; the mainframe has {CHANNELS_MAX}")
    return ChannelList(tuple(channels))


def header_forms(pattern: str) -> set[tuple[str, ...]]:
    """Every accepted spelling of a header pattern such as ``[SOURce:]VOLTage[:LEVel]``, in upper case.

    Nodes in brackets may be left out; each node may be given in its short form (the capitals) or in full.
    """
    if pattern.startswith("*"):
        return {(pattern.upper(),)}
    choices: list[list[str | None]] = []
    position = 0
    while position < len(pattern):
        node = _NODE.match(pattern, position)
        if node is None:
            raise ValueError(f"bad header pattern {pattern!r} at {position}")
        short = "".join(character for character in node["name"] if not character.islower())
        forms: list[str | None] = sorted({short, node["name"].upper()})
        choices.append([*forms, None] if node["optional"] else forms)
        position = node.end()
    return {tuple(node for node in form if node is not None) for form in itertools.product(*choices)}


def matches_mnemonic(mnemonic: str, text: str) -> bool:
    """Whether ``text`` is the short or long form of a mnemonic such as ``CURRent``."""
    short = "".join(character for character in mnemonic if not character.islower())
    return text.upper() in (short, mnemonic.upper())
