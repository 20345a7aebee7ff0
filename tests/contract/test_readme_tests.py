# SPDX-License-Identifier: Apache-2.0
"""The test that README.md shows, run on the virtual bench as a stranger would run it."""

import re
import subprocess
import sys
from pathlib import Path

README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
TEST, CONTINUED = re.findall(r"```python run-by: .*?\n(.*?)```", README, re.DOTALL)


def run(folder: Path, text: str) -> subprocess.CompletedProcess[str]:
    (folder / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")
    (folder / "test_readme.py").write_text(text, encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "--rig", "sim", "-q", "test_readme.py"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def test_the_test_of_the_page_passes(tmp_path: Path) -> None:
    done = run(tmp_path, TEST + CONTINUED)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "1 passed" in done.stdout
    (journal,) = tmp_path.glob("results/*-sim/journal.jsonl")
    assert '"peak current"' in journal.read_text(encoding="utf-8")
