# SPDX-License-Identifier: Apache-2.0
"""A pair of hands at the virtual bench: what a person does with wires while a bench is brought up.

A client gives the bench's token first (:mod:`hil.twin.bench_clock`). Then each line is a request, answered
``OK`` or ``ERR <reason>``; see ``VERBS`` for what there is.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from typing import Any, Protocol

from hil.twin.bench_clock import LineServer, decimal
from hil.twin.wiring import Connection

VERBS = {
    "LOAD <ohm>": "Takes the analyzer's leads off the board and connects them through a resistor of 1 ohm to "
    "1 Gohm.",
    "LOAD BOARD": "Puts the leads back to the board.",
    "PULL <role>": "Takes a wire off the board's header.",
    "PLUG <role>": "Puts it back.",
}
"""Requests, and what each does."""

_RESISTANCES_OHM = (1.0, 1e9)
"""Resistors that the hands find in their drawer."""


class HandyBench(Protocol):
    """What hands reach of the bench."""

    @property
    def lock(self) -> AbstractContextManager[object]:
        """Held by whoever touches the machine."""

    @property
    def connections(self) -> Mapping[str, Connection]:
        """The wires by role."""

    @property
    def source(self) -> Any:
        """The supply's output."""


class Hands:
    """The line protocol, free of sockets."""

    def __init__(self, bench: HandyBench) -> None:
        self._bench = bench

    def answer(self, line: str, alive: Callable[[], bool] = lambda: True) -> str:
        """The answer to one request line, without its line end."""
        try:
            with self._bench.lock:
                self._act(line.split())
        except KeyError as error:
            return f"ERR {line.strip()!r}: there is no wire {error.args[0]!r}"
        except ValueError as error:
            return f"ERR {line.strip()!r}: {error}"
        return "OK"

    def _act(self, words: list[str]) -> None:
        source = self._bench.source
        match words:
            case ["LOAD", "BOARD"]:
                source.short_ohm = math.inf
                source.lead_open = False
            case ["LOAD", ohm]:
                low_ohm, high_ohm = _RESISTANCES_OHM
                resistance_ohm = decimal(ohm, high_ohm)
                if resistance_ohm < low_ohm:
                    raise ValueError(f"expected {low_ohm:g} to {high_ohm:g} ohm")
                source.lead_open = True
                source.short_ohm = resistance_ohm
            case ["PULL" | "PLUG" as verb, role]:
                self._bench.connections[role].set_open(verb == "PULL")
            case _:
                raise ValueError(f"expected {' | '.join(VERBS)}")


class HandsServer(LineServer):
    """Serves :class:`Hands` to any number of clients."""
