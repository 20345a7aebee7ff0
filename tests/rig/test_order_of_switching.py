# SPDX-License-Identifier: Apache-2.0
"""No pin is driven and no line closed while VDD is below its minimum, whatever is done and interrupted.

The bench here is a physical one: its relay needs time to move, its supply to rise and fall, and it judges by
what is, not by what it was told. Every call to an instrument may be interrupted, or fail, or be the last one
of a process that is killed; the next process then finds the bench as it is.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from hil.config import load_rig
from hil.errors import ConnectError, HilError, SafetyError
from hil.firmware.image import Image, Segment
from hil.instruments.protocols import Board, Clock, Console, PowerAnalyzer
from hil.rig.bench import Bench
from hil.rig.daqs import RigDaq
from hil.rig.guarded import GuardedAnalyzer, GuardedDaq
from hil.rig.safe_state import safe_state_steps
from hil.rig.states import BoardStates, State
from hil.rig.switching import Act, Switching, SwitchingRecord, find_violations
from hil.rig.teardown import run_steps

CONFIG = load_rig(Path(__file__).resolve().parents[2] / "rig_configs" / "sim.toml")
MINIMUM_V = CONFIG.board.definition.supply_minimum_v
OFF_BELOW_V = 0.3
"""VDD that a part may have left when nothing supplies it."""


def image(name: str) -> Image:
    return Image(Path(f"{name}.elf"), name, 0x0800_0000, (Segment(0x0800_0000, name.encode()),), {})


IMAGES = {"a": image("a"), "b": image("b")}


class Killed(BaseException):
    """The process is gone: nothing of it runs any more."""


class PhysicalBench:
    """The bench itself, which outlives the processes that use it."""

    RELAY_S, RISE_S, FALL_S = 0.005, 0.05, 0.025

    def __init__(self) -> None:
        self.time_s = 0.0
        self.calls = 0
        self.violations: list[str] = []
        self.fault_at: int | None = None
        self.fault: type[BaseException] = KeyboardInterrupt
        self.fault_before = False
        self._driven = False
        self._supply = _Delayed(0.0)
        self._closed = _Delayed(0.0)

    @property
    def vdd_v(self) -> float:
        return self._supply.at(self.time_s)

    def pass_time(self, duration_s: float) -> None:
        """Time passes in the steps in which something happens."""
        end_s = self.time_s + duration_s
        for moment_s in sorted((self._supply.change_s, self._closed.change_s)):
            if self.time_s < moment_s <= end_s:
                self.time_s = moment_s
                self._judge("time passes")
        self.time_s = end_s

    def act(self, name: str, effect: Callable[[], None] = lambda: None) -> None:
        """One call to an instrument, which may be the one that is interrupted, before or after its effect."""
        self.calls += 1
        strikes = self.calls == self.fault_at
        if strikes and self.fault_before:
            raise self.fault("interrupted")
        effect()
        self._judge(name)
        self.pass_time(0.001)
        if strikes:
            raise self.fault("interrupted")

    def supply(self, voltage_v: float, delay_s: float) -> None:
        self._supply.to(voltage_v, self.time_s, delay_s)

    def relay(self, closed: bool) -> None:
        self._closed.to(float(closed), self.time_s, self.RELAY_S)

    def drive(self, driven: bool) -> None:
        self._driven = driven

    def _judge(self, name: str) -> None:
        closed = self._closed.at(self.time_s) > 0
        if (closed or self._driven) and self.vdd_v < MINIMUM_V:
            what = "lines closed" if closed else "an output driven"
            self.violations.append(f"{name} at {self.time_s:.3f} s: {what} at {self.vdd_v:.2f} V")


class _Delayed:
    """A quantity that follows what it is told after a delay."""

    def __init__(self, value: float) -> None:
        self._before = self._after = value
        self.change_s = 0.0

    def at(self, time_s: float) -> float:
        return self._after if time_s >= self.change_s else self._before

    def to(self, value: float, now_s: float, delay_s: float) -> None:
        self._before, self._after, self.change_s = self.at(now_s), value, now_s + delay_s


class Instruments:
    """The instruments of a process, all in one."""

    def __init__(self, bench: PhysicalBench) -> None:
        self._bench = bench

    def supply_on(self, voltage_v: float, _limit_a: float) -> None:
        self._bench.act("supply on", lambda: self._bench.supply(voltage_v, self._bench.RISE_S))

    def supply_off(self) -> None:
        self._bench.act("supply off", lambda: self._bench.supply(0.0, self._bench.FALL_S))

    def acquire(self, _terminals: list[str], rate_hz: float, count: int) -> NDArray[np.float64]:
        self._bench.act("read VDD")
        value_v = self._bench.vdd_v
        self._bench.pass_time(count / rate_hz)
        return np.full((1, count), value_v)

    def write_line(self, _line: str, level: bool) -> None:
        self._bench.act(f"line {level}", lambda: self._bench.relay(level))
        self._line = level

    def read_line(self, _line: str) -> bool:
        return self._line

    def play(self, _terminal: str, _samples_v: object, _rate_hz: float, *, repeat: bool) -> None:
        self._bench.act("play", lambda: self._bench.drive(repeat))

    def stop(self) -> None:
        self._bench.act("outputs 0 V", lambda: self._bench.drive(False))

    def now_s(self) -> float:
        return self._bench.time_s

    def sleep(self, duration_s: float) -> None:
        self._bench.act("sleep")
        self._bench.pass_time(duration_s)

    def connect(self, *, under_reset: bool) -> None:
        self._bench.act("connect")

    def detach(self) -> None:
        self._bench.act("detach")

    def abandon(self) -> None:
        self._bench.act("abandon")

    def program(self, _segments: object, _progress: object) -> bool:
        self._bench.act("program")
        return True

    def reset(self, *, halt: bool) -> None:
        self._bench.act("reset")

    def resume(self) -> None:
        self._bench.act("resume")

    def clear(self) -> None:
        self._bench.act("clear")

    def close(self) -> None:
        """A driver's way out, after the safe state has been reached."""


