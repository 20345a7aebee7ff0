# SPDX-License-Identifier: Apache-2.0
"""Recordings of people's own machines: files of eight kinds become signals at the sensor's pin."""

from hil.golden.data.recordings.channel import Layout
from hil.golden.data.recordings.read import ReadOptions, Recorded, read_recording

__all__ = ["Layout", "ReadOptions", "Recorded", "read_recording"]
