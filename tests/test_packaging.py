# SPDX-License-Identifier: Apache-2.0
"""What is released: a source distribution with all of the repository, and a wheel that runs by itself."""

import os
import re
import shlex
import signal
import socket
import subprocess
import sys
import sysconfig
import tarfile
import zipfile
from pathlib import Path

import pytest

from tests import wheels_page
from tests.own_firmware.sensor import compile_sensor

PROJECT = Path(__file__).parents[1]
BUILD = "import sys; from setuptools import build_meta; getattr(build_meta, sys.argv[1])(sys.argv[2])"
MADE_BY_SETUPTOOLS = ("PKG-INFO", "setup.cfg", "hil_rig.egg-info/")
SHIPPED = {"rig_configs": "hil/shipped/rig_configs", "firmware": "hil/shipped/firmware"} | {
    "tests/hil": "hil/shipped/tests/hil",
    "tests/any_firmware": "hil/shipped/tests/any_firmware",
    "hil": "hil",
}
"""Folders of the checkout, and where a wheel has them."""


def build(what: str, project: Path, target: Path) -> Path:
    done = subprocess.run(
        [sys.executable, "-c", BUILD, f"build_{what}", str(target)],
        cwd=project, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    (built,) = target.iterdir()
    return built


@pytest.fixture(scope="module")
def sdist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The unpacked source distribution of this checkout."""
    archive = build("sdist", PROJECT, tmp_path_factory.mktemp("sdist"))
    unpacked = tmp_path_factory.mktemp("unpacked")
    with tarfile.open(archive) as file:
        file.extractall(unpacked, filter="data")
    (folder,) = unpacked.iterdir()
    return folder


@pytest.fixture(scope="module")
def wheel(sdist: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel that the source distribution gives."""
    return build("wheel", sdist, tmp_path_factory.mktemp("wheel"))


def tracked() -> set[str]:
    """The files of the repository that are there."""
    done = subprocess.run(["git", "ls-files", "-z"], cwd=PROJECT, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        pytest.skip(f"what belongs to the repository is not known: {done.stderr.strip()}")
    return {name for name in done.stdout.split("\0") if name and (PROJECT / name).is_file()}


def test_the_source_distribution_is_the_repository(sdist: Path) -> None:
    packed = {path.relative_to(sdist).as_posix() for path in sdist.rglob("*") if path.is_file()}
    packed = {name for name in packed if not name.startswith(MADE_BY_SETUPTOOLS)}
    assert packed == tracked()
    assert all((sdist / name).read_bytes() == (PROJECT / name).read_bytes() for name in packed)


def test_the_wheel_is_the_package_with_what_it_ships(wheel: Path) -> None:
    expected = {}
    for folder, place in SHIPPED.items():
        for name in tracked():
            if name.startswith(f"{folder}/"):
                expected[f"{place}{name.removeprefix(folder)}"] = (PROJECT / name).read_bytes()
    with zipfile.ZipFile(wheel) as file:
        packed = {name: file.read(name) for name in file.namelist() if ".dist-info/" not in name}
    assert packed == expected


def test_the_page_about_wheels_is_of_these_pins() -> None:
    page = wheels_page.PAGE.read_text("utf-8")
    assert wheels_page.digest() in page, "python -m tests.wheels_page writes it"


def test_a_clone_with_the_line_ends_of_windows_is_the_same(tmp_path: Path) -> None:
    """Git for Windows sets core.autocrlf; hashes, locks and ruff's format know one line end."""
    tracked()
    clone = ["git", "clone", "--quiet", "--no-local", "--depth=1", "--config", "core.autocrlf=true"]
    subprocess.run([*clone, str(PROJECT), str(tmp_path / "clone")], check=True, capture_output=True)
    listing = ["git", "ls-files", "--eol"]
    ends = subprocess.run(listing, cwd=tmp_path / "clone", capture_output=True, text=True, check=True).stdout
    assert [line for line in ends.splitlines() if "w/crlf" in line or "w/mixed" in line] == []


class Installed:
    """The wheel in an environment of its own, started from an empty folder.

    Dependencies are those of this interpreter, named by a path: nothing is fetched. The checkout is not on
    it, since the path of an editable installation is not followed from there.
    """

    def __init__(self, wheel: Path, folder: Path) -> None:
        environment = folder / "environment"
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", environment], check=True)
        self.bin = environment / ("Scripts" if os.name == "nt" else "bin")
        self.python = self.bin / Path(sys.executable).name
        place = "import sysconfig; print(sysconfig.get_path('purelib'))"
        packages = Path(subprocess.check_output([self.python, "-c", place], text=True).strip())
        subprocess.run(
            [sys.executable, "-m", "pip", "--python", self.python, "install", "--quiet", "--no-deps", wheel],
            check=True,
        )
        (packages / "dependencies.pth").write_text(sysconfig.get_path("purelib"), encoding="utf-8")
        self.folder = folder / "empty"
        self.folder.mkdir()
        self.packages = packages
        self.environment = {
            **{
                name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "PYTEST"))
            },
            **dict.fromkeys(("XDG_CACHE_HOME", "HOME", "LOCALAPPDATA"), str(folder / "cache")),
            "PATH": os.pathsep.join((str(self.bin), os.environ["PATH"])),
        }

    def start(self, *command: str, folder: Path | None = None) -> subprocess.Popen[str]:
        return subprocess.Popen(
            command, cwd=folder or self.folder, env=self.environment, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip

    def run(self, *command: str, folder: Path | None = None) -> str:
        said, complaints = (process := self.start(*command, folder=folder)).communicate(timeout=600)
        assert process.returncode == 0, said + complaints
        return said


@pytest.fixture
def installed(wheel: Path, tmp_path: Path) -> Installed:
    return Installed(wheel, tmp_path)


@pytest.mark.skipif(os.name == "nt", reason="ends a program by a signal")
def test_the_wheel_runs_by_itself(installed: Installed) -> None:
    hil, python = str(installed.bin / "hil"), str(installed.python)
    assert Path(installed.run(python, "-c", "import hil; print(hil.__file__)")).is_relative_to(
        installed.packages
    )
    assert "rig sim" in installed.run(hil, "rig", "check", "sim")
    elf = installed.run(hil, "firmware", "build").split()[0]
    assert Path(elf).is_relative_to(installed.folder.parent / "cache")
    assert not list(installed.packages.rglob("*.nbi")), "machine code goes to the user's cache folder"

    bench = installed.start(hil, "twin", "serve", "--rig", "sim")
    assert bench.stdout is not None
    analyzer = next(line for line in bench.stdout if "SOCKET" in line)
    port = int(analyzer.partition("::SOCKET")[0].rpartition("::")[2])
    with socket.create_connection(("127.0.0.1", port), timeout=60) as connection:
        connection.sendall(b"*IDN?\n")
        assert b"N6705C" in connection.recv(200)
    bench.send_signal(signal.SIGINT)
    bench.communicate(timeout=60)

    said = installed.run(python, "-m", "pytest", "--rig", "sim", "-q", "-k", "test_boot or test_inference")
    assert " passed" in said
    assert "failed" not in said
    (run,) = (installed.folder / "results").iterdir()
    assert (run / "report.html").is_file()
    somebody_s_project_is_green(installed)


def somebody_s_project_is_green(installed: Installed) -> None:
    """docs/tutorial_own_firmware.md word by word, with an image that knows nothing of hil-rig.

    A part of the test above, since the environment's machine code takes a minute to compile.
    """
    project = installed.folder.parent / "theirs"
    project.mkdir()
    compile_sensor(project / "blink_stop2.elf", "SOUND", installed.folder.parent / "zig")
    page = (PROJECT / "docs" / "tutorial_own_firmware.md").read_text("utf-8")
    # pytest's own script is in the other environment, whose packages this one names by a path.
    start = {"hil": (str(installed.bin / "hil"),), "pytest": (str(installed.python), "-m", "pytest")}
    files = {"toml": project / "hil.toml", "python": project / "tests" / "test_mine.py"}
    said = ""
    for language, text in re.findall(r"```(\w+) run-by: tests/test_packaging.py\n(.*?)```", page, re.DOTALL):
        if language == "sh":
            for line in text.splitlines():
                command, *arguments = shlex.split(line)
                said = installed.run(*start[command], *arguments, folder=project)
        elif language == "text":
            assert [line for line in text.splitlines() if line not in said] == [], said
        else:
            files[language].write_text(text, "utf-8")
    assert {file.name for file in project.iterdir()} >= {
        "hil.toml",
        "requirements.txt",
        "tests",
        "pytest.ini",
    }
    report = sorted((project / "results").iterdir())[0] / "report.html"
    for name in ("current asleep in stop2", "wake period", "average current", "battery life on a"):
        assert name in report.read_text("utf-8")
