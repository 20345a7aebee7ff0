# SPDX-License-Identifier: Apache-2.0
"""Runs the characterisation: every line of the datasheet that the bench can measure, or those asked for."""

from __future__ import annotations

import fnmatch
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol

from hil.boards import REFERENCE, Board
from hil.parts import Part
from hil.twin.characterize import adders, clocked, low_power, peripheral_clocks, wake_up
from hil.twin.characterize.figures import NotCovered, Reading
from hil.twin.characterize.session import Session
from hil.twin.errors import TwinError


class Chapter(Protocol):
    """A module that measures one kind of line."""

    def lines(self, part: Part, /) -> list[str]:
        """The lines that it measures."""

    def figure_count(self, part: Part, line: str, /) -> int:
        """How many figures a line has."""

    def measure(self, session: Session, line: str) -> Iterator[Reading]:
        """Every figure of a line."""


CHAPTERS: tuple[Chapter, ...] = (low_power, clocked, wake_up, adders, peripheral_clocks)

Progress = Callable[[str, int, int], None]
"""Called with the line under way, the figures done and the figures in all."""


@dataclass(frozen=True)
class Characterization:
    """Every reading, and every line that has none."""

    readings: tuple[Reading, ...]
    not_covered: tuple[NotCovered, ...]

    @property
    def out(self) -> tuple[Reading, ...]:
        """The readings beyond their tolerance."""
        return tuple(reading for reading in self.readings if not reading.within)


def not_covered(part: Part) -> tuple[NotCovered, ...]:
    """The lines of supply current and wake-up time that nothing here measures."""
    return (
        *low_power.not_covered(part),
        *wake_up.not_covered(part),
        *adders.not_covered(part),
        *peripheral_clocks.not_covered(part),
    )


def characterize(patterns: tuple[str, ...], progress: Progress) -> Characterization:
    """Measure the lines whose id matches one of ``patterns`` (shell style).

    Raises:
        TwinError: no line matches, or the bench does not do what the measurement needs.
    """
    part = Board.load(REFERENCE).part
    wanted = [
        (chapter, line)
        for chapter in CHAPTERS
        for line in chapter.lines(part)
        if any(fnmatch.fnmatchcase(line, pattern) for pattern in patterns)
    ]
    if not wanted:
        raise TwinError(f"no line of the datasheet matches {', '.join(patterns)}")
    total = sum(chapter.figure_count(part, line) for chapter, line in wanted)
    readings: list[Reading] = []
    with Session() as session:
        for chapter, line in wanted:
            for reading in chapter.measure(session, line):
                readings.append(reading)
                progress(line, len(readings), total)
    return Characterization(tuple(readings), not_covered(part))
