# SPDX-License-Identifier: Apache-2.0
"""Starts build tools: the environment's own pinned ones, and nothing of what the caller's shell may steer."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from hil.errors import FirmwareBuildError

# What a caller's shell may hold to steer compilers; a build must not follow it.
_ENVIRONMENT_DROPPED = (
    *("CC", "CFLAGS", "CPPFLAGS", "ASM", "ASMFLAGS", "LDFLAGS", "CPATH", "C_INCLUDE_PATH", "LIBRARY_PATH"),
    *("CXX", "CXXFLAGS", "CPLUS_INCLUDE_PATH", "COMPILER_PATH", "GCC_EXEC_PREFIX"),
    *("CMAKE_GENERATOR", "CMAKE_TOOLCHAIN_FILE", "CMAKE_C_COMPILER_LAUNCHER", "CMAKE_ASM_COMPILER_LAUNCHER"),
    *("CMAKE_CXX_COMPILER_LAUNCHER",),
)


def tool(name: str) -> str:
    """The program of the environment's own package; the search path's where the environment has none.

    Raises:
        FirmwareBuildError: there is none.
    """
    path = shutil.which(name, path=str(Path(sys.executable).parent)) or shutil.which(name)
    if path is None:
        raise FirmwareBuildError(
            f"{name} is not installed",
            where="firmware",
            operation="build",
            hint="pip install 'hil-rig[firmware]'",
        )
    return Path(path).as_posix()


def environment(work_dir: Path) -> dict[str, str]:
    """The caller's environment variables without those that steer compilers; caches go to `work_dir`."""
    kept = {name: value for name, value in os.environ.items() if name not in _ENVIRONMENT_DROPPED}
    cache_dir = str(work_dir / "zig-cache")
    return kept | {"ZIG_GLOBAL_CACHE_DIR": cache_dir, "ZIG_LOCAL_CACHE_DIR": cache_dir}


def run(operation: str, command: list[str], variables: dict[str, str]) -> str:
    """What `command` prints.

    Raises:
        FirmwareBuildError: it failed; the message holds its own words.
    """
    result = subprocess.run(
        command, env=variables, capture_output=True, text=True, errors="replace", check=False
    )
    if result.returncode != 0:
        words = f"{result.stdout}{result.stderr}".rstrip()
        raise FirmwareBuildError(
            f"{Path(command[0]).name} ended with code {result.returncode}:\n{words}",
            where="firmware",
            operation=operation,
        )
    return result.stdout
