# SPDX-License-Identifier: Apache-2.0
"""PyVISA on a power analyzer: what the characterisation asks of one."""

from __future__ import annotations

import contextlib

import numpy as np
import pyvisa
from numpy.typing import NDArray

from hil.twin.analyzer import PowerAnalyzer
from hil.twin.errors import TwinError

SAMPLE_S = 5.12e-6
"""The power analyzer's shortest sample (N6700C Operating and Service Guide, SENSe:SWEep:TINTerval)."""
RANGES_A = (10e-6, 1e-3, 100e-3)
"""The analyzer's current ranges that a part of a few mA needs."""
LONG_POINTS = 4096
"""21 ms: noise is then below the last digit of the smallest figures of the supply."""
_HEADROOM = 0.9
"""How much of a range an expected current may fill, so that a part that draws more is still measured."""
_OVERLOAD_A = 1e30
"""The analyzer answers 9.9E37 for a range that is too small."""


class AnalyzerClient:
    """A session with an analyzer, its output off; ``cleanup`` ends it. Readings are less the zero's."""

    def __init__(
        self, analyzer: PowerAnalyzer, cleanup: contextlib.ExitStack, null_points: int = LONG_POINTS
    ) -> None:
        server = analyzer.serve("127.0.0.1", 0)
        cleanup.callback(server.close)
        host, port = server.address.split(":")
        # The manager stays open: it is one for the whole process, and closing it closes others' sessions.
        visa = pyvisa.ResourceManager("@py").open_resource(
            f"TCPIP::{host}::{port}::SOCKET",
            read_termination="\n",
            write_termination="\n",
            timeout=30_000,
        )
        assert isinstance(visa, pyvisa.resources.MessageBasedResource)
        self._visa = visa
        cleanup.callback(visa.close)
        self.command("*RST", "EMUL PS2Q,(@1)", "CURR:LIM 0.1,(@1)", "SENS:CURR:RANG:AUTO OFF,(@1)")
        self._nulls_a = {range_a: self._read_a(range_a, null_points) for range_a in RANGES_A}

    def command(self, *commands: str) -> None:
        """Send commands; the answer proves that all of them have been done."""
        self._visa.query(";:".join((*commands, "*OPC?")).replace(";:*", ";*"))

    def set_voltage(self, voltage_v: float) -> None:
        """Change the output's voltage."""
        self.command(f"VOLT {voltage_v:.6g},(@1)")

    def switch(self, on: bool) -> None:
        """Output on or off."""
        self.command(f"OUTP {'ON' if on else 'OFF'},(@1)")

    def current_a(self, expected_a: float, points: int = 1024) -> float:
        """Mean current over ``points`` samples on the range that suits."""
        fitting = (range_a for range_a in RANGES_A if expected_a < _HEADROOM * range_a)
        range_a = next(fitting, RANGES_A[-1])
        return self._read_a(range_a, points) - self._nulls_a[range_a]

    def finest_current_a(self) -> float:
        """Mean current over many samples on the finest range that holds it."""
        for range_a in RANGES_A[:-1]:
            reading_a = self._read_a(range_a, LONG_POINTS)
            if reading_a < _OVERLOAD_A:
                return reading_a - self._nulls_a[range_a]
        return self._read_a(RANGES_A[-1], LONG_POINTS) - self._nulls_a[RANGES_A[-1]]

    def begin_waveform(self, points: int) -> None:
        """Sample from now on, on the largest range, while bench time passes."""
        self._range(RANGES_A[-1], points)
        # Not *OPC?, whose answer waits for the acquisition.
        self._visa.write("TRIG:ACQ:SOUR BUS,(@1);:INIT:ACQ (@1);*TRG")
        self._check_errors()

    def waveform_a(self) -> NDArray[np.float64]:
        """Its samples; waits for the last."""
        text = self._visa.query("FETC:ARR:CURR? (@1)")
        return np.array([float(item) for item in text.split(",")]) - self._nulls_a[RANGES_A[-1]]

    def _range(self, range_a: float, points: int) -> None:
        self.command(
            f"SENS:CURR:RANG {range_a:.6g},(@1)",
            f"SENS:SWE:TINT {SAMPLE_S:.6g},(@1)",
            f"SENS:SWE:POIN {points},(@1)",
        )

    def _read_a(self, range_a: float, points: int) -> float:
        self._range(range_a, points)
        reading_a = float(self._visa.query("MEAS:CURR? (@1)"))
        self._check_errors()
        return reading_a

    def _check_errors(self) -> None:
        error = self._visa.query("SYST:ERR?")
        if not error.startswith("+0"):
            raise TwinError(f"the power analyzer reports {error}")
