# SPDX-License-Identifier: Apache-2.0
"""The checks by hand: which answers let the bring-up go on, and where answers come from."""

import re
from pathlib import Path

import pytest

from hil.boards import Board
from hil.bringup import by_hand
from hil.bringup.operators import UNANSWERED, Answers, Move, Question, Unattended
from hil.config import load_rig
from hil.errors import BringUpError, ConfigError


@pytest.mark.parametrize(
    ("question", "answer", "right"),
    [
        (by_hand.REVISION, "C-02", True),
        (by_hand.REVISION, "MB1136 C-03", True),
        (by_hand.REVISION, "C.1", False),
        (by_hand.REVISION, "C-01", False),
        (by_hand.REVISION, "B-01", False),
        (by_hand.IDD_JUMPER, "yes", True),
        (by_hand.IDD_JUMPER, "no", False),
        (by_hand.IDD_JUMPER, UNANSWERED, True),
        (by_hand.RELAY, "open", True),
        (by_hand.RELAY, "12 Mohm", True),
        (by_hand.RELAY, "0.2 ohm", False),
        (by_hand.RELAY, "12", False),
        (by_hand.GROUND, "0.4 ohm", True),
        (by_hand.GROUND, "open", False),
        (by_hand.SUPPLY, "3 ohm", False),
        (by_hand.SUPPLY, "15 kohm", True),
    ],
)
def test_an_answer_is_right_or_wrong(question: Question, answer: str, right: bool) -> None:
    assert by_hand.is_right(question, answer, Board.load("nucleo_l476rg").revision) is right


def test_answers_come_from_a_file(tmp_path: Path) -> None:
    file = tmp_path / "answers.toml"
    file.write_text('jp6 = "yes"\n', "utf-8")
    answers = Answers(file)
    assert answers.answer(by_hand.IDD_JUMPER) == "yes"
    assert not answers.move(Move("LOAD BOARD", "put the leads back"))
    with pytest.raises(BringUpError, match=r"no answer to 'ground'.*try: measure it"):
        answers.answer(by_hand.GROUND)


@pytest.mark.parametrize("text", ["jp6 = true", "jp6 ="])
def test_a_file_of_answers_that_cannot_be_read_is_refused(tmp_path: Path, text: str) -> None:
    file = tmp_path / "answers.toml"
    file.write_text(text, "utf-8")
    with pytest.raises(ConfigError):
        Answers(file)


def test_nobody_answers_and_nothing_moves() -> None:
    assert Unattended().answer(by_hand.IDD_JUMPER) == UNANSWERED
    assert not Unattended().move(Move("PULL sensor", "pull it"))


def test_the_questions_name_the_lines_and_the_jumper_of_the_rigs_board() -> None:
    asked = {question.key: question for question in by_hand.questions(load_rig("b-l475e-iot01a"))}
    assert "(SWDIO, SWCLK, NRST, PB6, PB7)" in asked["relay_at_rest"].text
    assert "JP5" in asked["jp6"].text
    assert "regulator (3.3 V)" in asked["jp6"].advice
    said = " ".join(f"{question.text} {question.right} {question.advice}" for question in asked.values())
    assert not {"MB1136", "C-02", "JP6", "CN2", "SB12"} & set(re.findall(r"[\w-]+", said))
    assert "board_revision" not in asked  # every revision of this board will do


def test_the_first_questions_are_the_nucleos_own() -> None:
    asked = {question.key: question for question in by_hand.questions(load_rig("nucleo"))}
    assert asked["board_revision"].text == (
        "Is the board MB1136 revision C-02 or later (sticker on its back)?"
    )
    assert asked["board_revision"].right == "C-02 or later"
    assert "open SB12" in asked["relay_at_rest"].advice
