# SPDX-License-Identifier: Apache-2.0
"""Takes off what follows the language of a code block; test_code_blocks.py reads it, the site does not."""

import re
from typing import Any

_REST_OF_INFO = re.compile(r"^(```\w+) .+$", re.MULTILINE)


def on_page_markdown(markdown: str, **_: Any) -> str:
    """The page as the site's Markdown understands it."""
    return _REST_OF_INFO.sub(r"\1", markdown)
