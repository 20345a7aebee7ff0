# SPDX-License-Identifier: Apache-2.0
"""Write ``report.html``: one page without outside references, which can be mailed and opened offline."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from importlib import resources
from pathlib import Path
from typing import Any, TypeVar

import jinja2

from hil.errors import HilError, MeasurementError, ResultsError
from hil.measurement.log_phases import segment_log
from hil.measurement.measurement import Measurement
from hil.measurement.phases import Phase
from hil.measurement.text import uncertain, with_unit
from hil.report import plot_script
from hil.report.budget_view import budget_lines, budget_sum, conformity
from hil.report.figure import figure
from hil.report.measurement_groups import groups
from hil.report.table_view import view
from hil.report.verdicts import Verdict, judge
from hil.results import journal, result_table, test_log, waveform_file
from hil.results.journal import JournalEntry
from hil.results.run import RunDescription, RunFolder, load, replace_file
from hil.results.test_log import TestOutcome, TestRecord


@dataclass(frozen=True)
class Page:
    """A run's page, made from what its folder holds."""

    html: str
    verdict: Verdict
    damages: tuple[str, ...]
    """What in the folder is missing or damaged, and so not on the page."""


def write(run_path: Path) -> Page:
    """Make the report of a run from its folder: ``report.html``, in place of an earlier one.

    A damaged part costs itself and is named on the page; the rest is shown.

    Raises:
        ResultsError: the folder holds nothing of a run, or the page cannot be written.
    """
    if not any((run_path / name).exists() for name in ("run.json", "journal.jsonl", "tests.jsonl")):
        raise ResultsError(
            "holds no run",
            where=str(run_path),
            operation="report",
            expected="a folder with run.json, journal.jsonl or tests.jsonl",
        )
    page = render(run_path)
    replace_file(run_path / "report.html", page.html)
    return page


def render(run_path: Path, *, waveforms: bool = True) -> Page:
    """The page of a run, from its folder.

    Args:
        run_path: the run's folder.
        waveforms: whether to draw them, which takes the most time.
    """
    content = _content(run_path, waveforms)
    html = _environment().get_template("page.html.j2").render(content)
    return Page(html, content["verdict"], tuple(content["damages"]))


