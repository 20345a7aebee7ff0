# SPDX-License-Identifier: Apache-2.0
"""The commit that an image comes from, by git's own word."""

import subprocess
from pathlib import Path

import pytest

from hil.firmware.checkout import Checkout


def git(folder: Path, *words: str) -> str:
    own = [
        "-c",
        "user.name=n",
        "-c",
        "user.email=e",
        "-c",
        "init.defaultBranch=main",
        "-c",
        "commit.gpgsign=false",
    ]
    done = subprocess.run(["git", *own, *words], cwd=folder, capture_output=True, text=True, check=True)
    return done.stdout.strip()


@pytest.fixture
def image(tmp_path: Path) -> Path:
    """An image in a checkout with one commit."""
    git(tmp_path, "init", "-q")
    (tmp_path / "main.c").write_text("int main;", encoding="utf-8")
    git(tmp_path, "add", "main.c")
    git(tmp_path, "commit", "-q", "-m", "begin")
    build = tmp_path / "build"
    build.mkdir()
    elf = build / "firmware.elf"
    elf.write_bytes(b"\x7fELF")
    return elf


def test_the_commit_and_the_branch(image: Path) -> None:
    assert Checkout.around(image) == Checkout(git(image.parent, "rev-parse", "HEAD"), "main", modified=False)


def test_a_changed_source_is_told_and_a_new_file_is_not_one(image: Path) -> None:
    (image.parents[1] / "main.c").write_text("int Main;", encoding="utf-8")
    checkout = Checkout.around(image)
    assert checkout is not None
    assert checkout.modified


def test_a_detached_head_has_no_branch(image: Path) -> None:
    git(image.parent, "checkout", "-q", "--detach")
    checkout = Checkout.around(image)
    assert checkout is not None
    assert checkout.branch == ""


def test_outside_of_a_checkout_nothing_is_known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert Checkout.around(tmp_path / "firmware.elf") is None


def test_a_hook_that_runs_us_names_no_other_checkout(image: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_DIR", str(image.parent / "elsewhere"))
    checkout = Checkout.around(image)
    assert checkout is not None
    assert checkout.branch == "main"


def test_without_git_nothing_is_known(image: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(image.parent))
    assert Checkout.around(image) is None
