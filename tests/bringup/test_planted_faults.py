# SPDX-License-Identifier: Apache-2.0
"""Faults that people make when they wire a bench: the bring-up stops at each and names it first.

Each fault is planted on the virtual bench by a line of its rig file. The bring-up is the one that a real
bench gets, and every statement is about what was measured.
"""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from hil.bringup import Session, Unattended, WithHands, bring_up
from hil.config import load_rig
from hil.errors import DeviceError, HilError
from hil.firmware.build import build
from hil.firmware.image import Image
from hil.rig import open_rig

SIM = (Path(__file__).resolve().parents[2] / "rig_configs" / "sim.toml").read_text("utf-8")


@dataclass(frozen=True)
class Fault:
    """What is wrong with the bench, and how the bring-up says so."""

    name: str
    step: int
    said: str
    """A pattern in the statement."""
    twin: str = ""
    """Lines after ``[twin]``: what is wrong on the bench."""
    config: tuple[str, str] = ("", "")
    """What the rig file says wrongly: a text in it, and the one in its place."""
    earlier_user: str = ""
    """What somebody else has told the analyzer before, and left so."""


FAULTS = (
    Fault("wrong probe", 2, "066DFF", config=('uid = "remote:{service.probe}"', 'uid = "066DFF00"')),
    Fault("busy console port", 2, "console", twin='console_port = "busy"'),
    Fault("JP6 on", 3, "JP6 is on", twin='jp6 = "on"'),
    Fault("relay missing, jumpers on", 3, "feeds the part through its pins", twin='relay = "missing"'),
    Fault("floating ground", 3, "hum.*ground floats", twin='ground = "floating"'),
    Fault("another DAQ", 3, "serial number", config=('device = "Dev1"', 'device = "Dev1"\nserial = "DEAD"')),
    Fault("wrong slot", 4, "slot|module", config=("channel = 1", "channel = 3")),
    Fault(
        "another analyzer",
        4,
        "serial number",
        config=("channel = 1", 'channel = 1\nserial = "MY00000000"'),
    ),
    Fault("neighbour's channel on", 4, "channel 2|channel", twin="neighbour_channel_on = true"),
    Fault(
        "output watchdog left on",
        4,
        "watchdog is on with 30 s",
        earlier_user="OUTP:PROT:WDOG:DEL 30;:OUTP:PROT:WDOG ON",
    ),
    Fault("reversed ammeter", 5, "reversed ammeter", twin='ammeter = "reversed"'),
    Fault("no sense leads", 5, "sense lead", twin='sense_leads = "open"'),
    Fault("relay without driver", 7, "24 mA", twin='relay = "without_driver"'),
    Fault("supply readback open", 7, "supply_readback is open", twin="wires.supply_readback.open = true"),
    Fault(
        "current limit too low",
        7,
        "supply_current_limit",
        config=('supply_current_limit = "100 mA"', 'supply_current_limit = "300 uA"'),
    ),
    Fault("coil not connected", 8, "does not reach the part", twin="wires.debug_connection.open = true"),
    Fault("relay contacts stick", 7, r"1\.90 V with the supply off.*feeds the part", twin='relay = "welded"'),
    Fault("board C-01", 8, "C-01 has no crystal", twin='lse = "absent"'),
    Fault("another part", 8, "0x435", twin='target = "another"'),
    Fault("sensor wire open", 9, "sensor's wire is open", twin="wires.sensor.open = true"),
    Fault("sensor on the wrong pin", 9, "PA1 goes high.*wrong pin", twin='wires.sensor.pin = "PA1"'),
    Fault("sensor readback open", 9, "sensor_readback is open", twin="wires.sensor_readback.open = true"),
    Fault(
        "markers swapped",
        9,
        "swapped",
        twin='wires.marker_inference.terminal = "Dev1/ctr1"\nwires.marker_active.terminal = "Dev1/ctr0"',
    ),
    Fault("wrong PFI", 9, "move it from PFI6 to PFI4", twin='wires.marker_active.terminal = "Dev1/PFI6"'),
    Fault("marker wire open", 9, "marker_active is open", twin="wires.marker_active.open = true"),
)


@pytest.fixture(scope="session")
def reference_image() -> Image:
    return Image.load(build())


@pytest.fixture
def rig_file(tmp_path: Path, fault: Fault) -> Iterator[Path]:
    """The virtual bench's file with the fault in it."""
    text = SIM
    old, new = fault.config
    assert old in text
    text = text.replace(old, new, 1) if old else text
    file = tmp_path / "planted.toml"
    file.write_text(f"{text.rstrip()}\n{fault.twin}\n", "utf-8")
    return file


def _tell(resource: str, message: str) -> None:
    """Tell the instrument at a VISA socket something, and wait until it has taken it."""
    _, host, port, _ = resource.split("::")
    with socket.create_connection((host, int(port)), timeout=60) as connection:
        connection.sendall(f"{message}\n*OPC?\n".encode("ascii"))
        assert connection.recv(16).strip() in (b"1", b"+1")


@pytest.mark.short_form(6)
@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_the_fault_is_named_first(fault: Fault, rig_file: Path, reference_image: Image) -> None:
    reached: list[int] = []

    def brought_up() -> None:
        with open_rig(load_rig(rig_file)) as rig:
            hands, analyzer = rig.config.bringup.hands, rig.config.power_analyzer
            assert hands is not None
            assert analyzer is not None
            if fault.earlier_user:
                _tell(analyzer.resource, fault.earlier_user)
            session = Session(rig, WithHands(Unattended(), hands), lambda: reference_image)
            bring_up(session, lambda number, _title, _measured: reached.append(number))

    with pytest.raises(HilError) as caught:
        brought_up()
    print(f"{fault.name}: step {reached[-1]}: {caught.value}")
    assert not isinstance(caught.value, DeviceError), "a fault of the bench is never the device's"
    assert re.search(fault.said, str(caught.value), re.DOTALL)
    assert reached[-1] == fault.step
    assert caught.value.hint, "the statement says what to do"
    assert not list(rig_file.parent.glob("*.bringup.toml")), "a bench that is not up leaves no results"
