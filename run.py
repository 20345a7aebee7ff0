#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Run anything of hil-rig, on a machine that has nothing but Python 3.11 or later.

    python3 run.py pytest --rig sim     the hardware-in-the-loop suite on the virtual bench
    python3 run.py pytest --rig nucleo  the same suite on a real one
    python3 run.py test                 hil-rig's own tests
    python3 run.py hil --help           the hil command
    python3 run.py python ...           the project's Python; any other tool of it goes the same way

The first start makes .venv beside this file and installs the versions pinned in requirements.lock into it;
it does so again whenever those pins change, or .venv is of no use. Later starts go straight on.

    python3 run.py --without sim ...    installs requirements-bench.lock instead: the controller and the
                                        compiler, for machines on which the virtual bench has no packages.
                                        Later starts keep to it; --with sim, or deleting .venv, ends it.
"""

import sys

# An old Python has to get as far as this line: the file keeps to the syntax of Python 3.6, and what no old
# Python can evaluate (the annotations) stands below.
MINIMUM = (3, 11)
if sys.version_info < MINIMUM:
    sys.exit("hil-rig needs Python 3.11 or later; this is %s (%s)" % (sys.version.split()[0], sys.executable))

import contextlib
import hashlib
import os
import platform
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
BIN = VENV / ("Scripts" if os.name == "nt" else "bin")
PYTHON = BIN / ("python.exe" if os.name == "nt" else "python")
STAMP = VENV / "installed"
"""What .venv holds, as :func:`wanted_stamp` says it. An interrupted installation left none."""
UNFINISHED = VENV / "installation-unfinished"
"""There while an installation runs: what an interrupted one left behind is not worth mending."""
INSTALLING = ROOT / ".venv-lock"
"""Locked by the one start that installs: a second one would take its .venv for an interrupted one's."""
WITHOUT_SIM = VENV / "without-sim"
"""There if the virtual bench was left out on request."""
NO_VENV = (
    "install the modules venv and ensurepip of this Python (Debian and Ubuntu: python3-venv), "
    "or start run.py with another Python"
)


def lock(without_sim: bool) -> Path:
    """The pins that .venv is to hold."""
    return ROOT / ("requirements-bench.lock" if without_sim else "requirements.lock")


def wanted_stamp(without_sim: bool = False) -> str:
    """Two digests: of all that decides which packages are installed, and of what says how the project is."""
    pins = lock(without_sim)
    packages = hashlib.sha256(f"{sys.version_info[:2]} {ROOT} {pins.name}".encode() + pins.read_bytes())
    project = hashlib.sha256((ROOT / "pyproject.toml").read_bytes() + (ROOT / "setup.py").read_bytes())
    return f"{packages.hexdigest()}\n{project.hexdigest()}\n"


def stamp() -> list[str]:
    """The digests of what is installed."""
    return STAMP.read_text(encoding="ascii").splitlines() if STAMP.exists() else []


def is_installed(without_sim: bool) -> bool:
    """Whether .venv holds what is asked for, and the interpreter that it was made from is still there."""
    return PYTHON.exists() and base_exists() and stamp() == wanted_stamp(without_sim).splitlines()


def base_exists() -> bool:
    """Whether the interpreter that made .venv still exists. On Windows, .venv holds only a launcher of it."""
    try:
        lines = (VENV / "pyvenv.cfg").read_text(encoding="utf-8").splitlines()
    except OSError:
        return False
    home = [line.partition("=")[2].strip() for line in lines if line.partition("=")[0].strip() == "home"]
    return len(home) == 1 and Path(home[0]).is_dir()


def why_unusable() -> str:
    """What makes a .venv that is there useless; "" if nothing does."""
    if UNFINISHED.exists():
        return "an installation into it was interrupted"
    if not PYTHON.exists() or not base_exists():
        return "its Python is gone"
    # Isolated, or a pip in the user's own folder would answer for it.
    probe = [str(PYTHON), "-I", "-c", "import sys, pip; print(*sys.version_info[:2])"]
    try:
        found = subprocess.run(probe, capture_output=True, text=True)
    except OSError as error:
        return f"its Python does not start ({error.strerror})"
    if found.returncode != 0:
        said = found.stderr.strip().splitlines() or ["no word"]
        return f"its Python or pip does not start ({said[-1]})"
    if found.stdout.split() != [str(part) for part in sys.version_info[:2]]:
        return "it is Python {}'s and this is Python {}".format(
            ".".join(found.stdout.split()), ".".join(str(part) for part in sys.version_info[:2])
        )
    return ""


def make_venv() -> None:
    """Make .venv from nothing."""
    # Started from .venv itself, this process must not take itself for the base.
    base = getattr(sys, "_base_executable", None) or sys.executable
    # Links except on Windows: a copied interpreter that looks for its library beside itself does not start.
    how = "--copies" if os.name == "nt" else "--symlinks"
    step("making .venv", [base, "-m", "venv", "--clear", "--without-pip", how, VENV], NO_VENV)
    UNFINISHED.touch()
    step("installing pip", [PYTHON, "-I", "-m", "ensurepip", "--default-pip"], NO_VENV)


