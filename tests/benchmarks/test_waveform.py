# SPDX-License-Identifier: Apache-2.0
"""A short form of `python -m benchmarks waveform`. Of its figures only those count that no load can move."""

from benchmarks import waveform


def test_a_log_keeps_to_its_bytes_and_memory() -> None:
    found = waveform.measure(print, 5_000_000)
    assert found["bytes_per_sample"] <= 3.5
    assert found["rss_mb"] <= 300
