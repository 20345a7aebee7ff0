# SPDX-License-Identifier: Apache-2.0
"""A long campaign runs in a short form, whose cases each run draws anew, and whole where it is told to."""

import shutil
from pathlib import Path

import pytest

pytest_plugins = ["pytester"]

CASES = """
import pytest

@pytest.mark.short_form(3)
@pytest.mark.parametrize("case", range(12))
def test_case(case): ...

@pytest.mark.parametrize("case", range(4))
def test_other(case): ...
"""


@pytest.fixture
def project(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    shutil.copy(Path(__file__).with_name("conftest.py"), pytester.path)
    pytester.makepyfile(test_cases=CASES)
    for name in ("HIL_WHOLE", "HIL_SAMPLE", "HIL_RIG"):
        monkeypatch.delenv(name, raising=False)
    return pytester


def ran(project: pytest.Pytester, *arguments: str) -> list[str]:
    run = project.runpytest_subprocess("-v", "-p", "no:cacheprovider", *arguments)
    return sorted(line.split()[0] for line in run.outlines if " PASSED" in line)


def test_the_seed_draws_the_cases(project: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = []
    for seed in ("1", "2", "1"):
        monkeypatch.setenv("HIL_SAMPLE", seed)
        drawn.append(ran(project))
    assert drawn[0] == drawn[2] != drawn[1]
    assert all(len(names) == 3 + 4 for names in drawn)


def test_told_to_it_runs_whole(project: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HIL_WHOLE", "1")
    assert len(ran(project)) == 12 + 4


def test_a_case_that_is_named_runs(project: pytest.Pytester) -> None:
    assert ran(project, "test_cases.py::test_case[7]") == ["test_cases.py::test_case[7]"]
