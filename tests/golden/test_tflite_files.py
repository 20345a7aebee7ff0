# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import flatbuffers
import numpy as np
import pytest
import tflite

from hil.errors import ModelError
from hil.golden.tflite_model import Elementwise, ElementwiseKind, FullyConnected, Model, read_model
from hil.golden.tflite_tensors import Activation, Quantisation
from hil.golden.tflite_writer import write_model

SHIPPED = Path(__file__).parents[2] / "firmware" / "model" / "anomaly.tflite"


def assert_equal(first: FullyConnected, second: FullyConnected) -> None:
    assert np.array_equal(first.weights, second.weights)
    assert np.array_equal(first.bias, second.bias)
    assert np.array_equal(first.weight_scales, second.weight_scales)
    plain = {"weights": None, "bias": None, "weight_scales": None}
    assert replace(first, **plain) == replace(second, **plain)


@pytest.mark.parametrize("per_channel", [False, True])
def test_written_models_read_back(random_model: Callable[..., Model], per_channel: bool):
    rng = np.random.default_rng(21)
    model = random_model(rng, (7, 5, 3, 9, 2), per_channel=per_channel, activations=list(Activation))
    again = read_model(write_model(model))
    assert (again.description, again.input_size, again.output_size) == ("random", 7, 2)
    assert [layer.per_channel for layer in again.layers] == [per_channel] * 4
    for first, second in zip(model.layers, again.layers, strict=True):
        assert_equal(first, second)
    assert write_model(again) == write_model(model)


def test_operators_without_weights_read_back():
    a, b = Quantisation(0.5, 3), Quantisation(0.25, -4)
    kinds = ElementwiseKind
    operators = (
        Elementwise(kinds.QUANTIZE, 6, None, a),
        Elementwise(kinds.RESHAPE, 6, a, a, (1, 2, 3)),
        Elementwise(kinds.RELU, 6, a, b),
        Elementwise(kinds.RELU6, 6, b, b),
        Elementwise(kinds.LOGISTIC, 6, b, Quantisation(1 / 256, -128)),
        Elementwise(kinds.QUANTIZE, 6, Quantisation(1 / 256, -128), a),
        Elementwise(kinds.TANH, 6, a, Quantisation(1 / 128, 0)),
        Elementwise(kinds.DEQUANTIZE, 6, Quantisation(1 / 128, 0), None),
    )
    again = read_model(write_model(Model(operators)))
    assert again.operators == operators
    assert (again.input_dtype, again.output_dtype) == (np.float32, np.float32)
    assert again.layers == ()


def test_written_file_has_what_the_format_wants(random_model: Callable[..., Model]):
    model = random_model(np.random.default_rng(22), (4, 4), per_channel=False, activations=[Activation.RELU])
    content = write_model(model)
    root = tflite.Model.GetRootAs(content, 0)
    assert content[4:8] == b"TFL3"
    assert root.Version() == 3
    assert root.OperatorCodes(0).Version() == 4
    assert root.OperatorCodes(0).BuiltinCode() == root.OperatorCodes(0).DeprecatedBuiltinCode() == 9
    assert root.Buffers(0).DataLength() == 0
    for weights in (layer.weights.tobytes() for layer in model.layers):
        assert content.index(weights) % 16 == 0


@pytest.mark.parametrize("content", [b"", b"TFL3", b"\x7fELF" + bytes(60), b'{"model": 1}' * 9])
def test_foreign_files_are_refused(content: bytes):
    with pytest.raises(ModelError, match=r"not a \.tflite file"):
        read_model(content)


def test_files_cut_off_anywhere_are_refused():
    content = SHIPPED.read_bytes()
    # The writer puts the file's last table at its end, so no proper prefix is whole.
    for size in range(0, len(content) - 4, 7):
        with pytest.raises(ModelError):
            read_model(content[:size])


def test_damaged_files_give_a_model_or_a_model_error():
    content = SHIPPED.read_bytes()
    rng = np.random.default_rng(23)
    refused = 0
    for _ in range(600):
        damaged = bytearray(content)
        for position in rng.integers(0, len(content), 3):
            damaged[position] = rng.integers(0, 256)
        try:
            read_model(bytes(damaged))
        except ModelError:
            refused += 1
    assert refused > 50


def with_layer(**changes: object) -> bytes:
    model = read_model(SHIPPED.read_bytes())
    return write_model(Model((replace(model.layers[0], **changes), *model.layers[1:])))


def with_operator(builtin: int) -> bytes:
    """The shipped model with another operator code."""
    content = bytearray(SHIPPED.read_bytes())
    code = tflite.Model.GetRootAs(content, 0).OperatorCodes(0)
    for slot, flags in ((4, flatbuffers.number_types.Int8Flags), (10, flatbuffers.number_types.Int32Flags)):
        position = code._tab.Pos + code._tab.Offset(slot)
        content[position : position + flags.bytewidth] = builtin.to_bytes(flags.bytewidth, "little")
    return bytes(content)


def with_elementwise(kind: ElementwiseKind, output: Quantisation | None) -> bytes:
    """One operator on four elements."""
    return write_model(Model((Elementwise(kind, 4, Quantisation(0.5, 0), output),)))


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (
            with_operator(tflite.BuiltinOperator.TRANSPOSE_CONV),
            r"operator 0 is TRANSPOSE_CONV; expected .*FULLY_CONNECTED",
        ),
        (with_operator(tflite.BuiltinOperator.MUL), r"operator 0 is MUL"),
        (with_elementwise(ElementwiseKind.TANH, output=Quantisation(1 / 64, 0)), r"TANH.*0\.0078125"),
        (with_elementwise(ElementwiseKind.RELU, output=None), r"RELU.*float32"),
        (with_elementwise(ElementwiseKind.DEQUANTIZE, output=Quantisation(1.0, 0)), r"DEQUANTIZE.*float32"),
        (with_layer(weight_scales=np.array([np.nan], dtype=np.float32)), "scale is not a positive number"),
        (with_layer(weight_scales=np.array([0.1, 0.2], dtype=np.float32)), "no fitting quantisation"),
        (with_layer(output_zero_point=300), "zero point does not fit int8"),
        (with_layer(bias=np.zeros(3, dtype=np.int32)), "does not fill|damaged|shape"),
        (with_layer(weights=np.zeros((9, 32), dtype=np.int8)), "int8 .* of shape|shape"),
    ],
)
def test_unsupported_content_is_named(content: bytes, complaint: str):
    with pytest.raises(ModelError, match=complaint):
        read_model(content)
