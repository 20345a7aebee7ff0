# SPDX-License-Identifier: Apache-2.0
"""Runs of a folder compared and followed, by what a user types."""

import json
from pathlib import Path

import pytest

from hil.cli import history
from hil.errors import ResultsError
from hil.history.comparison import compare
from hil.history.runs import Run, runs_in
from hil.history.trend import trend
from hil.measurement.measurement import Measurement
from hil.measurement.uncertainty import Estimate
from tests.history.run_folders import Nights, current


@pytest.fixture
def nights(tmp_path: Path) -> Nights:
    return Nights(tmp_path)


def a_month(nights: Nights, step_on: int = 20, factor: float = 1.05) -> None:
    """28 nights, whose current steps up with a new commit."""
    for night in range(28):
        stepped = night >= step_on
        nights.add(
            [current(5.8e-6 * (factor if stepped else 1.0))], firmware_commit=("b" if stepped else "a") * 40
        )


def test_a_step_is_told_with_the_commits_beside_it(
    nights: Nights, capsys: pytest.CaptureFixture[str]
) -> None:
    a_month(nights)
    history.trend("average current", "bench", nights.results)
    told = capsys.readouterr().out
    assert "step of +5.0% ± " in told
    assert "(aaaaaaaaa) and " in told
    assert "(bbbbbbbbb), told by" in told


def test_a_new_instrument_is_taken_for_a_calibration(nights: Nights) -> None:
    """A shift of 1 % with another analyzer is the analyzer's; the same shift with the old one is a step."""
    for analyzers in (("A", "B"), ("A", "A")):
        for night in range(28):
            later = night >= 20
            nights.add(
                [current(5.8e-6 * (1.015 if later else 1.0))],
                rig=f"rig-{analyzers[1]}",
                instruments={"power_analyzer": analyzers[later], "board": f"port {night}"},
            )
    runs = runs_in(nights.results)[0]
    by_rig = {rig: [run for run in runs if run.description.rig == rig] for rig in ("rig-A", "rig-B")}
    assert [step.night for step in trend(by_rig["rig-A"], "average current").steps] == [20]
    assert trend(by_rig["rig-B"], "average current").steps == []


@pytest.mark.parametrize(
    ("measured", "reason"),
    [
        ([current(1e-6)] * 5, "from 15 runs on"),
        ([current(0.0)] * 20, "above zero"),
        ([current(1e-6, 0.0)] * 20, "uncertainty"),
    ],
)
def test_where_no_step_is_looked_for_the_reason_is_told(
    nights: Nights, capsys: pytest.CaptureFixture[str], measured: list[Measurement], reason: str
) -> None:
    for one in measured:
        nights.add([one])
    history.trend("average current", "bench", nights.results)
    told = capsys.readouterr().out
    assert "not watched: " in told
    assert reason in told


def test_a_name_that_no_run_has_gets_the_one_that_was_probably_meant(nights: Nights) -> None:
    nights.add([current(1e-6), current(1e-6, name="wake period")])
    with pytest.raises(ResultsError, match=r"'avrage current'.*has average current$"):
        trend(runs_in(nights.results)[0], "avrage current")


def test_a_name_that_two_tests_measure_wants_one_of_them(nights: Nights) -> None:
    nights.add([current(1e-6)], test="tests/a.py::test_one")
    nights.add([current(2e-6)], test="tests/b.py::test_two")
    runs = runs_in(nights.results)[0]
    with pytest.raises(ResultsError, match=r"--test with one of tests/a.py::test_one, tests/b.py::test_two"):
        trend(runs, "average current")
    assert [night.measurement.value for night in trend(runs, "average current", "test_two").nights] == [2e-6]


