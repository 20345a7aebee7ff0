# SPDX-License-Identifier: Apache-2.0
"""Step 7: the board gets its supply for the first time, its lines open; then the relay moves."""

from __future__ import annotations

from hil.bringup.instruments import OFF_V
from hil.bringup.session import Session
from hil.errors import BringUpError, ProtocolError
from hil.measurement.text import with_unit
from hil.rig import State

_TOLERANCE = 0.02
"""Between analyzer and board, as of the supply itself in :mod:`hil.rig.states`."""
_DRAWS_A = 2e-6
"""What a supplied part draws at least: an erased or running one is far above (assumption)."""
_FALL_LIMIT_S = 10.0
"""How long VDD may take to fall; a few microfarads at a high-impedance output take seconds."""
_FALL_BLOCK = 50
_FALL_RATE_HZ = 1000.0


def bring_the_board_up(session: Session) -> str:
    """VDD at the board, its rise and fall, the sign of the current, and the relay's coil."""
    rig = session.rig
    rig.to(State.OFF)
    told = [_first_supply(session)]
    relay = rig.config.wiring.debug_connection
    try:
        rig.to(State.POWERED)
    finally:  # whatever else went wrong: a line that cannot work its relay says why
        if relay is not None and rig.supplied:
            _check_coil(session, relay.terminal, relay.active == "high")
    if relay is not None:
        told.append("relay moves")
    rig.to(State.OFF)
    return ", ".join(told)


def _first_supply(session: Session) -> str:
    rig = session.rig
    board, analyzer, clock = rig.config.board, rig.power_analyzer, rig.clock
    try:
        start_s = clock.now_s()
        analyzer.supply_on(board.supply_voltage_v, board.supply_current_limit_a)
        rise_s = clock.now_s() - start_s
        current_a, uncertainty_a = session.current_a(0.1)
        board_v = session.supply_at_the_board_v()
        terminals_v = analyzer.measure_voltage_v()  # last: a limit takes a moment to cut the output off
        if abs(terminals_v - board.supply_voltage_v) > _TOLERANCE * board.supply_voltage_v:
            raise _limited(session, f"the output is {with_unit(terminals_v, 'V')}")
        _check_current(session, current_a, uncertainty_a)
        if board_v is not None:
            _check_board(session, board_v, terminals_v, current_a)
    except ProtocolError as error:
        raise _limited(session, error.message) from error
    finally:
        start_s = clock.now_s()
        analyzer.supply_off()
    told = f"on in {with_unit(rise_s, 's')}, {with_unit(current_a, 'A')}"
    session.found.rise_s = rise_s
    if board_v is None:
        return f"{told}, VDD at the analyzer {with_unit(terminals_v, 'V')} (no supply_readback)"
    fall_s, left_v = _watch_the_fall(session, start_s)
    session.found.fall_s, session.found.back_feed_v = fall_s, left_v
    return (
        f"{told}, VDD {with_unit(board_v, 'V')} at the board, off in {with_unit(fall_s, 's')} "
        f"with {with_unit(left_v, 'V')} left"
    )


def _limited(session: Session, message: str) -> BringUpError:
    limit = with_unit(session.rig.config.board.supply_current_limit_a, "A")
    return session.wrong(
        f"{message}, with the current limit at {limit}",
        expected=with_unit(session.rig.config.board.supply_voltage_v, "V"),
        hint="a [board] supply_current_limit above what the part draws (20 mA at 80 MHz); "
        "else look for a short circuit",
    )


def _check_current(session: Session, current_a: float, uncertainty_a: float) -> None:
    if current_a < -uncertainty_a:
        raise session.wrong(
            f"the board draws {with_unit(current_a, 'A')}: the ammeter is reversed",
            expected="a current above 0",
            hint="swap the ammeter's leads; or another supply feeds the board: "
            f"take {session.rig.config.board.definition.supply_jumper} off",
        )


def _check_board(session: Session, board_v: float, terminals_v: float, current_a: float) -> None:
    if abs(board_v - terminals_v) <= _TOLERANCE * terminals_v:
        return
    found = f"VDD is {with_unit(board_v, 'V')} at the board and {with_unit(terminals_v, 'V')} at the analyzer"
    expected = f"both within {_TOLERANCE:.0%}"
    if board_v > OFF_V:
        raise session.wrong(
            found,
            expected=expected,
            hint=f"connect the sense leads at {session.rig.config.board.definition.supply_jumper} "
            "and have the analyzer use them, or shorten the leads; "
            "connect the DAQ's ground to the board's",
        )
    if current_a > _DRAWS_A:
        raise session.wrong(
            f"{found}, and the part draws {with_unit(current_a, 'A')}",
            expected=expected,
            hint="the wire of supply_readback is open: from VDD at the board to the DAQ's analog input",
        )
    raise session.wrong(
        f"{found}, and nothing draws a current",
        expected=expected,
        hint="the analyzer's lead is open: "
        f"+ to the MCU side of {session.rig.config.board.definition.supply_jumper}, − to GND",
    )


def _watch_the_fall(session: Session, start_s: float) -> tuple[float, float]:
    """Time from the order to a VDD that counts as off, and what is left of it."""
    wire = session.rig.config.wiring.supply_readback
    assert wire is not None  # the caller has read it
    clock = session.rig.clock
    while clock.now_s() - start_s < _FALL_LIMIT_S:
        begin_s = clock.now_s()
        samples_v = session.rig.daq.acquire([wire.terminal], _FALL_RATE_HZ, _FALL_BLOCK)[0]
        low = abs(samples_v) < OFF_V
        if low.any():
            fall_s = begin_s - start_s + int(low.argmax()) / _FALL_RATE_HZ
            return fall_s, abs(session.analog_v(wire.terminal))
    raise session.wrong(
        f"VDD is still {with_unit(float(samples_v[-1]), 'V')} {_FALL_LIMIT_S:g} s after the supply went off",
        expected=f"below {OFF_V:g} V",
        hint="something feeds the part through its pins, or large capacitors are left at VDD",
    )


def _check_coil(session: Session, line: str, active: bool) -> None:
    if session.rig.daq.read_line(line) is not active:
        raise session.wrong(
            f"{line} reads {'low' if active else 'high'} while it is driven {'high' if active else 'low'}",
            expected="the level that is driven",
            hint="the relay's coil takes more than the 24 mA of a DAQ line: drive it through a transistor or "
            "a ULN2003A, with a diode across the coil",
        )
