# SPDX-License-Identifier: Apache-2.0
"""What one check has found."""

from __future__ import annotations

import enum
from dataclasses import dataclass


class State(enum.StrEnum):
    """How a check ended."""

    GOOD = "good"
    WRONG = "wrong"
    UNKNOWN = "unknown"
    """It could not be made, which is no good news."""
    LEFT_OUT = "left out"
    """This bench has nothing that it could look at, or an earlier fault makes it unsafe."""


@dataclass(frozen=True)
class Finding:
    """The end of one check."""

    check: str
    state: State
    told: str
    """What was seen, in one line."""
    mend: str = ""
    """The command, or the move of a hand, that mends it."""
