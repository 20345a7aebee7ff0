# SPDX-License-Identifier: Apache-2.0
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from hil.twin import bench_config, wiring
from hil.twin.bench import Bench
from hil.twin.errors import WiringError
from hil.twin.pins import AnalogSource, Listener, Pins, make_pins
from hil.twin.signal import Signal

WIRING = {
    "sensor": {"pin": "PA0", "terminal": "Dev1/ao0"},
    "marker": {"pin": "PA8", "terminal": "Dev1/ctr0"},
    "button": {"pin": "PC13", "terminal": "Dev1/port0/line1"},
    "probe_point": {"pin": "PA5", "terminal": "Dev1/ai0"},
    "debug_connection": {"terminal": "Dev1/port0/line0", "active": "low"},
}


class Constant:
    def __init__(self, voltage_v: float) -> None:
        self._voltage_v = voltage_v

    def voltage_v(self, time_ps: int) -> float:
        return self._voltage_v


class Terminals:
    """The screw terminals alone: what is connected to each, by name."""

    def __init__(self, output_v: float = 1.0) -> None:
        self.output = Constant(output_v)
        self.edges: list[tuple[str, int, bool | None]] = []
        self.driven: dict[str, Signal[[int, bool | None]]] = {}
        self.readers: dict[str, Callable[[], bool | None]] = {}
        self.inputs: dict[str, AnalogSource] = {}

    def analog_output(self, name: str) -> AnalogSource:
        assert name == "Dev1/ao0"
        return self.output

    def connect_analog_input(self, name: str, source: AnalogSource) -> None:
        self.inputs[name] = source

    def edge_listener(self, counter: str) -> Listener:
        return lambda time_ps, level: self.edges.append((counter, time_ps, level))

    def line_driven(self, line: str) -> Signal[[int, bool | None]]:
        return self.driven.setdefault(line, Signal())

    def line_edges(self, line: str) -> Listener:
        return lambda time_ps, level: None

    def connect_line(self, line: str, read: Callable[[], bool | None]) -> None:
        self.readers[line] = read


def wired(
    twin: dict[str, Any] | None = None, wires: dict[str, Any] = WIRING, output_v: float = 1.0
) -> tuple[Pins, Terminals, list[bool]]:
    pins, daq, connected = make_pins(), Terminals(output_v), []
    config = bench_config.parse({"wiring": wires, "twin": twin or {}}, "rig.toml")
    wiring.connect(
        config,
        pins,
        daq,
        rng=lambda name: np.random.default_rng(1),
        supply_voltage_v=lambda: 3.0,
        connect_debug=connected.append,
    )
    return pins, daq, connected


def test_the_sensor_wire_adds_white_noise() -> None:
    pins, _, _ = wired({"sensor_noise": "2 mV"})
    voltages_v = [pins["PA0"].voltage_v(time_ps) for time_ps in range(4000)]
    assert np.mean(voltages_v) == pytest.approx(1.0, abs=2e-4)
    assert np.std(voltages_v) == pytest.approx(2e-3, rel=0.05)


@pytest.mark.parametrize(("output_v", "pin_v"), [(10.0, 3.3), (-10.0, -0.3)])
def test_the_pin_is_clamped_to_its_rails(output_v: float, pin_v: float) -> None:
    pins, _, _ = wired(output_v=output_v)
    assert pins["PA0"].voltage_v(0) == pytest.approx(pin_v)


def test_an_open_wire_leaves_the_pin_floating() -> None:
    pins, _, _ = wired({"wires": {"sensor": {"open": True}}})
    assert pins["PA0"].voltage_v(0) is None


def test_a_swapped_wire_lands_on_the_other_pin() -> None:
    pins, _, _ = wired({"wires": {"sensor": {"pin": "PA1", "terminal": "Dev1/ao0"}}})
    assert pins["PA0"].voltage_v(0) is None
    assert pins["PA1"].voltage_v(0) == pytest.approx(1.0, abs=0.01)


