# SPDX-License-Identifier: Apache-2.0
"""Recordings of people's own machines: CSV, WAV, NPY and TDMS files become signals at the sensor's pin."""

from hil.golden.data.recordings.read import ReadOptions, Recorded, read_recording

__all__ = ["ReadOptions", "Recorded", "read_recording"]
