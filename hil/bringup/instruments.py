# SPDX-License-Identifier: Apache-2.0
"""Steps 2 to 4: each instrument answers, is the right one, and stands as it should. Nothing is supplied."""

from __future__ import annotations

from collections.abc import Callable

from hil.bringup.session import Session
from hil.config.bring_up import Latency
from hil.measurement.text import with_unit

ROUND_TRIPS = 100
"""Calls that a latency is the mean of."""

ZERO_V = 0.02
"""Largest reading of an output at 0 V (assumption: ten times an X Series device's errors of output and input
together)."""

HUM_V = 0.1
"""From peak to peak; the largest that an input at rest reads (assumption: a tidy cable has millivolts)."""

OFF_V = 0.3
"""VDD that counts as off, as in :mod:`hil.rig.states`."""

OWN_REGULATOR_V = 2.7
"""VDD from which on the board's own 3.3 V must be connected: protection diodes of the pins would drop more
(assumption)."""

_REMOTE = "remote:"
"""pyOCD knows a probe behind a network by its address, which says nothing about the probe."""

_DISCHARGE_S = 1.0
"""Time that the board's capacitors get once the analyzer's output is off (assumption)."""


def time_calls(session: Session, name: str, call: Callable[[], None], count: int = ROUND_TRIPS) -> Latency:
    """Time a call that changes nothing, on the bench's clock, and remember it under the instrument's name."""
    clock = session.rig.clock
    times_s = []
    for _ in range(count):
        start_s = clock.now_s()
        call()
        times_s.append(clock.now_s() - start_s)
    latency = Latency.model_construct(mean_s=sum(times_s) / count, longest_s=max(times_s), count=count)
    session.found.round_trips[name] = latency
    return latency


def in_words(latency: Latency) -> str:
    """For a step's line."""
    return f"{with_unit(latency.mean_s, 's')} a call, at most {with_unit(latency.longest_s, 's')}"


def check_ports(session: Session) -> str:
    """The probe is the configured one, and the console's port can be had for ourselves alone."""
    rig = session.rig
    told = []
    if rig.has("board"):
        identity = rig.board.identity()
        if not identity.serial.startswith(_REMOTE):
            session.found.serials["board"] = identity.serial
        told.append(f"{identity.model} {identity.serial}")
    if rig.has("console"):
        rig.console.clear()
        told.append(f"console {rig.config.console.port} open" if rig.config.console else "")
    return ", ".join(told) or "neither probe nor console"


def check_daq(session: Session) -> str:
    """Each device is the configured one, its outputs are at 0 V, and nothing feeds the board yet."""
    rig, wiring = session.rig, session.rig.config.wiring
    told = []
    for role, daq in rig.daqs.items():
        identity = daq.identity()
        session.found.serials[role] = identity.serial
        told.append(f"{identity.model} {identity.serial}")
    rig.daq.stop()
    if wiring.debug_connection is not None:
        rig.daq.write_line(wiring.debug_connection.terminal, wiring.debug_connection.active != "high")
    _check_ground(session)
    vdd_v = _unsupplied_v(session)
    if vdd_v is not None:
        session.found.back_feed_v = vdd_v
        told.append(f"VDD {with_unit(vdd_v, 'V')}")
    if wiring.sensor is not None and wiring.sensor_readback is not None:
        pin_v = session.analog_v(wiring.sensor_readback.terminal)
        if abs(pin_v) > ZERO_V:
            raise session.wrong(
                f"{wiring.sensor.pin} reads {with_unit(pin_v, 'V')} at {wiring.sensor_readback.terminal} "
                f"with {wiring.sensor.terminal} at 0 V",
                expected=f"within {with_unit(ZERO_V, 'V')} of 0 V",
                hint="connect the DAQ's AI GND and D GND to the board's GND; check the readback's wire",
            )
        told.append(f"{wiring.sensor.pin} {with_unit(pin_v, 'V')}")
    told += [in_words(time_calls(session, role, daq.round_trip)) for role, daq in rig.daqs.items()]
    return ", ".join(told)


def _check_ground(session: Session) -> None:
    """An input whose ground floats against the board's reads the mains between the two."""
    wiring = session.rig.config.wiring
    for wire in (wiring.supply_readback, wiring.sensor_readback):
        if wire is not None and (hum_v := session.hum_v(wire.terminal)) > HUM_V:
            raise session.wrong(
                f"{wire.terminal} reads a hum of {with_unit(hum_v, 'V')} from peak to peak",
                expected=f"below {with_unit(HUM_V, 'V')}",
                hint="the DAQ's ground floats against the board's: connect AI GND and D GND to its GND",
            )


def _unsupplied_v(session: Session) -> float | None:
    """VDD with the analyzer off and the lines open, which must be nothing."""
    vdd_v = session.supply_at_the_board_v()
    if vdd_v is not None and abs(vdd_v) > OFF_V and session.rig.has("supply"):
        session.rig.supply.supply_off()  # a run that was killed leaves it on
        session.rig.clock.sleep(_DISCHARGE_S)
        vdd_v = session.supply_at_the_board_v()
    if vdd_v is None or abs(vdd_v) <= OFF_V:
        return vdd_v
    board = session.rig.config.board.definition
    found = f"VDD is {with_unit(vdd_v, 'V')} at the board with the supply off and the lines open"
    if vdd_v >= OWN_REGULATOR_V:
        raise session.wrong(
            found,
            expected=f"below {OFF_V:g} V",
            hint=f"the jumper {board.supply_jumper} is on, so that the board's own regulator feeds the part: "
            "take it off",
        )
    raise session.wrong(
        found,
        expected=f"below {OFF_V:g} V",
        hint="something feeds the part through its pins: the ST-LINK's TX or debug lines do not go through "
        f"the relay's normally open contacts: {board.isolation_opened_by}",
    )


def check_analyzer(session: Session) -> str:
    """The module is the configured one, nobody else uses the instrument, and nothing is left from before."""
    rig = session.rig
    config = rig.config.supplied_by
    assert config is not None
    analyzer = rig.power_analyzer
    identity = analyzer.identity()
    session.found.serials["power_analyzer"] = identity.serial
    condition = analyzer.condition()
    if condition.output_watchdog_s is not None and condition.output_watchdog_s != config.watchdog_s:
        raise session.wrong(
            f"the output watchdog is on with {condition.output_watchdog_s:g} s",
            expected=f"{config.watchdog_s:g} s" if config.watchdog_s else "off",
            hint="OUTP:PROT:WDOG OFF at the instrument, or [power_analyzer] output_watchdog in the rig file",
        )
    if condition.errors:
        raise session.wrong(
            f"the error queue holds {'; '.join(condition.errors)}",
            expected="an empty queue",
            hint="see what the instrument complains of; start again",
        )
    latency = time_calls(session, "power_analyzer", analyzer.round_trip)
    return ", ".join((f"{identity.model} {identity.serial}", *config.remarks, in_words(latency)))
