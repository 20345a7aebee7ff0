# SPDX-License-Identifier: Apache-2.0
"""The N6705C in a rig file: ``driver = "n6705c"``."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar, Literal

from pydantic import Field

from hil.config.drivers import Driver, Surroundings
from hil.config.quantities import Duration
from hil.config.tables import Contradiction, PowerAnalyzerTable
from hil.measurement.capabilities import Capabilities

SAMPLE_INTERVAL_S = 5.12e-6
"""The digitizer's shortest sample interval (N6705C user's guide, scope view)."""
SCOPE_POINTS_MAX = 524_288
"""Memory of the scope: 512 K points."""
LOG_PERIOD_MIN_S = 102.4e-6
"""Shortest period of the external log with one real-format parameter."""


class N6705CTable(PowerAnalyzerTable):
    """``[power_analyzer]`` of a Keysight N6705C."""

    addresses: ClassVar[frozenset[str]] = frozenset({"resource"})

    resource: str = Field(min_length=1)
    """VISA resource name."""
    channel: int = Field(ge=1, le=4)
    """Slot of the N6781A; an N6705C has four."""
    serial: str | None = Field(default=None, examples=["MY00000000"])
    """Serial number that must answer at the address; not checked when absent."""
    output_watchdog_s: Duration | None = Field(
        default=None, alias="output_watchdog", ge=1, le=3600, examples=["120 s"]
    )
    """How long the instrument keeps its outputs on without a message, so that a controller that was killed
    leaves nothing supplied; longer than the longest pause between messages. Without it, for ever."""
    sense: Literal["local", "remote"] = "local"
    """``remote`` where the sense leads are wired to the board; they are of no use before that is said."""
    shared_mainframe: bool = Field(default=False, examples=[True])
    """Other channels are somebody else's, or another table's of this file, and may be on. Without it one that
    is on is refused."""

    @property
    def watchdog_s(self) -> float | None:
        """As the file sets it."""
        return self.output_watchdog_s

    @property
    def remarks(self) -> tuple[str, ...]:
        """Which sense terminals count."""
        return (f"{self.sense} sense",)

    @property
    def outlet(self) -> str:
        """The module's channel."""
        return f"channel {self.channel}"

    @property
    def leaves_the_rest(self) -> bool:
        """Whether the mainframe is shared."""
        return self.shared_mainframe

    def claims(self) -> dict[str, str]:
        """The instrument by its address, and by its serial number where the file names it: two rig files may
        call one analyzer by its host name and by its address.
        """
        found = {f"power analyzer {self.resource}": f"visa {_canonical(self.resource)}"}
        if self.serial is not None:
            found[f"power analyzer {self.serial}"] = f"keysight {self.serial}"
        return found

    def contradictions(self) -> Iterator[Contradiction]:
        """A watchdog that would end the outputs of others."""
        if self.shared_mainframe and self.output_watchdog_s is not None:
            yield Contradiction(
                ("output_watchdog",),
                "the output watchdog ends the outputs of all channels, and the mainframe is shared",
                "no output_watchdog, or a mainframe of one's own",
            )


def _canonical(resource: str) -> str:
    """One name for all spellings of a VISA resource, which leave out what has a default."""
    from pyvisa.rname import to_canonical_name  # PyVISA takes a third of a second

    try:
        return str(to_canonical_name(resource))
    except ValueError:  # the driver will refuse it, in better words
        return resource


def _open(table: N6705CTable, bench: Surroundings) -> Any:
    from hil.instruments.n6705c import open_n6705c

    return open_n6705c(
        table.resource,
        channel=table.channel,
        voltage_maximum_v=bench.voltage_maximum_v,
        current_maximum_a=bench.current_maximum_a,
        clock=bench.clock,
        serial=table.serial,
        output_watchdog_s=table.output_watchdog_s,
        sense=table.sense,
        shared_mainframe=table.shared_mainframe,
    )


def _preload() -> None:
    import hil.instruments.n6705c  # noqa: F401


CAPABILITIES = Capabilities(
    can_source=True,
    reads_voltage=True,
    source_v=(0.0, 20.0),
    ranges_a=(10e-6, 1e-3, 100e-3, 3.0),
    capture_period_s=SAMPLE_INTERVAL_S,
    capture_points=SCOPE_POINTS_MAX,
    log_period_s=LOG_PERIOD_MIN_S,
)
"""Of an N6781A: 20 V, four current ranges (Keysight N6781A data sheet)."""

DRIVER = Driver(N6705CTable, CAPABILITIES, _open, _preload)
