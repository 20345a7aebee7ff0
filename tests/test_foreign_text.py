# SPDX-License-Identifier: Apache-2.0
import pytest

from hil.errors import ProtocolError
from hil.foreign_text import visible


@pytest.mark.parametrize(
    "text", ["", "1.4 µA ± 3 %", "25 °C → 37 °C", "Überlauf 測定", "two\nlines", "no\u00a0break"]
)
def test_text_stays(text: str) -> None:
    assert visible(text) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[31mred", r"\x1b[31mred"),
        ("title\x1b]0;x\x07", r"title\x1b]0;x\x07"),
        ("over\rwritten\b", r"over\rwritten\x08"),
        ("\x9b2J", r"\x9b2J"),
        ("right\u202eleft", r"right\u202eleft"),
        ("half\ud800", r"half\ud800"),
        ("\x00", r"\x00"),
    ],
)
def test_what_a_terminal_would_obey_is_spelled_out(text: str, shown: str) -> None:
    assert visible(text) == shown


def test_an_instruments_words_in_an_error_are_spelled_out() -> None:
    error = ProtocolError("answered \x1b[2J", where="analyzer\x07", hint="mend it\x1b")
    assert str(error) == r"analyzer\x07: answered \x1b[2J; try: mend it\x1b"