def test_a_comparison_judges_by_the_uncertainties(nights: Nights) -> None:
    first = nights.add(
        [current(1e-6, 3e-8), current(2e-6, 3e-8, "sleep"), Measurement("wakes", 4, "wakes", 0)]
    )
    second = nights.add(
        [current(1.04e-6, 3e-8), current(2.05e-6, 3e-8, "sleep"), Measurement("wakes", 5, "wakes", 0)]
    )
    pairs = compare(Run.load(first), Run.load(second)).pairs
    assert [(pair.first.measurement.name, pair.differs) for pair in pairs] == [
        ("average current", False),  # 0.04 of hypot(0.03, 0.03) = 0.042
        ("sleep", True),
        ("wakes", True),
    ]
    assert pairs[1].normalized_error == pytest.approx(0.05 / 0.0424264, rel=1e-4)


def test_a_comparison_names_what_else_changed(nights: Nights, capsys: pytest.CaptureFixture[str]) -> None:
    first = nights.add(
        [current(1e-6)], config_text='name = "bench"\nvoltage = "3.0 V"\n', versions={"pyocd": "1"}
    )
    second = nights.add(
        [current(1e-6), current(1e-6, name="new")],
        config_text='name = "bench"\nvoltage = "2.4 V"\n',
        versions={"pyocd": "2"},
        firmware_branch="[red]fix\x1b[31m",
    )
    history.compare(first, second)
    told = capsys.readouterr().out
    assert 'rig file: -voltage = "3.0 V"\nrig file: +voltage = "2.4 V"\n' in told
    assert "version of pyocd" in told
    assert "[red]fix" in told  # shown, and no markup
    assert "\x1b[31m" not in told
    assert "0 of 1 measurements differ" in told
    assert f"only in {second.name}: new" in told


def test_runs_are_listed_in_the_order_of_time_and_damaged_ones_named(
    nights: Nights, capsys: pytest.CaptureFixture[str]
) -> None:
    later = nights.add([], started_utc="2026-05-02T02:00:00+00:00")
    nights.add([], started_utc="2026-05-01T02:00:00+00:00", rig="other", verdict="")
    damaged = nights.add([])
    (damaged / "run.json").write_text("{", encoding="utf-8")
    history.runs(nights.results)
    told = capsys.readouterr()
    lines = [line for line in told.out.splitlines() if "-bench" in line or "-other" in line]
    assert "did not end" in lines[0]
    assert later.name in lines[1]
    assert damaged.name in told.err
    assert "is not a run folder" in told.err


def test_a_folder_that_is_not_there_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(ResultsError, match=r"is no folder; try: name the folder"):
        runs_in(tmp_path / "none")


def test_a_run_without_a_journal_has_no_measurements(nights: Nights) -> None:
    path = nights.add([])
    (path / "journal.jsonl").unlink()
    assert Run.load(path).entries() == []


def test_the_firmware_of_a_run_in_a_word(nights: Nights) -> None:
    path = nights.add([], firmware_sha256="f" * 64)
    assert Run.load(path).firmware == "f" * 9
    described = json.loads((path / "run.json").read_text("utf-8"))
    described |= {"firmware_commit": "c" * 40, "firmware_modified": True}
    (path / "run.json").write_text(json.dumps(described), encoding="utf-8")
    assert Run.load(path).firmware == "c" * 9 + "*"


def test_a_cold_night_is_no_step_where_the_temperature_is_on_record(nights: Nights) -> None:
    """A sleep current follows a room that cools by 4 K in the autumn, 3 % per kelvin."""
    for night in range(28):
        temperature_c = 25.0 if night < 20 else 21.0
        wobble_c = 0.3 * (night % 3 - 1)
        nights.add(
            [current(2e-6 * 1.03 ** (temperature_c + wobble_c - 25))],
            rig="with",
            temperature=Estimate(temperature_c + wobble_c, 0.1),
        )
    runs = runs_in(nights.results)[0]
    assert trend(runs, "average current").steps == []
    for path in nights.results.glob("*/journal.jsonl"):  # the same without the thermometer
        entry = json.loads(path.read_text("utf-8"))
        del entry["temperature_c"]
        path.write_text(json.dumps(entry) + "\n", "utf-8")
    assert [step.night for step in trend(runs, "average current").steps] == [20]
