# SPDX-License-Identifier: Apache-2.0
"""The page as a reader's browser gets it: parsed, not searched for fragments of its template."""

import base64
import json
import os
import re
import shutil
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from random import Random, randrange
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from hil.errors import ResultsError
from hil.measurement.limit import Limit
from hil.measurement.measurement import Measurement
from hil.measurement.phases import PhaseName, segment
from hil.measurement.waveform import Waveform
from hil.report import page
from hil.report.figure import OVERVIEW_BUCKETS, PHASE_COLOURS, WHOLE_SAMPLES, figure
from hil.report.table_view import view
from hil.report.verdicts import RunVerdict
from hil.results import result_table, run, waveform_file
from hil.results.journal import Journal
from hil.results.log_codec import unpack
from hil.results.result_table import Cell, Chart, ResultTable, Row
from hil.results.test_log import TestLog
from hil.results.waveform_file import StoredWaveform

SLEEP, SAMPLING, FAST, RUN = (1.67e-6, 2000), (1.9e-4, 500), (9e-3, 7), (5e-4, 8)


def stored_waveform() -> StoredWaveform:
    levels = [SLEEP, SAMPLING, FAST, SLEEP, SAMPLING, FAST, RUN, SLEEP, SAMPLING, FAST, SLEEP]
    waveform = Waveform(40.0, 1e-3, np.concatenate([np.full(count, current) for current, count in levels]))
    return StoredWaveform("duty cycle", waveform, tuple(segment(waveform)), 3.0)


def share(value: float) -> Cell:
    return Cell(value, 0.5, "%")


SHARES = ResultTable(
    "phases of the duty cycle", "Phase", ("share",),
    (Row("sleep", (share(25),)), Row("sampling", (share(75),))),
    waveform="duty cycle", chart=Chart.SHARES,
)  # fmt: skip
BARS = ResultTable(
    "clock plans", "Plan", ("charge",),
    (
        Row("80 MHz", (Cell(52e-6, 1e-6, "C"),)),
        Row("26 MHz <!--<script></script>", (Cell(48e-6, 1e-6, "C"),), marked=True),
    ),
    notes=("The cheapest is 26 MHz.",), chart=Chart.BARS,
)  # fmt: skip


