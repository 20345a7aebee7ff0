# SPDX-License-Identifier: Apache-2.0
"""A SCPI instrument over PyVISA: messages, binary blocks, the error queue, and a connection that heals."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any

import numpy as np
import pyvisa
from numpy.typing import NDArray
from pyvisa.resources import MessageBasedResource

from hil.errors import ConnectError, InstrumentTimeoutError, OverloadError, ProtocolError
from hil.instruments import bounded_visa, exchange
from hil.instruments.interrupts import whole_exchange

_NOT_A_NUMBER = 9.9e37
"""What SCPI instruments return for an overload (9.9E37) or not a number (9.91E37): SCPI-99, 7.2.1.5."""

_IO_TIMEOUT_MS = 10_000
"""VISA time-out; the slowest answer is a scope record of 2 MB."""

_BLOCK_CHUNK_BYTES = 1 << 20
"""Bytes of a binary block that are asked for at once; the instrument sends what fits one of its messages."""

_ERROR_QUEUE_DEPTH = 20
"""Entries that an error queue holds (N6705C); reading more times than that would never end."""


class ScpiLink:
    """The conversation with one instrument. ``where`` names it in errors."""

    def __init__(self, where: str, open_resource: Callable[[], MessageBasedResource]) -> None:
        """Nothing is opened before the first message.

        Args:
            where: the instrument's name in errors.
            open_resource: opens the VISA resource; called again after a time-out has spoilt the connection.
        """
        self.where = where
        self._open_resource = open_resource
        self._resource: MessageBasedResource | None = None

    def write(self, *commands: str) -> None:
        """Send commands, one message each. Raises ConnectError or InstrumentTimeoutError."""
        for command in commands:
            self._exchange(command, lambda resource, text: resource.write(text))

    def query(self, query: str) -> str:
        """Send a query and return its answer without blanks around it."""
        answer = self._exchange(query, lambda resource, text: resource.query(text))
        return str(answer).strip()

    def query_number(self, query: str) -> float:
        """Send a query that is answered by one number.

        Raises:
            ProtocolError: it is answered by something else.
            OverloadError: the number stands for an overload.
        """
        answer = self.query(query)
        try:
            value = float(answer)
        except ValueError as error:
            raise ProtocolError(
                f"answered {answer!r}", where=self.where, operation=query, expected="a number"
            ) from error
        self._refuse_overload(np.array([value]), query)
        return value

    def query_block(self, query: str) -> NDArray[np.float64]:
        """Send a query that is answered by a block of big-endian 32-bit floats.

        Raises:
            OverloadError: one of them stands for an overload.
        """
        values = self._exchange(query, _query_floats)
        array = np.asarray(values, dtype=np.float64)
        self._refuse_overload(array, query)
        return array

    def read_errors(self) -> list[str]:
        """Empty the instrument's error queue and return what was in it."""
        errors: list[str] = []
        for _ in range(_ERROR_QUEUE_DEPTH):
            error = self.query("SYST:ERR?")
            if error.lstrip("+").split(",")[0] == "0":
                break
            errors.append(error)
        return errors

    def check_errors(self, operation: str) -> None:
        """Empty the instrument's error queue. Raises ProtocolError with what was in it."""
        errors = self.read_errors()
        if errors:
            raise ProtocolError(
                f"the instrument reports {'; '.join(errors)}", where=self.where, operation=operation
            )

    def close(self) -> None:
        """Release the connection; the next message opens it again."""
        resource, self._resource = self._resource, None
        if resource is not None:
            resource.close()

    def _give_up(self) -> None:
        """Release a spoilt connection, which may have nothing left to say goodbye with."""
        with contextlib.suppress(Exception):
            self.close()

    def _exchange(self, message: str, action: Callable[[MessageBasedResource, str], Any]) -> Any:
        hint = _hint(self.where)
        try:
            if self._resource is None:
                self._resource = self._open_resource()
                self._resource.timeout = _IO_TIMEOUT_MS
                self._resource.read_termination = "\n"
                self._resource.write_termination = "\n"
            with whole_exchange():
                answer = action(self._resource, message)
        except pyvisa.VisaIOError as error:
            # A late answer would be taken for that of the next query: a spoilt connection is not used again.
            self._give_up()
            timed_out = error.error_code == pyvisa.constants.StatusCode.error_timeout
            kind = InstrumentTimeoutError if timed_out else ConnectError
            raise kind(error.description, where=self.where, operation=message, hint=hint) from error
        except Exception as error:  # a connection cut off; a malformed block; pyvisa-py raises of every kind
            self._give_up()
            raise ConnectError(str(error), where=self.where, operation=message, hint=hint) from error
        query = message.partition(" ")[0].endswith("?")
        exchange.message(self.where, message, answer if query else "")
        return answer

    def _refuse_overload(self, values: NDArray[np.float64], query: str) -> None:
        bad = ~(np.abs(values) < _NOT_A_NUMBER)  # catches NaN too
        if bad.any():
            raise OverloadError(
                f"{int(bad.sum())} of {values.size} readings out of range, the first at {int(bad.argmax())}",
                where=self.where,
                operation=query,
                hint="look for a short circuit, or a current above the instrument's largest range",
            )


def _query_floats(resource: MessageBasedResource, query: str) -> Any:
    """Send ``query`` and read one block.

    A line feed among a block's bytes is no end. VXI-11, HiSLIP and USB mark the end of a message, so the
    termination character is off while the block is read; with it on, VXI-11 takes a call for every line
    feed, some 1600 for a log of 1.6 MB. A socket marks no end: there the block's own length counts.
    """
    if resource.resource_class == "SOCKET":
        return resource.query_binary_values(query, datatype="f", is_big_endian=True, container=np.ndarray)
    with resource.read_termination_context(None):
        return resource.query_binary_values(
            query, datatype="f", is_big_endian=True, container=np.ndarray, chunk_size=_BLOCK_CHUNK_BYTES
        )


def _hint(where: str) -> str:
    return f"check [{where}] resource, and that no other program holds the instrument"


def visa_resource(name: str, where: str) -> Callable[[], MessageBasedResource]:
    """What opens the VISA resource ``name``: NI-VISA or Keysight's where installed, else pyvisa-py."""

    def open_resource() -> MessageBasedResource:
        try:
            resource = bounded_visa.open_in_time(lambda: pyvisa.ResourceManager().open_resource(name))
        except Exception as error:  # pyvisa-py raises Exception itself where it cannot connect
            raise ConnectError(
                f"{name} cannot be opened: {error}", where=where, operation="connect", hint=_hint(where)
            ) from error
        if not isinstance(resource, MessageBasedResource):
            raise ConnectError(f"{name} takes no messages", where=where, expected="a TCPIP or USB resource")
        resource.visalib = bounded_visa.BoundedLibrary(resource.visalib)  # type: ignore[assignment]
        return resource

    return open_resource