def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("hil.report", "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["with_unit"] = with_unit
    environment.filters["limit"] = _limit_text
    environment.filters["budget_lines"] = budget_lines
    environment.filters["budget_sum"] = budget_sum
    environment.filters["conformity"] = conformity
    return environment


def _limit_text(measurement: Any) -> str:
    """The limit's numbers for a table cell."""
    limit, unit = measurement.limit, measurement.unit
    if limit is None:
        return "–"
    if limit.lower is None:
        return f"≤ {with_unit(limit.upper, unit)}"
    if limit.upper is None:
        return f"≥ {with_unit(limit.lower, unit)}"
    if limit.lower == limit.upper:
        return f"= {with_unit(limit.lower, unit)}"
    return f"{with_unit(limit.lower, unit)} … {with_unit(limit.upper, unit)}"


def _when(description: RunDescription) -> str:
    """Beginning and length of the run."""
    if not description.started_utc:
        return "when is not known"
    started = datetime.fromisoformat(description.started_utc)
    text = f"{started:%Y-%m-%d %H:%M:%S} UTC"
    if not description.finished_utc:
        return f"{text}, not finished"
    took_s = round((datetime.fromisoformat(description.finished_utc) - started).total_seconds())
    minutes, seconds = divmod(took_s, 60)
    return f"{text}, took {minutes} min {seconds} s" if minutes else f"{text}, took {seconds} s"


Part = TypeVar("Part")


class _Parts:
    """Makes the parts of a page; one that cannot be made is missing, and named."""

    def __init__(self) -> None:
        self.damages: list[str] = []

    def make(self, what: str, part: Callable[[], Part], instead: Part) -> Part:
        """The part, or ``instead``."""
        try:
            return part()
        except HilError as error:
            self.damages.append(str(error))
        except Exception as error:  # noqa: BLE001  # whatever a damaged file leads to costs its own part only
            self.damages.append(f"{what}: {type(error).__name__}: {error}")
        return instead

    def make_list(self, what: str, part: Callable[[], list[Part]]) -> list[Part]:
        """The parts, or none of them."""
        none: list[Part] = []
        return self.make(what, part, none)

    def make_all(self, paths: Iterable[Path], part: Callable[[Path], Part]) -> list[Part]:
        """The parts that can be made, each from a file."""
        made = [self.make(path.name, lambda path=path: part(path), None) for path in sorted(paths)]  # type: ignore[misc]
        return [item for item in made if item is not None]


def _content(path: Path, draw: bool) -> dict[str, Any]:
    parts = _Parts()
    unknown = RunFolder(path, RunDescription(rig="unknown", started_utc=""))
    run = parts.make("run.json", lambda: load(path), unknown)
    none: tuple[list[JournalEntry], list[str]] = ([], [])
    entries, wrong = parts.make("journal", lambda: journal.salvage(run.journal_path), none)
    parts.damages += [f"{run.journal_path.name}: {text}" for text in wrong]
    record = parts.make("tests", lambda: test_log.read(run.test_log_path), TestRecord())
    parts.damages += [f"{run.test_log_path.name}: {text}" for text in record.damages]
    tables = parts.make_all(run.table_folder.glob("*.json"), lambda file: view(result_table.load(file)))
    waveforms = (
        parts.make_all(run.waveform_folder.glob(f"*{waveform_file.SUFFIX}"), _waveform) if draw else []
    )
    older = sorted(path.name for path in run.waveform_folder.glob("*.npz"))
    parts.damages += [f"{name}: a waveform of an earlier version, which is not drawn" for name in older]
    for waveform in waveforms:
        waveform["tables"] = [table for table in tables if table.waveform == waveform["name"]]
    names = {waveform["name"] for waveform in waveforms}
    tests = record.tests
    content: dict[str, Any] = {
        "run": run.description,
        "folder": run.path.resolve().name,
        "verdict": judge(record, entries, run.description),
        "when": _when(run.description),
        "guardian": _guardian(parts, run.path / "guardian.json"),
        "undrawn": not draw and any(run.waveform_folder.glob(f"*{waveform_file.SUFFIX}")),
        "headlines": parts.make_list("main results", lambda: _headlines(entries)),
        "groups": parts.make_list("measurements", lambda: groups(entries)),
        "tests": tests,
        "waveforms": waveforms,
        "tables": [table for table in tables if table.waveform not in names],
        "assumptions": run.description.assumptions,
        "bench_assumptions": run.description.bench_assumptions,
        "bench_remarks": run.description.bench_remarks,
        "style": _template_text("page.css") + (plot_script.library_style() if waveforms else ""),
        "library": plot_script.library() if waveforms else "",
        "script": plot_script.script() if waveforms else "",
        "damages": parts.damages,
    }
    for name, outcome in (
        ("failed", TestOutcome.FAILED),
        ("bench_errors", TestOutcome.BENCH_ERROR),
        ("inconclusive", TestOutcome.INCONCLUSIVE),
        ("interrupted", TestOutcome.INTERRUPTED),
        ("skipped", TestOutcome.SKIPPED),
    ):
        content[name] = [test for test in tests if test.outcome is outcome]
    return content


def _headlines(entries: Iterable[JournalEntry]) -> list[tuple[Measurement, str]]:
    """The results that a reader looks for first, with their values in words."""
    return [
        (result, uncertain(result.value, result.expanded_uncertainty, result.unit))
        for result in (entry.measurement for entry in entries)
        if result.headline
    ]


def _waveform(path: Path) -> dict[str, Any]:
    """What the template needs of a waveform."""
    with waveform_file.opened(path) as kept:
        data = figure(kept if kept.log.was_closed else replace(kept, phases=_phases(kept)))
        at_full = sum(block["size"] == 1 for block in data["blocks"])
        return {
            "name": kept.name,
            "file": data["file"],
            "samples": f"{kept.samples:,}",
            "duration_s": kept.samples * kept.period_s,
            "period_s": kept.period_s,
            "supply_voltage_v": kept.supply_voltage_v,
            "detail": data["detail"],
            "views": data["views"],
            "wakes": data["wakes"],
            "closed": kept.log.was_closed,
            "long": any(block["size"] > 1 for block in data["blocks"]),
            "shown": f"{at_full} wake{'' if at_full == 1 else 's'}",
            "figure_json": _script_safe(data),
        }


def _phases(kept: waveform_file.OpenWaveform) -> tuple[Phase, ...]:
    """The phases of a log whose writer was killed, which could not state them."""
    try:
        return tuple(segment_log(kept))
    except MeasurementError:  # it does not change between sleep and activity
        return ()


def _guardian(parts: _Parts, path: Path) -> str:
    """What the guardian of the bench did, in a sentence; empty where it had nothing to do."""
    if not path.exists():
        return ""

    def told() -> str:
        said = json.loads(path.read_text(encoding="utf-8"))
        done = ", ".join(map(str, said["done"])) or "nothing could be done"
        text = f"The guardian of the bench acted at {said['began_utc']}, since {said['why']}: {done}."
        return " ".join([text, *(f"It met: {error}." for error in said["errors"])])

    return parts.make(path.name, told, "The guardian of the bench acted; what it did cannot be read.")


def _script_safe(data: Any) -> str:
    """JSON that neither ends the script element it stands in nor begins another inside it."""
    return json.dumps(data, separators=(",", ":"), allow_nan=False).replace("<", "\\u003c")


def _template_text(name: str) -> str:
    return (resources.files("hil.report") / "templates" / name).read_text(encoding="utf-8")
