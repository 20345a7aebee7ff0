# SPDX-License-Identifier: Apache-2.0
"""Fetches the firmware that others built, once, and keeps it outside what git holds."""

from __future__ import annotations

import hashlib
import subprocess
import sys
import tarfile
import tempfile
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest

RECIPE = tomllib.loads(Path(__file__).with_name("images.toml").read_text(encoding="utf-8"))
CACHE = Path(__file__).parents[3] / "build" / "third_party"
FETCH_LIMIT_S = 120


def _fetched_package() -> Path:
    """The package of the recipe, its hash checked by pip; skips the test where it cannot be fetched."""
    source = RECIPE["source"]
    archive = CACHE / f"{source['package']}-{source['version']}.tar.gz"
    if archive.exists():
        return archive
    CACHE.mkdir(parents=True, exist_ok=True)
    # A folder of its own, moved into place at the end: another worker may do the same at this moment.
    with tempfile.TemporaryDirectory(dir=CACHE) as folder:
        pinned = Path(folder, "requirements.txt")
        pinned.write_text(f"{source['package']}=={source['version']} --hash=sha256:{source['sha256']}\n")
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--require-hashes"]
        command += ["--no-binary", source["package"], "--retries", "1", "--dest", folder, "-r", str(pinned)]
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=FETCH_LIMIT_S, check=False)
        except subprocess.TimeoutExpired:
            pytest.skip(f"{archive.name} could not be fetched in {FETCH_LIMIT_S} s")
        if "DO NOT MATCH" in done.stderr:
            raise AssertionError(f"{archive.name} is not the one of images.toml:\n{done.stderr}")
        if done.returncode:
            reason = done.stderr.strip().splitlines()
            pytest.skip(f"{archive.name} cannot be fetched: {reason[-1] if reason else done.returncode}")
        Path(folder, archive.name).replace(archive)
    return archive


@pytest.fixture(scope="session")
def third_party_image() -> Callable[[str], bytes]:
    """Gives the bytes, from the start of the flash on, of an image that images.toml names."""

    def image(name: str) -> bytes:
        archive = _fetched_package()
        assert hashlib.sha256(archive.read_bytes()).hexdigest() == RECIPE["source"]["sha256"], archive
        with tarfile.open(archive) as package:
            member = package.extractfile(RECIPE["images"][name]["member"])
            assert member is not None
            return member.read()

    return image
