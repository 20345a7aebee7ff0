# SPDX-License-Identifier: Apache-2.0
"""The compilers and flags that an image's debug information names."""

import subprocess
from pathlib import Path

import pytest

from hil.firmware.built_with import built_with


def compiled(folder: Path, *flags: str) -> Path:
    (folder / "a.c").write_text("int main(void) { return 0; }\n", "utf-8")
    target = folder / "a.o"
    subprocess.run(["cc", "-c", *flags, "-o", target, folder / "a.c"], check=True)
    return target


def test_the_compiler_is_named_with_its_flags_once(tmp_path: Path) -> None:
    told = built_with(compiled(tmp_path, "-g", "-O2", "-fno-builtin"))
    assert len(told) == 1
    assert "-O2" in told[0] or "clang" in told[0]  # clang keeps no flags by itself


@pytest.mark.parametrize("content", [b"", b"\x7fELF", b"no ELF at all"])
def test_what_says_nothing_is_no_error(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "firmware.elf"
    path.write_bytes(content)
    assert built_with(path) == []
    assert built_with(tmp_path / "absent.elf") == []


def test_an_image_without_debug_information_says_nothing(tmp_path: Path) -> None:
    assert built_with(compiled(tmp_path, "-g0")) == []