class Page(HTMLParser):
    """Collects the text outside scripts and styles, and every address that a browser would load."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.texts: list[str] = []
        self.loads: list[str] = []
        self.json: list[str] = []
        self._inside = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self._inside = tag if tag in ("script", "style") else ""
        if given.get("type") == "application/json":
            self._inside = "json"
        self.loads += [value for key in ("src", "href") if (value := given.get(key))]

    def handle_endtag(self, tag: str) -> None:
        self._inside = ""

    def handle_data(self, data: str) -> None:
        if self._inside == "json":
            self.json.append(data)
        elif not self._inside:
            self.texts.append(data)

    @property
    def text(self) -> str:
        return re.sub(r"\s+", " ", " ".join(self.texts))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = run.create(tmp_path_factory.mktemp("results"), "sim")
    folder.description.board = "NUCLEO-L476RG"
    folder.description.instruments["power_analyzer"] = "Keysight <N6705C>"
    folder.description.assumptions.append("a </script> in a text is harmless")
    folder.write_description()
    with Journal(folder.journal_path) as journal:
        journal.append(
            "t", Measurement("Stop 2 current", 1.6704e-6, "A", 9.7e-9, Limit.at_most(3.4e-6, "table 45"))
        )
        journal.append(
            "t", Measurement("wake period", 8.0, "s", 1e-4, Limit(9.9, 10.1, "requirement"), (), True)
        )
    tests = TestLog(folder.test_log_path)
    name = "tests/hil/test_x.py::test_period"
    tests.collected([name], 0)
    tests.started(name)
    for phase in ("setup", "call", "teardown"):
        outcome, message = ("failed", "wake period is 8 s") if phase == "call" else ("passed", "")
        tests.phase(name, phase, outcome, message=message, duration_s=1.0, bench_error=False)
    tests.finished(name)
    tests.close()
    waveform_file.save(folder.waveform_folder / "duty_cycle.hlog", stored_waveform())
    for number, table in enumerate((SHARES, BARS)):
        result_table.save(folder.table_folder / f"{number}.json", table)
    return folder.path


@pytest.fixture(scope="module")
def written(folder: Path) -> Page:
    made = page.write(folder)
    assert made.damages == ()
    return Page((folder / "report.html").read_text("utf-8"))


def test_the_page_loads_nothing(written: Page) -> None:
    assert written.loads == []


def test_verdict_measurements_limits_and_failures_are_told(written: Page) -> None:
    for told in (
        "FAIL", "NUCLEO-L476RG", "1.6704 ± 0.0097 µA", "≤ 3.4 µA", "table 45", "9.9 s … 10.1 s",
        "tests/hil/test_x.py::test_period", "wake period is 8 s", "Keysight <N6705C>",
        "a </script> in a text is harmless",
    ):  # fmt: skip
        assert told in written.text


def samples_of(block: dict[str, Any]) -> NDArray[np.float32]:
    count = block["count"] * (1 if block["size"] == 1 else 3)
    return unpack(base64.b64decode(block["data"]), count).reshape(-1, block["count"])


def test_the_waveform_is_in_the_page_to_the_sample(written: Page) -> None:
    data = json.loads(written.json[0])
    (block,) = data["blocks"]
    assert (samples_of(block)[0] == stored_waveform().waveform.current_a.astype(np.float32)).all()
    assert {band["name"] for band in data["bands"]} == {"sleep", "sampling", "inference", "report"}
    assert {"whole log", "wake 1", "wake 2", "inference 3"} <= {view["name"] for view in data["views"]}


def test_no_text_of_a_device_can_end_or_open_a_script(written: Page) -> None:
    """``<!--<script>`` makes a browser look for a second end of the element, past the rest of the page."""
    assert len(written.json) == 1
    assert not any("<" in text for text in written.json)


def test_tables_are_told_with_their_uncertainties(written: Page) -> None:
    for told in ("25.00 ± 0.50 %", "Clock plans", "52.0 ± 1.0 µC", "The cheapest is 26 MHz."):
        assert told in written.text


def test_a_chart_shows_its_column_in_one_unit(written: Page) -> None:
    bars = view(BARS).bars
    assert bars is not None
    assert bars["title"] == "charge in µC"
    assert [(bar["text"], bar["marked"]) for bar in bars["rows"]] == [("52", False), ("48", True)]
    assert [bar["value"] for bar in bars["rows"]] == [
        pytest.approx(5200 / 53, abs=0.01),
        pytest.approx(4800 / 53, abs=0.01),
    ]
    assert bars["rows"][0]["high"] == 100.0
    assert "26 MHz <!--<script></script>" in written.text
    assert "charge in µC" in written.text


def test_a_divided_bar_has_the_phases_colours_and_shares() -> None:
    shown = view(SHARES)
    assert [(row.colour, row.share) for row in shown.rows] == [
        (PHASE_COLOURS[PhaseName.SLEEP], 25.0),
        (PHASE_COLOURS[PhaseName.SAMPLING], 75.0),
    ]


def test_details_are_folded_away() -> None:
    shown = view(replace(BARS, folded=1))
    assert [row.label for row in shown.rows] == ["80 MHz"]
    assert [row.label for row in shown.folded] == ["26 MHz <!--<script></script>"]


def figure_of(stored: StoredWaveform, path: Path) -> dict[str, Any]:
    waveform_file.save(path, stored)
    with waveform_file.opened(path) as kept:
        return figure(kept)


def test_the_detail_is_the_busy_end_of_the_wake_with_most_phases(tmp_path: Path) -> None:
    stored = stored_waveform()
    data = figure_of(stored, tmp_path / "w.hlog")
    assert data["detail"] == "inference 2"
    view = next(view for view in data["views"] if view["name"] == "inference 2")
    shown = {
        phase.name
        for phase in stored.phases
        if phase.start_s - 40.0 < view["x1"] and phase.end_s - 40.0 > view["x0"]
    }
    assert shown == {"sampling", "inference", "report", "sleep"}


@pytest.fixture(scope="module")
def long_log(tmp_path_factory: pytest.TempPathFactory) -> tuple[NDArray[np.float64], dict[str, Any]]:
    current_a = np.tile(stored_waveform().waveform.current_a, 120)
    current_a[700_001] = 0.5  # a lone sample asleep
    heavy = 50 * (current_a.size // 120) + 2500
    current_a[heavy : heavy + 7] = 30e-3  # the first inference of the 51st round
    long = Waveform(0.0, 1e-3, current_a)
    stored = StoredWaveform("long", long, tuple(segment(long)), 3.0)
    return current_a, figure_of(stored, tmp_path_factory.mktemp("long") / "w.hlog")


def test_of_a_long_log_the_page_has_an_overview_with_each_peak(
    long_log: tuple[NDArray[np.float64], dict[str, Any]],
) -> None:
    current_a, data = long_log
    assert current_a.size > WHOLE_SAMPLES
    overview = data["blocks"][0]
    least, greatest, mean = samples_of(overview)
    assert overview["size"] > 1
    assert overview["count"] <= OVERVIEW_BUCKETS
    assert overview["count"] == -(-current_a.size // overview["size"])
    for number in (0, 700_001 // overview["size"], overview["count"] - 1):
        of_bucket = current_a[number * overview["size"] : (number + 1) * overview["size"]]
        assert least[number] == np.float32(of_bucket.min())
        assert greatest[number] == np.float32(of_bucket.max())
        assert mean[number] == pytest.approx(of_bucket.mean(), rel=1e-5)
    assert len(json.dumps(data)) < 2_000_000


def test_of_a_long_log_typical_worst_and_outlying_wakes_are_whole(
    long_log: tuple[NDArray[np.float64], dict[str, Any]],
) -> None:
    current_a, data = long_log
    names = [view["name"] for view in data["views"]]
    assert any(name.startswith("typical wake") for name in names)
    assert any(name.startswith("outlying wake") for name in names)
    worst = next(view for view in data["views"] if view["name"].startswith("worst wake"))
    assert worst["x0"] < (50 * (current_a.size // 120) + 2500) * 1e-3 < worst["x1"]
    for block in data["blocks"][1:]:
        assert block["size"] == 1
        first = block["first"]
        assert (samples_of(block)[0] == current_a[first : first + block["count"]].astype(np.float32)).all()


def test_the_log_of_a_killed_run_is_cut_into_phases_for_the_page(folder: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(folder, tmp_path / "run"))
    path = copy / "waveforms" / "duty_cycle.hlog"
    os.truncate(path, path.stat().st_size - 17)
    made = page.write(copy)
    shown = Page(made.html)
    assert made.damages == ()
    assert "The log was not ended" in shown.text
    assert {band["name"] for band in json.loads(shown.json[0])["bands"]} >= {"sleep", "inference"}


def test_a_run_that_ended_early_still_has_a_page(tmp_path: Path) -> None:
    folder = run.create(tmp_path, "sim")
    Journal(folder.journal_path).close()
    TestLog(folder.test_log_path).close()
    shown = Page(page.write(folder.path).html)
    assert "NOTHING TESTED" in shown.text
    assert "No measurement was taken." in shown.text


@pytest.mark.parametrize("hostile", ["<!--<script>", "</script>", "\u2028<b>"])
def test_data_in_a_script_element_has_no_angle_bracket(hostile: str) -> None:
    text = page._script_safe({"title": hostile})
    assert "<" not in text
    assert json.loads(text) == {"title": hostile}


def test_a_bad_waveform_costs_its_plot_and_not_the_page(folder: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(folder, tmp_path / "run"))
    (copy / "waveforms" / "another.hlog").write_bytes(b"PK cut off")
    made = page.write(copy)
    assert len(made.damages) == 1
    assert "another.hlog" in made.damages[0]
    shown = Page(made.html)
    assert "another.hlog" in shown.text
    assert "Supply current: duty cycle" in shown.text
    assert "Stop 2 current" in shown.text


@pytest.mark.parametrize("name", ["run.json", "tests.jsonl", "journal.jsonl"])
def test_a_missing_file_is_named_and_takes_the_verdict_s_proof_with_it(
    folder: Path, tmp_path: Path, name: str
) -> None:
    copy = Path(shutil.copytree(folder, tmp_path / "run"))
    (copy / name).unlink()
    made = page.write(copy)
    assert any(name in damage for damage in made.damages)
    assert made.verdict.outcome is not RunVerdict.PASS


def test_what_the_guardian_did_is_told(folder: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(folder, tmp_path / "run"))
    told = {
        "why": "the run was killed",
        "began_utc": "2026-01-01",
        "done": ["supply off"],
        "errors": ["daq: x"],
    }
    (copy / "guardian.json").write_text(json.dumps(told), "utf-8")
    shown = Page(page.write(copy).html)
    assert "since the run was killed: supply off. It met: daq: x." in shown.text


def test_a_folder_of_something_else_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ResultsError, match="holds no run"):
        page.write(tmp_path)


def damaged(content: bytes, random: Random) -> bytes:
    """The content with one of the damages that disks, editors and crashes do."""
    at, end = random.randrange(len(content)), random.randrange(len(content))
    return random.choice(
        [
            content[:at],
            content[:at] + bytes([random.randrange(256)]) + content[at + 1 :],
            content[: min(at, end)] + content[max(at, end) :],
            content.replace(b"1", random.choice([b"null", b"1e999", b"-1", b'"x"', b"[]", b"NaN"]), 3),
            content.replace(b'"', b"", 1),
        ]
    )


@pytest.mark.parametrize(
    "name",
    [
        "run.json",
        "tests.jsonl",
        "journal.jsonl",
        "tables/0.json",
        "tables/1.json",
        "waveforms/duty_cycle.hlog",
    ],
)
def test_no_damage_keeps_the_page_from_being_made(folder: Path, tmp_path: Path, name: str) -> None:
    mutations = int(os.environ.get("HIL_MUTATIONS", "12"))
    seed = int(os.environ.get("HIL_SEED", "") or randrange(10**6))
    print(f"HIL_SEED={seed}")
    copy = Path(shutil.copytree(folder, tmp_path / "run"))
    content = (copy / name).read_bytes()
    random = Random(seed)
    for _ in range(mutations):
        (copy / name).write_bytes(damaged(content, random))
        assert page.render(copy, waveforms="waveforms" in name).html.endswith("</html>")
