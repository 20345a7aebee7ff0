# SPDX-License-Identifier: Apache-2.0
"""Writes the Q15 tables of the FFT as a C file: `python tables.py <output.c>`. Standard library only.

The definition is that of `hil.golden.features`; a test compares the two entry by entry.
"""

import math
import sys
from collections.abc import Sequence
from pathlib import Path

WINDOW_SAMPLES = 1024
Q15_MAX = 32767


def round_half_up(value: float) -> int:
    """Nearest integer, halves towards plus infinity."""
    return math.floor(value + 0.5)


def hann_q15() -> list[int]:
    """The periodic Hann window, 32767 * (1 - cos(2 pi n / 1024)) / 2."""
    return [
        round_half_up(Q15_MAX * (0.5 - 0.5 * math.cos(2.0 * math.pi * n / WINDOW_SAMPLES)))
        for n in range(WINDOW_SAMPLES)
    ]


def twiddle_q15() -> tuple[list[int], list[int]]:
    """Twiddles: cos and sin of 2 pi k / 1024, k = 0..511, times 32768, clamped to 32767."""
    angles = [2.0 * math.pi * k / WINDOW_SAMPLES for k in range(WINDOW_SAMPLES // 2)]
    return (
        [min(round_half_up(32768.0 * math.cos(angle)), Q15_MAX) for angle in angles],
        [min(round_half_up(32768.0 * math.sin(angle)), Q15_MAX) for angle in angles],
    )


def rotations_q15() -> list[int]:
    """The twiddles as the DSP instructions take them: cos in the lower half of a word, sin above."""
    pairs = zip(*twiddle_q15(), strict=True)
    return [(cos & 0xFFFF) | (sin & 0xFFFF) << 16 for cos, sin in pairs]


def c_array(kind: str, name: str, values: Sequence[str]) -> str:
    """A definition of `const kind name[]`, 8 values per line."""
    rows = [", ".join(values[i : i + 8]) for i in range(0, len(values), 8)]
    body = ",\n    ".join(rows)
    return f"const {kind} {name}[{len(values)}] = {{\n    {body},\n}};\n"


def main(output: Path) -> None:
    """Write the tables to `output`."""
    arrays = [
        c_array("int16_t", "hann_q15", [str(value) for value in hann_q15()]),
        c_array("uint32_t", "rotations_q15", [f"0x{value:08X}u" for value in rotations_q15()]),
    ]
    text = "\n".join(["/* Written by tools/tables.py. */", '#include "tables.h"\n', *arrays])
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_text(text, encoding="ascii", newline="\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
