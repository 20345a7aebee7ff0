# SPDX-License-Identifier: Apache-2.0
"""Write ``report.html``: one page without outside references, which can be mailed and opened offline."""

from __future__ import annotations

import json
from datetime import datetime
from importlib import resources
from pathlib import Path
from typing import Any

import jinja2

from hil.measurement.duty_cycle import awake_stretches
from hil.measurement.text import uncertain, with_unit
from hil.report.figure import detail_view, figure
from hil.report.measurement_groups import groups
from hil.report.table_view import view
from hil.report.verdicts import judge
from hil.results import journal, result_table, test_log, waveform_file
from hil.results.result_table import Chart
from hil.results.run import RunDescription, RunFolder, load, replace_file
from hil.results.test_log import TestOutcome


def write(run_path: Path) -> Path:
    """Make the report of a run from its folder and return the page's path.

    Raises:
        ResultsError: if the folder holds no run, a file in it is damaged, or the page cannot be written.
    """
    run = load(run_path)
    replace_file(run.report_path, render(run_path))
    return run.report_path


def render(run_path: Path, *, waveforms: bool = True) -> str:
    """The text of a run's page, from its folder.

    Args:
        run_path: the run's folder.
        waveforms: whether to draw them, which takes the most time.

    Raises:
        ResultsError: if the folder holds no run, or a file in it is damaged.
    """
    run = load(run_path)
    return _environment().get_template("page.html.j2").render(_content(run, waveforms))


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
    started = datetime.fromisoformat(description.started_utc)
    text = f"{started:%Y-%m-%d %H:%M:%S} UTC"
    if not description.finished_utc:
        return f"{text}, not finished"
    took_s = round((datetime.fromisoformat(description.finished_utc) - started).total_seconds())
    minutes, seconds = divmod(took_s, 60)
    return f"{text}, took {minutes} min {seconds} s" if minutes else f"{text}, took {seconds} s"


def _content(run: RunFolder, draw: bool) -> dict[str, Any]:
    entries = journal.read(run.journal_path)
    record = test_log.read(run.test_log_path)
    tests = record.tests
    tables = [result_table.load(path) for path in sorted(run.table_folder.glob("*.json"))]
    stored = (
        [waveform_file.load(path) for path in sorted(run.waveform_folder.glob("*.parquet"))] if draw else []
    )
    names = {item.name for item in stored}
    return {
        "run": run.description,
        "folder": run.path.name,
        "verdict": judge(record, entries, run.description),
        "when": _when(run.description),
        "headlines": [
            (result, uncertain(result.value, result.expanded_uncertainty, result.unit))
            for result in (entry.measurement for entry in entries)
            if result.headline
        ],
        "groups": groups(entries),
        "failed": [test for test in tests if test.outcome is TestOutcome.FAILED],
        "bench_errors": [test for test in tests if test.outcome is TestOutcome.BENCH_ERROR],
        "interrupted": [test for test in tests if test.outcome is TestOutcome.INTERRUPTED],
        "skipped": [test for test in tests if test.outcome is TestOutcome.SKIPPED],
        "tests": tests,
        "waveforms": [
            {
                "name": item.name,
                "duration_s": item.waveform.duration_s,
                "period_s": item.waveform.period_s,
                "supply_voltage_v": item.supply_voltage_v,
                "detail": detail_view(item),
                "views": figure_data["views"],
                "wakes": len(awake_stretches(item.phases)),
                "figure_json": _script_safe(figure_data),
                "tables": [view(table) for table in tables if table.waveform == item.name],
            }
            for item in stored
            for figure_data in [figure(item)]
        ],
        "tables": [
            (shown, _script_safe(shown.bars))
            for shown in (view(table) for table in tables if table.waveform not in names)
        ],
        "assumptions": run.description.assumptions,
        "bench_assumptions": run.description.bench_assumptions,
        "plotly": _plotly_script() if stored or any(table.chart is Chart.BARS for table in tables) else "",
        "style": _template_text("page.css"),
        "script": _template_text("waveform.js"),
    }


def _script_safe(data: Any) -> str:
    """JSON that cannot end the script element it stands in."""
    return json.dumps(data, separators=(",", ":")).replace("<", "\\u003c")


def _template_text(name: str) -> str:
    return (resources.files("hil.report") / "templates" / name).read_text(encoding="utf-8")


def _plotly_script() -> str:
    return (resources.files("plotly") / "package_data" / "plotly.min.js").read_text(encoding="utf-8")
