# SPDX-License-Identifier: Apache-2.0
"""A firmware without a sensor: as long as its network, served by the mailbox."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from hil.errors import FirmwareBuildError
from hil.firmware.build import build
from hil.firmware.image import Image
from hil.firmware.protocol import errors
from hil.golden.interpreter import GoldenInterpreter
from hil.golden.random_models import random_inputs
from hil.golden.tflite_model import Elementwise, ElementwiseKind, Model
from hil.golden.tflite_tensors import Quantisation
from hil.golden.tflite_writer import write_model
from tests.firmware.emulated_part import COMMAND, LSE_START_S, REQUEST, RESPONSE, STATUS, Part
from tests.firmware.networks import AD01_SIZES, connected, convolutional_autoencoder

TENSORS = 40
"""Offset of the words that describe input and output: address, bytes, type each (hil_mailbox.h)."""
MAGIC = 0x4D42_4F58
INFER, FEATURES = 1, 2


def tensor_firmware(folder: Path, model: Model) -> tuple[bytes, Image]:
    """The file, and the firmware around it."""
    file = folder / "model.tflite"
    file.write_bytes(write_model(model))
    return file.read_bytes(), Image.load(build(model=file, sensor="none", build_dir=folder / "build"))


def serving(part: Part) -> int:
    """The mailbox's address, once it is served: a long model takes its time to be checked."""
    mailbox = part.serve()
    part.run_until(lambda: part.read_word(mailbox) == MAGIC, 2.0)
    return mailbox


def run(part: Part, mailbox: int, command: int, number: int) -> int:
    """Run a command to its end; its status."""
    part.write_word(mailbox + COMMAND, command)
    part.write_word(mailbox + REQUEST, number)
    part.run_until(lambda: part.read_word(mailbox + RESPONSE) == number, 2.0)
    return part.read_word(mailbox + STATUS)


def write(part: Part, address: int, values: np.ndarray) -> None:
    """Bytes as the words that a debugger writes."""
    content = values.tobytes() + bytes(-len(values) % 4)
    for offset, word in enumerate(np.frombuffer(content, dtype="<u4").tolist()):
        part.write_word(address + 4 * offset, word)


def read(part: Part, address: int, size: int) -> np.ndarray:
    """So many int8."""
    words = [part.read_word(address + offset) for offset in range(0, size, 4)]
    return np.array(words, dtype="<u4").view(np.int8)[:size]


@pytest.mark.parametrize("name", ["ad01", "convolutional autoencoder"])
def test_tensors_of_the_networks_length_go_through_the_mailbox(tmp_path: Path, name: str) -> None:
    model = connected(AD01_SIZES, seed=51) if name == "ad01" else convolutional_autoencoder(seed=51)
    content, image = tensor_firmware(tmp_path, model)
    assert "features_extract" not in image.symbols
    part = Part(image)
    mailbox = serving(part)
    words = [part.read_word(mailbox + TENSORS + 4 * place) for place in range(6)]
    assert words[1::3] == [model.input_size, model.output_size]
    inputs = random_inputs(model, np.random.default_rng(52), 4)
    for number, row in enumerate(inputs, start=1):
        write(part, words[0], row)
        assert run(part, mailbox, INFER, number) == 0
        found = read(part, words[3], model.output_size)
        np.testing.assert_array_equal(found, GoldenInterpreter(content).infer(row[np.newaxis])[0])
    assert run(part, mailbox, FEATURES, 99) == errors()["MAILBOX_COMMAND"][0]


def test_each_wake_judges_the_tensor_in_the_mailbox(tmp_path: Path) -> None:
    model = connected((96, 8, 96), seed=53)
    content, image = tensor_firmware(tmp_path, model)
    part = Part(image)
    mailbox = serving(part)
    row = random_inputs(model, np.random.default_rng(54), 1)
    write(part, part.read_word(mailbox + TENSORS), row[0])
    part.write_word(mailbox + 8, 0)  # ends the service with a reset, which leaves the mailbox as it is
    part.advance(LSE_START_S + 2.0)
    part.wake_console()
    assert part.ask("RUN")["kind"] == "ACK"
    expected = int(GoldenInterpreter(content).score(row)[0])
    assert expected > 0
    assert part.ask("STATUS")["score"] == str(expected)
    assert part.ask("INFO")["features"] == "0"


def test_a_network_without_room_in_ram_is_refused(tmp_path: Path) -> None:
    quantisation = Quantisation(0.1, 0)
    relu = Elementwise(ElementwiseKind.RELU, 30_000, quantisation, quantisation)
    file = tmp_path / "wide.tflite"
    file.write_bytes(write_model(Model((relu, relu))))
    with pytest.raises(FirmwareBuildError, match=r"needs \d+ bytes of RAM .* room for 77824"):
        build(model=file, sensor="none", build_dir=tmp_path / "build")
