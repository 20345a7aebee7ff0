# SPDX-License-Identifier: Apache-2.0
from pathlib import Path

import pytest

from hil.twin import bench_config
from hil.twin.errors import BenchConfigError

WIRING = {
    "sensor": {"pin": "PA0", "terminal": "Dev1/ao0", "minimum": "0 V", "maximum": "3 V"},
    "debug_connection": {"terminal": "Dev1/port0/line0", "active": "low"},
}


def parse(twin: dict[str, object]) -> bench_config.BenchConfig:
    return bench_config.parse({"wiring": WIRING, "twin": twin}, "rig.toml")


def test_quantities_become_si_floats() -> None:
    config = parse(
        {"ambient_temperature": "-5.5 °C", "sensor_noise": "2 mV", "unparked_leak": "1.5µA", "seed": 7}
    )
    assert config.ambient_temperature_c == pytest.approx(-5.5)
    assert config.sensor_noise_v == pytest.approx(2e-3)
    assert config.unparked_leak_a == pytest.approx(1.5e-6)
    assert config.seed == 7
    assert config.adc_noise_lsb is None
    assert config.msi_error == 0.0
    assert parse({"msi_error": "-1.69 %"}).msi_error == pytest.approx(-0.0169)
    assert parse({"adc_noise": "0.6 LSB"}).adc_noise_lsb == pytest.approx(0.6)


def test_the_instruments_tables_are_handed_on() -> None:
    config = parse({"power_analyzer": {"serial": "MY1"}})
    assert config.power_analyzer == {"serial": "MY1"}
    assert config.daq == {}
    daq = bench_config.parse(
        {"daq": {"device": "Dev7", "grpc": "x"}, "twin": {"daq": {"serial": 5}}}, "rig.toml"
    ).daq
    assert daq == {"device": "Dev7", "serial": 5}


def test_a_file_without_twin_table_has_the_defaults() -> None:
    config = bench_config.parse({}, "rig.toml")
    assert (config.ambient_temperature_c, config.unparked_leak_a) == (
        pytest.approx(25.0),
        pytest.approx(40e-6),
    )
    assert config.wires == {}


def test_a_rig_without_an_analyzer_is_supplied_from_the_start() -> None:
    assert bench_config.parse({}, "rig.toml").power_on_at_start is True
    assert bench_config.parse({"power_analyzer": {}}, "rig.toml").power_on_at_start is None
    assert bench_config.parse({"twin": {"power_on_at_start": False}}, "rig.toml").power_on_at_start is False


def test_wires_carry_their_ends_and_polarity() -> None:
    wires = parse({}).wires
    assert (wires["sensor"].pin, wires["sensor"].terminal, wires["sensor"].active_high) == (
        "PA0",
        "Dev1/ao0",
        True,
    )
    assert (wires["debug_connection"].pin, wires["debug_connection"].active_high) == (None, False)


def test_a_planted_fault_replaces_only_what_it_names() -> None:
    wires = parse({"wires": {"sensor": {"pin": "PA1"}}}).wires
    assert (wires["sensor"].pin, wires["sensor"].terminal, wires["sensor"].is_open) == (
        "PA1",
        "Dev1/ao0",
        False,
    )


def test_a_planted_open_wire() -> None:
    assert parse({"wires": {"sensor": {"open": True}}}).wires["sensor"].is_open


@pytest.mark.parametrize(
    ("twin", "message"),
    [
        ({"sead": 1}, r"rig\.toml: \[twin\] has no key 'sead'; known are .*seed"),
        ({"seed": "1"}, r"rig\.toml: \[twin\] seed: expected int, not '1'"),
        ({"power_on_at_start": 1}, r"power_on_at_start: expected bool, not 1"),
        ({"unparked_leak": 40e-6}, r'unparked_leak: expected a number with a unit such as "40 uA"'),
        ({"unparked_leak": "40 mV"}, r"unparked_leak: .*millivolt.*expected a value such as"),
        ({"unparked_leak": "40 furlongs"}, r"unparked_leak: .*expected a value such as"),
        ({"sensor_noise": "lots"}, r"sensor_noise: expected a number with a unit"),
        ({"msi_error": "9 %"}, r"msi_error: 9 % is more than the 8 %"),
        ({"msi_error": "1 kHz"}, r"msi_error: .*expected a value such as"),
        ({"wires": {"motor": {"open": True}}}, r"\[twin\.wires\] motor: no such role in \[wiring\]"),
        ({"wires": {"sensor": {"open": False}}}, r"\[twin\.wires\] sensor: an open wire is \{open = true\}"),
        ({"wires": {"sensor": {"pins": "PA1"}}}, r"\[twin\.wires\] sensor: no key 'pins'"),
        ({"wires": {"sensor": {"pin": 1}}}, r"sensor\.pin: expected a name, not 1"),
        ({"wires": []}, r"wires: expected a table"),
        ({"spread": "wide"}, r'spread: expected "typical" or "seeded", not \'wide\''),
        ({"ambient_changes": [{"at": "1 s"}]}, r"ambient_changes: expected a list of \{ at = "),
        ({"ambient_changes": [{"at": "1 m", "temperature": "60 °C"}]}, r"at: .*expected a value such as"),
    ],
)
def test_errors_name_file_and_key(twin: dict[str, object], message: str) -> None:
    with pytest.raises(BenchConfigError, match=message):
        parse(twin)


def test_the_relay_that_connected_at_rest_is_refused() -> None:
    with pytest.raises(
        BenchConfigError, match=r"\[wiring\] debug_isolation: .* call the role debug_connection"
    ):
        bench_config.parse({"wiring": {"debug_isolation": {"terminal": "Dev1/port0/line0"}}}, "rig.toml")


def test_an_unknown_polarity_is_refused() -> None:
    with pytest.raises(
        BenchConfigError, match=r"\[wiring\] relay\.active: expected \"high\" or \"low\", not 'on'"
    ):
        bench_config.parse(
            {"wiring": {"relay": {"terminal": "Dev1/port0/line0", "active": "on"}}}, "rig.toml"
        )


def test_rigs_are_found_by_name_and_by_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "rig_configs").mkdir()
    rig = tmp_path / "rig_configs" / "lab.toml"
    rig.write_text("[twin]\nseed = 3\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    assert bench_config.load(bench_config.find_rig_file("lab")).seed == 3
    assert bench_config.load(bench_config.find_rig_file(str(rig))).seed == 3
    with pytest.raises(BenchConfigError, match=r"no rig file .*attic\.toml"):
        bench_config.find_rig_file("attic")


def test_a_broken_file_is_named(tmp_path: Path) -> None:
    rig = tmp_path / "broken.toml"
    rig.write_text("[twin\n", encoding="utf-8")
    with pytest.raises(BenchConfigError, match=r"broken\.toml: not a TOML file"):
        bench_config.load(rig)


def test_a_cell_at_vbat() -> None:
    assert parse({}).vbat_v is None
    assert parse({"vbat": "2.9 V"}).vbat_v == pytest.approx(2.9)
    with pytest.raises(BenchConfigError, match=r"vbat: expected 0 to 4 V"):
        parse({"vbat": "5 V"})
