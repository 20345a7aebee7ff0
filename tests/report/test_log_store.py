# SPDX-License-Identifier: Apache-2.0
"""The page's script reads logs as Python does, and a lone spike is a column wide at each zoom."""

import json
import shutil
import subprocess
from importlib import resources
from pathlib import Path

import numpy as np
import pytest

from hil.measurement.waveform import Waveform
from hil.report.figure import figure
from hil.results import waveform_file
from hil.results.waveform_file import StoredWaveform

NODE = shutil.which("node")
SPIKE = 712_345
_ASKS = Path(__file__).with_name("ask_log_store.js")


@pytest.mark.skipif(NODE is None, reason="node runs the page's script here")
def test_a_lone_spike_is_true_to_a_pixel_at_each_zoom(tmp_path: Path) -> None:
    assert NODE is not None
    rng = np.random.default_rng(8)
    current_a = 1.78e-6 + 0.45e-9 * rng.standard_normal(3_000_000)
    current_a[SPIKE] = 0.5
    path = tmp_path / "w.hlog"
    waveform_file.save(path, StoredWaveform("w", Waveform(0.0, 102.4e-6, current_a), (), 3.0))
    with waveform_file.opened(path) as kept:
        (tmp_path / "page.json").write_text(json.dumps(figure(kept)), "utf-8")
    script = resources.files("hil.report") / "templates" / "log_store.js"
    done = subprocess.run(
        [NODE, *(str(each) for each in (_ASKS, script, tmp_path / "page.json", path, SPIKE))],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert {each["name"] for each in told} == {"page", "file", "cut"}
    for each in told:
        assert each["samples"] == current_a.size
        assert each["holds"], each
        assert each["first"], each
        assert each["last"], each
        if each["name"] != "page" or each["size"] <= each["column"]:  # the page stops there
            assert each["wide"] <= 2.0, each
    assert any(each["span"] < 20 and each["size"] == 1 for each in told if each["name"] == "file")
