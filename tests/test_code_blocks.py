# SPDX-License-Identifier: Apache-2.0
"""Every code block of the pages is run as its language says, or says itself why not.

What follows the language of a block decides: nothing (it runs here), ``run-by: tests/x.py`` (that test
follows the page) or ``no-run: REASON``. A ``text`` block is a picture or a record of a format. A test
function in a block that runs here is only defined: its imports are proven, its body is not.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from hil.config import load_rig
from hil.errors import ConfigError
from hil.twin import bench_config
from hil.twin.errors import BenchConfigError

PROJECT = Path(__file__).parents[1]
FENCE = re.compile(r"^```(?P<info>.*)\n(?P<text>(?:(?!```).*\n)*?)```$", re.MULTILINE)
INFO = re.compile(r"(?P<language>sh|python|toml|text|cpp|c)(?: (?P<how>run-by|no-run): (?P<what>.+))?")
NOT_RUN = 11
"""Blocks that say ``no-run``. Whoever adds one changes this number, and a reviewer sees it."""
PORTS = {
    "PROBE": r"remote:[\d.]+:(\d+)",
    "ANALYZER": r"::(\d+)::SOCKET",
    "DAQ": r'insecure_channel\("[\d.]+:(\d+)"',
}
"""Words of docs/virtual_bench.md that stand for a port, and where `hil twin serve` says which."""


@dataclass(frozen=True)
class Block:
    """One code block of a page."""

    page: str
    line: int
    info: str
    text: str

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"

    @property
    def parts(self) -> tuple[str, str | None, str]:
        """Language, how it is run if not here, and by what or why not."""
        match = INFO.fullmatch(self.info)
        assert match is not None, f"{self}: {self.info!r}: expected sh, python, toml or text, see this test"
        return match["language"], match["how"], match["what"] or ""


def blocks() -> Iterator[Block]:
    pages = [*PROJECT.glob("*.md"), *(PROJECT / "docs").rglob("*.md"), PROJECT / "fixtures" / "README.md"]
    for page in sorted(pages):
        text = page.read_text(encoding="utf-8")
        name = page.relative_to(PROJECT).as_posix()
        found = [
            Block(name, text.count("\n", 0, match.start()) + 1, match["info"], match["text"])
            for match in FENCE.finditer(text)
        ]
        assert len(found) * 2 == len(re.findall(r"^ *```", text, re.MULTILINE)), f"{name}: a fence has no end"
        yield from found


ALL = list(blocks())


def of(language: str) -> pytest.MarkDecorator:
    """The blocks of a language that are run here."""
    return pytest.mark.parametrize(
        "block", [block for block in ALL if block.parts[:2] == (language, None)], ids=str
    )


@pytest.fixture
def desk(tmp_path: Path) -> Path:
    """A folder like a fresh checkout, as far as the commands of the pages look at it."""
    shutil.copytree(PROJECT / "rig_configs", tmp_path / "rig_configs")
    return tmp_path


@pytest.fixture(scope="module")
def ports() -> Iterator[Callable[[str], str]]:
    """Puts the ports of a virtual bench, started at the first need, in the place of their words."""
    bench: list[subprocess.Popen[str]] = []
    found: dict[str, str] = {}

    def serve() -> None:
        command = [sys.executable, "-m", "hil.twin", "serve", "--rig", "sim"]
        bench.append(subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=PROJECT))
        assert bench[0].stdout is not None
        said = ""
        while "Ctrl-C" not in said:
            line = bench[0].stdout.readline()
            assert line, f"the virtual bench ended and said: {said}"
            said += line
        for word, pattern in PORTS.items():
            (found[word],) = set(re.findall(pattern, said))

    def filled(text: str) -> str:
        words = re.compile(rf"(?<=localhost:|ocalhost::)({'|'.join(PORTS)})\b")
        if words.search(text) and not bench:
            serve()
        return words.sub(lambda match: found[match[1]], text)

    yield filled
    for process in bench:
        process.terminate()
        process.communicate(timeout=60)


@of("python")
def test_a_python_block_runs(block: Block, desk: Path, ports: Callable[[str], str]) -> None:
    run_python(block, desk, ports(block.text))


def run_python(block: Block, desk: Path, text: str) -> None:
    script = desk / "block.py"
    script.write_text(text, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, str(script)], cwd=desk, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"{block}\n{done.stdout}{done.stderr}"


@of("sh")
def test_a_shell_block_runs(block: Block, desk: Path, ports: Callable[[str], str]) -> None:
    run_shell(block, desk, ports(block.text))


def run_shell(block: Block, desk: Path, text: str) -> None:
    # What run.py starts stands in this environment already; run.py itself has tests of its own.
    text = text.replace("python3 run.py ", "")
    text = re.sub(r"^python ", f"{shlex.quote(sys.executable)} ", text, flags=re.MULTILINE)
    path = os.pathsep.join((str(Path(sys.executable).parent), os.environ.get("PATH", "")))
    environment = {**os.environ, "PATH": path, "PYTHONPATH": str(PROJECT)}
    done = subprocess.run(
        ["sh", "-eu"], input=text, cwd=desk, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"{block}\n{done.stdout}{done.stderr}"


@of("toml")
def test_a_toml_block_is_read_by_its_loader(block: Block, desk: Path) -> None:
    load_toml(block, desk)


def load_toml(block: Block, desk: Path) -> None:
    tables = tomllib.loads(block.text)
    if set(tables) == {"twin"}:  # a table of a rig file for the virtual bench
        sim = (PROJECT / "rig_configs" / "sim.toml").read_text(encoding="utf-8")
        file = desk / "block.toml"
        file.write_text(sim.partition("[twin]")[0] + block.text, encoding="utf-8")
        bench_config.load(file)
    else:
        file = desk / "block.toml"
        file.write_text(block.text, encoding="utf-8")
        load_rig(file)


@pytest.mark.parametrize("block", [block for block in ALL if block.parts[1] == "run-by"], ids=str)
def test_the_test_that_follows_a_page_names_it(block: Block) -> None:
    test = PROJECT / block.parts[2]
    assert test.is_file()
    assert Path(block.page).name in test.read_text(encoding="utf-8")


def test_the_blocks_that_do_not_run_are_counted() -> None:
    not_run = [f"{block}: {block.parts[2]}" for block in ALL if block.parts[1] == "no-run"]
    assert len(not_run) == NOT_RUN, "\n".join(not_run)


@pytest.mark.parametrize(
    ("run", "text"),
    [
        (run_python, "from hil.rig import Nonsense\n"),
        (run_shell, "hil rig check no_such_rig\n"),
        (run_shell, "hil rig chekc sim\nhil --help\n"),
    ],
)
def test_a_wrong_block_is_noticed(run: Callable[[Block, Path, str], None], text: str, desk: Path) -> None:
    with pytest.raises(AssertionError, match=r"planted:1\n"):
        run(Block("planted", 1, "", text), desk, text)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('[twin]\nambient = "25 °C"\n', "no key 'ambient'"),
        ('name = "x"\n[board]\nnane = "nucleo_l476rg"\n', "unknown key 'nane'"),
    ],
)
def test_a_wrong_table_is_noticed(text: str, told: str, desk: Path) -> None:
    with pytest.raises((ConfigError, BenchConfigError), match=told):
        load_toml(Block("planted", 1, "toml", text), desk)