def no_sim_packages() -> str:
    """The kind of this machine if it is known to have no packages of the virtual bench; else ""."""
    machine = platform.machine().lower()
    if sys.platform == "darwin" and machine == "x86_64":
        return "macOS on Intel"
    if sys.platform == "win32" and machine == "arm64":
        return "Windows on ARM"
    if sys.platform == "linux" and platform.libc_ver()[0] != "glibc":
        return "Linux without glibc"
    return ""


def step(
    title: str, command: list[str | Path], hint: str = "mend what pip says above and start again"
) -> None:
    """Run one step of the installation, or end the program with what it printed."""
    print(f"hil-rig: {title} ...", end=" ", file=sys.stderr, flush=True)
    started = time.monotonic()
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode != 0:
        print("failed\n" + done.stdout, file=sys.stderr)
        sys.exit(f"hil-rig: {title} failed; {hint}")
    print(f"{time.monotonic() - started:.0f} s", file=sys.stderr)


@contextlib.contextmanager
def one_at_a_time() -> Iterator[None]:
    """Wait until no other start installs. The system takes the lock from a start that was killed."""
    with INSTALLING.open("ab") as file:
        waits = False
        while not lock_now(file.fileno()):
            if not waits:
                print("hil-rig: waiting for another start that installs", file=sys.stderr)
            waits = True
            time.sleep(0.5)
        yield


def lock_now(descriptor: int) -> bool:
    """Lock a file for as long as it is open, unless another process has it."""
    try:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def install(without_sim: bool) -> None:
    """Make .venv, unless a good one is there, and put the pinned versions and the project itself into it."""
    if not without_sim and no_sim_packages():
        sys.exit(
            f"hil-rig: the virtual bench has no packages for {no_sim_packages()}; "
            "install all else with: python3 run.py --without sim ..."
        )
    reason = why_unusable() if VENV.exists() else ""
    if reason:
        print(f"hil-rig: making .venv again: {reason}", file=sys.stderr)
    wanted = wanted_stamp(without_sim)
    same_packages = not reason and stamp()[:1] == wanted.splitlines()[:1]
    if reason or not VENV.exists() or (stamp() and not same_packages):
        # Where the pins have changed, too: start from nothing rather than guess what may stay.
        make_venv()
    STAMP.unlink(missing_ok=True)
    UNFINISHED.touch()
    pip: list[str | Path] = [PYTHON, "-m", "pip", "--disable-pip-version-check", "install", "--quiet"]
    if not same_packages:
        size = "350" if without_sim else "600"
        step(
            f"installing the pinned packages (some {size} MB, once)",
            [*pip, "--no-compile", "--require-hashes", "-r", lock(without_sim)],
        )
    step("installing hil-rig", [*pip, "--no-deps", "--no-build-isolation", "--editable", ROOT])
    if without_sim:
        WITHOUT_SIM.touch()
    else:
        WITHOUT_SIM.unlink(missing_ok=True)
        # The twin's timing hook becomes machine code at its first import; now rather than at the first start.
        step("compiling the virtual bench's timing hook", [PYTHON, "-c", "import hil.twin.serve"])
    STAMP.write_text(wanted, encoding="ascii")
    UNFINISHED.unlink()


def choose(words: list[str]) -> tuple[bool, list[str]]:
    """Whether the virtual bench is left out, and the words after ``--without sim`` or ``--with sim``."""
    kept_out = WITHOUT_SIM.exists()
    if words[0] not in ("--without", "--with"):
        return kept_out, words
    if words[1:2] != ["sim"]:
        sys.exit(f"run.py: {words[0]} takes the word sim, the virtual bench")
    # A .venv that has the virtual bench already serves as well without it.
    return words[0] == "--without" and (kept_out or not is_installed(False)), words[2:]


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


def run_to_its_end(command: list[str]) -> int:
    """Run a command; return the status that it ends with, after Ctrl-C too.

    The console sends Ctrl-C to both processes. The child decides how it ends; this one waits for that.
    """
    child = subprocess.Popen(command)
    while True:
        try:
            return child.wait()
        except KeyboardInterrupt:
            continue


def main() -> int:
    """Install if needed, then become the command."""
    words = sys.argv[1:]
    if not words or words[0] in ("-h", "--help"):
        print(__doc__)
        return 0
    without_sim, arguments = choose(words)
    if not is_installed(without_sim):
        with one_at_a_time():
            if not is_installed(without_sim):
                install(without_sim)
    if not arguments:
        return 0
    command = command_line(arguments)
    if os.name != "nt":
        # Replacing this process lets Ctrl-C and signals reach the command itself.
        os.execv(command[0], command)
    return run_to_its_end(command)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:  # while installing; the next start begins again
        sys.exit(130)
