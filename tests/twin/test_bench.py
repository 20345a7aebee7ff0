# SPDX-License-Identifier: Apache-2.0
from typing import Any

import pytest

from hil.twin import bench_config
from hil.twin.bench import Bench
from hil.twin.serve import POWER_ON, POWER_ON_SETTLING_S

RIG = {
    "wiring": {
        "sensor": {"pin": "PA0", "terminal": "Dev1/ao0"},
        "marker_active": {"pin": "PB10", "terminal": "Dev1/ctr1"},
        "debug_connection": {"terminal": "Dev1/port0/line0", "active": "high"},
    }
}


def make_bench(**twin: Any) -> Bench:
    return Bench(bench_config.parse({**RIG, "twin": twin}, "rig.toml"))


def drive_relay(bench: Bench, level: bool | None) -> None:
    bench.daq.lines.drive(bench.scheduler.now_ps, "port0/line0", level)


def test_random_numbers_depend_on_seed_and_name_only() -> None:
    def draw(seed: int, name: str) -> float:
        return float(make_bench(seed=seed).rng(name).random())

    assert draw(1, "daq") == draw(1, "daq")
    assert len({draw(1, "daq"), draw(2, "daq"), draw(1, "wire sensor")}) == 3


def test_the_same_seed_gives_the_same_sensor_noise() -> None:
    voltages_v = [make_bench(seed=seed).pins["PA0"].voltage_v(0) for seed in (1, 1, 2)]
    assert voltages_v[0] == voltages_v[1] != voltages_v[2]


def test_the_seed_draws_the_part_between_typical_and_maximum() -> None:
    def held_in_reset_a(**twin: Any) -> float:
        bench = make_bench(**twin)
        bench.mcu.set_supply_voltage(3.0)
        return bench.mcu.supply.current_a

    typical_a = held_in_reset_a(seed=1)
    seeded_a = [held_in_reset_a(seed=seed, spread="seeded") for seed in (1, 1, 2, 3)]
    assert held_in_reset_a(seed=2) == typical_a
    assert seeded_a[0] == seeded_a[1]
    assert len(set(seeded_a)) == 3
    assert min(seeded_a) > typical_a


def test_the_seed_draws_the_lsi_of_a_seeded_part() -> None:
    def lsi_hz(**twin: Any) -> int:
        return make_bench(**twin).mcu.peripherals.rcc.oscillators.lsi_nominal_hz

    assert lsi_hz(seed=1) == lsi_hz(seed=2) == 32_000
    seeded_hz = [lsi_hz(seed=seed, spread="seeded") for seed in range(1, 6)]
    assert len(set(seeded_hz)) == 5
    assert all(31_040 <= hz <= 32_960 for hz in seeded_hz)  # DS10198 Rev 8, Table 61, at 3 V and 30 °C


def test_the_ambient_temperature_changes_when_the_rig_file_says() -> None:
    bench = make_bench(
        ambient_changes=[{"at": "1 s", "temperature": "85 °C"}, {"at": "2 s", "temperature": "25 °C"}]
    )
    bench.mcu.set_supply_voltage(3.0)
    bench.mcu.set_nrst(True)
    currents_a = []
    for _ in range(3):
        bench.advance(0.9)
        currents_a.append(bench.mcu.supply.current_a)
    assert currents_a[0] == currents_a[2] < currents_a[1]


def test_the_user_button_is_high_at_rest() -> None:
    assert make_bench().pins["PC13"].external_level is True


def test_time_moves_only_when_told() -> None:
    bench = make_bench()
    assert bench.now_s == 0.0
    bench.advance(0.5)
    assert bench.now_s == 0.5


def test_waiting_ends_at_the_condition_or_at_the_limit() -> None:
    bench = make_bench()
    events: list[str] = []
    bench.scheduler.at(10**9, lambda: events.append("tick"))
    assert bench.advance_until(lambda: bool(events), 1.0)
    assert bench.scheduler.now_ps == 10**9
    assert not bench.advance_until(lambda: False, 0.25)
    assert bench.now_s == pytest.approx(0.251)


def test_somebody_elses_stop_does_not_cut_a_wait_short() -> None:
    bench = make_bench()
    bench.scheduler.at(10**9, bench.scheduler.request_stop)
    bench.advance(0.5)
    assert bench.now_s == 0.5


