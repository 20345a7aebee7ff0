# SPDX-License-Identifier: Apache-2.0
"""What nidaqmx raises, as the controller's errors."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

import grpc
import nidaqmx.errors

from hil.errors import ConnectError, InstrumentTimeoutError, ProtocolError
from hil.instruments.interrupts import whole_exchange

_INVALID_DEVICE = -200220
_RESERVED = (-50103, -50105)
_READ_TIMEOUTS = (-200284, -200474)
"""DAQmx error codes: no such device; resource reserved; samples not there in time (buffered, on demand)."""


class NothingCameError(InstrumentTimeoutError):
    """The device answered that the samples asked for were not there in time."""


@contextmanager
def explained(role: str, operation: str) -> Iterator[None]:
    """Turn nidaqmx's errors into the controller's, about the DAQ of the table ``role``."""
    try:
        with whole_exchange():
            yield
    except nidaqmx.errors.DaqError as error:
        _explain(error, role, operation)
    except nidaqmx.errors.RpcError as error:
        late = error.rpc_code is grpc.StatusCode.DEADLINE_EXCEEDED
        raise (InstrumentTimeoutError if late else ConnectError)(
            _one_line(error),
            where=role,
            operation=operation,
            hint=f"is the gRPC Device Server alive, and at the address of [{role}] grpc?",
        ) from error
    except nidaqmx.errors.Error as error:  # no driver on this machine
        raise ConnectError(
            _one_line(error),
            where=role,
            operation=operation,
            hint=f"check [{role}] grpc; without it the NI-DAQmx driver must be installed",
        ) from error


def _explain(error: nidaqmx.errors.DaqError, role: str, operation: str) -> NoReturn:
    """Raise the controller's error for a DAQmx error."""
    code, text = error.error_code, _one_line(error)
    if code == _INVALID_DEVICE:
        raise ConnectError(
            text, where=role, operation=operation, hint=f"check [{role}] device in NI MAX"
        ) from error
    if code in _READ_TIMEOUTS:
        raise NothingCameError(text, where=role, operation=operation) from error
    hint = "close the program that holds the device, or reset it in NI MAX" if code in _RESERVED else ""
    raise ProtocolError(text, where=role, operation=operation, hint=hint) from error


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())
