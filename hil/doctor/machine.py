# SPDX-License-Identifier: Apache-2.0
"""The bench's computer, as far as its files and its service manager tell."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

_LIMIT_S = 5.0
"""Of each question (assumption): a service manager answers in some milliseconds."""


class Machine:
    """Reads files and asks programs; changes nothing."""

    def __init__(self, root: Path = Path("/")) -> None:
        """``root`` is where the system's files are: of tests, a folder."""
        self.root = root

    def ask(self, *command: str) -> str | None:
        """A program's answer without blanks around it; None where it cannot be had."""
        try:
            done = subprocess.run(
                command,
                capture_output=True,
                text=True,
                encoding="utf-8",
                errors="replace",
                stdin=subprocess.DEVNULL,
                timeout=_LIMIT_S,
                check=False,
            )
        except (OSError, subprocess.SubprocessError):
            return None
        return done.stdout.strip() or None  # systemctl answers "inactive" with a status that is not 0

    def read(self, path: str) -> str | None:
        """A file's text; None where it cannot be read."""
        try:
            return (self.root / path).read_text("utf-8", "replace").strip()
        except OSError:
            return None

    def find(self, pattern: str) -> Sequence[Path]:
        """Files that match a pattern, relative to the root, in the order of their names."""
        return sorted(self.root.glob(pattern))

    def free_bytes(self, folder: Path) -> int:
        """Room on the disk that holds a folder, or would. Raises OSError."""
        existing = next(path for path in (folder.absolute(), *folder.absolute().parents) if path.exists())
        return shutil.disk_usage(existing).free
