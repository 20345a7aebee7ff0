# SPDX-License-Identifier: Apache-2.0
"""A bench with two supplies, the whole way: from the rig's file through both instruments to the record."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hil.config import load_rig
from hil.errors import RigError, SafetyError, ServiceError
from hil.places import shipped
from hil.rig import Rig, State, open_rig
from hil.rig.rig import SWITCHING_FILE

PROJECT = Path(__file__).parents[2]
TEXT = shipped("rig_configs/sim-sensor-rail.toml").read_text(encoding="utf-8")
POWER_DOWN_A = 3e-6
"""Of the LSM6DSL after its power-on (see hil/twin/devices/lsm6dsl.py)."""
OFFSET_A = 8e-9
"""Bound of the analyzer's offset in its 10 uA range (the rig's file)."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("record")


@pytest.fixture(scope="module")
def rig(folder: Path) -> Iterator[Rig]:
    with open_rig(load_rig("sim-sensor-rail"), record_folder=folder) as rig:
        rig.to(State.POWERED)
        yield rig
    lines = (folder / SWITCHING_FILE).read_text(encoding="utf-8").splitlines()
    acts = [line.split('"act": "')[1].split('"')[0] for line in lines]
    last = len(acts) - 1 - acts[::-1].index("supply off")
    assert "rail off" in acts[:last]
    assert "rail on" not in acts[last:]


def mean_a(rig: Rig) -> float:
    return float(rig.rails["sensor"].ammeter.log(0.2, 1e-3).current_a.mean())


def test_the_record_names_each_instrument_by_its_role(rig: Rig) -> None:
    record = rig.record()
    serials = {role: who["serial"] for role, who in record["identities"].items()}
    assert serials["power_analyzer"] != serials["rails.sensor.power_analyzer"]
    assert rig.has("rails.sensor")
    assert not rig.has("rails.radio")


def test_the_rail_comes_with_the_part_and_goes_before_it(rig: Rig) -> None:
    rail = rig.rails["sensor"]
    rig.to(State.POWERED)
    assert rail.is_on
    assert rail.supply.measure_voltage_v() == pytest.approx(3.0, rel=0.01)
    rig.to(State.OFF)
    assert rail.is_on is False
    assert rail.supply.measure_voltage_v() < 0.1
    with pytest.raises(SafetyError, match="rail on"):
        rail.on()


def test_its_ammeter_measures_what_hangs_on_it_and_nothing_else(rig: Rig) -> None:
    rig.to(State.POWERED, restart=True)
    assert mean_a(rig) == pytest.approx(POWER_DOWN_A, abs=0.1e-6)
    assert (
        float(rig.ammeter.log(0.2, 1e-3).current_a.mean()) > 10 * POWER_DOWN_A
    )  # the part, in its empty flash
    rig.rails["sensor"].off()
    assert abs(mean_a(rig)) < 2 * OFFSET_A
    rig.rails["sensor"].on()
    assert mean_a(rig) == pytest.approx(POWER_DOWN_A, abs=0.1e-6)


def test_the_page_says_what_the_rig_file_and_a_test_say(rig: Rig) -> None:
    page = (PROJECT / "docs" / "how_to_add_an_instrument.md").read_text(encoding="utf-8")
    ours = r" run-by: tests/contract/test_two_supplies\.py\n(.*?)```"
    (table,), (test,) = (re.findall(f"```{kind}{ours}", page, re.DOTALL) for kind in ("toml", "python"))
    assert {line for line in table.splitlines() if line} <= {
        line.partition("  #")[0].rstrip() for line in TEXT.splitlines()
    }
    names: dict[str, Any] = {"State": State, "pytest": pytest}
    exec(test, names)  # the page is ours
    names["test_the_sensor_sleeps_too"](rig)


def test_no_instrument_is_told_more_than_the_rail_stands(rig: Rig) -> None:
    rig.to(State.POWERED)
    with pytest.raises(SafetyError):
        rig.rails["sensor"].supply.supply_on(3.7, 10e-3)
    with pytest.raises(SafetyError):
        rig.rails["sensor"].supply.supply_on(3.0, 30e-3)
    assert rig.state is State.POWERED
    assert rig.supplied


def test_what_a_rig_lacks_is_refused_by_name(rig: Rig) -> None:
    with pytest.raises(RigError, match="no instrument or wire is called 'rail'"):
        rig.has("rail")


def test_what_the_virtual_bench_cannot_serve_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "x.toml"
    file.write_text(TEXT.replace('feeds = ["lsm6dsl"]', "[twin.rails]", 1), encoding="utf-8")
    with pytest.raises(ServiceError, match=r"\[twin\] has no key 'rails'"):
        open_rig(load_rig(file)).__enter__()
