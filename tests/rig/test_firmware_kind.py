# SPDX-License-Identifier: Apache-2.0
"""Foreign or dead: told by evidence, and by silence never."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from hil.errors import DeviceError
from hil.firmware.image import Image, Segment
from hil.rig.firmware_kind import LISTENED_S, Speaks, find_out, shown_text

FOREIGN = {"Reset_Handler": 0x0800_0100, "main": 0x0800_0200}
OURS = FOREIGN | {"hil_model": 0x0800_4000}


class FakeRig:
    """A rig on which a firmware says ``heard``, of which ``records`` are records."""

    def __init__(self, heard: bytes = b"", records: int = 0, *, console: bool = True) -> None:
        self.now_s = 0.0
        self.started = 0
        self.clock = SimpleNamespace(now_s=lambda: self.now_s, sleep=self.sleep)
        self._console = console
        self.console: Any = SimpleNamespace(
            records=["record"] * records, heard=heard, poll=lambda: [], clear=lambda: None
        )

    def sleep(self, duration_s: float) -> None:
        self.now_s += duration_s

    def has(self, name: str) -> bool:
        return self._console

    def to(self, *_: object, **__: object) -> None:
        self.started += 1


def image(symbols: dict[str, int]) -> Image:
    return Image(Path("their.elf"), "0" * 64, 0x0800_0100, (Segment(0x0800_0000, b"1234"),), symbols)


def kind(rig: FakeRig, symbols: dict[str, int], declared: Any = None) -> Any:
    return find_out(rig, image(symbols), declared)  # type: ignore[arg-type]


def test_a_silent_image_with_our_symbols_is_ours_and_has_to_speak() -> None:
    rig = FakeRig()
    assert kind(rig, OURS).speaks is Speaks.RECORDS
    assert rig.started == 0, "its tests will find out whether it does"


def test_an_image_whose_symbols_are_others_is_foreign_whatever_it_says() -> None:
    rig = FakeRig()
    found = kind(rig, FOREIGN)
    assert found.speaks is Speaks.OTHER
    assert "none of its 2 symbols is hil_model" in found.evidence
    assert rig.now_s == pytest.approx(LISTENED_S, abs=0.1)
    assert kind(FakeRig(console=False), FOREIGN).speaks is Speaks.OTHER


def test_records_are_proof_without_any_symbol() -> None:
    rig = FakeRig(b"@0 BOOT*1234\n", records=1)
    assert kind(rig, {}).speaks is Speaks.RECORDS
    assert rig.now_s == 0


def test_other_text_makes_a_stripped_image_foreign() -> None:
    found = kind(FakeRig(b"\r\nhello \x1b[2Jworld\r\n" * 9), {})
    assert found.speaks is Speaks.OTHER
    assert 'says "hello \\x1b[2Jworld"' in found.evidence


@pytest.mark.parametrize("heard", [b"", b"\x80\xfe\x00\xf8" * 20], ids=["silence", "wrong baud"])
def test_a_stripped_image_that_says_nothing_readable_is_not_known(heard: bytes) -> None:
    """A stripped reference firmware that hangs, or that sends at a wrong rate, looks like this."""
    found = kind(FakeRig(heard), {})
    assert found.speaks is Speaks.UNKNOWN
    with pytest.raises(DeviceError, match=r"their.elf has no symbols, .* hil.toml"):
        found.check_known()
    assert kind(FakeRig(console=False), {}).speaks is Speaks.UNKNOWN


def test_what_the_owner_declares_rules() -> None:
    rig = FakeRig(b"@0 BOOT*1234\n", records=1)
    assert kind(rig, OURS, "text").speaks is kind(rig, OURS, "none").speaks is Speaks.OTHER
    assert kind(rig, FOREIGN, "records").speaks is Speaks.RECORDS
    assert rig.started == 0


def test_text_is_a_line_of_printable_characters() -> None:
    assert shown_text(b"ok\r\nready to go\r\n") == "ready to go"
    assert shown_text(b"") == ""
