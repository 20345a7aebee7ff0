# SPDX-License-Identifier: Apache-2.0
"""Rig configurations: those in the tree load; every mistake gives one line that says what would be right."""

from pathlib import Path

import pytest

from hil.config import available_rigs, load_rig, resolve
from hil.errors import ConfigError

ROOT = Path(__file__).resolve().parents[2]
SIM = (ROOT / "rig_configs" / "sim.toml").read_text(encoding="utf-8")


def _line(text: str, part: str) -> int:
    return next(number for number, line in enumerate(text.splitlines(), 1) if part in line)


@pytest.mark.parametrize("name", ["sim", "nucleo"])
def test_rigs_of_the_tree_load(name: str) -> None:
    config = load_rig(ROOT / "rig_configs" / f"{name}.toml")
    assert config.name == name
    assert config.power_analyzer is not None
    assert config.power_analyzer.ranges[0].range_a == 1e-5
    assert config.wiring.sensor is not None
    assert config.wiring.sensor.maximum_v <= config.board.supply_voltage_v


def test_only_addresses_identities_and_accuracies_differ_between_the_rigs() -> None:
    sim, nucleo = (load_rig(ROOT / "rig_configs" / f"{name}.toml") for name in ("sim", "nucleo"))
    assert sim.wiring.model_dump(exclude={"sensor"}) == nucleo.wiring.model_dump(exclude={"sensor"})
    assert nucleo.service is None
    assert nucleo.twin is None


@pytest.mark.parametrize(
    ("old", "new", "at", "message"),
    [
        (
            'supply_voltage = "3.0 V"',
            'suply_voltage = "3.0 V"',
            "suply_voltage",
            "board.suply_voltage: unknown key 'suply_voltage' (and 1 more); expected 'supply_voltage'",
        ),
        (
            'mcu = "stm32l476rg"',
            'mcu = "stm32l475vg"',
            "mcu =",
            "board.mcu: 'stm32l475vg' is not the part of nucleo_l476rg; expected 'stm32l476rg', or no such "
            "key (UM1724 Rev 14, table 1 (part and package); DS10198 Rev 8, tables 23 (VDD) and 21 "
            "(current))",
        ),
        (
            'supply_voltage = "3.0 V"',
            "supply_voltage = 3.0",
            "supply_voltage = 3.0",
            "board.supply_voltage: '3.0' has no unit; expected a voltage with its unit, such as \"3.0 V\"",
        ),
        (
            'supply_voltage = "3.0 V"',
            'supply_voltage = "3.0 A"',
            "supply_voltage =",
            "board.supply_voltage: '3.0 A' is not a voltage; expected a voltage with its unit",
        ),
        (
            'supply_voltage = "3.0 V"',
            'supply_voltage = "5 V"',
            "supply_voltage =",
            "board.supply_voltage: 5 V is outside the limits of nucleo_l476rg; expected 1.71 V to 3.6 V",
        ),
        (
            'supply_current_limit = "100 mA"',
            'supply_current_limit = "151 mA"',
            "supply_current_limit =",
            "board.supply_current_limit: 151 mA is more than nucleo_l476rg stands; expected at most 150 mA",
        ),
        (
            'name = "nucleo_l476rg"',
            'name = "nucleo_l475"',
            'name = "nucleo_l475"',
            "board.name: 'nucleo_l475' is not known; expected 'b_l475e_iot01a', 'nucleo_l476rg'",
        ),
        (
            'target = "stm32l475xg"',
            "",
            "[probe]",
            "probe.target: the key 'target' is missing",
        ),
        (
            "channel = 1",
            "channel = 5",
            "channel = 5",
            "power_analyzer.channel: 5 is not allowed; expected less than or equal to 4",
        ),
        (
            'range = "1 mA", gain',
            'range = "1 uA", gain',
            "ranges = [",
            "power_analyzer.ranges: the current ranges are not in rising order",
        ),
        (
            'offset = "100 nA"',
            'offset = "100"',
            'offset = "100"',
            "power_analyzer.ranges.1.offset: '100' has no unit; expected a current",
        ),
        (
            'pin = "PA8"',
            'pin = "PA0"',
            "marker_inference =",
            "wiring.marker_inference.pin: pin PA0 is already wired to sensor; expected one wire per pin",
        ),
        (
            'pin = "PA8"',
            'pin = "pa88"',
            "marker_inference =",
            "wiring.marker_inference.pin: nucleo_l476rg has no pin 'pa88'; expected a port pin such as \"PA8",
        ),
        (
            'terminal = "Dev1/ctr1"',
            'terminal = "Dev1/ctr0"',
            "marker_active =",
            "wiring.marker_active.terminal: terminal Dev1/ctr0 is already wired to marker_inference",
        ),
        (
            'terminal = "Dev1/ctr1"',
            'terminal = "Dev2/ctr1"',
            "marker_active =",
            "wiring.marker_active.terminal: terminal Dev2/ctr1 is not on the rig's DAQ 'Dev1'",
        ),
        (
            'terminal = "Dev1/ao0"',
            'terminal = "Dev1/ai0"',
            "sensor =",
            "wiring.sensor.terminal: terminal Dev1/ai0 cannot serve this role (and 1 more); expected an",
        ),
        (
            'maximum = "3 V"',
            'maximum = "3.3 V"',
            "sensor =",
            "wiring.sensor.maximum: 3.3 V on pin PA0 is above the board's supply; expected at most 3 V",
        ),
        (
            'minimum = "0 V"',
            'minimum = "-1 V"',
            "sensor =",
            "wiring.sensor.minimum: -1 V on pin PA0 is below ground; expected at least 0 V",
        ),
        (
            "[daq]",
            "[dac]",
            "[dac]",
            "dac: unknown key 'dac'; expected 'daq'",
        ),
        (
            "baud = 115200",
            "baud = fast",
            "baud = fast",
            "not valid TOML",
        ),
        (
            'active = "high"',
            'active = "on"',
            "debug_connection",
            "wiring.debug_connection.active: 'on' is not known; expected 'high' or 'low'",
        ),
        (
            'smallest_seamless_range = "10 uA"',
            'smallest_seamless_range = "20 uA"',
            "smallest_seamless_range",
            "power_analyzer.smallest_seamless_range: 20 µA is none of the ranges; expected one of 10 µA",
        ),
        (
            'sense = "remote"',
            'sense = "remote"\nshared_mainframe = true\noutput_watchdog = "60 s"',
            "output_watchdog",
            "power_analyzer.output_watchdog: the output watchdog ends the outputs of all channels, and the",
        ),
        (
            "debug_connection =",
            "debug_isolation =",
            "debug_isolation",
            "wiring.debug_isolation: the role 'debug_isolation' is retired: its relay connected the lines at "
            'rest; expected debug_connection = { terminal = ..., active = "high" }, after moving the lines '
            "to the normally open contacts",
        ),
        (
            'pin = "VDD"',
            'pin = "VDDA"',
            "supply_readback",
            "wiring.supply_readback.pin: 'VDDA' is not known; expected 'VDD'",
        ),
        (
            'address = "tcp://',
            'address = "udp://',
            "address =",
            "clock.address: 'udp://{service.clock}' is not allowed; expected a text matching",
        ),
        (
            "[probe]",
            "probe = 3\n[other]",
            "probe = 3",
            "board.probe: unknown key 'probe'",
        ),
    ],
)
def test_a_mistake_gives_one_line(tmp_path: Path, old: str, new: str, at: str, message: str) -> None:
    assert SIM.count(old) >= 1
    text = SIM.replace(old, new, 1)
    file = tmp_path / "rig.toml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        load_rig(file)
    line = str(caught.value)
    assert "\n" not in line
    assert line.startswith(f"{file}:{_line(text, at)}: {message}")


