# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from hil.errors import ModelError
from hil.golden import prove as prove_module
from hil.golden import reference
from hil.golden.prove import main, prove


def test_reference_equals_the_runtime_over_every_operator():
    counts = prove(150_000, seed=5)  # CI and the report run 1e6: python -m hil.golden.prove
    assert counts["outputs for inputs near the zero point"] >= 70_000
    kinds = ["FULLY_CONNECTED", "RELU", "RELU6", "LOGISTIC", "TANH", "QUANTIZE", "DEQUANTIZE", "RESHAPE"]
    kinds += ["CONV_2D", "DEPTHWISE_CONV_2D", "AVERAGE_POOL_2D", "MAX_POOL_2D", "ADD", "SOFTMAX"]
    for kind in kinds:
        assert counts[f"networks with {kind}"] >= 5, kind


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        # Once instead of twice rounded: LiteRT's arithmetic.
        ("rounding_divide_by_pot", lambda values, exponent: values >> exponent),
        ("tanh_q31", lambda x: reference.logistic_q31(x)),
        ("_rounded", lambda values: values),
        ("activation_range", lambda activation, output: (-128, 127)),
    ],
)
def test_a_wrong_rounding_is_found(monkeypatch: pytest.MonkeyPatch, name: str, wrong: object):
    monkeypatch.setattr(reference, name, wrong)
    with pytest.raises(ModelError, match="of network"):
        prove(150_000, seed=5)


def test_a_missing_runtime_is_said(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    monkeypatch.setattr(prove_module, "RUNTIME_VERSION", "another")
    monkeypatch.setattr("hil.golden.interpreter.RUNTIME_VERSION", "another")
    with pytest.raises(SystemExit, match="not installed"):
        main(["--outputs", "10"])


def test_command_prints_the_seed_and_the_count(capsys: pytest.CaptureFixture[str]):
    main(["--outputs", "2e3", "--seed", "7"])
    printed = capsys.readouterr().out
    assert "seed 7: every output equal" in printed
    assert "outputs for inputs near the zero point" in printed
