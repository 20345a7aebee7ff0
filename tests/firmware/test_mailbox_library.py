# SPDX-License-Identifier: Apache-2.0
"""The mailbox's files as another firmware takes them: strict compilers, layout, documented use."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from hil.cli.firmware import app
from hil.errors import FirmwareBuildError
from hil.firmware.mailbox import MAILBOX_DIR, MAILBOX_FILES, copy_mailbox
from tests.firmware.tflm_checkout import DOWNLOADS, STAND_IN, needs_gcc

PAGE = Path(__file__).parents[2] / "docs" / "mailbox.md"
STRICT = ("-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Wshadow", "-Werror")
ARM = ("-mcpu=cortex-m4", "-mthumb")
OFFSETS = {
    **{name: 4 * place for place, name in enumerate(("magic", "version", "control", "request", "response"))},
    **{"command": 20, "status": 24, "cycles": 28, "value": 32, "size": 36, "input_address": 40},
    **{
        "output_address": 52,
        "samples_address": 64,
        "mark_capacity": 76,
        "mark_count": 80,
        "run_count": 84,
        "marks": 88,
    },
}
"""As hil/rig/mailbox.py reads them."""


def clang(tmp_path: Path, source: Path, *flags: str) -> None:
    """Compile for the core with the clang that also builds the reference firmware."""
    target = ("-target", "thumb-freestanding-eabihf", "-mcpu=cortex_m4+vfp4d16sp")
    command = [sys.executable, "-m", "ziglang", "cc", *target, *flags, f"-I{MAILBOX_DIR}", "-c", str(source)]
    command += ["-o", str(tmp_path / "compiled.o")]
    cache = {"ZIG_GLOBAL_CACHE_DIR": str(tmp_path), "ZIG_LOCAL_CACHE_DIR": str(tmp_path)}
    done = subprocess.run(command, capture_output=True, text=True, env=os.environ | cache, check=False)
    assert done.returncode == 0, done.stderr


def gcc(compiler: str, source: Path, *flags: str) -> None:
    command = [f"arm-none-eabi-{compiler}", *ARM, *flags, f"-I{MAILBOX_DIR}", "-fsyntax-only"]
    command.append(str(source))
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def example(language: str) -> str:
    """The code block of that language of the page."""
    found = re.search(rf"```{re.escape(language)} run-by[^\n]*\n(.*?)```", PAGE.read_text("utf-8"), re.S)
    assert found is not None
    return found[1]


def test_clang_takes_it_as_c99_without_a_word(tmp_path: Path) -> None:
    clang(tmp_path, MAILBOX_DIR / "hil_mailbox.c", "-std=c99", *STRICT)


@needs_gcc
@pytest.mark.parametrize("core", ["cortex-m0plus", "cortex-m4", "cortex-m33"])
def test_gcc_takes_it_as_c99_without_a_word(core: str) -> None:
    gcc("gcc", MAILBOX_DIR / "hil_mailbox.c", "-std=c99", f"-mcpu={core}", *STRICT)


@needs_gcc
def test_cpp_takes_both_files(tmp_path: Path) -> None:
    source = tmp_path / "all.cc"
    source.write_text('#include "hil_mailbox.c"\n')
    gcc("g++", source, "-std=c++11", *STRICT)


def test_the_layout_is_what_the_rig_reads(tmp_path: Path) -> None:
    source = tmp_path / "layout.c"
    lines = [
        "#include <stddef.h>",
        '#include "hil_mailbox.h"',
        '_Static_assert(sizeof(hil_mailbox_t) == 216, "");',
    ]
    lines += [f'_Static_assert(offsetof(hil_mailbox_t, {name}) == {at}, "");' for name, at in OFFSETS.items()]
    source.write_text("\n".join(lines) + "\n")
    clang(tmp_path, source, "-std=c11")


def test_the_documented_example_compiles(tmp_path: Path) -> None:
    source = tmp_path / "example.c"
    network = "#include <stdint.h>\nuint32_t my_network(const int8_t *input, int8_t *output);\n"
    source.write_text(network + example("c"))
    clang(tmp_path, source, "-std=c99", "-Wall", "-Wextra", "-Werror")


@needs_gcc
def test_the_documented_adapter_compiles(tmp_path: Path) -> None:
    source = tmp_path / "example.cc"
    source.write_text(example("cpp"))
    checkout = STAND_IN / "checkout"
    headers = [
        checkout,
        *(checkout / DOWNLOADS / name for name in ("flatbuffers/include", "gemmlowp", "ruy")),
    ]
    includes = [f"-I{folder}" for folder in headers]
    gcc(
        "g++",
        source,
        "-std=c++17",
        "-DTF_LITE_STATIC_MEMORY",
        "-Wall",
        "-Wextra",
        "-Werror",
        "-fsyntax-only",
        *includes,
    )


def test_the_files_are_written_out(tmp_path: Path) -> None:
    for _ in range(2):  # the second time over the first
        written = CliRunner().invoke(app, ["mailbox", str(tmp_path / "Core")])
        assert written.exit_code == 0, written.output
    for name in MAILBOX_FILES:
        assert (tmp_path / "Core" / name).read_bytes() == (MAILBOX_DIR / name).read_bytes()


def test_somebody_elses_file_stays(tmp_path: Path) -> None:
    (tmp_path / "hil_mailbox.c").write_text("int mine;\n")
    with pytest.raises(FirmwareBuildError, match="is there and not the mailbox's"):
        copy_mailbox(tmp_path)
    assert (tmp_path / "hil_mailbox.c").read_text() == "int mine;\n"
