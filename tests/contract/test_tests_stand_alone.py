# SPDX-License-Identifier: Apache-2.0
"""A test of the suite says the same in any order and alone: it asks for the state that it needs.

Each run draws anew, and prints what it drew. ``.ci/run`` runs the suite on two more benches in random orders.
``HIL_ORDERS=3`` takes more orders, ``HIL_ALONE=1000`` takes every test alone, and ``HIL_SEED=N`` draws again
what an earlier run drew.
"""

import json
import os
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
ORDERS = int(os.environ.get("HIL_ORDERS", "1"))
ALONE = int(os.environ.get("HIL_ALONE", "3"))
"""How many tests are taken alone."""


def drawn_seed(number: int) -> int:
    base = int(os.environ.get("HIL_SEED", "") or random.randrange(10**6))
    print(f"HIL_SEED={base}")
    return base + number


def run_suite(results: Path, *arguments: str) -> tuple[int, dict[str, Any]]:
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--rig=sim", f"--results={results}"]
    done = subprocess.run([*command, *arguments], cwd=ROOT, capture_output=True, text=True, check=False)
    (folder,) = results.iterdir()
    described: dict[str, Any] = json.loads((folder / "run.json").read_text("utf-8"))
    print(done.stdout if done.returncode else described["verdict_reason"])
    return done.returncode, described


@pytest.mark.parametrize("number", range(ORDERS))
def test_any_order_gives_the_same_verdict(tmp_path: Path, number: int) -> None:
    status, described = run_suite(tmp_path / "r", f"--shuffle={drawn_seed(number)}")
    assert (status, described["verdict"]) == (0, "pass")


def test_each_test_alone_gives_the_same_verdict(tmp_path: Path) -> None:
    listed = subprocess.run(
        [sys.executable, "-m", "pytest", "--rig=sim", "--collect-only", "-q", "tests/hil"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    names = [line for line in listed.stdout.splitlines() if line.startswith("tests/hil/")]
    random.Random(drawn_seed(0)).shuffle(names)
    for number, name in enumerate(names[:ALONE]):
        print(name)
        status, described = run_suite(tmp_path / str(number), name)
        assert (status, described["verdict"]) == (0, "pass"), name


def test_after_low_power_modes_the_sleeping_current_is_that_of_sleep(tmp_path: Path) -> None:
    """A mode outlives its test's exchange: the next test must not take the part as it finds it."""
    in_this_order = (
        "tests/hil/test_low_power_modes.py::test_current_in_mode[standby]",
        "tests/hil/test_sleep.py",
    )
    status, described = run_suite(tmp_path / "r", *in_this_order)
    assert (status, described["verdict"]) == (0, "pass")
