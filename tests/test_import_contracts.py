# SPDX-License-Identifier: Apache-2.0
"""The import contracts of pyproject.toml see every module: what is planted against each is refused."""

import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

PROJECT = Path(__file__).parents[1]
CONTROLLER = "The controller's layers point one way, and nothing knows the twin"
TWIN = "Inside the twin, instruments and servers stand on the part, never the other way"

ABOVE = "What measures the project, and what tests import of it, is no part of it"
TABLES = "The twin shares the datasheet's tables and nothing else of the controller"
PART = "Inside a virtual part, assembly stands on the family's blocks"
GOLDEN = "Inside the golden model, training stands on data, and both on the arithmetic"

PLANTED = [
    (CONTROLLER, "hil.report.margin", "hil.pytest_plugin.accuracy"),
    (CONTROLLER, "hil.report.figure", "hil.twin.noise"),
    (CONTROLLER, "hil.places", "hil.config.models"),
    (GOLDEN, "hil.golden.tflite_model", "hil.golden.interpreter"),
    (ABOVE, "hil.rig.rig", "benchmarks"),
    (ABOVE, "hil.rig.claims", "fixtures"),
    (TABLES, "hil.twin.noise", "hil.pytest_plugin.accuracy"),
    (TWIN, "hil.twin.core.scheduler", "hil.twin.soc.stm32l4.rcc"),
    (TWIN, "hil.twin.ip.adc_v3.adc", "hil.twin.soc.stm32l4.rcc"),
    (PART, "hil.twin.soc.timers", "hil.twin.soc.stm32l4.rcc"),
    (PART, "hil.twin.soc.stm32l4.pwr", "hil.twin.soc.assembly"),
    (TWIN, "hil.twin.lease", "hil.twin.bench"),
]
NEW_MODULES = [(CONTROLLER, "hil.novel"), (TWIN, "hil.twin.novel"), (PART, "hil.twin.soc.novel")]


def contracts() -> list[dict[str, Any]]:
    configuration = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))
    found: list[dict[str, Any]] = configuration["tool"]["importlinter"]["contracts"]
    return found


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("project")
    for package in ("hil", "fixtures", "benchmarks"):
        no_python = shutil.ignore_patterns("__pycache__", "*.nb?")
        shutil.copytree(PROJECT / package, folder / package, ignore=no_python)
    shutil.copy(PROJECT / "pyproject.toml", folder)
    return folder


def checked(folder: Path) -> str:
    """What import-linter says of a project."""
    script = "import sys; sys.path.insert(0, ''); from importlinter.cli import lint_imports_command as c; c()"
    done = subprocess.run(
        [sys.executable, "-c", script, "--no-cache"], cwd=folder, capture_output=True, text=True, check=False
    )
    return done.stdout + done.stderr


def test_planted_imports_are_refused(copy: Path) -> None:
    for _, importer, imported in PLANTED:
        with (copy / importer.replace(".", "/")).with_suffix(".py").open("a", encoding="utf-8") as planted:
            planted.write(f"\nimport {imported}\n")
    for _, module in NEW_MODULES:
        (copy / module.replace(".", "/")).with_suffix(".py").touch()
    said = checked(copy)
    assert "Broken contracts" in said, said
    summary, details = said.split("Broken contracts\n", 1)
    for contract in contracts():
        assert f"{contract['name']} BROKEN" in summary
    of = {str(contract["name"]): details.index(f"\n{contract['name']}\n") for contract in contracts()}
    ends = dict(zip(sorted(of.values()), [*sorted(of.values())[1:], len(details)], strict=True))
    for contract_name, importer, imported in PLANTED:
        assert f"{importer} -> {imported}" in details[of[contract_name] : ends[of[contract_name]]]
    for contract_name, module in NEW_MODULES:
        assert f"- {module}\n" in details[of[contract_name] : ends[of[contract_name]]]


def test_each_contract_has_a_planted_import() -> None:
    assert {contract["name"] for contract in contracts()} == {contract for contract, _, _ in PLANTED}


def test_the_twin_may_import_nothing_new() -> None:
    """A package that is added to hil is forbidden to the twin, unless somebody decides otherwise."""
    (contract,) = (contract for contract in contracts() if contract["name"] == TABLES)
    forbidden = set(contract["forbidden_modules"])
    children = {f"hil.{path.stem}" for path in (PROJECT / "hil").iterdir() if path.suffix == ".py"}
    children |= {f"hil.{path.parent.name}" for path in (PROJECT / "hil").glob("*/__init__.py")}
    assert children - forbidden == {
        "hil.__init__",
        "hil.boards",
        "hil.datasheet",
        "hil.parts",
        "hil.places",
        "hil.twin",
    }
