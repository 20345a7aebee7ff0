# SPDX-License-Identifier: Apache-2.0
"""The ways between the board's states: what is done, in which order, and what is not done twice."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from hil.config import RigConfig, load_rig
from hil.errors import ConnectError, DeviceTimeoutError, InstrumentError, RigError, StateError
from hil.firmware.image import Image, Segment
from hil.rig.bench import Bench
from hil.rig.daqs import RigDaq
from hil.rig.guarded import GuardedAnalyzer, GuardedDaq
from hil.rig.states import BoardStates, State

CONFIG = load_rig(Path(__file__).resolve().parents[2] / "rig_configs" / "sim.toml")


def image(name: str) -> Image:
    return Image(Path(f"{name}.elf"), name, 0x0800_0000, (Segment(0x0800_0000, name.encode()),), {})


A, B = image("a"), image("b")


class Instruments:
    """All instruments of a bench in one: they write down what they are told.

    The supply obeys after its delays, unless the part is fed otherwise.
    """

    def __init__(self) -> None:
        self.log: list[str] = []
        self.time_s = 0.0
        self.connected = False
        self.rise_s = self.fall_s = 0.0
        self.back_feed_v = 0.0
        self.drop_v = 0.0
        self.connect_error: Exception | None = None
        self.readings = 0
        self._vdd_v = self._next_v = 0.0
        self._changes_at_s = 0.0

    def supply_on(self, voltage_v: float, current_limit_a: float) -> None:
        self.log.append(f"supply {voltage_v:g} V {current_limit_a:g} A")
        self._change(voltage_v - self.drop_v, self.rise_s)

    def supply_off(self) -> None:
        self.log.append("supply off")
        self._change(0.0, self.fall_s)

    def _change(self, voltage_v: float, delay_s: float) -> None:
        self._vdd_v, self._next_v, self._changes_at_s = self.vdd_v, voltage_v, self.time_s + delay_s

    @property
    def vdd_v(self) -> float:
        return self._next_v if self.time_s >= self._changes_at_s else self._vdd_v

    def acquire(self, terminals: list[str], rate_hz: float, count: int) -> NDArray[np.float64]:
        assert terminals == ["Dev1/ai1"]
        self.readings += 1
        value_v = max(self.vdd_v, self.back_feed_v)
        self.time_s += count / rate_hz
        return np.full((1, count), value_v)

    def measure_voltage_v(self) -> float:
        self.log.append("analyzer's voltmeter")
        return self.vdd_v

    def connect(self, *, under_reset: bool) -> None:
        assert under_reset, "a sleeping part answers in no other way"
        if self.connect_error is not None:
            raise self.connect_error
        if not self.connected:
            self.log.append("connect")
        self.connected = True

    def program(self, segments: Iterable[tuple[int, bytes]], progress: object) -> bool:
        ((_, data),) = segments
        self.log.append(f"program {data.decode()}")
        return True

    def reset(self, *, halt: bool) -> None:
        assert halt
        self.log.append("reset halt")

    def resume(self) -> None:
        self.log.append("resume")

    def detach(self) -> None:
        if self.connected:
            self.log.append("detach")
        self.connected = False

    def abandon(self) -> None:
        if self.connected:
            self.log.append("abandon")
        self.connected = False

    def write_line(self, line: str, level: bool) -> None:
        assert line == "Dev1/port0/line0"
        self.log.append("lines closed" if level else "lines open")
        self.line = level

    def read_line(self, _line: str) -> bool:
        return self.line

    def stop(self) -> None:
        self.log.append("outputs 0 V")

    def clear(self) -> None:
        self.log.append("console cleared")

    def now_s(self) -> float:
        return self.time_s

    def sleep(self, duration_s: float) -> None:
        self.log.append("wait")
        self.time_s += duration_s


class RecordingBench(Bench):
    """A bench of instruments that write down what they are told."""

    def __init__(self, config: RigConfig = CONFIG) -> None:
        super().__init__(config)
        self.instruments: Any = Instruments()
        daq = GuardedDaq(self.instruments, self.switching, "Dev1", config.wiring.debug_connection)
        self.__dict__["daqs"] = {"daq": RigDaq("daq", "Dev1", lambda: daq)}
        self._analyzer = GuardedAnalyzer(self.instruments, self.instruments, self.switching, [])
        self.instruments.log.clear()

    board = console = clock = property(lambda self: self.instruments)  # type: ignore[assignment]
    power_analyzer = property(lambda self: self._analyzer)  # type: ignore[assignment]

    @property
    def log(self) -> list[str]:
        log: list[str] = self.instruments.log
        return log

    def opened(self, name: str) -> bool:
        return self.has(name)

    def taken(self) -> list[str]:
        log = list(self.log)
        self.log.clear()
        return log


@pytest.fixture
def bench() -> RecordingBench:
    return RecordingBench()


@pytest.fixture
def states(bench: RecordingBench) -> BoardStates:
    return BoardStates(bench)


OPEN, CLOSE = ["lines open", "wait"], ["lines closed", "wait"]
OFF, ON = ["outputs 0 V", *OPEN, "supply off"], ["supply 3 V 0.1 A"]
OFF_WITH_OPEN_LINES = ["outputs 0 V", "lines open", "supply off"]


def test_running_from_nothing(bench: RecordingBench, states: BoardStates) -> None:
    states.to(State.RUNNING, A)
    assert bench.taken() == [
        *OFF,
        *ON,
        *CLOSE,
        "connect",
        "program a",
        "reset halt",
        "console cleared",
        "resume",
    ]
    assert states.state is State.RUNNING
    states.to(State.RUNNING, A)
    states.to(State.RUNNING)
    assert bench.taken() == []


def test_restart_resets_and_does_not_program(bench: RecordingBench, states: BoardStates) -> None:
    states.to(State.RUNNING, A)
    bench.taken()
    states.to(State.RUNNING, restart=True)
    assert bench.taken() == ["reset halt", "console cleared", "resume"]


def test_another_image_is_programmed(bench: RecordingBench, states: BoardStates) -> None:
    states.to(State.RUNNING, A)
    bench.taken()
    states.to(State.PROGRAMMED, B)
    assert bench.taken() == ["program b", "reset halt"]


def test_measuring_detaches_opens_the_lines_and_cycles_the_power(
    bench: RecordingBench, states: BoardStates
) -> None:
    states.to(State.RUNNING, A)
    bench.taken()
    states.to(State.MEASURING)
    assert bench.taken() == ["detach", *OPEN, *OFF_WITH_OPEN_LINES, *ON]


def test_measuring_from_nothing_programs_first(bench: RecordingBench, states: BoardStates) -> None:
    states.to(State.MEASURING, A)
    programmed = [*OFF, *ON, *CLOSE, "connect", "program a", "reset halt"]
    assert bench.taken() == [*programmed, "detach", *OPEN, *OFF_WITH_OPEN_LINES, *ON]


def test_back_from_measuring_reconnects_and_keeps_the_flash(
    bench: RecordingBench, states: BoardStates
) -> None:
    states.to(State.MEASURING, A)
    bench.taken()
    states.to(State.RUNNING)
    assert bench.taken() == [*CLOSE, "connect", "reset halt", "console cleared", "resume"]


def test_off_stops_driving_pins_before_the_supply(bench: RecordingBench, states: BoardStates) -> None:
    states.to(State.RUNNING, A)
    bench.taken()
    states.to(State.OFF)
    assert bench.taken() == ["outputs 0 V", "abandon", *OPEN, "supply off"]
    states.to(State.POWERED)
    assert bench.taken() == [*ON, *CLOSE], "off is proven already"


def test_the_board_is_supplied_only_while_its_voltage_was_seen(
    bench: RecordingBench, states: BoardStates
) -> None:
    assert not states.supplied
    states.to(State.POWERED)
    assert states.supplied
    states.to(State.OFF)
    assert not states.supplied
    bench.instruments.drop_v = 0.5
    with pytest.raises(RigError):
        states.to(State.POWERED)
    assert not states.supplied
    assert BoardStates(RecordingBench(CONFIG.model_copy(update={"power_analyzer": None}))).supplied


def test_powered_again_cycles_only_when_asked(bench: RecordingBench, states: BoardStates) -> None:
    states.to(State.RUNNING, A)
    bench.taken()
    states.to(State.POWERED)
    assert bench.taken() == ["detach"]
    states.to(State.POWERED, restart=True)
    assert bench.taken() == [*OFF, *ON, *CLOSE]


def test_an_image_is_needed_for_what_runs_one(states: BoardStates) -> None:
    with pytest.raises(StateError, match="no image was given"):
        states.to(State.RUNNING)


def test_a_part_that_is_fed_through_its_pins_is_found(bench: RecordingBench, states: BoardStates) -> None:
    bench.instruments.back_feed_v = 1.1
    with pytest.raises(RigError, match=r"VDD is still 1\.10 V with the supply off"):
        states.to(State.MEASURING, A)
    assert states.state is None


def test_a_supply_that_sags_is_switched_off(bench: RecordingBench, states: BoardStates) -> None:
    bench.instruments.drop_v = 0.5
    with pytest.raises(RigError, match=r"VDD is 2\.500 V; expected 3 V"):
        states.to(State.POWERED)
    assert bench.log[-1] == "supply off"


def test_after_a_failure_everything_is_proven_anew(bench: RecordingBench, states: BoardStates) -> None:
    states.to(State.RUNNING, A)
    bench.instruments.connected = False
    bench.instruments.connect_error = ConnectError("gone", where="board")
    with pytest.raises(ConnectError):
        states.to(State.PROGRAMMED)
    bench.taken()
    bench.instruments.connect_error = None
    states.to(State.RUNNING, A)
    assert bench.taken() == [*OFF, *ON, *CLOSE, "connect", "reset halt", "console cleared", "resume"]


def test_without_a_power_analyzer_measuring_starts_from_a_reset() -> None:
    bench = RecordingBench(CONFIG.model_copy(update={"power_analyzer": None}))
    states = BoardStates(bench)
    states.to(State.MEASURING, A)
    assert bench.taken() == [*CLOSE, "connect", "program a", "reset halt", "detach", *OPEN]
    with pytest.raises(StateError, match="no supply to switch the board off"):
        states.to(State.OFF)


def test_without_a_probe_nothing_is_programmed() -> None:
    bench = RecordingBench(CONFIG.model_copy(update={"probe": None}))
    with pytest.raises(StateError, match="no debug probe"):
        BoardStates(bench).to(State.RUNNING, A)


def test_an_exchange_while_measuring_closes_the_lines_and_begins_no_debug_session(
    bench: RecordingBench, states: BoardStates
) -> None:
    states.to(State.MEASURING, A)
    bench.taken()
    with states.console_lines():
        bench.log.append("exchange")
        assert states.state is None, "the current is not the part's alone"
        with pytest.raises(StateError, match="end the exchange first"):
            states.to(State.OFF)
    assert bench.taken() == [*CLOSE, "exchange", *OPEN]
    assert states.state is State.MEASURING
    states.to(State.MEASURING, A)
    assert bench.taken() == []


@pytest.mark.parametrize("error", [DeviceTimeoutError("silent"), KeyboardInterrupt()])
def test_an_exchange_that_fails_opens_the_lines_again(
    bench: RecordingBench, states: BoardStates, error: BaseException
) -> None:
    states.to(State.MEASURING, A)
    with pytest.raises(type(error)), states.console_lines():
        raise error
    assert bench.log[-2:] == ["lines open", "wait"]
    assert states.state is State.MEASURING


def test_a_relay_that_fails_leaves_nothing_proven(
    bench: RecordingBench, states: BoardStates, monkeypatch: pytest.MonkeyPatch
) -> None:
    states.to(State.MEASURING, A)

    def gone(_line: str, _level: bool) -> None:
        raise ConnectError("gone", where="daq")

    monkeypatch.setattr(bench.instruments, "write_line", gone)
    with pytest.raises(ConnectError), states.console_lines():
        pytest.fail("the lines are not connected")
    assert states.state is None
    monkeypatch.undo()
    states.to(State.OFF)


def test_a_relay_whose_line_does_not_follow_leaves_nothing_proven(
    bench: RecordingBench, states: BoardStates, monkeypatch: pytest.MonkeyPatch
) -> None:
    states.to(State.RUNNING, A)
    monkeypatch.setattr(bench.instruments, "read_line", lambda _line: True)
    with pytest.raises(InstrumentError, match="Dev1/port0/line0 is high after it was driven low"):
        states.to(State.MEASURING, A)
    assert states.state is None
    monkeypatch.undo()
    states.to(State.OFF)


def test_an_exchange_elsewhere_moves_no_relay(bench: RecordingBench, states: BoardStates) -> None:
    for state in (State.RUNNING, State.POWERED):
        states.to(state, A)
        bench.taken()
        with states.console_lines():
            assert states.state is state
        assert bench.taken() == []


@pytest.mark.parametrize("state", [None, State.OFF, State.PROGRAMMED])
def test_nothing_is_said_to_a_part_that_does_not_run(states: BoardStates, state: State | None) -> None:
    if state is not None:
        states.to(state, A)
    with pytest.raises(StateError, match="expected powered, running or measuring"), states.console_lines():
        pytest.fail("there is nobody to speak to")


@pytest.mark.parametrize(("rise_s", "fall_s"), [(0.06, 0.025), (1.5, 4.0)])
def test_a_supply_that_takes_its_time_is_waited_for(
    bench: RecordingBench, states: BoardStates, rise_s: float, fall_s: float
) -> None:
    bench.instruments.rise_s, bench.instruments.fall_s = rise_s, fall_s
    states.to(State.RUNNING, A)
    states.to(State.RUNNING, A, restart=True)
    states.to(State.POWERED, restart=True)
    assert states.supplied
    states.to(State.OFF)
    assert bench.instruments.vdd_v == 0.0


def test_a_supply_that_does_not_rise_in_time_is_switched_off(
    bench: RecordingBench, states: BoardStates
) -> None:
    bench.instruments.rise_s = 30.0
    with pytest.raises(RigError, match=r"VDD is 0\.000 V; expected 3 V within 2 s"):
        states.to(State.POWERED)
    assert bench.log[-1] == "supply off"
    assert "lines closed" not in bench.log


def test_capacitors_that_hold_their_charge_are_named(bench: RecordingBench, states: BoardStates) -> None:
    states.to(State.POWERED)
    bench.instruments.fall_s = 30.0
    with pytest.raises(RigError, match=r"VDD is still 3\.00 V .* within 10 s"):
        states.to(State.OFF)


def test_vdd_is_read_by_the_analyzer_only_where_nothing_else_is_wired() -> None:
    wiring = CONFIG.wiring.model_copy(update={"supply_readback": None})
    bench = RecordingBench(CONFIG.model_copy(update={"wiring": wiring}))
    BoardStates(bench).to(State.POWERED)
    assert bench.instruments.readings == 0
    assert bench.log.count("analyzer's voltmeter") == 3  # off, on, and before the lines close


def test_lines_stay_open_where_vdd_has_gone_meanwhile(bench: RecordingBench, states: BoardStates) -> None:
    states.to(State.MEASURING, A)
    bench.taken()
    bench.instruments.supply_off()  # a protection
    with pytest.raises(RigError, match=r"VDD is 0\.000 V, and was right before"), states.console_lines():
        pytest.fail("the lines are not connected")
    assert "lines closed" not in bench.taken()
    states.to(State.MEASURING, A)
    assert states.supplied
