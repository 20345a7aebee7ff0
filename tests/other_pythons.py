# SPDX-License-Identifier: Apache-2.0
"""Runs the suite on other Pythons, and compares the journals: one seed has to give the same measurements.

``python -m tests.other_pythons python3.12 python3.13 ...`` makes an environment of the pinned versions for
each below build/pythons, which takes minutes and the network. The time of day is left out of the comparison.
Versions of packages stand in run.json and not in the journal.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

PROJECT = Path(__file__).parents[1]


def journal(python: str, folder: Path) -> list[str]:
    """Run the suite with an interpreter; the lines of its journal without the time of day."""
    results = folder / "results"
    before = set(results.glob("*"))
    suite = [
        "-m",
        "pytest",
        "-c",
        str(PROJECT / "pyproject.toml"),
        "--rig",
        "sim",
        "-q",
        "-p",
        "no:cacheprovider",
    ]
    subprocess.run([python, *suite, f"--hil-results={results}"], cwd=PROJECT, check=True)
    (run,) = set(results.glob("*")) - before
    lines = []
    for line in (run / "journal.jsonl").read_text("utf-8").splitlines():
        entry = json.loads(line)
        del entry["time_utc"]
        lines.append(json.dumps(entry, ensure_ascii=False))
    return lines


def environment(python: str, folder: Path) -> str:
    """An interpreter with the pinned versions and this checkout."""
    subprocess.run([python, "-m", "venv", folder], check=True)
    own = str(folder / ("Scripts" if os.name == "nt" else "bin") / "python")
    install = [own, "-m", "pip", "--disable-pip-version-check", "install", "--quiet"]
    subprocess.run([*install, "--require-hashes", "-r", PROJECT / "requirements.lock"], check=True)
    subprocess.run([*install, "--no-deps", "--no-build-isolation", "--editable", PROJECT], check=True)
    return own


def main() -> None:
    """Compare each named interpreter with this one."""
    build = PROJECT / "build" / "pythons"
    ours = journal(sys.executable, build / "own")
    different = []
    for python in sys.argv[1:]:
        folder = build / Path(python).name
        lines = journal(environment(python, folder), folder)
        same = lines == ours
        print(f"{python}: {len(lines)} measurements, {'the same' if same else 'OTHERS'}", flush=True)
        different += [] if same else [python]
    sys.exit(f"other measurements on {', '.join(different)}" if different else 0)


if __name__ == "__main__":
    main()