class ProcessBench(Bench):
    """What one process has opened of the bench."""

    def __init__(self, physical: PhysicalBench) -> None:
        super().__init__(CONFIG)
        self._instruments: Any = Instruments(physical)
        daq = GuardedDaq(self._instruments, self.switching, "Dev1", CONFIG.wiring.debug_connection)
        self.__dict__["daqs"] = {"daq": RigDaq("daq", "Dev1", lambda: daq)}
        _ = self.daqs["daq"].daq  # opened
        self._guarded_analyzer = GuardedAnalyzer(self._instruments, self._instruments, self.switching, [])

    @property
    def board(self) -> Board:  # type: ignore[override]
        return self._instruments  # type: ignore[no-any-return]

    @property
    def console(self) -> Console:  # type: ignore[override]
        return self._instruments  # type: ignore[no-any-return]

    @property
    def clock(self) -> Clock:  # type: ignore[override]
        return self._instruments  # type: ignore[no-any-return]

    @property
    def power_analyzer(self) -> PowerAnalyzer:  # type: ignore[override]
        return self._guarded_analyzer

    def opened(self, name: str) -> bool:
        return name != "thermometer"  # the rig has none


Order = Callable[[ProcessBench, BoardStates], None]


def go(state: State, name: str, restart: bool) -> Order:
    return lambda _bench, states: states.to(state, IMAGES[name], restart=restart) and None


def play(bench: ProcessBench, states: BoardStates) -> None:
    if states.supplied:
        bench.daq.play("Dev1/ao0", np.ones(4), 1000.0, repeat=True)


def pause(bench: ProcessBench, _states: BoardStates) -> None:
    bench.clock.sleep(1.0)


def exchange(bench: ProcessBench, states: BoardStates) -> None:
    if states.state is State.MEASURING:
        with states.console_lines():
            bench.clock.sleep(0.1)


