# SPDX-License-Identifier: Apache-2.0
"""What ``pip install .`` would put into somebody's environment."""

import subprocess
import sys
from pathlib import Path

PROJECT = Path(__file__).parents[1]


def test_every_package_is_installed_and_nothing_beside_it(tmp_path: Path) -> None:
    command = [sys.executable, "setup.py", "-q", "build_py", "--build-lib", str(tmp_path)]
    egg_info = ["egg_info", "--egg-base", str(tmp_path)]
    subprocess.run([*command[:3], *egg_info, *command[3:]], cwd=PROJECT, check=True, capture_output=True)
    installed = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*.*") if path.is_file()}
    expected = {path.relative_to(PROJECT).as_posix() for path in (PROJECT / "hil").rglob("*.py")}
    expected |= {"hil/report/templates/page.html.j2", "hil/datasheet/data/stm32l476_limits.toml"}
    expected |= {"hil/py.typed"}
    for folder in ("rig_configs", "firmware", "tests/hil"):
        shipped = (path for path in (PROJECT / folder).rglob("*.*") if path.is_file())
        expected |= {f"hil/shipped/{path.relative_to(PROJECT).as_posix()}" for path in shipped}
    expected = {name for name in expected if "__pycache__" not in name}
    assert expected - installed == set()
    assert not any("__pycache__" in name for name in installed)
    assert not any(name.startswith(("fixtures/", "tests/")) for name in installed)
