# SPDX-License-Identifier: Apache-2.0
"""Who looks, measures and moves wires by hand while a bench is brought up.

A bench on a desk has a person. An unattended one has a file of answers that were given before, or nobody;
its wires are moved by nobody, or by a program that listens on a TCP port.
"""

from __future__ import annotations

import socket
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from rich.console import Console

from hil.errors import BringUpError, ConfigError, ConnectError

UNANSWERED = "not asked"
"""The answer that stands in the record where nobody was there."""

_HANDS_TIMEOUT_S = 60.0
"""Wall time for one movement (assumption)."""


@dataclass(frozen=True)
class Question:
    """One check by hand, made with everything unpowered."""

    key: str
    """Its name in a file of answers."""
    text: str
    right: str
    """The answer that lets the bring-up go on, in words."""
    advice: str
    """What to do where the answer is another."""


@dataclass(frozen=True)
class Move:
    """Something to be done with the wires."""

    order: str
    """For a program: ``LOAD 10000000``, ``LOAD BOARD``, ``PULL marker_active``, ``PLUG marker_active``."""
    text: str
    """For a person."""


class Operator(Protocol):
    """Answers questions and moves wires."""

    def answer(self, question: Question) -> str:
        """The answer in words: "yes", "no" or what was found; :data:`UNANSWERED` where nobody is there."""
        ...

    def move(self, move: Move) -> bool:
        """Do it; False where there is nobody to do it."""
        ...


class Unattended:
    """Nobody is there."""

    def answer(self, question: Question) -> str:
        """No answer."""
        return UNANSWERED

    def move(self, move: Move) -> bool:
        """Nothing is moved."""
        return False


class Person:
    """Somebody at the terminal."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def answer(self, question: Question) -> str:
        """Ask, and take the line that is typed; an empty one is a yes."""
        answer = self._console.input(
            f"     [bold]?[/] {question.text} [dim]({question.right}; Enter = yes)[/] "
        )
        return answer.strip() or "yes"

    def move(self, move: Move) -> bool:
        """Ask for it, and wait for Enter; "s" leaves it undone."""
        answer = self._console.input(f"     [bold]>[/] {move.text} [dim](Enter when done, s to skip)[/] ")
        return answer.strip().lower() not in ("s", "skip")


class Answers:
    """Answers from a TOML file, one key a question; what moves wires is somebody else's."""

    def __init__(self, file: Path) -> None:
        """Read the file.

        Raises:
            ConfigError: it cannot be read, or an answer is no text.
        """
        self._file = file
        try:
            answers: Mapping[str, object] = tomllib.loads(file.read_text("utf-8"))
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
            raise ConfigError(str(error), file=file, expected='lines such as jp6 = "yes"') from error
        for key, value in answers.items():
            if not isinstance(value, str):
                raise ConfigError(f"{value!r} is no text", file=file, key=key, expected='such as "yes"')
        self._answers = {key: str(value) for key, value in answers.items()}

    def answer(self, question: Question) -> str:
        """The file's answer. Raises BringUpError if it has none."""
        if question.key not in self._answers:
            raise BringUpError(
                f"there is no answer to {question.key!r} ({question.text})",
                where=str(self._file),
                expected=f'{question.key} = "yes"',
                hint="measure it and write it down",
            )
        return self._answers[question.key]

    def move(self, move: Move) -> bool:
        """Nothing is moved."""
        return False


class WithHands:
    """An operator whose wires a program moves.

    The program gets one line a movement and answers ``OK``, or why not. ``TOKEN <token>`` comes first where
    the address has a token.
    """

    def __init__(self, operator: Operator, address: str) -> None:
        """Answers come from ``operator``, movements go to ``tcp://[token@]host:port``."""
        self._operator = operator
        self._address = address

    def answer(self, question: Question) -> str:
        """The other operator's answer."""
        return self._operator.answer(question)

    def move(self, move: Move) -> bool:
        """Have it done. Raises ConnectError if the program is not there or refuses."""
        token, _, place = self._address.removeprefix("tcp://").rpartition("@")
        host, _, port = place.rpartition(":")
        orders = [f"TOKEN {token}", move.order] if token else [move.order]
        try:
            with socket.create_connection((host, int(port)), timeout=_HANDS_TIMEOUT_S) as connection:
                answers = connection.makefile("r", encoding="utf-8")
                for order in orders:
                    connection.sendall(f"{order}\n".encode("ascii"))
                    answer = answers.readline().strip()
        except (OSError, ValueError) as error:
            raise ConnectError(
                str(error), where="hands", operation=move.order, hint="check [bringup] hands"
            ) from error
        if answer != "OK":
            raise ConnectError(f"answered {answer!r}", where="hands", operation=move.order, expected="'OK'")
        return True
