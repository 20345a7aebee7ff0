# SPDX-License-Identifier: Apache-2.0
"""How much of a real bench's unkindness the virtual one has: ``[twin] realism`` and its single keys.

``realism = "ideal"`` answers at once and switches at once, so that a test that is not about these things is
quick and exact. ``realism = "bench"`` takes the figures of real instruments. Any single key overrides the
figure of either.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hil.twin.bench_values import choice, quantity, switch

REALISMS = ("ideal", "bench")
NOISES = ("quiet", "keysight")
OVERFLOWS = ("reported", "silent")


@dataclass(frozen=True)
class Realism:
    """What a real bench does to whoever measures on it, in SI units."""

    scpi_latency_s: float
    """Bench time that every program message takes."""
    daq_latency_s: float
    """Bench time that every call of the DAQ's service takes."""
    probe_latency_s: float | None
    """Bench time that every request to the probe costs besides its bits; without it what the probe
    assumes."""
    output_on_s: float
    """From ``OUTP ON`` to the programmed voltage at the output."""
    output_off_s: float
    """From ``OUTP OFF`` to the open output relay."""
    supply_capacitance_f: float
    """Capacitance on the board, between VDD and ground."""
    off_resistance_ohm: float
    """What discharges VDD while the supply is off: the output of the module and the board."""
    relay_operate_s: float
    """From the current in the relay's coil to the first contact."""
    relay_bounce_s: float
    """How long the relay's contacts bounce after they have met."""
    stray_bytes: bool
    """The console receives a byte of noise at each move of its lines, and now and then while its receive line
    floats."""
    noise: str
    """Noise of the analyzer: "quiet", or as Keysight's specification table has it."""
    log_overflow: str
    """What the analyzer says when its log's FIFO overwrites records: "reported" in the error queue, or
    "silent"."""


def parse(twin: Mapping[str, Any], source: str) -> Realism:
    """The realism that ``[twin]`` asks for.

    Raises:
        BenchConfigError: a value that is none.
    """
    where = f"{source}: [twin]"
    bench = choice(twin, "realism", REALISMS, where) == "bench"

    def time_s(key: str, real: str) -> float:
        return quantity(twin, key, "s", real if bench else "0 s", where)

    probe_given = bench or "probe_latency" in twin
    return Realism(
        # ASSUMPTION: a few milliseconds for a message over VXI-11 or USBTMC, for a call of NI-DAQmx, and the
        # full-speed USB round trip of an ST-LINK/V2-1.
        scpi_latency_s=time_s("scpi_latency", "5 ms"),
        daq_latency_s=time_s("daq_latency", "2 ms"),
        probe_latency_s=quantity(twin, "probe_latency", "s", "1 ms", where) if probe_given else None,
        # Series N6700 User's Guide, page 77: on 35 to 50 ms, off 20 to 25 ms; page 100 adds an offset by
        # model, which is not known for the N6781A.
        output_on_s=time_s("output_on", "50 ms"),
        output_off_s=time_s("output_off", "25 ms"),
        # ASSUMPTION: the decoupling of the part, 4.7 µF and five times 100 nF, and a megohm of leakage.
        supply_capacitance_f=quantity(twin, "supply_capacitance", "F", "5.2 uF" if bench else "0 F", where),
        off_resistance_ohm=quantity(twin, "off_resistance", "ohm", "100 kohm", where),
        # ASSUMPTION: a small signal relay, which operates in 3 ms and bounces for 1 ms at most.
        relay_operate_s=time_s("relay_operate", "3 ms"),
        relay_bounce_s=time_s("relay_bounce", "1 ms"),
        stray_bytes=switch(twin, "stray_bytes", bench, where),
        noise=choice(twin, "analyzer_noise", NOISES[::-1] if bench else NOISES, where),
        log_overflow=choice(twin, "log_overflow", OVERFLOWS[::-1] if bench else OVERFLOWS, where),
    )


IDEAL = parse({}, "no file")
"""A bench on which everything happens at once."""

KEYS = frozenset(
    {
        "realism",
        "scpi_latency",
        "daq_latency",
        "probe_latency",
        "output_on",
        "output_off",
        "supply_capacitance",
        "off_resistance",
        "relay_operate",
        "relay_bounce",
        "stray_bytes",
        "analyzer_noise",
        "log_overflow",
    }
)
