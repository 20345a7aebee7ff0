# SPDX-License-Identifier: Apache-2.0
"""run.py: it starts with any Python that is recent enough, and a .venv that is no use is made again.

Each test copies run.py into a project of a few lines, whose locks are empty: nothing is fetched.
"""

import ast
import importlib.util
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

RUN_PY = Path(__file__).parents[1] / "run.py"
BIN = "Scripts" if os.name == "nt" else "bin"
PYTHON = Path(BIN) / ("python.exe" if os.name == "nt" else "python")

PYPROJECT = """\
[build-system]
requires = []
build-backend = "backend"
backend-path = ["."]
[project]
name = "hil-rig"
version = "0.1.0"
"""
BACKEND = '''\
"""Builds an editable wheel with nothing but the standard library."""
import pathlib, zipfile

def build_editable(folder, config_settings=None, metadata_directory=None):
    info, name = "hil_rig-0.1.0.dist-info", "hil_rig-0.1.0-py3-none-any.whl"
    with zipfile.ZipFile(pathlib.Path(folder) / name, "w") as wheel:
        wheel.writestr("hil_rig.pth", str(pathlib.Path.cwd()))
        wheel.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\\nName: hil-rig\\nVersion: 0.1.0\\n")
        wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")
        wheel.writestr(f"{info}/RECORD", "")
    return name
'''


@pytest.fixture
def project(tmp_path: Path) -> Path:
    root = tmp_path / "project"
    (root / "hil" / "twin").mkdir(parents=True)
    (root / "hil" / "twin" / "serve.py").touch()
    for name, text in {
        "run.py": RUN_PY.read_text(encoding="utf-8"),
        "pyproject.toml": PYPROJECT,
        "backend.py": BACKEND,
        "setup.py": "",
        "requirements.lock": "",
        "requirements-bench.lock": "",
    }.items():
        (root / name).write_text(text, encoding="utf-8")
    return root


def start(
    project: Path, *words: str, python: str | Path = sys.executable
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [python, str(project / "run.py"), *words], capture_output=True, text=True, check=False, timeout=300
    )


def works(project: Path, *words: str, python: str | Path = sys.executable) -> str:
    """Start the project's Python through run.py; returns what run.py said about installing."""
    done = start(project, *words, "python", "-c", "import hil, sys; print(sys.prefix)", python=python)
    assert (done.returncode, done.stdout.strip()) == (0, str(project / ".venv")), done.stderr
    return done.stderr


