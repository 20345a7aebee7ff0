# SPDX-License-Identifier: Apache-2.0
"""The golden interpreter: what the network must answer, for comparison with the device."""

from __future__ import annotations

import importlib
import importlib.metadata
from types import ModuleType
from typing import Any

import numpy as np
import numpy.typing as npt

from hil.golden.features import features
from hil.golden.run_model import run_model
from hil.golden.tflite_model import Model, read_model

RUNTIME_VERSION = "0.dev20261023182759"
"""The tflite-micro wheel whose arithmetic is the reference (see hil.golden.reference on why one version).
It exists for Linux on x86-64; elsewhere the numpy reference, equal to it to the bit, stands in."""


class GoldenInterpreter:
    """Runs a .tflite model as TensorFlow Lite Micro does.

    Attributes:
        model: the model's operators.
        name: "tflite_micro" where the pinned runtime is installed, else "numpy_reference".
        version: version of that runtime, or of numpy.

    Args:
        model_bytes: content of a .tflite file.

    Raises:
        ModelError: the file is damaged or is no chain of operators that the firmware runs.
    """

    def __init__(self, model_bytes: bytes) -> None:
        self.model: Model = read_model(model_bytes)
        runtime = _pinned_runtime()
        if runtime is None:
            self.name, self.version = "numpy_reference", np.__version__
            self._runtime = None
        else:
            self.name, self.version = "tflite_micro", RUNTIME_VERSION
            self._runtime = runtime.Interpreter.from_bytes(model_bytes)

    def infer(self, inputs: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """The network's outputs [n, output_size] for inputs [n, input_size], each int8 or float32.

        Raises:
            ValueError: the inputs have another type or shape.
        """
        wanted = self.model.input_dtype
        if inputs.dtype != wanted or inputs.ndim != 2 or inputs.shape[1] != self.model.input_size:
            raise ValueError(
                f"infer() takes {wanted} [n, {self.model.input_size}], "
                f"got {inputs.dtype} {list(inputs.shape)}"
            )
        if self._runtime is None:
            return run_model(self.model, inputs)
        outputs = np.empty((inputs.shape[0], self.model.output_size), dtype=self.model.output_dtype)
        shape = self._runtime.get_input_details(0)["shape"]
        for row, vector in enumerate(inputs):
            self._runtime.set_input(vector.reshape(shape), 0)
            self._runtime.invoke()
            outputs[row] = self._runtime.get_output(0).ravel()
        return outputs

    def score(self, inputs: npt.NDArray[np.int8]) -> npt.NDArray[np.int64]:
        """The anomaly score of each input: the sum of (input - output) squared, in LSB squared.

        0 for a network whose output is not as long as its input.
        """
        if self.model.input_size != self.model.output_size:
            return np.zeros(len(inputs), dtype=np.int64)
        difference = inputs.astype(np.int64) - self.infer(inputs)
        return np.asarray((difference**2).sum(axis=1))

    def detect(self, codes: npt.NDArray[np.uint16], threshold: int) -> npt.NDArray[np.bool_]:
        """Which windows of ADC codes [n, 1024] the firmware must report: their score is above `threshold`."""
        return self.score(features(codes)) > threshold


def _pinned_runtime() -> ModuleType | None:
    try:
        if importlib.metadata.version("tflite-micro") != RUNTIME_VERSION:
            return None
        return importlib.import_module("tflite_micro.python.tflite_micro.runtime")
    except ImportError:  # not installed, or not for this platform (PackageNotFoundError is an ImportError)
        return None
