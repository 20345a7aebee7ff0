# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path

import pytest

from hil.errors import ModelError
from hil.golden.training.threshold import read_threshold, threshold_header


def test_threshold_header_reads_back(tmp_path: Path):
    header = tmp_path / "threshold.h"
    header.write_text(threshold_header(1234), encoding="utf-8")
    assert read_threshold(header) == 1234


def test_a_header_without_a_threshold_is_an_error(tmp_path: Path):
    header = tmp_path / "threshold.h"
    with pytest.raises(ModelError, match=r"threshold\.h"):
        read_threshold(header)
    header.write_text("#define HIL_ANOMALY_THRESHOLD many\n", encoding="utf-8")
    with pytest.raises(ModelError, match="no threshold"):
        read_threshold(header)
