# SPDX-License-Identifier: Apache-2.0
"""A time by which every call over gRPC is over. nidaqmx gives its calls none."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import grpc

CALL_TIMEOUT_S = 10.0
"""For a call that waits for nothing (assumption; as much as a VISA message gets)."""

SUSPECT_TIMEOUT_S = 1.0
"""For a call to a server that owes an answer (assumption). A shutdown makes several calls, and has to come to
its end also where none is answered."""


class _CallDetails(NamedTuple):
    """What gRPC hands an interceptor, with another time-out."""

    method: str
    timeout: float
    metadata: Any
    credentials: Any
    wait_for_ready: Any
    compression: Any


class Deadline(grpc.UnaryUnaryClientInterceptor):  # type: ignore[misc]  # grpc has no types
    """Ends each call after :data:`CALL_TIMEOUT_S` and the time that the request asks the server to wait.

    A call that is over ends with the status ``DEADLINE_EXCEEDED``. Until the server answers again, further
    calls get :data:`SUSPECT_TIMEOUT_S` in place of the former.
    """

    def __init__(self) -> None:
        """The server is not suspected."""
        self._suspect = False

    def intercept_unary_unary(
        self, continuation: Callable[[Any, Any], Any], client_call_details: Any, request: Any
    ) -> Any:
        """Make the call with a time-out."""
        timeout_s = (SUSPECT_TIMEOUT_S if self._suspect else CALL_TIMEOUT_S) + _asked_s(request)
        details = _CallDetails(
            client_call_details.method,
            timeout_s,
            client_call_details.metadata,
            client_call_details.credentials,
            client_call_details.wait_for_ready,
            client_call_details.compression,
        )
        call = continuation(details, request)
        self._suspect = call.code() is grpc.StatusCode.DEADLINE_EXCEEDED
        return call


def _asked_s(request: Any) -> float:
    """How long the request lets the server wait, in seconds; 0 where it waits for ever, which nothing here
    asks for.
    """
    asked_s = getattr(request, "timeout", None) or getattr(request, "time_to_wait", None) or 0.0
    return float(asked_s) if 0.0 < asked_s < math.inf else 0.0
