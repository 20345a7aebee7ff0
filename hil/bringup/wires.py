# SPDX-License-Identifier: Apache-2.0
"""Steps 9 and 10: which pin every wire ends at, what the markers' inputs draw, and pulses of known length.

The core is halted after a reset and the probe works the pins, so that no firmware is in doubt.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

from hil.bringup.gpio import Pins
from hil.bringup.session import Session
from hil.config import CounterWire
from hil.config.bring_up import MarkerLoad
from hil.errors import DeviceTimeoutError
from hil.measurement.text import uncertain, with_unit
from hil.rig import State
from hil.rig.marker_loads import PinLoad
from hil.rig.sensor_wire import READBACK_V

_HIGH = 0.9
"""Of the wire's highest voltage: above an input's threshold of 0.7 VDD (DS10198 Rev 8, table 70)."""
_PULSE_S = 0.02
_PULSE_SLACK_S = 1e-3
"""How far a pulse may be outside of what the clock saw of it (assumption)."""
_MARKERS = ("marker_inference", "marker_active")


@contextmanager
def _halted(session: Session) -> Iterator[Pins]:
    rig = session.rig
    rig.to(State.PROGRAMMED, session.image, restart=True)
    pins = Pins(rig.board, rig.config.board.definition)
    try:
        yield pins
    finally:
        pins.release()


@contextmanager
def _halted_as_it_is(session: Session) -> Iterator[Pins]:
    """The core halted in its reset, whatever the flash holds."""
    rig = session.rig
    rig.to(State.POWERED)
    rig.board.connect(under_reset=True)
    try:
        pins = Pins(rig.board, rig.config.board.definition)
        try:
            yield pins
        finally:
            pins.release()
    finally:
        rig.board.detach()


def check_wires_as_it_is(session: Session) -> str:
    """Sensor, readback and markers each end where the rig file says; no load is measured, nothing written."""
    markers = _markers(session)
    with _halted_as_it_is(session) as pins:
        told = [] if session.rig.config.wiring.sensor is None else [_check_sensor(session, pins)]
        _check_gates(session, pins, markers)
    return ", ".join([*told, *markers]) or "no wires"


def _markers(session: Session) -> dict[str, CounterWire]:
    wiring = session.rig.config.wiring
    return {role: wire for role in _MARKERS if (wire := getattr(wiring, role)) is not None}


def measure_wires(session: Session) -> str:
    """Sensor, readback and markers each end where the rig file says; the markers' loads are measured."""
    told = []
    with _halted(session) as pins:
        if session.rig.config.wiring.sensor is not None:
            told.append(_check_sensor(session, pins))
        markers = _markers(session)
        _check_gates(session, pins, markers)
    if markers:
        told += [_measure_load(session, load) for load in session.rig.marker_loads(session.image)]
    return ", ".join(told) or "no wires"


def _check_sensor(session: Session, pins: Pins) -> str:
    daq, wiring = session.rig.daq, session.rig.config.wiring
    sensor, readback = wiring.sensor, wiring.sensor_readback
    assert sensor is not None  # the caller looked
    high_v = _HIGH * sensor.maximum_v
    pins.listen()
    daq.set_voltage(sensor.terminal, sensor.minimum_v)
    before = pins.high()
    daq.set_voltage(sensor.terminal, high_v)
    moved = pins.high() - before
    read_v = None if readback is None else session.analog_v(readback.terminal)
    daq.set_voltage(sensor.terminal, sensor.minimum_v)
    pins.release()
    driven = f"with {sensor.terminal} at {with_unit(high_v, 'V')}"
    if not moved:
        raise session.wrong(
            f"no pin goes high {driven}",
            expected=f"{sensor.pin} alone",
            hint=f"the sensor's wire is open: {sensor.terminal} to {sensor.pin}",
        )
    if moved != {sensor.pin}:
        raise session.wrong(
            f"{', '.join(sorted(moved))} goes high {driven}",
            expected=f"{sensor.pin} alone",
            hint=f"the sensor's wire is on the wrong pin: move it to {sensor.pin}",
        )
    if readback is None or read_v is None:
        return f"sensor at {sensor.pin}"
    if abs(read_v - high_v) > READBACK_V:
        raise session.wrong(
            f"{readback.terminal} reads {with_unit(read_v, 'V')} {driven}, and {sensor.pin} is high",
            expected=f"{with_unit(high_v, 'V')} ± {with_unit(READBACK_V, 'V')}",
            hint=f"the wire of sensor_readback is open or elsewhere: {sensor.pin} to {readback.terminal}",
        )
    return f"sensor at {sensor.pin}, {with_unit(read_v, 'V')} read back"


