# SPDX-License-Identifier: Apache-2.0
"""Where hil-rig's own files are: beside the package in a checkout, inside it where it was installed."""

import os
import stat
import tempfile
import time
from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent
CHECKOUT = _PACKAGE.parent if (_PACKAGE.parent / "firmware" / "CMakeLists.txt").is_file() else None
"""The checkout that this package is part of; None if it was installed."""


def shipped(path: str) -> Path:
    """A file or folder of the project, by its path in a checkout: "rig_configs", "firmware", "tests/hil"."""
    return (CHECKOUT or _PACKAGE / "shipped") / path


def own_or_shipped(root: Path, path: Path) -> Path:
    """A file or folder of the project at ``root``, or the shipped one where that project has none."""
    own = root / path
    return own if own.exists() else shipped(path.as_posix())


def build_folder() -> Path:
    """Where what is built is kept: ``build`` in a checkout, else in the user's cache folder.

    A folder of the user's own among the temporary files takes its place where that cannot be written.
    """
    if CHECKOUT is not None:
        return CHECKOUT / "build"
    from platformdirs import user_cache_path  # few commands build anything

    user = os.getuid() if hasattr(os, "getuid") else os.environ.get("USERNAME", "")
    for folder in (user_cache_path("hil-rig"), Path(tempfile.gettempdir(), f"hil-rig-{user}")):
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            if _only_the_user_writes(folder):
                return folder
        except OSError:
            continue
    return Path.cwd() / "build"


def _only_the_user_writes(folder: Path) -> bool:
    """Whether the user can write into a folder, and nobody else: machine code is loaded from it."""
    if not os.access(folder, os.W_OK):
        return False
    if not hasattr(os, "getuid"):
        return True
    about = folder.stat()
    return about.st_uid == os.getuid() and not about.st_mode & (stat.S_IWGRP | stat.S_IWOTH)


_IN_USE = (5, 32)
"""Windows' error codes while another process has a file open: access denied, sharing violation."""
_PATIENCE_S = 2.0
"""How long a virus scanner or a viewer may keep a file open. Our assumption."""


def put_in_place(draft: Path, target: Path) -> None:
    """Rename a finished file over the one before: a reader finds the old one or the new one.

    Windows refuses that while another process has ``target`` open; then it is tried again for two seconds.

    Raises:
        OSError: it cannot be done; both files are as they were.
    """
    ends = time.monotonic() + _PATIENCE_S
    while True:
        try:
            draft.replace(target)
            return
        except OSError as error:
            if getattr(error, "winerror", None) not in _IN_USE or time.monotonic() >= ends:
                raise
            time.sleep(0.02)
