# SPDX-License-Identifier: Apache-2.0
"""Text that came from outside, made fit for a person's terminal.

An instrument's answer, a lock file, a model's description or a firmware's output may hold escape sequences. A
terminal obeys them: they move its cursor, rewrite what stands there, or answer as if the user had typed.
"""

from __future__ import annotations

import unicodedata

_HARMFUL = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
"""General categories of Unicode that are no visible text: controls, formats (which also turn the direction of
reading), surrogates, private and unassigned code points, line and paragraph separators."""


def visible(text: str) -> str:
    r"""``text`` with each character that is no visible text as its escape sequence; a line end stays.

    >>> visible("\x1b[2Jempty")
    '\\x1b[2Jempty'
    """
    if text.isprintable():
        return text
    return "".join(
        character
        if character == "\n" or unicodedata.category(character) not in _HARMFUL
        else character.encode("unicode_escape").decode("ascii")
        for character in text
    )
