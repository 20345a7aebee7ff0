# SPDX-License-Identifier: Apache-2.0
"""The virtual thermometer: a SCPI instrument whose sensor sits at the part."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np

from hil.twin.analyzer.server import ScpiServer

_OFFSET_ACCURACY_K = 0.05
"""An ASSUMPTION: a sensor of the TMP117's class, which a lab has compared with a better one."""
_NOISE_RMS_K = 0.01
"""An ASSUMPTION: of one reading."""
_SERIAL = "SIM-THERMOMETER"
_UNDEFINED_HEADER = b'-113,"Undefined header"'
_NO_ERROR = b'+0,"No error"'


class Surroundings(Protocol):
    """What a thermometer can feel."""

    @property
    def lock(self) -> Any:
        """Held while the bench is looked at."""

    @property
    def mcu(self) -> Any:
        """Whose ``temperature_c`` is the ambient's."""

    def rng(self, name: str) -> np.random.Generator:
        """A stream of noise of its own, by the bench's seed."""


class Thermometer:
    """Answers ``*IDN?``, ``MEAS:TEMP?`` and ``SYST:ERR?``; everything else is an undefined header."""

    def __init__(self, bench: Surroundings, settings: Mapping[str, Any]) -> None:
        self._bench = bench
        bound_k = float(settings.get("offset_accuracy_k", _OFFSET_ACCURACY_K))
        self._serial = str(settings.get("serial", _SERIAL))
        self._noise_k = float(settings.get("noise_rms_k", _NOISE_RMS_K))
        rng = bench.rng("thermometer")
        self._offset_k = float(rng.uniform(-bound_k, bound_k))
        self._rng = rng
        self._errors: list[bytes] = []

    def execute(self, message: bytes) -> bytes:
        """Run one line; the response with its terminator, or nothing."""
        answers = [self._answer(part.strip().upper()) for part in message.split(b";") if part.strip()]
        told = [answer for answer in answers if answer is not None]
        return b";".join(told) + b"\n" if told else b""

    def overrun(self) -> None:
        """A line was too long and has been thrown away."""
        self._note(b'-363,"Input buffer overrun"')

    def serve(self, host: str, port: int) -> ScpiServer:
        """Serve it on a TCP socket."""
        return ScpiServer(self, host, port)

    def _answer(self, message: bytes) -> bytes | None:
        header = message.lstrip(b":")
        if header == b"*IDN?":
            return f"HIL-RIG,Virtual Thermometer,{self._serial},1.0".encode()
        if header in (b"MEAS:TEMP?", b"MEASURE:TEMPERATURE?", b"MEASURE:SCALAR:TEMPERATURE?"):
            with self._bench.lock:
                ambient_c = float(self._bench.mcu.temperature_c)
                noise_k = self._noise_k * float(self._rng.standard_normal())
            return f"{ambient_c + self._offset_k + noise_k:+.6E}".encode()
        if header in (b"SYST:ERR?", b"SYSTEM:ERROR?", b"SYST:ERR:NEXT?"):
            return self._errors.pop(0) if self._errors else _NO_ERROR
        if header not in (b"*CLS", b"*RST"):
            self._note(_UNDEFINED_HEADER)
            return None
        self._errors.clear()
        return None

    def _note(self, error: bytes) -> None:
        if len(self._errors) < 20:  # a queue has an end
            self._errors.append(error)
