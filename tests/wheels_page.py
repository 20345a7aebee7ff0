# SPDX-License-Identifier: Apache-2.0
"""Writes docs/wheels.md: on which platforms and Pythons the pinned versions install without a compiler.

``python -m tests.wheels_page`` asks uv's resolver, which has to be on the path (``pip install uv``), for each
combination, with wheels only. It takes minutes and the network.
"""

import hashlib
import re
import subprocess
import sys
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

PROJECT = Path(__file__).parents[1]
PAGE = PROJECT / "docs" / "wheels.md"
LOCK = PROJECT / "requirements.lock"

PLATFORMS = {
    "Linux, x86-64": "x86_64-manylinux_2_28",
    "Linux, ARM64": "aarch64-manylinux_2_28",
    "macOS, Apple silicon": "aarch64-apple-darwin",
    "macOS, Intel": "x86_64-apple-darwin",
    "Windows, x86-64": "x86_64-pc-windows-msvc",
    "Windows, ARM64": "aarch64-pc-windows-msvc",
    "Linux without glibc, x86-64": "x86_64-unknown-linux-musl",
}
"""Ours to uv's names; manylinux_2_28 is what Debian 12 and Raspberry Pi OS are newer than."""
PYTHONS = ("3.11", "3.12", "3.13", "3.14")
EXTRAS = {
    "controller": "",
    "`[sim]`": "sim",
    "`[firmware]`": "firmware",
    "`[recordings]`": "recordings",
    "`[golden]`": "golden",
}
_LACKING = re.compile(r"Because (?:only )?([\w.-]+?)(?:[<>=!~{].*?)? (?:has|have) no (?:usable )?wheels")


def digest() -> str:
    """Which pins the page is about."""
    return hashlib.sha256(LOCK.read_bytes()).hexdigest()[:16]


def lacking(platform: str, python: str, extras: Iterable[str]) -> str:
    """The first package without a wheel; "" if all have one. Any other trouble ends the program."""
    command = ["uv", "pip", "compile", "--quiet", "--no-header", "--only-binary", ":all:"]
    command += ["--python-platform", platform, "--python-version", python, "--constraint", str(LOCK)]
    command += [word for extra in extras if extra for word in ("--extra", extra)]
    done = subprocess.run(
        [*command, "pyproject.toml"], cwd=PROJECT, capture_output=True, text=True, check=False
    )
    if done.returncode == 0:
        return ""
    found = _LACKING.search(" ".join(done.stderr.split()))
    if found is None:
        sys.exit(done.stderr)
    return found[1]


def row(platform: str) -> list[str]:
    """A platform's cells, one for each extra."""
    missing: dict[str, dict[str, str]] = {extra: {} for extra in EXTRAS.values()}
    for python in PYTHONS:
        if lacking(platform, python, EXTRAS.values()):  # seldom; only then which of them
            for extra, by_python in missing.items():
                by_python[python] = lacking(platform, python, [extra])
    return [_cell(by_python) for by_python in missing.values()]


def page() -> str:
    """The page, asked anew."""
    lines = [
        "# Where the pinned versions have wheels",
        "",
        f"Made by `python -m tests.wheels_page` from requirements.lock {digest()}: uv's resolver,",
        f'wheels only. "yes" holds for each Python from {PYTHONS[0]} to {PYTHONS[-1]}. Otherwise the first',
        "package without a wheel stands there. `[golden]` names tflite-micro for Linux on x86-64 only;",
        "elsewhere it adds nothing, and the numpy reference takes its place.",
        "",
        f"| | {' | '.join(EXTRAS)} |",
        f"|---|{'---|' * len(EXTRAS)}",
    ]
    with ThreadPoolExecutor() as pool:
        for name, cells in zip(PLATFORMS, pool.map(row, PLATFORMS.values()), strict=True):
            lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def _cell(by_python: dict[str, str]) -> str:
    packages = sorted({package for package in by_python.values() if package})
    texts = []
    for package in packages:
        pythons = [python for python, missing in by_python.items() if missing == package]
        texts.append(package if len(pythons) == len(PYTHONS) else f"{package} on {', '.join(pythons)}")
    return f"no: {'; '.join(texts)}" if texts else "yes"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
