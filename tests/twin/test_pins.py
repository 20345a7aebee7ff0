# SPDX-License-Identifier: Apache-2.0
from hil.twin.pins import Pin, make_pins


class Ramp:
    def voltage_v(self, time_ps: int) -> float:
        return time_ps * 1e-12


def test_the_die_has_ports_a_to_g_and_two_pins_of_h() -> None:
    pins = make_pins()
    assert len(pins) == 7 * 16 + 2
    assert {"PA0", "PC13", "PG15", "PH1"} <= pins.keys()
    assert "PH2" not in pins
    assert all(name == pin.name for name, pin in pins.items())


def test_only_changes_of_the_driven_level_are_heard() -> None:
    pin, heard = Pin("PA8"), list[tuple[int, bool | None]]()
    pin.level_out_changed.connect(lambda time_ps, level: heard.append((time_ps, level)))
    for time_ps, level in [(1, None), (2, False), (3, False), (4, True), (5, None)]:
        pin.drive(level, time_ps)
    assert heard == [(2, False), (4, True), (5, None)]
    assert pin.level_out is None


def test_the_outside_is_heard_separately() -> None:
    pin, heard = Pin("PC13"), list[tuple[int, bool | None]]()
    pin.external_level_changed.connect(lambda time_ps, level: heard.append((time_ps, level)))
    pin.drive(True, 1)
    pin.set_external_level(False, 2)
    pin.set_external_level(False, 3)
    assert heard == [(2, False)]
    assert pin.level_out is True


def test_a_source_gives_the_voltage_and_an_open_wire_none() -> None:
    pin = Pin("PA0")
    assert pin.voltage_v(0) is None
    pin.connect_source(Ramp())
    assert pin.voltage_v(500_000_000_000) == 0.5
    pin.connect_source(None)
    assert pin.voltage_v(0) is None
