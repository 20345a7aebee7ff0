# SPDX-License-Identifier: Apache-2.0
"""Command line of the virtual bench: ``python -m hil.twin serve --rig sim``, ``... characterize``."""

from __future__ import annotations

import argparse
import contextlib
import io
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from hil.places import CHECKOUT, build_folder
from hil.twin import bench_config
from hil.twin.errors import TwinError
from hil.twin.lease import StdinLease

EMULATOR_PACKAGES = ("capstone", "llvmlite", "numba", "unicorn", "vcd")
"""What only the virtual bench needs: the extra ``sim`` of the project, and what numba brings along."""

INTERRUPTED = 130
"""Exit status after Ctrl-C, as shells have it: 128 + SIGINT."""


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; return the exit status."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # as hil does
    parser = argparse.ArgumentParser(prog="python -m hil.twin", description="The virtual bench of hil-rig.")
    commands = parser.add_subparsers(dest="command", required=True)
    serve = commands.add_parser(
        "serve", help="serve the bench's probe, instruments, console and clock on 127.0.0.1"
    )
    serve.add_argument("--rig", required=True, metavar="NAME|FILE.toml", help="NAME is rig_configs/NAME.toml")
    serve.add_argument("--seed", type=int, help="seed of all noise (default: the rig file's)")
    serve.add_argument("--baud", type=int, help="rate of the console's port (default: the rig file's)")
    serve.add_argument(
        "--trace",
        type=Path,
        metavar="FILE.vcd",
        help="write modes, clock, current, pins and console as a value change dump (GTKWave, PulseView)",
    )
    time = serve.add_mutually_exclusive_group()
    time.add_argument(
        "--bench-time",
        action="store_true",
        help="let bench time pass only while a client waits, as fast as it can be computed "
        "(default: it follows the clock on the wall)",
    )
    time.add_argument(
        "--stdin-lease",
        action="store_true",
        help="for programs: announce one line of JSON, keep bench time, and end when standard input ends",
    )
    characterize = commands.add_parser(
        "characterize", help="measure the virtual part on its own bench, line by line of the datasheet"
    )
    characterize.add_argument("--json", action="store_true", help="every figure, for programs")
    characterize.add_argument(
        "lines", nargs="*", metavar="LINE", help='ids of datasheet lines, such as "stop2_*" (default: all)'
    )
    options = parser.parse_args(arguments)

    try:
        if options.command == "characterize":
            return _characterize()(tuple(options.lines) or ("*",), as_json=options.json)
        config = bench_config.load(bench_config.find_rig_file(options.rig))
        if options.seed is not None:
            config = config.with_seed(options.seed)
        if options.baud is not None:
            config = config.with_console_baud(options.baud)
        if options.trace is not None:
            config = config.with_trace(options.trace)
        lease = StdinLease() if options.stdin_lease else None
        _server()(config, bench_time=options.bench_time or options.stdin_lease, lease=lease)
    except TwinError as error:
        print(f"hil.twin: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:  # while loading; a bench that serves ends in order, see serve.run
        return INTERRUPTED
    return 0


def _server() -> Callable[..., None]:
    """Load the bench; only now that the arguments are known to be good, because it takes a second or two."""
    with _extra_installed():
        from hil.twin.serve import run
    return run


def _characterize() -> Callable[..., int]:
    with _extra_installed():
        from hil.twin.characterize.report import run
    return run


def _keep_machine_code() -> None:
    """Let numba keep what it compiles: in a checkout beside the sources, else in the user's cache folder."""
    if CHECKOUT is None or not os.access(Path(__file__).parent, os.W_OK):
        os.environ.setdefault("NUMBA_CACHE_DIR", str(build_folder() / "numba"))


@contextlib.contextmanager
def _extra_installed() -> Iterator[None]:
    _keep_machine_code()
    try:
        yield
    except ModuleNotFoundError as error:
        if error.name not in EMULATOR_PACKAGES:
            raise
        raise TwinError(f"the package {error.name!r} is missing; pip install 'hil-rig[sim]'") from error


if __name__ == "__main__":
    sys.exit(main())
