# SPDX-License-Identifier: Apache-2.0
"""``fixtures``: every fixture of a run on a rig is there, and the list of its README.md is true."""

from pathlib import Path

import fixtures
from hil.pytest_plugin import plugin
from hil.pytest_plugin.entry import FIXTURES

README = Path(fixtures.__file__).with_name("README.md")


def catalogue() -> str:
    """The table of fixtures, from their docstrings."""
    rows = []
    for name in sorted(FIXTURES):
        first = (getattr(fixtures, name).__doc__ or "").strip().split("\n\n", 1)[0]
        rows.append(f"| `{name}` | {' '.join(first.split()).replace('``', '`')} |")
    return "\n".join(["| fixture | what it is |", "|---|---|", *rows])


def test_every_fixture_can_be_imported() -> None:
    assert set(plugin.__all__) == FIXTURES
    assert set(fixtures.__all__) >= FIXTURES
    assert all(hasattr(fixtures, name) for name in fixtures.__all__)


def test_the_readme_lists_them() -> None:
    assert catalogue() in README.read_text(encoding="utf-8"), catalogue()
