# SPDX-License-Identifier: Apache-2.0
"""Measurements for the reports of other plug-ins, where these are there.

JUnit's reads a test's properties by itself. Allure takes parameters while the test runs, pytest-html
extras of the test's report. Neither is imported for that: what is not loaded is not used.
"""

from __future__ import annotations

import html
import sys
from collections.abc import Sequence

import pytest

from hil.measurement.measurement import Measurement
from hil.measurement.text import uncertain


def tell(item: pytest.Item, measurement: Measurement) -> None:
    """Make a measurement a property of its test, and a parameter for Allure."""
    text = uncertain(measurement.value, measurement.expanded_uncertainty, measurement.unit)
    text = f"{text}, {measurement.outcome}"
    item.user_properties.append((measurement.name, text))
    allure = sys.modules.get("allure_commons")
    if allure is not None and item.config.getoption("allure_report_dir", None):
        # Excluded from what tells one test from another in Allure's history: values differ from run to run.
        allure.plugin_manager.hook.add_parameter(name=measurement.name, value=text, excluded=True, mode=None)


def show_in_html(
    config: pytest.Config, report: pytest.TestReport, told: Sequence[tuple[str, object]]
) -> None:
    """Put a test's properties into its row of pytest-html's page."""
    if report.when != "call" or not told or not config.pluginmanager.hasplugin("html"):
        return
    rows = "".join(
        f"<tr><td>{html.escape(name)}</td><td>{html.escape(str(value))}</td></tr>" for name, value in told
    )
    extra = {
        "name": "measurements",
        "format_type": "html",
        "content": f"<table>{rows}</table>",
        "mime_type": None,
        "extension": None,
    }
    vars(report)["extras"] = [*vars(report).get("extras", []), extra]
