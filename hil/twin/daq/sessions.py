# SPDX-License-Identifier: Apache-2.0
"""Sessions: tasks by name, and the clients that hold them.

A task lives until it is cleared, or until the last client that created it or attached to it has lost its
connection. A named session can so be shared, and nothing stays reserved for clients that are gone.
"""

from __future__ import annotations

import itertools
from enum import IntEnum

from hil.twin.daq.errors import Code, DaqmxError
from hil.twin.daq.tasks import Task
from hil.twin.daq.x_series import XSeriesDevice


class Initialization(IntEnum):
    """``SessionInitializationBehavior`` of the NI gRPC device service."""

    AUTO = 0
    INITIALIZE_NEW = 1
    ATTACH_TO_EXISTING = 2


class Sessions:
    """The tasks of all clients. A client is known by the address its connection comes from."""

    def __init__(self, daq: XSeriesDevice) -> None:
        self._daq = daq
        self._tasks: dict[str, Task] = {}
        self._clients: dict[str, set[str]] = {}
        self._numbers = itertools.count()

    @property
    def names(self) -> list[str]:
        """Names of all tasks."""
        return list(self._tasks)

    def open(self, name: str, behavior: Initialization, client: str) -> tuple[Task, bool]:
        """Create a task or attach to one; returns the task and whether it is new.

        Raises:
            DaqmxError: -200089 to create one that exists, -200088 to attach to one that does not.
        """
        task = self._tasks.get(name)
        if task is not None and behavior is Initialization.INITIALIZE_NEW:
            raise DaqmxError(Code.DUPLICATE_TASK, f"A task {name!r} exists already.")
        if task is None and behavior is Initialization.ATTACH_TO_EXISTING:
            raise DaqmxError(Code.INVALID_TASK, f"There is no task {name!r} to attach to.")
        new = task is None
        if task is None:
            task = Task(self._daq, name or f"_unnamedTask<{next(self._numbers)}>")
            self._tasks[task.name] = task
        self._clients.setdefault(task.name, set()).add(client)
        return task, new

    def get(self, name: str) -> Task:
        """The task behind a session.

        Raises:
            DaqmxError: -200088 if it does not exist or has been cleared.
        """
        task = self._tasks.get(name)
        if task is None:
            raise DaqmxError(Code.INVALID_TASK, f"There is no task {name!r}; it may have been cleared.")
        return task

    def clear(self, name: str) -> None:
        """Stop a task, give its resources back and forget it.

        Raises:
            DaqmxError: -200088 if it does not exist.
        """
        task = self.get(name)
        task.unreserve()
        task.events.close()
        del self._tasks[name]
        del self._clients[name]

    def clear_all(self) -> None:
        """Clear every task."""
        for name in self.names:
            self.clear(name)

    def client_gone(self, client: str) -> None:
        """Clear the tasks that only this client held."""
        for name, clients in list(self._clients.items()):
            clients.discard(client)
            if not clients:
                self.clear(name)
