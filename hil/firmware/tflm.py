# SPDX-License-Identifier: Apache-2.0
"""A user's TensorFlow Lite Micro: where its headers and its static library are, and what is missing.

Two layouts are known. A **checkout** of the library's repository, in which its own makefile downloaded the
third-party headers and built `libtensorflow-microlite.a` below `gen/`, once for each kind of kernels. And a
**folder of files**, with the headers below `include/` and the library in `lib/` or in `lib/<any name>/`.

The kind of kernels and the float ABI are read from the library itself, not from a folder's name.
"""

from __future__ import annotations

import io
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from elftools.common.exceptions import ELFError
from elftools.elf.elffile import ELFFile
from elftools.elf.sections import ARMAttributesSection

from hil.errors import FirmwareBuildError

REFERENCE_KERNELS = "reference"
CMSIS_NN_KERNELS = "cmsis_nn"

_LIBRARY = "libtensorflow-microlite.a"
_MAKEFILE = "tensorflow/lite/micro/tools/make/Makefile"
_DOWNLOADS = "tensorflow/lite/micro/tools/make/downloads"
_CMSIS_NN_SYMBOL = b"arm_fully_connected_s8"
"""In the index of a library that was built with OPTIMIZED_KERNEL_DIR=cmsis_nn, and in no other."""

_HEADERS = (
    ("TensorFlow Lite Micro", "tensorflow/lite/micro/micro_interpreter.h", ("",)),
    ("signal library", "signal/micro/kernels/rfft.h", ("",)),
    ("FlatBuffers", "flatbuffers/flatbuffers.h", ("flatbuffers/include", "flatbuffers")),
    ("gemmlowp", "fixedpoint/fixedpoint.h", ("gemmlowp",)),
    ("ruy", "ruy/profiler/instrumentation.h", ("ruy",)),
)
"""What the interpreter's headers include: a name, a header that shows it, its folders among third parties."""

_SCHEMA = "tensorflow/lite/schema/schema_generated.h"
_FLATBUFFERS_BASE = "flatbuffers/base.h"
_VERSION = re.compile(r"FLATBUFFERS_VERSION_(MAJOR|MINOR|REVISION)\s*(?:==\s*)?(\d+)")
_VERSION_FIELDS = ("MAJOR", "MINOR", "REVISION")


@dataclass(frozen=True)
class Library:
    """One static library, as its own content shows it."""

    path: Path
    kernels: str
    """`REFERENCE_KERNELS` or `CMSIS_NN_KERNELS`."""
    hard_float: bool
    """Built for floats in registers (TARGET_ARCH=cortex-m4+fp), as the firmware is."""


@dataclass(frozen=True)
class Finding:
    """One thing that a build needs."""

    what: str
    found: str
    """Where or which it is; empty where it is missing."""
    wrong: str = ""
    """What keeps a build from it."""
    command: str = ""
    """What provides it."""

    @property
    def sound(self) -> bool:
        """Whether a build can use it."""
        return bool(self.found) and not self.wrong


@dataclass(frozen=True)
class Checkout:
    """What was found in a folder: everything that a build needs, or what is missing."""

    folder: Path
    include_folders: tuple[Path, ...]
    libraries: tuple[Library, ...]
    findings: tuple[Finding, ...]

    def library(self, kernels: str | None = None) -> Library:
        """The library with those kernels; the only one if ``kernels`` is None.

        Raises:
            FirmwareBuildError: something is missing, there is none, or several fit.
        """
        for finding in self.findings:
            if not finding.sound:
                raise _error(
                    f"{self.folder}: {finding.what}: {finding.wrong or 'missing'}", hint=finding.command
                )
        there = ", ".join(sorted(library.kernels for library in self.libraries))
        fitting = [library for library in self.libraries if kernels in (None, library.kernels)]
        if not fitting:
            raise _error(
                f"{self.folder} has no library with {kernels} kernels, only with {there}",
                hint=_build_command(self.folder, kernels or REFERENCE_KERNELS),
            )
        if len(fitting) > 1:
            places = ", ".join(str(library.path.relative_to(self.folder)) for library in fitting)
            hint = f"--tflm-kernels {REFERENCE_KERNELS} or {CMSIS_NN_KERNELS}" if kernels is None else ""
            raise _error(f"{self.folder} has {len(fitting)} libraries that fit: {places}", hint=hint)
        return fitting[0]


