# SPDX-License-Identifier: Apache-2.0
"""What would have damaged a real bench. The virtual one survives it, records it and says so."""

from __future__ import annotations

from collections.abc import Callable

from hil.twin.signal import Signal

PS_PER_S = 1_000_000_000_000


class HarmRecord:
    """The harm done so far; each kind is told once."""

    def __init__(self, now_ps: Callable[[], int]) -> None:
        self._now_ps = now_ps
        self._known: set[str] = set()
        self.entries: list[str] = []
        self.noted: Signal[[str]] = Signal()
        """Told each new entry."""

    def note(self, kind: str, what: str) -> None:
        """Record harm of a ``kind`` (a pin, an instrument), if that is new. ``what`` says what happened."""
        if kind in self._known:
            return
        self._known.add(kind)
        entry = f"at {self._now_ps() / PS_PER_S:.6f} s {what}"
        self.entries.append(entry)
        self.noted(entry)
