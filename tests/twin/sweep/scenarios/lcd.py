# SPDX-License-Identifier: Apache-2.0
"""LCD: frames on the LSI."""

from __future__ import annotations

from tests.twin.sweep.registry import scenario
from tests.twin.sweep.subject import Subject

CR, FCR, SR, CLR = range(0, 0x10, 4)


def _frames(control: int, config: int) -> None:
    @scenario("LCD", CR, FCR, SR, CLR)
    def frames(s: Subject) -> None:
        """Some frames, told of or not; the memory is shown, or not; flags are cleared, or not."""
        s.write("RCC", 0x94, 0x601)
        s.write("RCC", 0x90, 0x200)
        s.advance(300e-6)
        s.write("LCD", FCR, config)
        s.write("LCD", CR, control)
        s.write("LCD", SR, 0)
        s.advance(150e-3)
        s.write("LCD", CLR, 0)
        s.sample()


_frames(1, 0x0004_0002)
_frames(0, 0x0004_0000)


@scenario("LCD", FCR, CLR)
def updated(s: Subject) -> None:
    """A frame takes the memory over."""
    s.write("RCC", 0x94, 0x601)
    s.write("RCC", 0x90, 0x200)
    s.advance(300e-6)
    s.write("LCD", FCR, 0)
    s.write("LCD", CR, 1)
    s.write("LCD", SR, 4)
    s.advance(10e-3)
    s.write("LCD", CLR, 0)
    s.sample()
