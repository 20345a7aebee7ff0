# SPDX-License-Identifier: Apache-2.0
"""Where the project's own files are found, in a checkout and where it was installed."""

import os
import tempfile
from pathlib import Path

import pytest

import hil
from hil import places

PROJECT = Path(__file__).resolve().parents[1]


def test_a_checkout_is_used_as_it_is() -> None:
    assert places.shipped("rig_configs") == PROJECT / "rig_configs"
    assert places.build_folder() == PROJECT / "build"


def test_an_installed_package_has_its_own_and_builds_in_the_users_cache(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(places, "CHECKOUT", None)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("LOCALAPPDATA", str(tmp_path / "cache"))
    monkeypatch.setenv("HOME", str(tmp_path / "cache"))
    assert places.shipped("firmware") == Path(hil.__file__).parent / "shipped" / "firmware"
    folder = places.build_folder()
    assert folder.is_dir()
    assert folder.is_relative_to(tmp_path / "cache")


@pytest.mark.skipif(os.name == "nt", reason="permissions of POSIX")
def test_machine_code_is_never_loaded_from_where_others_write(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()  # no folder can be made below it
    monkeypatch.setattr(places, "CHECKOUT", None)
    monkeypatch.setenv("HOME", str(tmp_path / "file"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    own = tmp_path / f"hil-rig-{os.getuid()}"
    assert places.build_folder() == own
    own.chmod(0o777)
    assert places.build_folder() == Path.cwd() / "build"


class Windows:
    """Renames as Windows does: refused ``times`` times while a reader has the target open."""

    def __init__(self, times: float, code: int) -> None:
        self.times, self.code, self.rename = times, code, Path.replace
        self.now_s = 0.0

    def replace(self, draft: Path, target: Path) -> Path:
        if self.times > 0:
            self.times -= 1
            error = PermissionError(13, "The process cannot access the file")
            error.winerror = self.code  # type: ignore[attr-defined, unused-ignore]
            raise error
        return self.rename(draft, target)

    def sleep(self, time_s: float) -> None:
        self.now_s += time_s


@pytest.mark.parametrize(
    ("refusals", "code", "placed"), [(5, 32, True), (5, 5, True), (float("inf"), 32, False), (1, 112, False)]
)
def test_a_file_that_windows_has_in_use_is_tried_again(
    refusals: float, code: int, placed: bool, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    windows = Windows(refusals, code)
    monkeypatch.setattr(Path, "replace", lambda draft, target: windows.replace(draft, target))
    monkeypatch.setattr(places.time, "sleep", windows.sleep)  # type: ignore[attr-defined]
    monkeypatch.setattr(places.time, "monotonic", lambda: windows.now_s)  # type: ignore[attr-defined]
    draft, target = tmp_path / "run.json.new", tmp_path / "run.json"
    draft.write_text("new")
    target.write_text("old")
    if placed:
        places.put_in_place(draft, target)
    else:
        with pytest.raises(PermissionError):
            places.put_in_place(draft, target)
    assert target.read_text() == ("new" if placed else "old")
    assert draft.exists() is not placed


def test_a_project_s_own_file_comes_before_the_shipped_one(tmp_path: Path) -> None:
    wanted = Path("firmware") / "requirements.toml"
    assert places.own_or_shipped(tmp_path, wanted) == PROJECT / wanted
    (tmp_path / "firmware").mkdir()
    (tmp_path / wanted).touch()
    assert places.own_or_shipped(tmp_path, wanted) == tmp_path / wanted


def test_the_version_is_that_of_the_installed_package() -> None:
    assert hil.__version__.count(".") == 2
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        _ = hil.nonsense
