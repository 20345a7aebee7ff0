# SPDX-License-Identifier: Apache-2.0
"""The bench lives as long as its standard input is open: it dies with its parent, however that ends."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable


class StdinLease:
    """Watches the standard input from the moment it is made.

    Until :meth:`call_at_end` says what else to do, its end ends the process at once: a parent that is killed
    while the emulator is still being loaded leaves nothing behind.
    """

    def __init__(self) -> None:
        self._at_end: Callable[[], None] = _leave
        threading.Thread(target=self._watch, name="stdin lease", daemon=True).start()

    def call_at_end(self, action: Callable[[], None]) -> None:
        """Call ``action`` instead, from the watching thread."""
        self._at_end = action

    def _watch(self) -> None:
        # Not sys.stdin: a thread blocked in its buffer would disturb the end of the interpreter.
        while os.read(sys.stdin.fileno(), 4096):
            pass
        self._at_end()


def _leave() -> None:
    os._exit(0)
