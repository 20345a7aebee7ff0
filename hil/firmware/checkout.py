# SPDX-License-Identifier: Apache-2.0
"""From which commit an image comes, as far as git can tell."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

_LIMIT_S = 5.0
"""Of each question to git. A working tree on a dead network share answers never (assumption)."""
_OF_A_HOOK = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE")
"""Set by git where it runs a hook: they would name another checkout than the file's."""


@dataclass(frozen=True)
class Checkout:
    """The state of the git checkout that a file lies in. The file itself may be older than it."""

    commit: str
    """The full hash."""
    branch: str
    """Empty where no branch is checked out."""
    modified: bool
    """Whether tracked files differ from the commit."""

    @classmethod
    def around(cls, path: Path) -> Checkout | None:
        """The checkout that holds a file; None outside of one, without git, and if git does not answer."""
        commit = _git(path.parent, "rev-parse", "HEAD")
        changes = _git(path.parent, "status", "--porcelain", "--untracked-files=no")
        if not commit or changes is None:
            return None
        branch = _git(path.parent, "symbolic-ref", "--short", "--quiet", "HEAD") or ""
        return cls(commit, branch, modified=bool(changes))


def _git(folder: Path, *words: str) -> str | None:
    """Git's answer without the last newline; None where it fails."""
    try:
        # Optional locks would write to somebody's repository while a build uses it.
        done = subprocess.run(
            ["git", "--no-optional-locks", "-C", folder, *words],
            capture_output=True,
            text=True,
            encoding="utf-8",
            errors="replace",
            timeout=_LIMIT_S,
            stdin=subprocess.DEVNULL,
            env={name: value for name, value in os.environ.items() if name not in _OF_A_HOOK},
            check=False,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip() if done.returncode == 0 else None