ORDERS = st.one_of(
    st.builds(go, st.sampled_from(State), st.sampled_from(sorted(IMAGES)), st.booleans()),
    st.just(play),
    st.just(exchange),
    st.just(pause),
)
FAULTS = st.sampled_from([KeyboardInterrupt, ConnectError, Killed])
PROCESSES = st.lists(
    st.tuples(
        st.lists(ORDERS, min_size=1, max_size=6), st.integers(1, 60), FAULTS, st.booleans(), st.booleans()
    ),
    min_size=1,
    max_size=3,
)
Process = tuple[list[Order], int, type[BaseException], bool, bool]


def use(physical: PhysicalBench, process: Process, make_states: Callable[[Bench], BoardStates]) -> None:
    """One process uses the bench, meets its fault, and takes its way out unless it was killed."""
    orders, fault_after, fault, before, goes_on = process
    physical.fault_at, physical.fault, physical.fault_before = physical.calls + fault_after, fault, before
    try:
        bench = ProcessBench(physical)
    except (HilError, KeyboardInterrupt, Killed):
        return  # before there was anything to leave
    try:
        states = make_states(bench)
        for order in orders:
            try:
                order(bench, states)
            except HilError as error:
                if isinstance(error, SafetyError):
                    physical.violations.append(str(error))
                if not goes_on:  # the next test of the run
                    break
    except Killed:
        return
    except KeyboardInterrupt:
        pass
    physical.fault_at = None
    assert not run_steps(safe_state_steps(bench))
    physical.violations.extend(
        find_violations(bench.switching.entries, MINIMUM_V, has_lines=True, outputs=["Dev1"])
    )
    physical.pass_time(1.0)
    assert physical.vdd_v < OFF_BELOW_V, "left supplied"


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(PROCESSES)
def test_nothing_feeds_an_unpowered_part(processes: list[Process]) -> None:
    physical = PhysicalBench()
    for process in processes:
        use(physical, process, BoardStates)
    assert physical.violations == []


class CutsTheSupplyFirst(BoardStates):
    """As before: the supply goes off with its lines as they are."""

    def _switch_off(self) -> None:
        self._bench.power_analyzer.supply_off()
        self._bench.read_vdd_v()
        super()._switch_off()


class LeavesOutputsDriven(BoardStates):
    """Nothing takes the outputs to 0 V before the supply goes off."""

    def _stop_driving(self) -> None:
        pass


class ClosesTheLinesFirst(BoardStates):
    """The lines close before the supply has risen."""

    def _switch_on(self) -> None:
        self._bench.close_lines()
        super()._switch_on()


WRONG: dict[type[BoardStates], list[Order]] = {
    CutsTheSupplyFirst: [go(State.RUNNING, "a", False), go(State.OFF, "a", False)],
    LeavesOutputsDriven: [go(State.RUNNING, "a", False), play, go(State.OFF, "a", False)],
    ClosesTheLinesFirst: [go(State.POWERED, "a", False)],
}


@pytest.mark.parametrize("wrong", WRONG, ids=lambda wrong: wrong.__name__)
def test_a_wrong_order_is_found(wrong: type[BoardStates]) -> None:
    physical = PhysicalBench()
    use(physical, (WRONG[wrong], 10_000, Killed, False, False), wrong)
    assert physical.violations


def test_a_relay_that_is_not_waited_for_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hil.rig.bench._RELAY_SETTLING_S", 0.0)
    monkeypatch.setattr(PhysicalBench, "RELAY_S", 0.2)
    physical = PhysicalBench()
    orders = [go(State.RUNNING, "a", False), pause, go(State.OFF, "a", False)]
    use(physical, (orders, 10_000, Killed, False, False), BoardStates)
    assert any("supply off" in text or "time passes" in text for text in physical.violations)


def record(*entries: tuple[Act, float | None]) -> list[Switching]:
    details = {Act.OUTPUT_DRIVEN: "Dev1/ao0", Act.OUTPUTS_AT_REST: "Dev1"}
    return [Switching(0.0, act, details.get(act, ""), vdd_v) for act, vdd_v in entries]


