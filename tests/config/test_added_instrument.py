# SPDX-License-Identifier: Apache-2.0
"""docs/how_to_add_an_instrument.md, followed word by word outside of the project."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from hil.config import drivers, load_rig
from hil.errors import ConfigError

PROJECT = Path(__file__).parents[2]
PAGE = (PROJECT / "docs" / "how_to_add_an_instrument.md").read_text(encoding="utf-8")
DRIVER, TEST = re.findall(r"```python run-by: tests/config.*?\n(.*?)```", PAGE, re.DOTALL)
PACKAGE, RIG = re.findall(r"```toml run-by: tests/config.*?\n(.*?)```", PAGE, re.DOTALL)
CURRENT_A = 12.5e-6


@pytest.fixture
def desk(tmp_path: Path) -> Path:
    """Somebody's folder: an installed package of theirs, a rig file, a test, and the instrument itself."""
    installed = tmp_path / "installed"
    metadata = installed / "toy_ammeter-1.dist-info"
    metadata.mkdir(parents=True)
    # What `pip install .` makes of the page's pyproject.toml.
    (installed / "toy_ammeter.py").write_text(DRIVER, encoding="utf-8")
    (metadata / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: toy-ammeter\nVersion: 1\n", encoding="utf-8"
    )
    (point,) = re.findall(r'^toy = "(.*)"$', PACKAGE, re.MULTILINE)
    (metadata / "entry_points.txt").write_text(f"[{drivers.GROUP}]\ntoy = {point}\n", encoding="utf-8")
    (tmp_path / "toy.toml").write_text(RIG, encoding="utf-8")
    (tmp_path / "test_toy.py").write_text(TEST, encoding="utf-8")
    (tmp_path / "current.txt").write_text(f"{CURRENT_A}\n", encoding="utf-8")
    return tmp_path


def run(desk: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    paths = os.pathsep.join((str(desk / "installed"), str(PROJECT)))
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=desk,
        env={**os.environ, "PYTHONPATH": paths, "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_page_names_the_group() -> None:
    assert f'[project.entry-points."{drivers.GROUP}"]' in PACKAGE


def test_a_test_measures_with_an_instrument_of_somebody_else(desk: Path) -> None:
    done = run(desk, "-m", "pytest", "--rig", "./toy.toml", "-q", "test_toy.py", "-p", "no:cacheprovider")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "1 passed" in done.stdout
    (page,) = desk.glob("results/*-toy/run.json")
    assert "Toys ammeter" in page.read_text(encoding="utf-8")


def test_the_same_test_fails_where_the_current_is_too_large(desk: Path) -> None:
    (desk / "current.txt").write_text("0.9999e-3", encoding="utf-8")
    done = run(desk, "-m", "pytest", "--rig", "./toy.toml", "-q", "test_toy.py", "-p", "no:cacheprovider")
    assert done.returncode != 0
    assert "1 failed" in done.stdout


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ('driver = "toi"', "'toi' is not known; expected one of lpm01a, n6705c"),
        ('driver = "nidaqmx"', "'nidaqmx' cannot serve as [ammeter]; expected one of lpm01a, n6705c"),
        ("driver = 5", "5 is no text; expected one of lpm01a, n6705c"),
        ("", "the key 'driver' is missing; expected one of lpm01a, n6705c"),
    ],
)
def test_an_unknown_driver_is_refused_with_the_known_ones(desk: Path, changed: str, message: str) -> None:
    (desk / "toy.toml").write_text(RIG.replace('driver = "toy"', changed), encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        load_rig(desk / "toy.toml")
    assert message in str(caught.value)
    assert "toy.toml:1" in str(caught.value), "no line is named"


def test_a_driver_that_cannot_be_imported_says_why(desk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (desk / "installed" / "toy_ammeter.py").write_text("import nonsense_that_nobody_has\n", encoding="utf-8")
    monkeypatch.syspath_prepend(str(desk / "installed"))
    with pytest.raises(ConfigError, match="the driver 'toy' cannot be loaded: ModuleNotFoundError"):
        load_rig(desk / "toy.toml")


def test_a_misspelt_key_of_the_drivers_own_table_is_named(
    desk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (desk / "toy.toml").write_text(RIG.replace("path =", "paht ="), encoding="utf-8")
    done = run(desk, "-c", "from hil.config import load_rig; load_rig('./toy.toml')")
    assert "unknown key 'paht' (and 1 more); expected 'path'" in done.stderr


def test_supply_and_ammeter_beside_an_instrument_that_is_both_are_refused(tmp_path: Path) -> None:
    sim = (PROJECT / "rig_configs" / "sim.toml").read_text(encoding="utf-8")
    start, end = sim.index("[power_analyzer]"), sim.index("[daq]")
    doubled = sim[:end] + sim[start:end].replace("[power_analyzer]", "[supply]") + sim[end:]
    (tmp_path / "double.toml").write_text(doubled, encoding="utf-8")
    with pytest.raises(ConfigError, match=r"\[supply\] stands beside \[power_analyzer\]"):
        load_rig(tmp_path / "double.toml")


def test_a_voltage_that_the_instrument_does_not_give_is_refused(tmp_path: Path) -> None:
    text = (PROJECT / "rig_configs" / "sim-lowcost.toml").read_text(encoding="utf-8")
    (tmp_path / "high.toml").write_text(text.replace('"3.0 V"', '"3.5 V"'), encoding="utf-8")
    with pytest.raises(ConfigError, match=r"3\.5 V is outside what the instrument of \[power_ana"):
        load_rig(tmp_path / "high.toml")