def test_a_counter_hears_every_edge_once() -> None:
    pins, daq, _ = wired()
    for time_ps, level in [(10, True), (11, True), (20, False), (30, None)]:
        pins["PA8"].drive(level, time_ps)
    assert daq.edges == [("Dev1/ctr0", 10, True), ("Dev1/ctr0", 20, False), ("Dev1/ctr0", 30, None)]


def test_a_line_drives_its_pin_and_reads_it() -> None:
    pins, daq, _ = wired()
    daq.driven["Dev1/port0/line1"](5, True)
    assert pins["PC13"].external_level is True
    assert daq.readers["Dev1/port0/line1"]() is True
    pins["PC13"].drive(False, 6)
    assert daq.readers["Dev1/port0/line1"]() is False


def test_an_analog_input_reads_what_the_part_drives() -> None:
    pins, daq, _ = wired()
    source = daq.inputs["Dev1/ai0"]
    assert source.voltage_v(0) == 0.0
    pins["PA5"].drive(True, 1)
    assert source.voltage_v(1) == 3.0


def test_an_analog_input_reads_the_supply() -> None:
    _, daq, _ = wired(wires={"supply_readback": {"pin": "VDD", "terminal": "Dev1/ai1"}})
    assert daq.inputs["Dev1/ai1"].voltage_v(0) == 3.0
    _, daq, _ = wired(
        {"wires": {"supply_readback": {"open": True}}},
        {"supply_readback": {"pin": "VDD", "terminal": "Dev1/ai1"}},
    )
    assert daq.inputs == {}


def test_a_contact_gives_its_pin_a_level_and_leaves_it_at_its_rest() -> None:
    lamp = {"pin": "PC13", "terminal": "Dev1/port0/line1", "active": "high", "connects": "low"}
    pins, daq, _ = wired(wires={"button": lamp})
    seen = [pins["PC13"].external_level]
    for level in (True, False, None):
        daq.driven["Dev1/port0/line1"](5, level)
        seen.append(pins["PC13"].external_level)
    assert seen == [None, False, None, None], "the line itself drives nothing"


def test_the_relay_follows_its_polarity_and_rests_open() -> None:
    _, daq, connected = wired()
    for level in (False, True, None):
        daq.driven["Dev1/port0/line0"](0, level)
    assert connected == [True, False, False]


def test_a_relay_with_a_broken_wire_never_connects() -> None:
    _, daq, _ = wired({"wires": {"debug_connection": {"open": True}}})
    assert "Dev1/port0/line0" not in daq.driven


@pytest.mark.parametrize(
    ("wire", "message"),
    [
        ({"pin": "PA0"}, r"rig\.toml: \[wiring\] sensor: needs a terminal"),
        ({"terminal": "Dev1/ao0"}, r"\[wiring\] sensor: .* LQFP64 .* has no pin None"),
        ({"pin": "PI3", "terminal": "Dev1/ao0"}, r"\[wiring\] sensor: .* has no pin 'PI3'"),
        ({"pin": "PA0", "terminal": "Dev1/freq0"}, r"\[wiring\] sensor: terminal 'Dev1/freq0' is none of"),
    ],
)
def test_wires_without_two_ends_are_refused(wire: dict[str, str], message: str) -> None:
    with pytest.raises(WiringError, match=message):
        wired(wires={"sensor": wire})


def test_what_the_daq_puts_on_a_terminal_reaches_the_pin() -> None:
    wire = {"stimulus": {"pin": "PB0", "terminal": "Dev1/PFI12"}}
    bench = Bench(bench_config.parse({"wiring": wire}, "rig.toml"))
    pin, terminal = bench.pins["PB0"], bench.daq.lines.terminals["PFI12"]
    bench.daq.lines.put(0, "PFI12", True)
    assert pin.external_level is True
    bench.connections["stimulus"].set_open(True)
    assert pin.external_level is None
    bench.connections["stimulus"].set_open(False)
    bench.daq.lines.drive(0, "port2/line4", None)
    assert pin.external_level is None
    pin.drive(True, 0)
    assert terminal.level  # the same wire, the other way