def _check_gates(session: Session, pins: Pins, markers: dict[str, CounterWire]) -> None:
    daq = session.rig.daq
    gates = {role: daq.gate_of(wire.terminal) for role, wire in markers.items()}
    seen: dict[str, set[str]] = {}
    for role, wire in markers.items():
        pins.drive(wire.pin, False)
        low = daq.read_gates(wire.terminal)
        pins.drive(wire.pin, True)
        high = daq.read_gates(wire.terminal)
        pins.drive(wire.pin, False)
        seen[role] = {name for name, level in high.items() if level and not low[name]}
    # A second terminal may hang on the same wire (the counter's source), but not the other marker's gate.
    wrong = [role for role in markers if seen[role] & set(gates.values()) != {gates[role]}]
    if not wrong:
        return
    role = wrong[0]
    pin, found = markers[role].pin, ", ".join(sorted(seen[role])) or "no input"
    other = next((name for name in wrong if name != role and gates[name] in seen[role]), None)
    if other is not None and gates[role] in seen[other]:
        hint = f"the wires of {role} and {other} are swapped"
    elif not seen[role]:
        hint = f"the wire of {role} is open: {pin} to {gates[role]}"
    else:
        hint = f"the wire of {role} is on the wrong terminal: move it from {found} to {gates[role]}"
    raise session.wrong(
        f"{found} follows {pin}", expected=f"{gates[role]}, the gate of {markers[role].terminal}", hint=hint
    )


def _measure_load(session: Session, load: PinLoad) -> str:
    """What a marker's wire takes while its pin is high, for the record; every run measures it again."""
    current_a, uncertainty_a = load.current_a.value, load.current_a.expanded_uncertainty
    shown = uncertain(current_a, uncertainty_a, "A")
    if current_a < -uncertainty_a:
        raise session.wrong(
            f"the part draws {shown} with {load.pin} high instead of low",
            expected="a current of 0 or more",
            hint=f"something pulls {load.pin} up: a pull-up at the DAQ, or a buffer with its own supply",
        )
    session.found.marker_loads[load.role] = MarkerLoad.model_construct(
        current_a=max(current_a, 0.0), uncertainty_a=uncertainty_a, at_v=load.supply_voltage_v
    )
    if current_a <= uncertainty_a:
        return f"{load.role} takes nothing ({shown})"
    return f"{load.role} takes {shown} ({load.supply_voltage_v / current_a / 1e3:.0f} kΩ)"


def time_pulses(session: Session) -> str:
    """A pulse of known length into each counter; how long arming takes."""
    clock, daq = session.rig.clock, session.rig.daq
    arming_s = 0.0
    told = []
    with _halted(session) as pins:
        for role, wire in _markers(session).items():
            pins.drive(wire.pin, False)
            start_s = clock.now_s()
            with daq.pulse_widths(wire.terminal, 1) as counter:
                arming_s = max(arming_s, clock.now_s() - start_s)
                times_s = [clock.now_s()]
                pins.drive(wire.pin, True)
                times_s.append(clock.now_s())
                clock.sleep(_PULSE_S)
                times_s.append(clock.now_s())
                pins.drive(wire.pin, False)
                times_s.append(clock.now_s())
                try:
                    width_s = float(counter.wait(1.0)[0])
                except DeviceTimeoutError:
                    width_s = math.nan
            shortest_s, longest_s = times_s[2] - times_s[1], times_s[3] - times_s[0]
            if not shortest_s - _PULSE_SLACK_S <= width_s <= longest_s + _PULSE_SLACK_S:
                found = "no pulse" if np.isnan(width_s) else f"a pulse of {with_unit(width_s, 's')}"
                raise session.wrong(
                    f"{wire.terminal} saw {found} from {wire.pin}",
                    expected=f"{with_unit(shortest_s, 's')} to {with_unit(longest_s, 's')}",
                    hint="an unsteady contact, or a buffer that does not get its supply",
                )
            told.append(f"{role} {with_unit(width_s, 's')}")
    session.found.arming_s = arming_s
    return ", ".join([*told, f"armed in {with_unit(arming_s, 's')}"])
