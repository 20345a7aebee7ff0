# SPDX-License-Identifier: Apache-2.0
"""Kill runs and break what they stand on, and see that the bench is off and the record true::

    python3 run.py python -m tests.fault_injection --kills 200 --faults 200 --seed 1

A virtual bench is served by nobody's run. Runs of a short suite on it are hit at random instants: by signals,
by faults of their links, of the bench, and of the disk. After each the bench is asked through SCPI, gRPC and
the probe whether it is off and free, and the run's record is held against what the run has said elsewhere.
The exit status is 0 if nothing was wrong in any trial.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
from pathlib import Path

from tests.fault_injection.campaign import Plan, run


def main() -> int:
    """Run the command line; return the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.fault_injection",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--kills", type=int, default=200, help="runs that are killed")
    parser.add_argument("--faults", type=int, default=200, help="runs that meet a fault")
    parser.add_argument("--seed", type=int, default=random.randrange(10**6), help="draws the same again")
    parser.add_argument("--benches", type=int, default=1, help="how many benches are used at the same time")
    parser.add_argument(
        "--only", type=int, nargs="*", default=(), metavar="N", help="numbers of the trials to do"
    )
    parser.add_argument("--keep", type=Path, metavar="DIR", help="where the folders of wrong trials are left")
    options = parser.parse_args()
    plan = Plan(options.kills, options.faults, options.seed, options.benches, frozenset(options.only))
    print(f"seed {plan.seed}", flush=True)
    folder = options.keep or Path(tempfile.mkdtemp(prefix="fault-injection-"))
    folder.mkdir(parents=True, exist_ok=True)
    outcome = run(plan, folder.resolve(), lambda line: print(line, flush=True))
    print(f"\n{outcome.table()}")
    if not outcome.full:
        print(f"what is left of the wrong trials: {folder}")
    return 0 if outcome.full else 1


if __name__ == "__main__":
    sys.exit(main())
