# SPDX-License-Identifier: Apache-2.0
"""Where the project's own files are found, in a checkout and where it was installed."""

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
