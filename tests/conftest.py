# SPDX-License-Identifier: Apache-2.0
"""What holds for hil-rig's own tests, and not for a lab's run of tests/hil on a rig."""

import os
import random
from collections.abc import Generator

import pytest

from hil.pytest_plugin.entry import rig_name

WHOLE = os.environ.get("HIL_WHOLE") == "1"
"""Run long campaigns whole, as the nightly job does, and not in their short form."""

NOTHING_LEFT_OUT = os.environ.get("HIL_TOOLS") == "all"
"""The other tools that tests compare with are installed, as CI says: a test that misses one has failed."""


def pytest_configure(config: pytest.Config) -> None:
    """Make every warning an error; on a rig a warning is no reason to end a night.

    The seed of the short forms goes into the environment, where the workers of a parallel run find it.
    """
    config.addinivalue_line(
        "markers", "short_form(count): run so many cases, drawn anew by each run, or with HIL_WHOLE=1 all"
    )
    if rig_name(config) is None:
        config.addinivalue_line("filterwarnings", "error")
        os.environ.setdefault("HIL_SAMPLE", str(random.randrange(10**6)))


def pytest_report_header(config: pytest.Config) -> str | None:
    """Name the seed by which a later run draws the same cases."""
    if rig_name(config) is not None:
        return None
    return "long campaigns whole" if WHOLE else f"short forms drawn by HIL_SAMPLE={os.environ['HIL_SAMPLE']}"


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave the drawn cases of each test that has a short form; the others count as deselected."""
    if WHOLE or rig_name(config) is not None:
        return
    cases: dict[str, list[pytest.Item]] = {}
    for item in items:
        if item.get_closest_marker("short_form") is not None:
            cases.setdefault(item.nodeid.partition("[")[0], []).append(item)
    left_out: set[pytest.Item] = set()
    for test, group in cases.items():
        count = group[0].get_closest_marker("short_form").args[0]  # type: ignore[union-attr]
        rng = random.Random(f"{os.environ['HIL_SAMPLE']} {test}")
        left_out.update(rng.sample(group, max(0, len(group) - count)))
    if left_out:
        config.hook.pytest_deselected(items=[item for item in items if item in left_out])
        items[:] = [item for item in items if item not in left_out]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Fail what skips itself for want of a tool, where all tools are said to be installed."""
    report = yield
    if NOTHING_LEFT_OUT and report.skipped and isinstance(report.longrepr, tuple):
        reason = report.longrepr[2]
        if "not installed" in reason:
            report.outcome = "failed"
            report.longrepr = f"HIL_TOOLS=all, and yet: {reason}"
    return report
