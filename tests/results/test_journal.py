# SPDX-License-Identifier: Apache-2.0
import itertools
import json
from pathlib import Path

import pytest

from hil.errors import ResultsError
from hil.measurement.budget import Budget, rectangle
from hil.measurement.decision import DecisionRule, RuleKind
from hil.measurement.limit import Limit
from hil.measurement.measurement import Measurement
from hil.measurement.uncertainty import Estimate
from hil.results import journal
from hil.results.journal import Journal

JUDGED = Measurement("current", 1.67e-6, "A", 9.7e-9, Limit.at_most(3.4e-6, "table 45"), ("a note",), True)
RECORDED = Measurement("level", 0.1 + 0.2, "V", 0.0)


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    with Journal(tmp_path / "journal.jsonl") as written:
        entries = [written.append("test_a", JUDGED), written.append("test_b", RECORDED)]
    assert journal.read(tmp_path / "journal.jsonl") == entries
    assert [entry.sequence for entry in entries] == [1, 2]


def test_a_line_is_on_disk_when_append_returns(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    with Journal(path) as written:
        written.append("test_a", JUDGED)
        assert json.loads(path.read_text("utf-8"))["limit"] == {
            "lower": None,
            "upper": 3.4e-6,
            "source": "table 45",
            "rule": {"kind": "guarded", "least_probability": None},
        }


def test_only_one_field_knows_the_time_of_day(tmp_path: Path) -> None:
    lines = []
    for name in ("first", "second"):
        times = itertools.count()
        with Journal(
            tmp_path / name, time_utc=lambda name=name, times=times: f"{name} {next(times)}"
        ) as written:
            written.append("test_a", JUDGED)
            written.append("test_a", RECORDED)
        lines.append([json.loads(line) for line in (tmp_path / name).read_text("utf-8").splitlines()])
    assert lines[0] != lines[1]
    for entry in lines[0] + lines[1]:
        del entry["time_utc"]
    assert lines[0] == lines[1]


def test_a_line_cut_off_by_a_crash_is_left_out(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    with Journal(path) as written:
        written.append("test_a", JUDGED)
        written.append("test_a", RECORDED)
    path.write_text(path.read_text("utf-8")[:-20], "utf-8")
    assert [entry.measurement for entry in journal.read(path)] == [JUDGED]


def test_a_damaged_line_is_named(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    path.write_text('{"sequence": 1}\n', "utf-8")
    with pytest.raises(ResultsError, match="line 1 is not a journal entry"):
        journal.read(path)


def test_a_measurement_that_does_not_reach_the_disk_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with Journal(tmp_path / "journal.jsonl") as written, pytest.raises(ResultsError, match="No space left"):
        written.append("test_a", JUDGED)


def test_a_budget_and_a_rule_come_back(tmp_path: Path) -> None:
    rule = DecisionRule(RuleKind.PROBABILITY, 0.95)
    budget = Budget.of(rectangle("offset", 8e-9, "A", "data sheet"))
    measured = Measurement.of(
        "sleep", Estimate.of(1.67e-6, budget), "A", Limit(None, 3.4e-6, "table 45", rule)
    )
    with Journal(tmp_path / "journal.jsonl") as written:
        written.append("test_a", measured)
    (entry,) = journal.read(tmp_path / "journal.jsonl")
    assert entry.measurement == measured
    assert entry.measurement.budget == budget
    line = json.loads((tmp_path / "journal.jsonl").read_text("utf-8"))
    assert line["statement"] == "pass"
    assert line["budget"]["terms"][0]["divisor"] == pytest.approx(3**0.5)


def test_a_journal_of_an_earlier_version_has_the_rule_that_there_was(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    with Journal(path) as written:
        written.append("test_a", JUDGED)
    line = json.loads(path.read_text("utf-8"))
    del line["budget"], line["limit"]["rule"], line["statement"], line["conformance_probability"]
    path.write_text(json.dumps(line) + "\n", "utf-8")
    assert journal.read(path)[0].measurement == JUDGED


def test_a_journal_cut_at_any_byte_goes_on_without_loss(tmp_path: Path) -> None:
    """What a power cut leaves is a beginning of the file; every entry that it holds whole stays, once."""
    path = tmp_path / "journal.jsonl"
    with Journal(path, time_utc=lambda: "t") as written:
        entries = [written.append(f"test_{number}", RECORDED) for number in range(3)]
    whole = path.read_bytes()
    for length in range(len(whole) + 1):
        path.write_bytes(whole[:length])
        kept = entries[: whole[:length].count(b"\n")]
        with Journal(path, time_utc=lambda: "t") as resumed:
            added = resumed.append("test_after", JUDGED)
        assert journal.read(path) == [*kept, added], f"cut at byte {length}"
        assert added.sequence == len(kept) + 1


def test_a_temperature_goes_on_the_record_where_there_is_one(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    with Journal(path) as written:
        written.append("test_a", JUDGED, Estimate(23.4, 0.1))
        written.append("test_a", JUDGED)
    assert [entry.temperature for entry in journal.read(path)] == [Estimate(23.4, 0.1), None]
    assert "temperature_c" not in json.loads(path.read_text("utf-8").splitlines()[1])
