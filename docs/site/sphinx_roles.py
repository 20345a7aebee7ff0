# SPDX-License-Identifier: Apache-2.0
"""Shows docstrings on the site: their cross references are Sphinx's, and the site is Markdown."""

import re
from typing import Any

import griffe

_ROLE = re.compile(r":(?:class|func|meth|mod|attr|data|exc):`~?([\w.]+)`")
_LITERAL_BLOCK = re.compile(r" ?::$", re.MULTILINE)


class SphinxRoles(griffe.Extension):
    """Turns ``:class:`X``` into code, and drops the colons before a literal block."""

    def on_object(self, *, obj: griffe.Object, **_: Any) -> None:
        """Rewrite the docstring of whatever was read."""
        if obj.docstring is not None:
            text = _ROLE.sub(r"`\1`", obj.docstring.value)
            obj.docstring.value = _LITERAL_BLOCK.sub("", text)
