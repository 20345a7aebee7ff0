# SPDX-License-Identifier: Apache-2.0
"""What a reader of the table meets: few rows, and every failure in one of its own."""

import pytest

from hil.measurement.limit import Limit
from hil.measurement.measurement import Measurement
from hil.report.measurement_groups import groups, joined
from hil.results.journal import JournalEntry

NONE_ALLOWED = Limit.exactly(0, "the format")


def entry(test: str, name: str, value: float, limit: Limit | None = NONE_ALLOWED) -> JournalEntry:
    return JournalEntry(1, f"tests/hil/{test}", Measurement(name, value, "", 0, limit), "")


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["wake period"], "wake period"),
        (["records lost", "records repeated"], "records lost / repeated"),
        (
            ["vectors whose output differs", "vectors whose score differs"],
            "vectors whose output / score differs",
        ),
        (["records lost", "lines of garbage"], "records lost, lines of garbage"),
        (["phases", "phases of sleep"], "phases, phases of sleep"),
        (["a b", "a b"], "a b / b"),
    ],
)
def test_names_say_what_they_share_once(names: list[str], expected: str) -> None:
    assert joined(names) == expected


def test_counts_that_passed_the_same_limit_share_a_row() -> None:
    (group,) = groups(
        [entry("test_console.py::a", "records lost", 0), entry("test_console.py::b", "records repeated", 0)]
    )
    assert (group.title, group.file) == ("console", "tests/hil/test_console.py")
    assert [(row.name, row.text) for row in group.rows] == [("records lost / repeated", "0")]


def test_different_values_are_all_told() -> None:
    at_least = Limit.at_least(3, "one per wake")
    (group,) = groups([entry("x", "sleep phases", 4, at_least), entry("x", "report phases", 3, at_least)])
    assert [(row.name, row.text, row.bar) for row in group.rows] == [("sleep / report phases", "4 / 3", None)]


def test_a_failure_stands_alone() -> None:
    (group,) = groups([entry("x", "lost", 0), entry("x", "garbage", 2), entry("x", "repeated", 0)])
    assert [(row.name, row.text) for row in group.rows] == [("lost, repeated", "0"), ("garbage", "2")]


def test_groups_come_in_the_order_of_the_tests_and_limits_are_not_mixed() -> None:
    entries = [
        entry("test_b.py::x", "one", 0),
        entry("test_a.py::x", "two", 0),
        entry("test_b.py::y", "three", 0, None),
    ]
    assert [(group.title, len(group.rows)) for group in groups(entries)] == [("b", 2), ("a", 1)]