def test_a_service_address_without_a_service(tmp_path: Path) -> None:
    file = tmp_path / "rig.toml"
    file.write_text(SIM[: SIM.index("[service]")], encoding="utf-8")
    with pytest.raises(
        ConfigError, match=r"probe\.uid: .* refers to a service, and the file has no \[service\]"
    ):
        load_rig(file)


def test_wires_without_a_daq(tmp_path: Path) -> None:
    file = tmp_path / "rig.toml"
    start, end = SIM.index("[daq]"), SIM.index("[console]")
    file.write_text(SIM[:start] + SIM[end:], encoding="utf-8")
    with pytest.raises(ConfigError, match=r"wiring\.sensor: Dev1/ao0 needs a DAQ"):
        load_rig(file)


def test_an_unknown_name_lists_the_rigs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert {"sim", "nucleo"} <= set(available_rigs())
    with pytest.raises(ConfigError) as caught:
        load_rig("nucelo")
    assert "expected one of b-l475e-iot01a, nucleo, nucleo-lowcost, sim, " in str(caught.value)
    assert str(caught.value).endswith("try: --rig nucleo")


def test_a_rig_here_comes_before_the_one_of_the_tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "rig_configs").mkdir()
    (tmp_path / "rig_configs" / "sim.toml").write_text(
        SIM.replace('name = "sim"', 'name = "mine"'), encoding="utf-8"
    )
    assert load_rig("sim").name == "mine"


@pytest.mark.parametrize("content", [None, b"\xff\xfe"])
def test_an_unreadable_file(tmp_path: Path, content: bytes | None) -> None:
    file = tmp_path / "rig.toml"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(ConfigError) as caught:
        load_rig(file)
    assert str(file) in str(caught.value)


def test_resolve_fills_every_address() -> None:
    addresses = {
        "probe": "127.0.0.1:1",
        "daq": "127.0.0.1:2",
        "power_analyzer": "127.0.0.1:3",
        "console": "127.0.0.1:4",
        "clock": "127.0.0.1:5",
        "hands": "127.0.0.1:6",
    }
    config = resolve(load_rig(ROOT / "rig_configs" / "sim.toml"), addresses)
    assert config.probe is not None
    assert config.daq is not None
    assert config.power_analyzer is not None
    assert config.console is not None
    assert config.probe.uid == "remote:127.0.0.1:1"
    assert config.daq.grpc == "127.0.0.1:2"
    assert config.power_analyzer.resource == "TCPIP::127.0.0.1::3::SOCKET"
    assert config.console.port == "socket://127.0.0.1:4"
    assert config.clock.address == "tcp://127.0.0.1:5"
    assert config.bringup.hands == "tcp://127.0.0.1:6"


def test_resolve_names_an_address_that_the_service_did_not_give() -> None:
    with pytest.raises(ConfigError, match=r"\{service\.probe\}: the service gave no address 'probe'"):
        resolve(load_rig(ROOT / "rig_configs" / "sim.toml"), {"daq": "127.0.0.1:2"})


@pytest.mark.parametrize("value", ["[" * 3000, "9" * 5000])
def test_what_the_parser_itself_gives_up_on_is_refused(tmp_path: Path, value: str) -> None:
    (tmp_path / "rig.toml").write_text(f"x = {value}", "utf-8")
    with pytest.raises(ConfigError, match="not valid TOML"):
        load_rig(str(tmp_path / "rig.toml"))
