# SPDX-License-Identifier: Apache-2.0
"""Compares the numpy reference with the pinned runtime: `python -m hil.golden.prove --outputs 1e6`.

Random networks of every operator run on inputs over the whole range and on inputs near the zero point; each
output must be the same to the bit. It ends with status 1 at the first that is not.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Sequence

import numpy as np

from hil.errors import ModelError
from hil.golden.interpreter import RUNTIME_VERSION, GoldenInterpreter
from hil.golden.random_models import random_inputs, random_model
from hil.golden.random_spatial import random_spatial_model
from hil.golden.run_model import run_model
from hil.golden.tflite_model import name_of
from hil.golden.tflite_writer import write_model

VECTORS_PER_MODEL = 60


def prove(outputs: int, seed: int) -> Counter[str]:
    """Compare at least `outputs` outputs; count them, and the networks each operator was in.

    Raises:
        ModelError: the runtime is not installed, or an output differs; the message names the network.
    """
    rng = np.random.default_rng(seed)
    counts: Counter[str] = Counter()
    while counts["outputs"] < outputs:
        model = random_model(rng) if rng.integers(2) else random_spatial_model(rng)
        interpreter = GoldenInterpreter(write_model(model))
        if interpreter.name != "tflite_micro":
            raise ModelError(
                "the pinned runtime is not installed", where="golden", operation="prove",
                expected=f"tflite-micro {RUNTIME_VERSION}", hint="pip install 'hil-rig[golden]'",
            )  # fmt: skip
        inputs = random_inputs(model, rng, VECTORS_PER_MODEL)
        expected, found = interpreter.infer(inputs), run_model(model, inputs)
        if not np.array_equal(expected, found):
            row, column = np.argwhere(expected != found)[0]
            raise ModelError(
                f"output {column} of vector {row} of network {counts['networks']} is {found[row, column]}",
                where="golden", operation=f"prove with seed {seed}", expected=f"{expected[row, column]}",
            )  # fmt: skip
        counts["networks"] += 1
        counts["outputs"] += expected.size
        counts["outputs for inputs near the zero point"] += expected[(len(expected) + 1) // 2 :].size
        kinds = {name_of(operator) for operator in model.operators}
        counts.update(f"networks with {kind}" for kind in kinds)
    return counts


def main(arguments: Sequence[str] | None = None) -> None:
    """Command line."""
    parser = argparse.ArgumentParser(
        prog="python -m hil.golden.prove", description="Compare the numpy reference with the pinned runtime."
    )
    parser.add_argument("--outputs", type=float, default=1e6, help="how many, at least (default: 1e6)")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args(arguments)
    try:
        counts = prove(int(options.outputs), options.seed)
    except ModelError as error:
        sys.exit(str(error))
    print(f"seed {options.seed}: every output equal")
    for name, count in sorted(counts.items()):
        print(f"{count:>12,} {name}")


if __name__ == "__main__":
    main()