def test_each_devices_outputs_are_told_apart() -> None:
    driven = Switching(0.0, Act.OUTPUT_DRIVEN, "Dev2/ao0 1.5 V", 3.0)
    rest = [Switching(0.0, Act.OUTPUTS_AT_REST, device, 3.0) for device in ("Dev1", "Dev2")]
    off = Switching(0.0, Act.SUPPLY_OFF, "", None)

    def found(*entries: Switching) -> list[str]:
        return find_violations([*rest, *entries], 1.71, has_lines=False, outputs=["Dev1", "Dev2"])

    assert found(driven, rest[0], off) == ["entry 5, supply off : an output driven with VDD unknown"]
    assert found(driven, rest[1], off) == []
    assert find_violations([rest[0], off], 1.71, has_lines=False, outputs=["Dev1", "Dev2"]) != []


AT_REST = ((Act.OUTPUTS_AT_REST, None), (Act.LINES_OPEN, None))


@pytest.mark.parametrize(
    ("entries", "found"),
    [
        ((*AT_REST, (Act.SUPPLY_ON, None), (Act.VDD_READ, 3.0), (Act.LINES_CLOSED, 3.0)), ""),
        (((Act.SUPPLY_ON, None),), "lines closed and an output driven with VDD unknown"),
        ((*AT_REST, (Act.LINES_CLOSED, 1.0)), "lines closed with VDD 1.000 V"),
        ((*AT_REST, (Act.OUTPUT_DRIVEN, 3.0), (Act.SUPPLY_OFF, None)), "an output driven with VDD unknown"),
        ((*AT_REST, (Act.LINES_CLOSED, 3.0), (Act.VDD_LOST, None), (Act.LINES_OPEN, None)), ""),
    ],
)
def test_the_record_tells_a_wrong_order(entries: tuple[tuple[Act, float | None], ...], found: str) -> None:
    violations = find_violations(record(*entries), 1.71, has_lines=True, outputs=["Dev1"])
    assert len(violations) == bool(found)
    assert all(text.endswith(found) for text in violations)
    assert find_violations(record(*entries), None, has_lines=True, outputs=["Dev1"]) == []


def test_vdd_that_comes_in_through_the_pins_is_no_supply() -> None:
    """1.9 V stand at a part whose supply is off, or limits its current, and are above the part's minimum."""
    switching = SwitchingRecord(1.71, lambda: 0.0)
    switching.note(Act.SUPPLY_OFF)
    switching.note_vdd(1.9)
    assert not switching.supplied
    switching.note_supply_on(3.0)
    switching.note_vdd(1.9)
    with pytest.raises(SafetyError, match=r"VDD is 1\.900 V; expected at least 2\.94 V"):
        switching.note(Act.LINES_CLOSED, "Dev1")
    switching.note_vdd(2.95)
    assert switching.supplied
    switching.note_supply_on(1.71)
    switching.note_vdd(1.71)
    assert switching.supplied


@pytest.mark.parametrize("act", [Act.LINES_CLOSED, Act.OUTPUT_DRIVEN])
def test_the_record_refuses_what_feeds_an_unpowered_part(act: Act) -> None:
    switching = SwitchingRecord(1.71, lambda: 0.0)
    with pytest.raises(SafetyError, match="VDD is unknown"):
        switching.note(act, "Dev1")
    switching.note_vdd(1.5)
    with pytest.raises(SafetyError, match=r"VDD is 1\.500 V"):
        switching.note(act, "Dev1")
    switching.note_supply_on(3.0)
    switching.note_vdd(3.0)
    switching.note(act, "Dev1")
    switching.note(Act.SUPPLY_OFF)
    with pytest.raises(SafetyError, match="VDD is unknown"):
        switching.note(act, "Dev1")
    assert [entry.act for entry in switching.entries] == [
        Act.VDD_READ, Act.SUPPLY_ON, Act.VDD_READ, act, Act.SUPPLY_OFF
    ]  # fmt: skip
    SwitchingRecord(None, lambda: 0.0).note(act)  # a board with a supply of its own