def inspect(folder: Path) -> Checkout:
    """Look into a folder, and at the compiler.

    Raises:
        FirmwareBuildError: it is no folder.
    """
    if not folder.is_dir():
        raise _error(f"{folder} is no folder", hint="give the checkout of TensorFlow Lite Micro")
    findings = [_compiler(), _standard_library()]
    include_folders: dict[str, Path] = {}
    for what, header, places in _HEADERS:
        place = next((base for base in _candidates(folder, places) if (base / header).is_file()), None)
        if place is None:
            findings.append(Finding(what, "", f"no {header}", _header_command(folder, header)))
        else:
            include_folders[what] = place
            findings.append(Finding(what, str(place)))
    if not {"TensorFlow Lite Micro", "FlatBuffers"} - include_folders.keys():
        findings += _schema(folder, include_folders["TensorFlow Lite Micro"], include_folders["FlatBuffers"])
    libraries = []
    for path in _library_files(folder):
        try:
            library = _read_library(path)
        except (OSError, ELFError, ValueError) as error:
            findings.append(Finding("library", "", f"{path} is no static library for Arm: {error}"))
            continue
        libraries.append(library)
        wrong = "" if library.hard_float else "built for floats in integer registers"
        command = "" if library.hard_float else _build_command(folder, library.kernels)
        findings.append(Finding(f"library, {library.kernels} kernels", str(path), wrong, command))
    if not libraries:
        findings.append(Finding("library", "", f"no {_LIBRARY}", _build_command(folder, REFERENCE_KERNELS)))
    unique = tuple(dict.fromkeys(include_folders.values()))
    return Checkout(folder, unique, tuple(libraries), tuple(findings))


def missing_kernels(checkout: Checkout) -> dict[str, str]:
    """The kinds of kernels that no library of the checkout has, and the command that builds one."""
    there = {library.kernels for library in checkout.libraries}
    wanted = (REFERENCE_KERNELS, CMSIS_NN_KERNELS)
    return {kernels: _build_command(checkout.folder, kernels) for kernels in wanted if kernels not in there}


def _error(message: str, hint: str = "") -> FirmwareBuildError:
    return FirmwareBuildError(message, where="tflm", operation="check", hint=hint)


def _candidates(folder: Path, places: tuple[str, ...]) -> Iterator[Path]:
    """Folders that may be the include folder, the library's own download before what lies beside it."""
    for place in places:
        if place:
            yield folder / _DOWNLOADS / place
            yield folder / "third_party" / place
            yield folder / "include" / "third_party" / place
    yield folder
    yield folder / "include"


def _library_files(folder: Path) -> list[Path]:
    patterns = (f"lib/{_LIBRARY}", f"lib/*/{_LIBRARY}", f"gen/*/lib/{_LIBRARY}")
    return sorted(path for pattern in patterns for path in folder.glob(pattern))


def _compiler() -> Finding:
    path = shutil.which("arm-none-eabi-g++")
    return Finding("compiler", path or "", "" if path else "no arm-none-eabi-g++", _apt("gcc-arm-none-eabi"))


def _standard_library() -> Finding:
    """Whether the compiler has a C++ standard library: Debian packs it apart."""
    what = "C++ standard library"
    compiler = shutil.which("arm-none-eabi-g++")
    if compiler is None:
        return Finding(what, "", "no compiler to ask", _apt("libstdc++-arm-none-eabi-newlib"))
    asked = subprocess.run(
        [compiler, "-x", "c++", "-E", "-"],
        input="#include <cstdint>\n",
        capture_output=True,
        text=True,
        check=False,
    )
    there = asked.returncode == 0
    return Finding(
        what,
        "of the compiler" if there else "",
        "" if there else "no <cstdint>",
        "" if there else _apt("libstdc++-arm-none-eabi-newlib"),
    )


def _apt(package: str) -> str:
    return f"apt-get install {package}"


def _schema(folder: Path, tensorflow: Path, flatbuffers: Path) -> Iterator[Finding]:
    """Whether FlatBuffers is of the release that the schema was generated with: it refuses any other."""
    wanted, there = _version(tensorflow / _SCHEMA), _version(flatbuffers / _FLATBUFFERS_BASE)
    if wanted and there and wanted != there:
        yield Finding(
            "FlatBuffers' release",
            there,
            f"is {there}, the schema wants {wanted}",
            _downloads_command(folder),
        )


