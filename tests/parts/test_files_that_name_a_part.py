# SPDX-License-Identifier: Apache-2.0
"""A part and a board are data: no Python file outside their own files names them."""

import re
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[2]
FOLDERS = ("hil", "fixtures", "benchmarks", "firmware")
SPELLINGS = {
    "stm32l475": re.compile(r"l475(?!xg)|L475", re.IGNORECASE),
    "b_l475e_iot01a": re.compile(r"b[-_]l475e|iot01a", re.IGNORECASE),
}
"""``stm32l475xg`` is pyOCD's name of a target, which the L476 has too."""


def named_in(spelling: re.Pattern[str]) -> list[str]:
    below = (path for folder in FOLDERS for path in (PROJECT / folder).rglob("*.py"))
    files = [*PROJECT.glob("*.py"), *below]
    return sorted(
        path.relative_to(PROJECT).as_posix() for path in files if spelling.search(path.read_text("utf-8"))
    )


@pytest.mark.parametrize("name", SPELLINGS)
def test_no_python_file_names_it(name: str) -> None:
    assert named_in(SPELLINGS[name]) == []


def test_a_planted_name_would_be_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(globals(), "PROJECT", tmp_path)
    (tmp_path / "hil").mkdir()
    (tmp_path / "hil" / "special.py").write_text('if part == "STM32L475":\n    pass\n', encoding="utf-8")
    assert named_in(SPELLINGS["stm32l475"]) == ["hil/special.py"]
