# SPDX-License-Identifier: Apache-2.0
"""Where hil-rig's own files are: beside the package in a checkout, inside it where it was installed."""

import os
import tempfile
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

    The folder for temporary files takes its place where that cannot be written.
    """
    if CHECKOUT is not None:
        return CHECKOUT / "build"
    from platformdirs import user_cache_path  # few commands build anything

    for folder in (user_cache_path("hil-rig"), Path(tempfile.gettempdir(), "hil-rig")):
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError:
            continue
        if os.access(folder, os.W_OK):
            return folder
    return Path.cwd() / "build"
