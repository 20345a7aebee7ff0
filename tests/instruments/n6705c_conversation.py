# SPDX-License-Identifier: Apache-2.0
"""A scripted N6705C: each conversation states the whole exchange and fails on anything else."""

from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast

import numpy as np
from pyvisa.resources import MessageBasedResource

from hil.instruments.n6705c import N6705C

Answer = str | list[float] | Exception

IDENTIFYING: list[tuple[str, Answer | None]] = [
    ("*IDN?", "Keysight Technologies,N6705C,MY00000001,E.03.06"),
    ("SYST:CHAN:MOD? (@2)", '"N6781A"'),
    ("SYST:ERR?", '-113,"Undefined header"'),  # an earlier user's
    ("SYST:ERR?", '+0,"No error"'),
]
OPENING: list[tuple[str, Answer | None]] = [
    *IDENTIFYING,
    ("SYST:CHAN?", "4"),
    ("OUTP? (@1,3,4)", "0,0,0"),
    ("OUTP OFF,(@2)", None),
    ("SYST:ERR?", '+0,"No error"'),
    ("OUTP? (@2)", "0"),
]
NO_ERROR: tuple[str, Answer | None] = ("SYST:ERR?", '+0,"No error"')

SUPPLY_OFF: list[tuple[str, Answer | None]] = [("OUTP OFF,(@2)", None), NO_ERROR, ("OUTP? (@2)", "0")]


class ScriptedResource:
    """A VISA resource that knows one conversation."""

    resource_class = "SOCKET"

    def __init__(self, script: list[tuple[str, Answer | None]]) -> None:
        self.script = deque(script)
        self.opened = 0
        self.closed = 0

    def open(self) -> MessageBasedResource:
        self.opened += 1
        return cast(MessageBasedResource, self)

    def write(self, message: str) -> int:
        assert self._next(message) is None, f"{message} is a query"
        return len(message)

    def query(self, message: str) -> str:
        answer = self._next(message)
        assert isinstance(answer, str)
        return answer + "\n"

    def query_binary_values(self, message: str, **how: Any) -> Any:
        assert how == {"datatype": "f", "is_big_endian": True, "container": np.ndarray}
        return np.array(self._next(message), dtype=np.float32)

    def close(self) -> None:
        self.closed += 1

    def _next(self, message: str) -> Answer | None:
        assert self.script, f"{message}: the conversation is over"
        expected, answer = self.script.popleft()
        assert message == expected
        if isinstance(answer, Exception):
            raise answer
        return answer


class ManualClock:
    def __init__(self) -> None:
        self.time_s = 100.0

    def now_s(self) -> float:
        return self.time_s

    def sleep(self, duration_s: float) -> None:
        self.time_s += duration_s


@contextmanager
def conversation(
    *script: tuple[str, Answer | None], opening: list[tuple[str, Answer | None]] = OPENING, **options: Any
) -> Iterator[tuple[N6705C, ScriptedResource, ManualClock]]:
    resource, clock = ScriptedResource([*opening, *script]), ManualClock()
    yield (
        N6705C(
            resource.open, channel=2, voltage_maximum_v=3.6, current_maximum_a=0.15, clock=clock, **options
        ),
        resource,
        clock,
    )
    assert not resource.script, f"never sent: {list(resource.script)}"
