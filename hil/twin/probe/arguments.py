# SPDX-License-Identifier: Apache-2.0
"""What came over the socket as JSON, checked before the probe acts on it.

The server hangs up on a client whose request raises anything but pyOCD's own exceptions, so a wrong argument
is a ``ProbeError`` that says what was expected.
"""

from __future__ import annotations

from collections.abc import Sequence

from pyocd.core import exceptions

ADDRESS_SPACE = 1 << 32
WORDS_MAX = 1 << 18
"""Most words of one request: 1 MiB, the whole flash. A longer one is a mistake, and would keep the bench
busy."""


def integer(value: object, minimum: int = 0, maximum: int = ADDRESS_SPACE - 1) -> int:
    """A whole number in ``minimum`` to ``maximum``; raises ``ProbeError`` for anything else."""
    if not isinstance(value, int) or isinstance(value, bool) or not minimum <= value <= maximum:
        raise exceptions.ProbeError(
            f"malformed request: expected an integer from {minimum:#x} to {maximum:#x}, got {_short(value)}"
        )
    return value


def register_value(value: object) -> int:
    """The value of a write; more than 32 bits, or a negative one, are the caller's to cut off."""
    if not isinstance(value, int) or isinstance(value, bool):
        raise exceptions.ProbeError(f"malformed request: expected an integer, got {_short(value)}")
    return value


def values(value: object, maximum: int = WORDS_MAX) -> Sequence[int]:
    """A list of at most ``maximum`` integers."""
    if not isinstance(value, Sequence) or isinstance(value, str) or len(value) > maximum:
        raise exceptions.ProbeError(
            f"malformed request: expected a list of up to {maximum} integers, got {_short(value)}"
        )
    if set(map(type, value)) <= {int}:
        return value
    return [register_value(item) for item in value]


def count(value: object, maximum: int = WORDS_MAX) -> int:
    """How many items to transfer."""
    return integer(value, 0, maximum)


def number(value: object) -> float:
    """Any number."""
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise exceptions.ProbeError(f"malformed request: expected a number, got {_short(value)}")
    return float(value)


def switch(value: object) -> bool:
    """``true`` or ``false``, or 1 or 0 as some clients write them."""
    if value not in (True, False):
        raise exceptions.ProbeError(f"malformed request: expected true or false, got {_short(value)}")
    return bool(value)


def _short(value: object) -> str:
    return repr(value)[:60]
