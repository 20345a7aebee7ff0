# SPDX-License-Identifier: Apache-2.0
"""OTG_FS: a reset of the core. The SVD file has none of its registers: the sweep sees what is declared."""

from __future__ import annotations

from tests.twin.sweep.registry import scenario
from tests.twin.sweep.subject import Subject


@scenario("OTG_FS")
def core_reset(s: Subject) -> None:
    """The core is reset on MSI of 48 MHz."""
    s.write("RCC", 0x00, 0xB9)
    s.write("RCC", 0x88, 3 << 26)
    s.write("OTG_FS", 0x10, 1)
    s.advance(1e-6)
