# SPDX-License-Identifier: Apache-2.0
"""How far a compressed recording may grow when it is read."""

from typing import Final

INFLATED_MOST_BYTES: Final = 1 << 30
"""What the compressed variables or arrays of one file may take together in memory (a choice)."""
