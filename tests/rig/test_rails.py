# SPDX-License-Identifier: Apache-2.0
"""Rails beside the part's supply: what a rig file may say of them, and the order of their switching."""

from __future__ import annotations

from pathlib import Path

import pytest

from hil.config import fingerprint, load_rig, resolve
from hil.errors import ConfigError, SafetyError
from hil.places import shipped
from hil.rig.claims import claims
from hil.rig.switching import Act, RailRecord, SwitchingRecord, find_violations

TEXT = shipped("rig_configs/sim-sensor-rail.toml").read_text(encoding="utf-8")
RAIL = TEXT[TEXT.index("[rails.sensor]") : TEXT.index("[daq]")]
ADDRESSES = {"power_analyzer": "127.0.0.1:1", "rail_sensor": "127.0.0.1:2", "probe": "h:3"}


def written(tmp_path: Path, text: str) -> Path:
    file = tmp_path / "x.toml"
    file.write_text(text, encoding="utf-8")
    return file


def test_a_rails_instrument_is_one_of_the_rig() -> None:
    config = load_rig("sim-sensor-rail")
    assert list(config.instruments) == ["power_analyzer", "daq", "rails.sensor.power_analyzer"]
    rail = config.rails.by_name()["sensor"]
    assert (rail.voltage_v, rail.feeds) == (3.0, ("lsm6dsl",))


def test_each_instrument_has_its_address_and_its_lock() -> None:
    given = dict.fromkeys(("console", "daq", "clock", "hands"), "127.0.0.1:9") | ADDRESSES
    config = resolve(load_rig("sim-sensor-rail"), given)
    locked = set(claims(config).values())
    assert {"visa TCPIP0::127.0.0.1::1::SOCKET", "visa TCPIP0::127.0.0.1::2::SOCKET"} <= locked


def test_a_rig_with_another_rail_is_another_bench(tmp_path: Path) -> None:
    changed = written(tmp_path, TEXT.replace('\nvoltage = "3.0 V"', '\nvoltage = "2.5 V"'))
    prints = {fingerprint(load_rig(rig)) for rig in ("sim-sensor-rail", "sim-lsm6dsl", changed)}
    assert len(prints) == 3


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('\nvoltage = "3.0 V"', '\nvoltage = "3.7 V"', "3.7 V is more than what hangs on the rail 'sensor'"),
        (
            'feeds = ["lsm6dsl"]',
            'feeds = ["lsm6dls"]',
            "no device is called 'lsm6dls'; expected one of lsm6dsl",
        ),
        ("[rails.sensor]", "[rails.Sensor]\n[rails.sensor]", "'Sensor' is no name of a rail"),
        ('current_limit = "20 mA"', 'curent_limit = "20 mA"', "unknown key 'curent_limit'"),
        ("[rails.sensor.power_analyzer]", "[rails.sensor.supplies]", "unknown key 'supplies'"),
        ('driver = "n6705c"                  # a mainf', 'driver = "x" # a mainf', "'x' is not known"),
    ],
)
def test_a_rail_that_cannot_be_is_refused(tmp_path: Path, old: str, new: str, said: str) -> None:
    assert old in TEXT
    with pytest.raises(ConfigError) as refused:
        load_rig(written(tmp_path, TEXT.replace(old, new, 1)))
    assert said in str(refused.value)
    assert "x.toml:" in str(refused.value), "no line is named"


SECOND_CHANNEL = TEXT.replace("rail_sensor", "power_analyzer").replace(
    "channel = 1\n", "channel = 1\nshared_mainframe = true\n", 1
)
LAST = SECOND_CHANNEL.rindex("channel = 1\n")


def test_a_rail_may_hang_on_another_channel_of_the_mainframe(tmp_path: Path) -> None:
    other = "channel = 2\nshared_mainframe = true\n"
    text = SECOND_CHANNEL[:LAST] + SECOND_CHANNEL[LAST:].replace("channel = 1\n", other, 1)
    config = load_rig(written(tmp_path, text))
    assert [table.outlet for table in config.instruments.values()] == ["channel 1", "", "channel 2"]


