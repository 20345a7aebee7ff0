# SPDX-License-Identifier: Apache-2.0
"""One call of a client, as its handler sees it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from hil.twin.daq.reading import Reader
from hil.twin.daq.sessions import Sessions
from hil.twin.daq.tasks import Task
from hil.twin.daq.x_series import XSeriesDevice


@dataclass(frozen=True)
class Call:
    """A request (a protocol buffer message) and what it is about."""

    daq: XSeriesDevice
    sessions: Sessions
    request: Any
    client: str
    """Address the client's connection comes from."""
    alive: Callable[[], bool]
    """Whether the client still waits for the answer."""

    @property
    def task(self) -> Task:
        """The task the request names.

        Raises:
            DaqmxError: -200088 if there is none.
        """
        return self.sessions.get(self.request.task.name)

    @property
    def reader(self) -> Reader:
        """Reads the task with the request's time-out."""
        return Reader(self.daq, self.task, self.request.timeout, self.alive)


Handler = Callable[[Call], Any]
"""Answers a call with a response message; raises DaqmxError."""
