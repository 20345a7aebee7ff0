# SPDX-License-Identifier: Apache-2.0
"""The terminal that the commands print to. Text from files and instruments is shown and never obeyed."""

from __future__ import annotations

import sys
from typing import Any

from rich.console import Console
from rich.text import Text

from hil.foreign_text import visible

_FILE_WIDTH = 140
"""Columns of a table that goes into a file or a pipe, where nothing says how wide it may be."""


class Terminal(Console):
    """A console that takes every text as it is: no markup, no emoji, no escape sequence."""

    def render_str(self, text: str, **options: Any) -> Text:
        """What becomes of a plain text, as of a table's cell."""
        return super().render_str(visible(text), **options)


def terminal(*, fold: bool = True) -> Terminal:
    """Standard output: as wide as the terminal, and wide enough for a table where it goes elsewhere.

    Args:
        fold: break long lines; a path that somebody copies stays whole without.
    """
    width = None if sys.stdout.isatty() else _FILE_WIDTH
    return Terminal(markup=False, emoji=False, highlight=False, width=width, soft_wrap=not fold)
