# SPDX-License-Identifier: Apache-2.0
"""What the pages name exists: files, folders, and pages that they link to."""

import re
import tomllib
from pathlib import Path

import pytest

import hil

PROJECT = Path(__file__).parents[1]
PAGES = sorted(
    [
        *(PROJECT / "docs").rglob("*.md"),
        *PROJECT.glob("*.md"),
        PROJECT / "fixtures" / "README.md",
        PROJECT / "results" / "README.md",
    ]
)
_OURS = re.compile(r"`((?:hil|tests|firmware|fixtures|docs|benchmarks|rig_configs|\.ci)/[\w./-]*)`")
_LINK = re.compile(r"\]\(([^)#:]+)(?:#[^)]*)?\)")
_BUILT = ("firmware/build",)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(PROJECT).as_posix())
def test_what_a_page_names_exists(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    named = [PROJECT / name for name in _OURS.findall(text) if not name.startswith(_BUILT)]
    linked = [page.parent / name for name in _LINK.findall(text)]
    assert [str(path) for path in (*named, *linked) if not path.exists()] == []


def test_every_decision_is_in_the_list() -> None:
    decisions = PROJECT / "docs" / "decisions"
    listed = set(_LINK.findall((decisions / "README.md").read_text(encoding="utf-8")))
    assert listed == {page.name for page in decisions.glob("0*.md")}


def test_the_list_of_changes_ends_with_the_version_that_is_installed() -> None:
    text = (PROJECT / "CHANGELOG.md").read_text(encoding="utf-8")
    released = re.findall(r"^## (\d+\.\d+\.\d+)$", text, re.MULTILINE)
    stated = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    assert released[0] == stated == hil.__version__


def test_type_checkers_may_use_the_annotations() -> None:
    assert (PROJECT / "hil" / "py.typed").is_file()


@pytest.mark.parametrize("name", ["bug", "new_instrument", "new_part"])
def test_a_code_host_offers_the_template(name: str) -> None:
    text = (PROJECT / ".github" / "ISSUE_TEMPLATE" / f"{name}.md").read_text(encoding="utf-8")
    assert re.match(r"---\nname: .+\nabout: .+\nlabels: \w+\n---\n", text)


def test_the_site_lists_every_page() -> None:
    listed = re.findall(
        r"^ +- (?:[^:\n]+: )?([\w/-]+\.md)$", (PROJECT / "mkdocs.yml").read_text("utf-8"), re.MULTILINE
    )
    docs = PROJECT / "docs"
    assert sorted(listed) == sorted(page.relative_to(docs).as_posix() for page in docs.rglob("*.md"))


def test_the_architecture_names_every_file_with_native_functions() -> None:
    core = PROJECT / "hil" / "twin" / "core"
    native = {
        path.relative_to(PROJECT).as_posix()
        for path in core.glob("*.py")
        if re.search(r"^@(?:numba\.)?(?:cfunc|njit|intrinsic)\b", path.read_text("utf-8"), re.MULTILINE)
    }
    assert native
    assert native <= set(_OURS.findall((PROJECT / "docs" / "architecture.md").read_text("utf-8")))


def test_each_walk_names_its_files() -> None:
    text = (PROJECT / "docs" / "architecture.md").read_text(encoding="utf-8")
    walks = text.partition("## Four walks")[2].partition("\n## ")[0].split("\n### ")[1:]
    assert len(walks) == 4
    assert all(len(_OURS.findall(walk)) >= 3 for walk in walks)
