# SPDX-License-Identifier: Apache-2.0
"""Engines side by side on the virtual bench: the firmware's own, and a stand-in for TensorFlow Lite Micro."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from hil.cli.engine_costs import add_to_report, engine_page, run_of_network
from hil.config import load_rig
from hil.errors import ResultsError
from hil.firmware.build import MODEL_FILE, build
from hil.firmware.image import Image
from hil.firmware.protocol import clock_plans
from hil.golden.interpreter import GoldenInterpreter
from hil.golden.vectors import inference_vectors
from hil.results import run
from hil.rig import open_rig
from hil.rig.engine_comparison import EngineCost, compare
from tests.firmware.tflm_checkout import BULK_BYTES, make_checkout, needs_gcc

SERVICE_HZ = clock_plans()[0].core_hz
"""The firmware serves the mailbox on plan 0."""


@needs_gcc
def test_engines_are_compared_on_the_same_vectors(tmp_path: Path) -> None:
    checkout = make_checkout(tmp_path / "checkout", ("cmsis_nn",))
    tflm = build("gcc", engine="tflm", tflm_dir=checkout, build_dir=tmp_path / "build")
    images = {"builtin": Image.load(build("gcc")), "tflm": Image.load(tflm)}
    assert [image.engine for image in images.values()] == ["builtin", "tflm"]
    vectors = inference_vectors(6, seed=3)
    expected = GoldenInterpreter(MODEL_FILE.read_bytes()).infer(vectors)
    expected[4, 0] += 1  # a wrong answer has to be noticed
    with open_rig(load_rig("sim")) as rig:
        builtin, other = compare(rig, images, vectors, expected)
    assert (builtin.differing, other.differing) == (1, 1)
    assert other.flash_bytes > builtin.flash_bytes + BULK_BYTES
    for cost in (builtin, other):
        assert cost.cycles / SERVICE_HZ < cost.latency_s < 1.5 * cost.cycles / SERVICE_HZ
        assert cost.energy_j == pytest.approx(3.0 * cost.current_a * cost.latency_s, rel=0.01)
        assert 5e-3 < cost.current_a < 20e-3  # DS10198 Rev 8, table 26: some 10 mA at 80 MHz from flash
    page = engine_page("six vectors", [builtin, other])
    assert re.search(r"^\| builtin \| 1 of 6 \| [\d,]+ \|", page, re.M)


def test_a_run_s_report_shows_the_comparison(tmp_path: Path) -> None:
    folder = run.create(tmp_path, "sim")
    folder.description.model_sha256 = "ab" * 32
    folder.write_description()
    costs = [
        EngineCost("builtin, gcc", 0, 50, 4711, 61e-6, 10.2e-3, 1.87e-6, 14_321, 2_345),
        EngineCost("TFLM, reference kernels", 0, 50, 32_640, 408e-6, 10.4e-3, 12.7e-6, 109_876, 12_345),
    ]
    found = run_of_network(folder.path, "ab" * 32)
    page = add_to_report(found, "50 vectors (seed 1)", costs).read_text("utf-8")
    for shown in ("Inference engines", "TFLM, reference kernels", "32,640", "109,876 B", "50 vectors"):
        assert shown in page
    with pytest.raises(ResultsError, match="network is abababababab, and cdcdcdcdcdcd is compared"):
        run_of_network(folder.path, "cd" * 32)
