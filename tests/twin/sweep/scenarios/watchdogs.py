# SPDX-License-Identifier: Apache-2.0
"""Both watchdogs."""

from tests.twin.sweep.registry import scenario
from tests.twin.sweep.subject import Subject

CR, CFR, WWDG_SR = 0x00, 0x04, 0x08
KR, PR, RLR, WINR = 0x00, 0x04, 0x08, 0x10


@scenario("WWDG", CR, CFR)
def window_is_left(s: Subject) -> None:
    """Counting from a middle value, fed too early for some windows, then left to bite."""
    s.write("WWDG", CFR, 0x055)
    s.write("WWDG", CR, 0xD5)
    s.advance(3e-3)
    s.write("WWDG", CR, 0xD5)
    s.advance(30e-3)


@scenario("WWDG", CR, CFR)
def window_is_hit(s: Subject) -> None:
    """Fed just below the window's upper end."""
    s.write("WWDG", CFR, 0x07F)
    s.write("WWDG", CR, 0xFF)
    s.advance(0.5e-3)
    s.write("WWDG", CR, 0xFF)
    s.advance(3e-3)


@scenario("WWDG", CFR, WWDG_SR)
def early_wakeup(s: Subject) -> None:
    """The early wake-up comes, and is cleared or not."""
    s.write("WWDG", CFR, 0x27F)
    s.write("WWDG", CR, 0xC1)
    s.advance(1.5e-3)
    s.write("WWDG", WWDG_SR, 0)
    s.sample()


@scenario("IWDG", KR)
def keys(s: Subject) -> None:
    """The independent watchdog is started and fed once."""
    s.write("IWDG", KR, 0xCCCC)
    s.write("IWDG", KR, 0x5555)
    s.write("IWDG", PR, 1)
    s.write("IWDG", RLR, 20)
    s.advance(1e-3)
    s.write("IWDG", KR, 0xAAAA)
    s.advance(6e-3)


@scenario("IWDG", PR, RLR)
def reload(s: Subject) -> None:
    """Left to bite, after 85 periods or any other number."""
    s.write("IWDG", KR, 0xCCCC)
    s.write("IWDG", KR, 0x5555)
    s.write("IWDG", PR, 0)
    s.write("IWDG", RLR, 85)
    s.write("IWDG", KR, 0xAAAA)
    s.advance(12e-3)


@scenario("IWDG", WINR)
def window(s: Subject) -> None:
    """Fed just inside the window, and just outside."""
    for fed_after_s in (0.3e-3, 0.7e-3):
        s.write("IWDG", KR, 0xCCCC)
        s.write("IWDG", KR, 0x5555)
        s.write("IWDG", PR, 0)
        s.write("IWDG", RLR, 0xFFF)
        s.write("IWDG", WINR, 0xFFB)
        s.advance(fed_after_s)
        s.write("IWDG", KR, 0xAAAA)
        s.advance(0.2e-3)


@scenario("IWDG", WINR)
def low_window(s: Subject) -> None:
    """Fed when little is left, with a window that is lower, or higher."""
    s.write("IWDG", KR, 0xCCCC)
    s.write("IWDG", KR, 0x5555)
    s.write("IWDG", PR, 0)
    s.write("IWDG", RLR, 0x007)
    s.write("IWDG", WINR, 0x004)
    s.advance(0.3e-3)
    s.write("IWDG", KR, 0xAAAA)
    s.advance(0.3e-3)