def loaded(project: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location("run_py", project / "run.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def bare_venv(project: Path) -> Path:
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", project / ".venv"], check=True)
    return project / ".venv"


def without_pip(project: Path) -> str:
    bare_venv(project)
    return "No module named 'pip'"


def of_another_python(project: Path) -> str:
    interpreter = bare_venv(project) / PYTHON
    interpreter.unlink()
    interpreter.write_text("#!/bin/sh\necho 3 9\n", encoding="ascii")
    interpreter.chmod(0o755)
    return "it is Python 3.9's"


def of_a_python_that_is_gone(project: Path) -> str:
    venv = bare_venv(project)
    (venv / PYTHON).unlink()
    (venv / PYTHON).symlink_to("/opt/homebrew/Cellar/python@3.12/3.12.1/bin/python3.12")
    return "its Python is gone"


def interrupted(project: Path) -> str:
    (bare_venv(project) / "installation-unfinished").touch()
    return "an installation into it was interrupted"


@pytest.mark.skipif(os.name == "nt", reason="plants shell scripts and links")
@pytest.mark.parametrize("spoil", [without_pip, of_another_python, of_a_python_that_is_gone, interrupted])
def test_a_useless_venv_is_recognised(project: Path, spoil: Callable[[Path], str]) -> None:
    why = spoil(project)
    assert why in loaded(project).why_unusable()


@pytest.mark.skipif(os.name == "nt", reason="plants shell scripts and links")
@pytest.mark.parametrize("spoil", [without_pip, of_another_python])
def test_a_useless_venv_is_made_again(project: Path, spoil: Callable[[Path], str]) -> None:
    why = spoil(project)
    said = works(project)
    assert "making .venv again: " in said
    assert why in said
    assert works(project) == ""


@pytest.fixture
def steps(project: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[ModuleType, list[str]]:
    """run.py with its steps only noted, and a .venv without pip that counts as good."""
    run, titles = loaded(project), []
    monkeypatch.setattr(run, "step", lambda title, *_: titles.append(title.partition(" (")[0]))
    monkeypatch.setattr(run, "why_unusable", lambda: "")

    def make_venv() -> None:
        titles.append("making .venv")
        shutil.rmtree(project / ".venv", ignore_errors=True)
        bare_venv(project)

    monkeypatch.setattr(run, "make_venv", make_venv)
    return run, titles


MAKE, PINS, PROJECT_ITSELF = "making .venv", "installing the pinned packages", "installing hil-rig"
HOOK = "compiling the virtual bench's timing hook"


def test_only_what_has_changed_is_installed_again(project: Path, steps: tuple[ModuleType, list[str]]) -> None:
    run, titles = steps
    run.install(False)
    assert titles == [MAKE, PINS, PROJECT_ITSELF, HOOK]
    assert run.is_installed(False)
    titles.clear()
    with (project / "setup.py").open("a", encoding="ascii") as setup:
        setup.write("# another entry point\n")
    assert not run.is_installed(False)
    run.install(False)
    assert titles == [PROJECT_ITSELF, HOOK]
    titles.clear()
    (project / "requirements.lock").write_text("# other pins\n", encoding="ascii")
    assert not run.is_installed(False)
    run.install(False)
    assert titles == [MAKE, PINS, PROJECT_ITSELF, HOOK]
    assert run.is_installed(False)


def test_of_two_starts_at_once_one_installs_and_the_other_waits(project: Path) -> None:
    command = [sys.executable, str(project / "run.py"), "python", "-c", "print('started')"]
    starts = [
        subprocess.Popen(command, cwd=project, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    told = [start.communicate(timeout=120) for start in starts]
    assert [(start.returncode, said) for start, (said, _) in zip(starts, told, strict=True)] == [
        (0, "started\n")
    ] * 2, told
    assert sum("making .venv" in errors for _, errors in told) == 1
    assert not any("making .venv again" in errors for _, errors in told)


def test_without_the_virtual_bench(steps: tuple[ModuleType, list[str]]) -> None:
    run, titles = steps
    assert run.choose(["pytest", "--rig"]) == (False, ["pytest", "--rig"])
    assert run.choose(["--without", "sim", "pytest"]) == (True, ["pytest"])
    run.install(True)
    assert titles == [MAKE, PINS, PROJECT_ITSELF]
    assert run.is_installed(True)
    assert not run.is_installed(False)
    assert run.choose(["pytest"]) == (True, ["pytest"]), "a later start keeps to it"
    assert run.choose(["--with", "sim", "pytest"]) == (False, ["pytest"])
    titles.clear()
    run.install(False)
    assert titles == [MAKE, PINS, PROJECT_ITSELF, HOOK]
    assert run.choose(["--without", "sim", "pytest"]) == (False, ["pytest"]), "the whole serves as well"


@pytest.mark.skipif(sys.platform != "linux", reason="an ELF interpreter that finds its library by $ORIGIN")
@pytest.mark.skipif(shutil.which("cc") is None, reason="no compiler for this computer")
def test_an_interpreter_that_finds_its_library_beside_itself(project: Path, tmp_path: Path) -> None:
    """As those of Homebrew, uv, mise and others do: a copy of it in .venv would not start."""
    home = tmp_path / "relocatable"
    for folder in ("bin", "lib"):
        (home / folder).mkdir(parents=True)
    (tmp_path / "beside.c").write_text("int beside(void) { return 0; }\n", encoding="ascii")
    real = Path(sys.executable).resolve().as_posix()
    (tmp_path / "launcher.c").write_text(
        "#include <unistd.h>\nint beside(void);\n"
        f'int main(int n, char **words) {{ return n < 0 || beside() || execv("{real}", words); }}\n',
        encoding="ascii",
    )
    library = home / "lib" / "libbeside.so"
    subprocess.run(["cc", "-shared", "-o", library, tmp_path / "beside.c"], check=True)
    python = home / "bin" / "python3"
    link = ["-Wl,-rpath,$ORIGIN/../lib", f"-L{home / 'lib'}", "-lbeside"]
    subprocess.run(["cc", "-o", python, tmp_path / "launcher.c", *link], check=True)
    copied = tmp_path / "elsewhere" / "python3"
    copied.parent.mkdir()
    copied.write_bytes(python.read_bytes())
    copied.chmod(0o755)
    assert subprocess.run([copied, "-V"], capture_output=True, check=False).returncode != 0
    works(project, python=python)
    assert (project / ".venv" / PYTHON).resolve() == python


def test_what_can_be_left_out_is_said(project: Path) -> None:
    done = start(project, "--without", "golden", "pytest")
    assert done.returncode != 0
    assert done.stderr.strip() == "run.py: --without takes the word sim, the virtual bench"


@pytest.mark.parametrize(
    ("system", "machine", "libc", "named"),
    [
        ("darwin", "x86_64", "", "macOS on Intel"),
        ("win32", "ARM64", "", "Windows on ARM"),
        ("linux", "x86_64", "", "Linux without glibc"),
        ("linux", "aarch64", "glibc", None),
        ("darwin", "arm64", "", None),
        ("win32", "AMD64", "", None),
    ],
)
def test_machines_that_have_no_virtual_bench(
    project: Path, monkeypatch: pytest.MonkeyPatch, system: str, machine: str, libc: str, named: str | None
) -> None:
    run = loaded(project)
    monkeypatch.setattr(sys, "platform", system)
    monkeypatch.setattr(run.platform, "machine", lambda: machine)
    monkeypatch.setattr(run.platform, "libc_ver", lambda: (libc, ""))
    assert run.no_sim_packages() == (named or "")
    if named is not None:
        with pytest.raises(SystemExit, match=rf"no packages for {named}; .*--without sim"):
            run.install(False)
    assert not (project / ".venv").exists()


def test_an_old_python_says_one_sentence() -> None:
    source = RUN_PY.read_text(encoding="utf-8")
    ast.parse(source, feature_version=(3, 6))
    # Of the file, an old Python evaluates only what stands above the sentence.
    old = "import runpy, sys; sys.version_info = (3, 6, 15); runpy.run_path(sys.argv[1], run_name='__main__')"
    done = subprocess.run([sys.executable, "-c", old, RUN_PY], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("hil-rig needs Python 3.11 or later; this is ")
    assert done.stderr.count("\n") == 1


@pytest.mark.skipif(os.name == "nt", reason="sends SIGINT to a group of processes, as a console does")
def test_ctrl_c_ends_with_the_childs_status() -> None:
    child = (
        "import signal, sys, time\n"
        "signal.signal(signal.SIGINT, lambda *_: (time.sleep(0.5), sys.exit(7)))\n"
        "print('ready', flush=True)\n"
        "time.sleep(60)\n"
    )
    parent = (
        "import sys; sys.path.insert(0, sys.argv[1]); import run; sys.exit(run.run_to_its_end(sys.argv[2:]))"
    )
    words = [sys.executable, "-c", parent, str(RUN_PY.parent), sys.executable, "-c", child]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True, start_new_session=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        os.killpg(process.pid, signal.SIGINT)
        assert process.wait(30) == 7
