# SPDX-License-Identifier: Apache-2.0
"""Step 1: what only an eye and an ohmmeter can see, with everything unpowered."""

from __future__ import annotations

import math
from dataclasses import replace

from hil.boards.board import Revision
from hil.bringup.operators import UNANSWERED, Question
from hil.bringup.session import Session
from hil.config import RigConfig
from hil.config.bring_up import ByHand
from hil.errors import QuantityError
from hil.quantity import parse

REVISION = Question(
    "board_revision",
    "Is the board {document} revision {earliest} or later (sticker on its back)?",
    "{earliest} or later",
    "{why}",
)
IDD_JUMPER = Question(
    "jp6",
    "Is the jumper {jumper} (IDD) off, and the analyzer's + lead on its MCU side?",
    "yes",
    "take {jumper} off: the board's regulator ({regulator_v:g} V) and the analyzer must never drive VDD "
    "together",
)
RELAY = Question(
    "relay_at_rest",
    "Ohms across each contact of the relay ({lines}), at rest?",
    "open, above 1 MΩ",
    "use the normally open contacts; {opened_by}",
)
DRIVER = Question(
    "relay_driver",
    "Does the DAQ's line drive the relay's coil through a transistor or driver with a diode?",
    "yes",
    "a line of the DAQ gives 24 mA (NI X Series specifications); a ULN2003A is enough, see docs/wiring.md",
)
GROUND = Question(
    "ground",
    "Ohms between the DAQ's ground and the board's GND?",
    "below 2 Ω",
    "connect D GND and AI GND of the DAQ to the board's GND",
)
SUPPLY = Question(
    "supply_short",
    "Ohms from VDD ({jumper}, MCU side) to GND?",
    "above 100 Ω",
    "look for a short circuit before anything supplies the board",
)

_LIMITS_OHM = {
    RELAY.key: (1e6, math.inf),
    GROUND.key: (0.0, 2.0),
    SUPPLY.key: (100.0, math.inf),
}
"""Assumptions: a contact that is open for an ohmmeter, a ground lead with its plugs, and less than a part in
reset takes at 3.3 V."""


def questions(config: RigConfig) -> list[Question]:
    """The questions that this rig's wiring asks for."""
    board = config.board.definition
    asked = [] if board.revision is None else [REVISION]
    if config.supplied_by is not None:
        asked += [IDD_JUMPER, SUPPLY]
    if config.wiring.debug_connection is not None:
        asked += [RELAY, DRIVER]
    if config.daq is not None:
        asked.append(GROUND)
    names = {
        **(vars(board.revision) if board.revision is not None else {}),
        "opened_by": board.isolation_opened_by,
        "jumper": board.supply_jumper,
        "regulator_v": board.regulator_v,
        "lines": ", ".join(board.isolation_lines),
    }
    return [
        replace(
            question,
            text=question.text.format(**names),
            right=question.right.format(**names),
            advice=question.advice.format(**names),
        )
        for question in asked
    ]


def is_right(question: Question, answer: str, revision: Revision | None = None) -> bool:
    """Whether an answer lets the bring-up go on: "yes", a resistance inside the limits, or a ``revision`` of
    the board that will do.
    """
    word = answer.strip().lower()
    if word in ("y", "yes", UNANSWERED):
        return True
    if question.key == REVISION.key:
        return revision is not None and revision.accepts(answer)
    if question.key not in _LIMITS_OHM:
        return False
    low_ohm, high_ohm = _LIMITS_OHM[question.key]
    if word in ("open", "ol"):
        return high_ohm == math.inf
    try:
        return low_ohm <= parse(answer, "ohm") <= high_ohm
    except QuantityError:
        return False


def check_by_hand(session: Session) -> str:
    """Ask, and record every answer."""
    asked = questions(session.rig.config)
    for question in asked:
        answer = session.operator.answer(question)
        session.found.by_hand.append(ByHand(question=question.text, answer=answer))
        if not is_right(question, answer, session.rig.config.board.definition.revision):
            raise session.wrong(f"{question.text} {answer}", expected=question.right, hint=question.advice)
    if all(entry.answer == UNANSWERED for entry in session.found.by_hand):
        return f"{len(asked)} checks not made: nobody is at the bench"
    return f"{len(asked)} checks answered"
