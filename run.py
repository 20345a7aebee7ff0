#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Run anything of hil-rig, on a machine that has nothing but Python 3.11 or later.

    python3 run.py pytest --rig sim     the hardware-in-the-loop suite on the virtual bench
    python3 run.py pytest --rig nucleo  the same suite on a real one
    python3 run.py test                 hil-rig's own tests
    python3 run.py hil --help           the hil command
    python3 run.py python ...           the project's Python; any other tool of it goes the same way

The first start makes .venv beside this file and installs the versions pinned in requirements.lock into it;
it does so again whenever those pins change. Later starts go straight on.
"""

import hashlib
import os
import subprocess
import sys
import time
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
BIN = VENV / ("Scripts" if os.name == "nt" else "bin")
PYTHON = BIN / ("python.exe" if os.name == "nt" else "python")
LOCK = ROOT / "requirements.lock"
STAMP = VENV / "installed.sha256"
MINIMUM = (3, 11)


def wanted_stamp() -> str:
    """A digest of all that decides what must be installed."""
    digest = hashlib.sha256(f"{sys.version_info[:2]} {ROOT}".encode())
    for path in (LOCK, ROOT / "pyproject.toml", ROOT / "setup.py"):
        digest.update(path.read_bytes())
    return digest.hexdigest()


def is_installed() -> bool:
    """Whether .venv holds what is asked for. An interrupted installation left no stamp."""
    return PYTHON.exists() and STAMP.exists() and STAMP.read_text(encoding="ascii") == wanted_stamp()


def step(title: str, command: list[str | Path]) -> None:
    """Run one step of the installation, or end the program with what it printed."""
    print(f"hil-rig: {title} ...", end=" ", file=sys.stderr, flush=True)
    started = time.monotonic()
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode != 0:
        print("failed\n" + done.stdout, file=sys.stderr)
        sys.exit(f"hil-rig: {title} failed; mend what pip says above and start again")
    print(f"{time.monotonic() - started:.0f} s", file=sys.stderr)


def install() -> None:
    """Make .venv and put the pinned versions and the project itself into it."""
    pip: list[str | Path] = [PYTHON, "-m", "pip", "--disable-pip-version-check", "install", "--quiet"]
    if not PYTHON.exists() or STAMP.exists():
        # Other pins, or another interpreter: start from nothing rather than guess what may stay.
        STAMP.unlink(missing_ok=True)
        venv.create(VENV, clear=True, with_pip=True)
    step(
        "installing the pinned packages (some 650 MB, once)",
        [*pip, "--no-compile", "--require-hashes", "-r", LOCK],
    )
    step("installing hil-rig", [*pip, "--no-deps", "--no-build-isolation", "--editable", ROOT])
    # The twin's timing hook becomes machine code at its first import; now rather than at the first start.
    step("compiling the virtual bench's timing hook", [PYTHON, "-c", "import hil.twin.serve"])
    STAMP.write_text(wanted_stamp(), encoding="ascii")


def command_line(arguments: list[str]) -> list[str]:
    """What the words after run.py stand for inside .venv."""
    name, *rest = arguments
    if name in ("pytest", "test"):
        # Named, because pytest would look for it beside a rig file that is given by its path.
        pytest = [str(PYTHON), "-m", "pytest", "-c", str(ROOT / "pyproject.toml")]
        # hil-rig's own tests share nothing and may use all cores; the suite on a rig shares the bench.
        return [*pytest, "--numprocesses", "logical", *rest] if name == "test" else [*pytest, *rest]
    if name == "python":
        return [str(PYTHON), *rest]
    tool = BIN / (name + (".exe" if os.name == "nt" else ""))
    if not tool.exists():
        sys.exit(f"run.py: no tool {name!r} in {BIN}; try: python3 run.py --help")
    return [str(tool), *rest]


def main() -> int:
    """Install if needed, then become the command."""
    if sys.version_info < MINIMUM:
        sys.exit(f"hil-rig needs Python 3.11 or later; this is {sys.version.split()[0]} ({sys.executable})")
    arguments = sys.argv[1:]
    if not arguments or arguments[0] in ("-h", "--help"):
        print(__doc__)
        return 0
    if not is_installed():
        install()
    command = command_line(arguments)
    if os.name != "nt":
        # Replacing this process lets Ctrl-C and signals reach the command itself.
        os.execv(command[0], command)
    return subprocess.call(command)


if __name__ == "__main__":
    sys.exit(main())
