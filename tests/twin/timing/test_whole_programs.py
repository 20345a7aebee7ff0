# SPDX-License-Identifier: Apache-2.0
"""Whole programs on the virtual part, beside what Arm's and ST's documents make of the instructions they
executed.
"""

from __future__ import annotations

import pytest

from tests.twin.timing.report import GRANULARITY, PAGE, PROGRAMS, UNKNOWN_BASES, lines, rows


@pytest.mark.parametrize("program", PROGRAMS)
def test_takes_the_cycles_that_the_documents_allow(program):
    table = rows(program)
    for row in table:
        assert row.right, f"{program}, {row.setting.name}: another result than plain Unicorn's"
        allowed = GRANULARITY if row.setting.wait_states else UNKNOWN_BASES
        assert abs(row.deviation) <= allowed, (
            f"{program}, {row.setting.name}: {row.twin} cycles, documents {row.fewest} to {row.most}"
        )
    page = PAGE.read_text(encoding="utf-8")
    for line in lines(table):
        assert line in page, (
            f"docs/timing.md lacks {line!r}; python -m tests.twin.timing.report writes it again"
        )
