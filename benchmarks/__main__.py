# SPDX-License-Identifier: Apache-2.0
"""`python -m benchmarks NAME [--json]`: run one benchmark and print its figures.

Figures depend on the machine: run on an idle one. The exit status is 0 whether or not a target is met:
whoever calls this draws the line.
"""

from __future__ import annotations

import argparse
import importlib
import json
import pkgutil
import sys
from collections.abc import Mapping

import benchmarks
from benchmarks.benchmark import Benchmark, Results


def all_benchmarks() -> dict[str, Benchmark]:
    """Every module of this package that holds a `BENCHMARK`, by its name with dashes."""
    found = {}
    for module in pkgutil.iter_modules(benchmarks.__path__):
        if module.name != "__main__":
            loaded = importlib.import_module(f"benchmarks.{module.name}")
            if hasattr(loaded, "BENCHMARK"):
                found[module.name.replace("_", "-")] = loaded.BENCHMARK
    return found


def table(results: Results, benchmark: Benchmark) -> str:
    """The figures beside their targets."""
    lines = []
    for name, figure in results.items():
        target = benchmark.targets.get(name)
        verdict = ""
        if target is not None:
            verdict = f"{target.direction} {target.value:g}: {'met' if target.met_by(figure) else 'MISSED'}"
        lines.append(f"{name:<16} {figure:>10.4g}   {verdict}".rstrip())
    return "\n".join(lines)


def parser(known: Mapping[str, Benchmark]) -> argparse.ArgumentParser:
    """The command line."""
    names = "\n".join(f"  {name:<14} {benchmark.summary}" for name, benchmark in known.items())
    made = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description="Measure hil-rig's speed on this machine.",
        epilog=f"benchmarks:\n{names}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    made.add_argument("name", choices=known, metavar="NAME", help="which benchmark")
    made.add_argument("--json", action="store_true", help="print the figures as one line of JSON")
    return made


def main() -> None:
    """Run what the command line names."""
    known = all_benchmarks()
    arguments = parser(known).parse_args()
    benchmark = known[arguments.name]
    results = benchmark.run(lambda line: print(line, file=sys.stderr, flush=True))
    print(json.dumps(results) if arguments.json else table(results, benchmark))


if __name__ == "__main__":
    main()
