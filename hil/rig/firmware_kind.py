# SPDX-License-Identifier: Apache-2.0
"""Whether an image speaks hil-rig's protocol, from evidence: its owner's word, its symbols, its records.

Silence proves nothing: a reference firmware that hangs at its start is silent as well. Foreign is an image
whose owner says so, whose symbol table is there and names nothing of ours, or that says something else on the
console. Without any of these it is not known.
"""

from __future__ import annotations

import enum
import string
from dataclasses import dataclass
from typing import Literal

from hil.errors import DeviceError
from hil.firmware.image import Image
from hil.foreign_text import visible
from hil.rig.rig import Rig
from hil.rig.states import State

OWN_SYMBOLS = ("hil_model",)
"""Symbols of the reference firmware, whatever its network: an image with one of them has to speak."""
LISTENED_S = 10.0
"""Bench time from the start to the first record: the quartz takes 2 s to start (DS10198 Rev 8, table 58), the
rest is an assumption."""
_POLL_S = 0.05
_TEXT_LEAST = 4
"""Characters in a row that are no accident of a wrong baud rate (assumption)."""
_TEXT_SHARE = 0.95
"""Of what is heard, to be called text. A wrong baud rate gives other bytes as well (assumption)."""
_SHOWN = 60

Declared = Literal["none", "text", "records"]
"""What the owner of an image says of its console: nothing is sent, text, or hil-rig's records."""

_PRINTABLE = frozenset((string.printable + "\x1b").encode("ascii"))
"""With ESC, by which many a console colours its text."""


class Speaks(enum.Enum):
    """What is known about an image's protocol."""

    RECORDS = "speaks the hil protocol"
    OTHER = "speaks no hil protocol"
    UNKNOWN = "may or may not speak the hil protocol"


@dataclass(frozen=True)
class FirmwareKind:
    """What an image is, and how that is known."""

    name: str
    """The image's file, without its folder."""
    speaks: Speaks
    evidence: str

    def __str__(self) -> str:
        return f"{self.name} {self.speaks.value}: {self.evidence}"

    def check_known(self) -> None:
        """Refuse to go on with an image of which nothing is known.

        Raises:
            DeviceError: neither foreign nor one of ours by any evidence.
        """
        if self.speaks is Speaks.UNKNOWN:
            raise DeviceError(
                f"{self.name} {self.evidence}",
                where="console",
                operation="find out what the firmware speaks",
                expected="a record of the hil protocol, other text, or a symbol table",
                hint='say it in hil.toml: [firmware] console = "none", "text" or "records"; '
                "or give the image with its symbols",
            )


def find_out(rig: Rig, image: Image, declared: Declared | None = None) -> FirmwareKind:
    """What ``image`` speaks. The board is started and listened to where owner and symbols do not tell.

    Raises:
        HilError: the bench fails; nothing is said about the image then.
    """
    name = visible(image.path.name)
    if declared is not None:
        speaks = Speaks.RECORDS if declared == "records" else Speaks.OTHER
        return FirmwareKind(name, speaks, f'hil.toml declares [firmware] console = "{declared}"')
    own = [symbol for symbol in OWN_SYMBOLS if symbol in image.symbols]
    if own:
        return FirmwareKind(name, Speaks.RECORDS, f"it has the symbol {own[0]}")
    named = f"none of its {len(image.symbols)} symbols is {' or '.join(OWN_SYMBOLS)}"
    if not rig.has("console"):
        if image.symbols:
            return FirmwareKind(name, Speaks.OTHER, named)
        return FirmwareKind(name, Speaks.UNKNOWN, "has no symbols, and the rig has no console to listen to")
    records, heard = _listen(rig, image)
    if records:
        return FirmwareKind(name, Speaks.RECORDS, f"it sent {records} record(s)")
    said = f'on the console it says "{text}"' if (text := shown_text(heard)) else _no_text(heard)
    if image.symbols:
        return FirmwareKind(name, Speaks.OTHER, f"{named}, and {said}")
    if text:
        return FirmwareKind(name, Speaks.OTHER, f"{said}, and no record within {LISTENED_S:g} s")
    return FirmwareKind(name, Speaks.UNKNOWN, f"has no symbols, and {said}")


def shown_text(heard: bytes) -> str:
    """The first line of text in what was heard, fit for a terminal; empty if it is no text."""
    if sum(byte in _PRINTABLE for byte in heard) < _TEXT_SHARE * len(heard):
        return ""
    for line in heard.decode("ascii", "replace").splitlines():
        if len(line.strip()) >= _TEXT_LEAST:
            return visible(line.strip())[:_SHOWN]
    return ""


def _no_text(heard: bytes) -> str:
    if not heard:
        return f"its console is silent for {LISTENED_S:g} s"
    return f"the {len(heard)} bytes on its console are neither records nor text"


def _listen(rig: Rig, image: Image) -> tuple[int, bytes]:
    """Start the firmware; how many records it sends, until the first one or the end, and the last bytes."""
    rig.to(State.RUNNING, image, restart=True)
    console, clock = rig.console, rig.clock
    ends_s = clock.now_s() + LISTENED_S
    while clock.now_s() < ends_s and not console.records:
        clock.sleep(_POLL_S)
        console.poll()
    return len(console.records), console.heard
