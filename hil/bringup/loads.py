# SPDX-License-Identifier: Apache-2.0
"""Steps 5 and 6: the analyzer measures what is known before it feeds what is not."""

from __future__ import annotations

from dataclasses import dataclass

from hil.bringup.session import Session
from hil.errors import ProtocolError
from hil.measurement.accuracy import RangeAccuracy
from hil.measurement.text import with_unit

_TOLERANCE = 0.01
"""Of the resistors (E96), and of a voltage at the analyzer's terminals."""


@dataclass(frozen=True)
class _Load:
    resistance_ohm: float
    name: str


SMALL = _Load(10e6, "10 MΩ")
"""A third of a microampere: inside the smallest range of any analyzer that is fit for sleep currents."""
LARGE = _Load(330e3, "330 kΩ")
"""Some ten microamperes."""

_SENSE_LEADS = 'connect each sense lead where its + or − lead ends, or set [power_analyzer] sense = "local"'

_LOG_S = 30.0
"""Longer than the twenty seconds after which an instrument that was not read overwrites its log (N6700C
Operating and Service Guide, external data logging)."""
_LOG_TOLERANCE = 0.02
"""Of the log's length by its samples against the clock, beside one second for the messages. An assumption: a
log that lost its beginning or end differs by seconds, and two crystals by millionths."""
_LOG_MESSAGES_S = 1.0


def measure_known_loads(session: Session) -> str:
    """Two resistors in the board's place: sign, offset, the smallest range, and the supply's voltage."""
    rig = session.rig
    board = rig.config.board
    analyzer = rig.power_analyzer
    analyzer.supply_off()
    if not session.move(
        f"LOAD {SMALL.resistance_ohm:.0f}",
        f"Take the analyzer's leads (sense leads too) off the board and connect {SMALL.name} ±1 % to them",
    ):
        return "not made: nobody connects a resistor; the smallest current range stays unproven"
    told = []
    try:
        # At the lowest supply first: an analyzer whose sense leads hang in the air puts out more than it was
        # told to (N6705 user's guide, remote sensing), which at this voltage harms nothing.
        for voltage_v in (board.definition.supply_minimum_v, board.supply_voltage_v):
            start_s = rig.clock.now_s()
            _switch_on(session, voltage_v)
            session.found.rise_s = rig.clock.now_s() - start_s
            _check_voltage(session, voltage_v)
        told.append(_check_load(session, SMALL))
        analyzer.supply_off()
        session.move(f"LOAD {LARGE.resistance_ohm:.0f}", f"Connect {LARGE.name} ±1 % in its place")
        analyzer.supply_on(board.supply_voltage_v, board.supply_current_limit_a)
        told.append(_check_load(session, LARGE))
    finally:
        analyzer.supply_off()
        session.move(
            "LOAD BOARD",
            f"Put the analyzer's leads back: + on {board.definition.supply_jumper} (MCU side), − on GND, "
            "sense beside them",
        )
    smallest = with_unit(session.found.smallest_range_a or 0.0, "A")
    return (
        f"{', '.join(told)}, ranges from {smallest} on take part in seamless ranging, "
        f"on in {with_unit(session.found.rise_s or 0.0, 's')}"
    )


def _switch_on(session: Session, voltage_v: float) -> None:
    board = session.rig.config.board
    try:
        session.rig.power_analyzer.supply_on(voltage_v, board.supply_current_limit_a)
    except ProtocolError as error:
        raise session.wrong(
            f"{error.message}, at {with_unit(voltage_v, 'V')} with {SMALL.name} as its load",
            expected="an output that stays on",
            hint=_SENSE_LEADS,
        ) from error


def _check_voltage(session: Session, wanted_v: float) -> None:
    voltage_v = session.rig.power_analyzer.measure_voltage_v()
    if abs(voltage_v - wanted_v) > _TOLERANCE * wanted_v:
        raise session.wrong(
            f"the output is {with_unit(voltage_v, 'V')} with {SMALL.name} as its load",
            expected=with_unit(wanted_v, "V"),
            hint=_SENSE_LEADS,
        )


def _check_load(session: Session, load: _Load) -> str:
    voltage_v = session.rig.power_analyzer.measure_voltage_v()
    wanted_a = voltage_v / load.resistance_ohm
    current_a, _ = session.current_a()
    holding = _ranges_that_hold(session, wanted_a)
    shown = f"{with_unit(current_a, 'A')} through {load.name}"
    expected = f"{with_unit(wanted_a, 'A')} ± {with_unit(_allowed_a(holding[1], wanted_a), 'A')}"
    if abs(current_a - wanted_a) > _allowed_a(holding[1], wanted_a):
        raise session.wrong(
            shown,
            expected=expected,
            hint="more: something else hangs on the leads; less: a lead is open; else calibrate the analyzer",
        )
    if load is SMALL:
        proven = abs(current_a - wanted_a) <= _allowed_a(holding[0], wanted_a)
        session.found.smallest_range_a = holding[0 if proven else 1].full_scale
    return shown


def _ranges_that_hold(session: Session, current_a: float) -> tuple[RangeAccuracy, RangeAccuracy]:
    """The smallest range that holds a current, and the next one, which measures it if the smallest takes no
    part in seamless ranging.
    """
    ranges = session.ranges()
    holding = [row for row in ranges if row.full_scale >= current_a]
    return holding[0], holding[-1] if len(holding) == 1 else holding[1]


def _allowed_a(row: RangeAccuracy, current_a: float) -> float:
    return (row.gain_fraction + _TOLERANCE) * current_a + row.offset


def log_against_the_clock(session: Session) -> str:
    """A log of half a minute is as long by its samples as by the clock: nothing was overwritten."""
    clock = session.rig.clock
    start_s = clock.now_s()
    waveform = session.rig.power_analyzer.log(
        _LOG_S, 1e-3, lambda fraction: session.say(f"logging {fraction:.0%}")
    )
    elapsed_s = clock.now_s() - start_s
    logged_s = waveform.current_a.size * waveform.period_s
    if not logged_s <= elapsed_s + 0.01 or elapsed_s - logged_s > _LOG_TOLERANCE * _LOG_S + _LOG_MESSAGES_S:
        raise session.wrong(
            f"{with_unit(logged_s, 's')} of samples came in {with_unit(elapsed_s, 's')}",
            expected="as many seconds of samples as of time",
            hint="a slow link lets the instrument overwrite its log: a direct cable, or a longer period",
        )
    return f"{waveform.current_a.size} samples, {with_unit(logged_s, 's')} in {with_unit(elapsed_s, 's')}"
