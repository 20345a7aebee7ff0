# SPDX-License-Identifier: Apache-2.0
"""A bench with two DAQs, the whole way: from the rig's file through both devices to the record."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hil.bringup.instruments import check_daq
from hil.bringup.operators import Unattended
from hil.bringup.session import Session
from hil.config import load_rig
from hil.errors import RigError, SafetyError, TeardownError
from hil.places import shipped
from hil.rig import Rig, State, open_rig
from hil.rig.daqs import Daqs, RigDaq
from hil.rig.rig import SWITCHING_FILE

PROJECT = Path(__file__).parents[2]
TEXT = shipped("rig_configs/sim-two-daqs.toml").read_text(encoding="utf-8")
DRIVEN_V = 1.5
ALLOWED_V = 0.01
"""Errors of output and input together stay below (see the rig's file and READBACK_V of sensor_wire)."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("record")


@pytest.fixture(scope="module")
def rig(folder: Path) -> Iterator[Rig]:
    with open_rig(load_rig("sim-two-daqs"), record_folder=folder) as rig:
        rig.to(State.POWERED)
        yield rig
        rig.to(State.POWERED)
        rig.daq.set_voltage("Dev2/ao0", DRIVEN_V)
    lines = (folder / SWITCHING_FILE).read_text(encoding="utf-8").splitlines()
    way_down = lines[max(number for number, line in enumerate(lines) if '"output driven"' in line) :]
    off = next(number for number, line in enumerate(way_down) if '"supply off"' in line)
    at_rest = {
        line.split('"detail": "')[1].split('"')[0] for line in way_down[:off] if '"outputs at 0 V"' in line
    }
    assert at_rest == {"Dev1", "Dev2"}


def read_v(rig: Rig) -> float:
    return float(rig.daq.acquire(["Dev2/ai0"], 10_000.0, 1000).mean())


def test_the_record_names_each_device_by_its_role(rig: Rig) -> None:
    serials = {role: who["serial"] for role, who in rig.record()["identities"].items()}
    assert serials["daq"] != serials["daqs.signal"]
    assert rig.has("daqs.signal")
    assert not rig.has("daqs.motion")
    assert list(rig.daqs) == ["daq", "daqs.signal"]


def test_a_terminal_says_which_device_is_meant(rig: Rig) -> None:
    rig.to(State.POWERED)
    rig.daq.set_voltage("Dev2/ao0", DRIVEN_V)
    assert read_v(rig) == pytest.approx(DRIVEN_V, abs=ALLOWED_V)
    assert rig.daqs["daqs.signal"].read_line("Dev2/port0/line0") is False
    assert rig.daq.read_line("Dev1/port0/line0") is True, "the relay's line, which connects in this state"
    rig.to(State.OFF)
    assert read_v(rig) == pytest.approx(0.0, abs=ALLOWED_V)


def test_neither_device_drives_what_is_wired_to_the_other(rig: Rig) -> None:
    rig.to(State.POWERED)
    with pytest.raises(SafetyError, match="output on Dev1/ao0 refused"):
        rig.daq.set_voltage("Dev1/ao0", DRIVEN_V)
    with pytest.raises(SafetyError, match="line Dev2/port0/line0 refused"):
        rig.daq.write_line("Dev2/port0/line0", True)
    with pytest.raises(RigError, match=r"no DAQ has Dev1/ai1 and Dev2/ai0"):
        rig.daq.acquire(["Dev1/ai1", "Dev2/ai0"], 1000.0, 10)
    with pytest.raises(RigError, match=r"no DAQ has Dev3/ao0; expected .* Dev1, Dev2"):
        rig.daq.set_voltage("Dev3/ao0", DRIVEN_V)


def test_the_doctor_and_the_bring_up_look_at_each(rig: Rig) -> None:
    rig.to(State.OFF)
    session = Session(rig, Unattended(), lambda: pytest.fail("no image is needed"))
    assert check_daq(session).count("USB-6361") == 2
    assert set(session.found.serials) == set(session.found.round_trips) == {"daq", "daqs.signal"}


def test_the_page_says_what_the_rig_file_and_a_test_say(rig: Rig) -> None:
    page = (PROJECT / "docs" / "how_to_add_an_instrument.md").read_text(encoding="utf-8")
    ours = r" run-by: tests/contract/test_two_daqs\.py\n(.*?)```"
    (table,), (test,) = (re.findall(f"```{kind}{ours}", page, re.DOTALL) for kind in ("toml", "python"))
    assert {line for line in table.splitlines() if line} <= {
        line.partition("  #")[0].rstrip() for line in TEXT.splitlines()
    }
    names: dict[str, Any] = {"State": State, "pytest": pytest}
    exec(test, names)  # the page is ours
    names["test_the_signal_reaches_the_pin"](rig)


def test_an_output_of_the_second_device_that_is_left_on_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """The controller stops the first device only: its own record tells, and the bench does."""

    def stop_the_first(daqs: Daqs) -> None:
        daqs._daqs[0].stop()

    def stop_if_first(one: RigDaq) -> None:
        if one.role == "daq":
            one.daq.stop()

    def use() -> None:
        with open_rig(load_rig("sim-two-daqs")) as rig:
            rig.to(State.POWERED)
            rig.daq.set_voltage("Dev2/ao0", DRIVEN_V)
            monkeypatch.setattr(Daqs, "stop", stop_the_first)
            monkeypatch.setattr(RigDaq, "stop", stop_if_first)
            with pytest.raises(RigError, match="Dev2/ao0"):
                rig.to(State.OFF)

    with pytest.raises(TeardownError) as caught:
        use()
    told = str(caught.value)
    assert "an output driven with VDD unknown" in told
    assert "Dev2/ao0" in told, "the bench's word"