def _version(header: Path) -> str:
    """Three numbers with dots; empty if the header does not say."""
    if not header.is_file():
        return ""
    found = dict(_VERSION.findall(header.read_text(encoding="utf-8", errors="replace")))
    return ".".join(found[name] for name in _VERSION_FIELDS) if found.keys() >= {*_VERSION_FIELDS} else ""


def _is_checkout(folder: Path) -> bool:
    return (folder / _MAKEFILE).is_file()


def _header_command(folder: Path, header: str) -> str:
    if not _is_checkout(folder):
        top = header.partition("/")[0]
        return f"copy {top}/ from the checkout that built the library into {folder / 'include'}"
    if header.startswith(("tensorflow/", "signal/")):
        return f"git -C {folder} checkout -- {header.partition('/')[0]}"
    return _downloads_command(folder)


def _downloads_command(folder: Path) -> str:
    if not _is_checkout(folder):
        return "copy the release that the checkout downloaded"
    return f"make -C {folder} -f {_MAKEFILE} third_party_downloads"


def _build_command(folder: Path, kernels: str) -> str:
    """TARGET_TOOLCHAIN_ROOT keeps the makefile from downloading a compiler of its own."""
    compiler = shutil.which("arm-none-eabi-g++") or "/usr/bin/arm-none-eabi-g++"
    optimised = f" OPTIMIZED_KERNEL_DIR={CMSIS_NN_KERNELS}" if kernels == CMSIS_NN_KERNELS else ""
    where = f"-C {folder} " if _is_checkout(folder) else ""
    return (
        f"make {where}-f {_MAKEFILE} TARGET=cortex_m_generic TARGET_ARCH=cortex-m4+fp{optimised} "
        f"TARGET_TOOLCHAIN_ROOT={Path(compiler).parent.as_posix()}/ microlite"
    )


_ARCHIVE_MAGIC = b"!<arch>\n"
_MEMBER_HEADER_BYTES = 60
_ATTRIBUTES = ".ARM.attributes"
_VFP_ARGUMENTS = "TAG_ABI_VFP_ARGS"


def _read_library(path: Path) -> Library:
    """Raises OSError, ELFError, or ValueError for what is no archive of Arm objects."""
    content = path.read_bytes()
    members = dict(_members(content))
    index = next((data for name, data in members.items() if name == "/"), b"")
    objects = [data for data in members.values() if data.startswith(b"\x7fELF")]
    if not objects:
        raise ValueError("it has no object files")
    kernels = CMSIS_NN_KERNELS if _CMSIS_NN_SYMBOL + b"\0" in index else REFERENCE_KERNELS
    return Library(path, kernels, any(_has_hard_float(data) for data in objects))


def _members(content: bytes) -> Iterator[tuple[str, bytes]]:
    """Name and content of the members of an archive (`ar`, System V and GNU); names are made unique."""
    if not content.startswith(_ARCHIVE_MAGIC):
        raise ValueError("it is no archive")
    position = len(_ARCHIVE_MAGIC)
    while position + _MEMBER_HEADER_BYTES <= len(content):
        header = content[position : position + _MEMBER_HEADER_BYTES]
        size = int(header[48:58])
        start = position + _MEMBER_HEADER_BYTES
        name = header[:16].decode("ascii", "replace").rstrip()
        yield (name if name in ("/", "//") else f"{name} {position}"), content[start : start + size]
        position = start + size + size % 2


def _has_hard_float(data: bytes) -> bool:
    elf = ELFFile(io.BytesIO(data))
    if elf["e_machine"] != "EM_ARM":
        raise ValueError(f"it is built for {str(elf['e_machine']).removeprefix('EM_')}")
    section = elf.get_section_by_name(_ATTRIBUTES)
    if not isinstance(section, ARMAttributesSection):
        return False
    return any(
        attribute.tag == _VFP_ARGUMENTS and attribute.value == 1
        for part in section.iter_subsections()
        for group in part.iter_subsubsections()
        for attribute in group.iter_attributes()
    )
