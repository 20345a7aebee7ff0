# SPDX-License-Identifier: Apache-2.0
"""A thermometer that answers a SCPI query with degrees Celsius: ``driver = "scpi_thermometer"``.

Digital multimeters with a sensor connected do (Keysight 34460A and 34461A: ``MEAS:TEMP?`` with its defaults),
and so do the firmwares that people write for a TMP117 on a USB serial port. Any VISA resource will do, serial
ports included ("ASRL/dev/ttyACM1::INSTR").
"""

from __future__ import annotations

from typing import Any, ClassVar

from pydantic import Field

from hil.config.drivers import Driver, Surroundings
from hil.config.tables import ThermometerTable
from hil.errors import ConnectError, ProtocolError
from hil.instruments.protocols import Identity

_WHERE = "thermometer"
_PLAUSIBLE_C = (-60.0, 150.0)
"""Outside no part of ours is tested: a sensor that is open or short reads far beyond (assumption)."""


class ScpiThermometerTable(ThermometerTable):
    """``[thermometer]`` behind a VISA resource."""

    addresses: ClassVar[frozenset[str]] = frozenset({"resource"})

    driver: str = Field(min_length=1, examples=["scpi_thermometer"])
    """The name under which this driver is registered."""
    resource: str = Field(min_length=1, examples=["ASRL/dev/serial/by-id/usb-TMP117-if00::INSTR"])
    """VISA resource name."""
    query: str = Field(default="MEAS:TEMP?", pattern=r"^[ -~]+\?[ -~]*$", examples=["MEAS:TEMP? FRTD"])
    """What is answered by a number of degrees Celsius."""
    serial: str | None = Field(default=None, examples=["MY60000000"])
    """Serial number that must answer at the address; not checked when absent."""

    def claims(self) -> dict[str, str]:
        """The instrument by its address."""
        return {f"thermometer {self.resource}": f"visa {self.resource}"}


class ScpiThermometer:
    """One thermometer that this program reads."""

    def __init__(self, link: Any, query: str, serial: str | None = None) -> None:
        """Ask who answers.

        Args:
            link: a :class:`hil.instruments.scpi_link.ScpiLink`.
            query: what is answered by degrees Celsius.
            serial: the serial number that must answer, if given.

        Raises:
            ConnectError: nobody answers, or another instrument does.
        """
        self._link, self._query = link, query
        words = [word.strip() for word in link.query("*IDN?").split(",")] + [""] * 4
        self._identity = Identity(*words[:4])
        if serial is not None and self._identity.serial != serial:
            link.close()
            raise ConnectError(
                f"serial number {self._identity.serial} answers",
                where=_WHERE,
                operation="connect",
                expected=serial,
                hint="check [thermometer] resource and serial",
            )

    def identity(self) -> Identity:
        """As ``*IDN?`` says it."""
        return self._identity

    def round_trip(self) -> None:
        """Ask for the identity."""
        self._link.query("*IDN?")

    def measure_c(self) -> float:
        """The temperature now, in degrees Celsius.

        Raises:
            ProtocolError: the answer is no temperature that a part is tested at.
        """
        value_c = float(self._link.query_number(self._query))
        low_c, high_c = _PLAUSIBLE_C
        if not low_c <= value_c <= high_c:
            raise ProtocolError(
                f"answered {value_c:g} °C",
                where=_WHERE,
                operation=self._query,
                expected=f"{low_c:g} °C to {high_c:g} °C",
                hint="is the sensor connected, and is the instrument set to degrees Celsius?",
            )
        return value_c

    def close(self) -> None:
        """Release the connection."""
        self._link.close()


def _open(table: ScpiThermometerTable, bench: Surroundings) -> ScpiThermometer:
    from hil.instruments.scpi_link import ScpiLink, visa_resource

    link = ScpiLink(_WHERE, visa_resource(table.resource, _WHERE))
    try:
        return ScpiThermometer(link, table.query, table.serial)
    except BaseException:
        link.close()
        raise


DRIVER = Driver(ScpiThermometerTable, None, _open)