def test_lines_that_are_connected_leak_into_a_powered_part() -> None:
    bench = make_bench(unparked_leak="70 uA")
    assert bench.debug_lines_isolated
    bench.analyzer.execute(POWER_ON)
    bench.advance(POWER_ON_SETTLING_S)
    bench.close_relay()
    assert bench.mcu.mode not in ("off", "reset")
    connected_a = bench.mcu.supply.current_a
    drive_relay(bench, None)
    assert bench.debug_lines_isolated
    assert connected_a - bench.mcu.supply.current_a == pytest.approx(70e-6)
    drive_relay(bench, True)
    assert not bench.debug_lines_isolated
    assert bench.mcu.supply.current_a == pytest.approx(connected_a)


def test_the_sensor_pin_is_clamped_to_the_present_supply() -> None:
    bench = make_bench()
    bench.analyzer.execute(POWER_ON)
    bench.advance(POWER_ON_SETTLING_S)
    bench.daq.analog_outputs["ao0"].hold(0, 5.0)
    assert bench.pins["PA0"].voltage_v(bench.scheduler.now_ps) == pytest.approx(3.3, abs=0.01)


def test_a_relay_closed_without_supply_feeds_the_part_and_is_harm() -> None:
    bench = make_bench()
    assert bench.harm.entries == []
    bench.close_relay()
    assert bench.mcu.supply_voltage_v == pytest.approx(1.9)
    bench.advance(0.01)
    assert bench.mcu.mode == "run"  # through its pins
    assert bench.mcu.supply.current_a == 0.0  # nothing flows from the analyzer
    (entry,) = bench.harm.entries
    assert entry.startswith(
        "at 0.000000 s the ST-LINK's transmit line drove pin PA3 to 3.30 V with VDD at 0.00"
    )


def test_a_sensor_that_plays_on_without_supply_is_harm() -> None:
    bench = make_bench()
    bench.analyzer.execute(POWER_ON)
    bench.advance(POWER_ON_SETTLING_S)
    bench.daq.analog_outputs["ao0"].hold(bench.scheduler.now_ps, 2.5)
    assert bench.harm.entries == []
    bench.analyzer.execute(b"OUTP OFF,(@1)")
    (entry,) = bench.harm.entries
    assert "Dev1/ao0 drove pin PA0 to 2.50 V with VDD at" in entry


def test_lines_that_close_and_open_while_supplied_do_no_harm() -> None:
    bench = make_bench()
    bench.analyzer.execute(POWER_ON)
    bench.advance(POWER_ON_SETTLING_S)
    bench.close_relay()
    drive_relay(bench, None)
    bench.analyzer.execute(b"OUTP OFF,(@1)")
    assert bench.harm.entries == []


def test_a_marker_that_is_high_feeds_the_daqs_pull_down() -> None:
    bench = make_bench(input_pull_down="20 kohm")
    bench.analyzer.execute(POWER_ON)
    bench.advance(POWER_ON_SETTLING_S)
    bench.mcu.peripherals.rcc.write_word(0x4C, 0x2)
    port = bench.mcu.peripherals.ports["B"]
    port.write_word(0x00, (port.read_word(0x00) & ~(3 << 20)) | 1 << 20)
    before_a = bench.mcu.supply.current_a
    port.write_word(0x18, 1 << 10)
    assert bench.mcu.supply.current_a - before_a == pytest.approx(bench.mcu.supply_voltage_v / 20e3)
    bench.connections["marker_active"].set_open(True)
    assert bench.mcu.supply.current_a == pytest.approx(before_a)


def test_a_debug_port_keeps_its_state_while_the_probe_feeds_the_part() -> None:
    """A closed relay leads 1.9 V to VDD, above the brown-out threshold: the part never loses its supply."""
    bench = make_bench()
    drive_relay(bench, True)
    bench.advance(0.1)
    bench.net.drive(3.0, True)
    bench.advance(0.1)
    losses = bench.mcu.debug_port_losses
    bench.net.drive(0.0, False)
    bench.advance(0.5)
    assert (bench.net.voltage_v, bench.mcu.swd_obstacle) == (pytest.approx(1.9), None)
    bench.net.drive(3.0, True)
    bench.advance(0.1)
    assert bench.mcu.debug_port_losses == losses
    drive_relay(bench, False)
    bench.advance(0.1)
    bench.net.drive(0.0, False)
    bench.advance(0.5)
    assert bench.mcu.debug_port_losses == losses + 1
