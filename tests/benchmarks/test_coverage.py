# SPDX-License-Identifier: Apache-2.0
"""A short form of `python -m benchmarks coverage`."""

from benchmarks import coverage

SEEDS = 6


def test_no_interval_is_grossly_too_narrow() -> None:
    """Six seeds tell little: an interval a half too narrow would still show itself in most of them."""
    results = coverage.measure(lambda line: None, seeds=SEEDS)
    narrow = {name: figure for name, figure in results.items() if name.endswith("_k95") and figure > 4.0}
    assert not narrow
    assert results["seeds"] == SEEDS
