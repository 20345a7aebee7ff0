# SPDX-License-Identifier: Apache-2.0
"""The words that Python and the native hooks share."""

from __future__ import annotations

from pathlib import Path

import pytest

from hil.twin.core.state_layout import LAYOUT, StateLayout

PAGE = Path(__file__).parents[3] / "docs" / "native_side.md"


def layout() -> StateLayout:
    made = StateLayout()
    made.add("SCRATCH", "Unicorn", "scratch")
    made.add("PAIR", "somebody", "two words", size=2)
    return made


def test_words_follow_each_other() -> None:
    made = layout()
    assert made.add("NEXT", "somebody", "the next") == 3
    made.check()


@pytest.mark.parametrize("place", [1, 2])
def test_words_that_overlap_are_found(place: int) -> None:
    made = layout()
    made.add("THIRD", "somebody", "over another", at=place)
    with pytest.raises(ValueError, match=f"overlap at word {place}"):
        made.check()


def test_a_name_given_twice_is_found() -> None:
    made = layout()
    made.add("PAIR", "somebody", "once more")
    with pytest.raises(ValueError, match="PAIR named twice"):
        made.check()


def test_the_word_that_unicorn_writes_is_nobody_elses() -> None:
    made = StateLayout()
    made.add("CYCLES", "somebody", "counts where Unicorn writes")
    with pytest.raises(ValueError, match="word 0 must be SCRATCH"):
        made.check()


def test_the_words_of_the_core_are_in_order_and_in_the_page() -> None:
    LAYOUT.check()
    assert LAYOUT.table() in PAGE.read_text("utf-8"), (
        "python -m hil.twin.core.state_layout prints the table for docs/native_side.md"
    )