@pytest.mark.parametrize(
    ("channel", "said"),
    [
        (
            "channel = 1\nshared_mainframe = true\n",
            "channel 1 of the instrument of [rails.sensor.power_analyzer] is",
        ),
        ("channel = 2\n", "expected shared_mainframe = true in both"),
    ],
)
def test_a_mainframe_that_two_tables_cannot_share_is_refused(tmp_path: Path, channel: str, said: str) -> None:
    text = SECOND_CHANNEL[:LAST] + SECOND_CHANNEL[LAST:].replace("channel = 1\n", channel, 1)
    with pytest.raises(ConfigError) as refused:
        load_rig(written(tmp_path, text))
    assert said in str(refused.value)


def test_a_rail_without_an_instrument_or_with_a_shared_device_is_refused(tmp_path: Path) -> None:
    bare = RAIL[: RAIL.index("[rails.sensor.power_analyzer]")]
    with pytest.raises(ConfigError, match="the rail 'sensor' has no instrument"):
        load_rig(written(tmp_path, TEXT.replace(RAIL, bare)))
    second = RAIL.replace("rails.sensor", "rails.second")
    with pytest.raises(ConfigError, match="'lsm6dsl' hangs on the rail 'sensor' already"):
        load_rig(written(tmp_path, TEXT.replace(RAIL, RAIL + second)))
    both = RAIL.replace("rails.sensor.power_analyzer", "rails.sensor.supply").partition("\n\n")[2]
    with pytest.raises(ConfigError, match=r"\[rails\.sensor\.supply\] stands beside \[power_analyzer\]"):
        load_rig(written(tmp_path, TEXT.replace(RAIL, RAIL + both)))


def test_a_rail_may_have_a_supply_alone(tmp_path: Path) -> None:
    alone = RAIL.replace("rails.sensor.power_analyzer", "rails.sensor.supply")
    rail = load_rig(written(tmp_path, TEXT.replace(RAIL, alone))).rails.by_name()["sensor"]
    assert rail.supplied_by is not None
    assert rail.measured_by is None


def a_record() -> tuple[SwitchingRecord, RailRecord]:
    record = SwitchingRecord(1.71, lambda: 0.0)
    return record, RailRecord("radio", record)


def violations(record: SwitchingRecord) -> list[str]:
    return find_violations(record.entries, 1.71, has_lines=False, outputs=[], rails=["radio"])


def test_a_rail_does_not_go_on_beside_a_part_that_is_off() -> None:
    record, rail = a_record()
    rail.note(Act.SUPPLY_OFF, "at the start")
    with pytest.raises(SafetyError, match="VDD is unknown"):
        rail.note_supply_on(3.3)
    record.note_supply_on(3.0)
    record.note_vdd(3.0)
    rail.note_supply_on(3.3)
    rail.note(Act.SUPPLY_OFF)
    record.note(Act.SUPPLY_OFF)
    assert violations(record) == []
    assert [entry.detail for entry in record.entries if entry.act is Act.RAIL_ON] == ["radio 3.3 V"]


def test_a_supply_that_goes_off_under_a_rail_is_a_violation() -> None:
    record, rail = a_record()
    rail.note(Act.SUPPLY_OFF, "at the start")
    record.note_supply_on(3.0)
    record.note_vdd(3.0)
    rail.note_supply_on(3.3)
    record.note(Act.SUPPLY_OFF)
    assert violations(record) == ["entry 5, supply off : a rail on with VDD unknown"]


def test_a_rail_that_a_killed_run_has_left_on_counts_as_on() -> None:
    record, _ = a_record()
    record.note_supply_on(3.0)
    assert violations(record) == ["entry 1, supply on 3 V: a rail on with VDD unknown"]


def test_an_error_of_the_rails_instrument_leaves_the_parts_supply_known() -> None:
    record, rail = a_record()
    record.note_supply_on(3.0)
    record.note_vdd(3.0)
    rail.note_supply_on(3.3)
    rail.note(Act.VDD_LOST, "gone")
    assert record.supplied
    assert rail.is_on is None
