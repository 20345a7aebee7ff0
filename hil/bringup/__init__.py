# SPDX-License-Identifier: Apache-2.0
"""Bringing a bench up: eleven steps in the order of safety, before the first run on it.

Each step is harmless by itself, measures one more thing than the one before, and ends the bring-up with one
statement where the bench is not what the rig file says.
"""

from hil.bringup.operators import Answers, Operator, Person, Unattended, WithHands
from hil.bringup.run import bring_up
from hil.bringup.session import Session
from hil.bringup.steps import STEPS, Step

__all__ = [
    "STEPS",
    "Answers",
    "Operator",
    "Person",
    "Session",
    "Step",
    "Unattended",
    "WithHands",
    "bring_up",
]
