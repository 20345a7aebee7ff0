# SPDX-License-Identifier: Apache-2.0
"""A day counts only where the firmware lived all of it."""

from __future__ import annotations

import pytest

from benchmarks.twin_soak import check_day
from hil.instruments.commander import Answer
from hil.instruments.records import Record


def status(wakes: int, resets: int = 1, faults: int = 0) -> Answer:
    fields = {"wakes": str(wakes), "resets": str(resets), "faults": str(faults)}
    return Answer(Record(0, "ACK", fields, 0.0, 0.0), ())


def test_a_wake_every_ten_seconds_is_a_day() -> None:
    assert check_day(status(wakes=3), status(wakes=8643)) == 8640


def test_a_missing_wake_is_none() -> None:
    with pytest.raises(RuntimeError, match="woke 8639 times"):
        check_day(status(wakes=3), status(wakes=8642))


@pytest.mark.parametrize(
    ("event", "after"), [("resets", status(9000, resets=2)), ("faults", status(9000, faults=1))]
)
def test_a_day_with_a_reset_or_a_fault_is_none(event: str, after: Answer) -> None:
    with pytest.raises(RuntimeError, match=event):
        check_day(status(wakes=3), after)
