# SPDX-License-Identifier: Apache-2.0
"""Tells a broken wire at the sensor's pin from a firmware that does not listen."""

from __future__ import annotations

from hil.config import RigConfig
from hil.errors import RigError
from hil.instruments.protocols import Daq
from hil.measurement.text import with_unit

READBACK_V = 0.05
"""How far a readback may be from what the analog output was told, beside that output's own accuracy. An
assumption: the error of a 16-bit input at ±10 V is below 5 mV, and the drop in a series resistor is less.
"""

_RATE_HZ, _SAMPLES = 40_000.0, 4000
"""100 ms: whole periods of 50 Hz and of 60 Hz mains."""


def check(daq: Daq, config: RigConfig) -> None:
    """Drive the sensor's pin to two voltages and read each back at the pin; the first is left there.

    A rig without ``[wiring] sensor_readback`` cannot tell, and nothing is done. The board is supplied.

    Raises:
        RigError: the pin does not follow the analog output. The firmware cannot be blamed for that.
        InstrumentError: the DAQ failed.
    """
    sensor, readback = config.wiring.sensor, config.wiring.sensor_readback
    if sensor is None or readback is None:
        return
    table = config.daq_at(sensor.terminal)
    if table is None:
        return
    accuracy = table.analog_output
    for driven_v in (sensor.maximum_v / 2, sensor.minimum_v):
        daq.set_voltage(sensor.terminal, driven_v)
        read_v = float(daq.acquire([readback.terminal], _RATE_HZ, _SAMPLES).mean())
        allowed_v = READBACK_V + accuracy.gain * abs(driven_v) + accuracy.offset_v
        if abs(read_v - driven_v) > allowed_v:
            raise RigError(
                f"{readback.terminal} reads {with_unit(read_v, 'V')} with {sensor.terminal} at "
                f"{with_unit(driven_v, 'V')}",
                where=sensor.pin,
                operation="drive the sensor's pin",
                expected=f"{with_unit(driven_v, 'V')} ± {with_unit(allowed_v, 'V')}",
                hint=f"the wire of sensor or sensor_readback is open: from {sensor.terminal} and from "
                f"{readback.terminal} to {sensor.pin}; hil bringup tells which",
            )
