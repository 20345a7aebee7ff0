# SPDX-License-Identifier: Apache-2.0
"""The firmware's pure C parts as programs of this computer, under sanitizers: unit tests, inference, fuzzing.

Built by the system's C compiler with AddressSanitizer and UndefinedBehaviorSanitizer where it has them, else
by the clang of the pinned `ziglang` package with traps for undefined behaviour.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from hil.errors import FirmwareBuildError
from hil.firmware.build import FIRMWARE_DIR, MODEL_FILE
from hil.firmware.tools import environment, run, tool
from hil.golden.features import BAND_COUNT, WINDOW_SAMPLES
from hil.golden.random_models import random_model
from hil.golden.random_spatial import random_spatial_model
from hil.golden.tflite_model import read_model
from hil.golden.tflite_writer import write_model
from hil.places import build_folder

_ADDRESS_AND_UNDEFINED = "address,undefined"
_TRAP = "trap"
_FUZZ_TIMEOUT_S = 600.0
_FUZZ_MODELS = 40


@dataclass(frozen=True)
class HostPrograms:
    """The built programs.

    Attributes:
        folder: where they are.
        sanitizers: "address,undefined", or "trap": undefined behaviour traps, addresses are not checked.
    """

    folder: Path
    sanitizers: str

    def test(self) -> str:
        """Run the unit tests; what they print.

        Raises:
            FirmwareBuildError: one failed.
        """
        command = [tool("ctest"), "--test-dir", str(self.folder), "--output-on-failure", "--no-tests=error"]
        return run("test on the host", command, environment(self.folder))

    def load(self, model: bytes) -> tuple[int, int]:
        """(error code of firmware/protocol.toml, bytes of arena that the network needs) of a .tflite file."""
        with tempfile.TemporaryDirectory() as work:
            return self._infer(model, b"", Path(work))[:2]

    def infer(self, model: bytes, inputs: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """The interpreter's outputs [n, outputs] for inputs [n, inputs], int8 or float32 as the model says.

        Raises:
            FirmwareBuildError: the model is refused, or a sanitizer found something.
        """
        golden = read_model(model)
        with tempfile.TemporaryDirectory() as work:
            content = np.ascontiguousarray(inputs, dtype=golden.input_dtype).tobytes()
            error, _, outputs = self._infer(model, content, Path(work))
        if error != 0:
            raise FirmwareBuildError(
                f"the model is refused with error {error}", where="firmware", operation="infer on the host"
            )
        return np.frombuffer(outputs, dtype=golden.output_dtype).reshape(-1, golden.output_size)

    def _infer(self, model: bytes, inputs: bytes, work: Path) -> tuple[int, int, bytes]:
        (work / "model").write_bytes(model)
        (work / "inputs").write_bytes(inputs)
        files = [str(work / name) for name in ("model", "inputs", "outputs")]
        printed = self._call("infer", files, refusal_status=1)
        error, arena = (int(word) for word in printed.replace(",", "").split()[1::2])
        outputs = work / "outputs"
        return error, arena, outputs.read_bytes() if outputs.is_file() else b""

    def features(self, codes: npt.NDArray[np.uint16]) -> npt.NDArray[np.int8]:
        """features_extract() of each window of ADC codes [n, 1024 or 2048]: int8 [n, 32]."""
        with tempfile.TemporaryDirectory() as work:
            source, target = Path(work, "codes"), Path(work, "features")
            source.write_bytes(np.ascontiguousarray(codes, dtype="<u2").tobytes())
            self._call("extract", [str(codes.shape[1] // WINDOW_SAMPLES), str(source), str(target)])
            return np.fromfile(target, dtype=np.int8).reshape(-1, BAND_COUNT)

    def fuzz(self, models: Sequence[bytes], cases: int, seed: int) -> Counter[int]:
        """Load `cases` damaged and foreign files, run those that are accepted; how many got which error code.

        Raises:
            FirmwareBuildError: a sanitizer found something, or a case did not end.
        """
        with tempfile.TemporaryDirectory() as work:
            files = [Path(work, str(number)) for number in range(len(models))]
            for file, model in zip(files, models, strict=True):
                file.write_bytes(model)
            printed = self._call("fuzz", [str(seed), str(cases), *map(str, files)])
        counts: Counter[int] = Counter()
        for line in printed.splitlines():
            code, count = line.removeprefix("error ").split(": ")
            counts[int(code)] = int(count)
        return counts

    def _call(self, program: str, arguments: Sequence[str], refusal_status: int = 0) -> str:
        command = [str(self.folder / program), *arguments]
        try:
            result = subprocess.run(
                command,
                capture_output=True,
                text=True,
                errors="replace",
                timeout=_FUZZ_TIMEOUT_S,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise FirmwareBuildError(
                f"no end after {_FUZZ_TIMEOUT_S:.0f} s", where="firmware", operation=f"{program} on the host"
            ) from error
        if result.returncode not in (0, refusal_status):
            words = f"{result.stdout}{result.stderr}".rstrip()
            raise FirmwareBuildError(
                f"{' '.join(command)} ended with {result.returncode}:\n{words}",
                where="firmware",
                operation=f"{program} on the host",
            )
        return result.stdout


def fuzz_models(seed: int) -> list[bytes]:
    """What to damage: the firmware's own model, and random ones that have every operator among them."""
    rng = np.random.default_rng(seed)
    draws = [random_model, random_spatial_model] * (_FUZZ_MODELS // 2)
    return [MODEL_FILE.read_bytes(), *(write_model(draw(rng)) for draw in draws)]


def build_host(
    build_dir: Path | None = None,
    firmware_dir: Path = FIRMWARE_DIR,
    sanitizers: str | None = None,
) -> HostPrograms:
    """Build the programs of firmware/host, or bring them up to date.

    Args:
        build_dir: where to.
        firmware_dir: the firmware's sources.
        sanitizers: "address,undefined" or "trap"; default: the former where the system's compiler has it.

    Raises:
        FirmwareBuildError: a tool is missing or reported an error; the message holds its own words.
    """
    if build_dir is None:
        build_dir = build_folder() / "host"
    build_dir.mkdir(parents=True, exist_ok=True)
    variables = environment(build_dir)
    compiler = [Path(sys.executable).as_posix(), "-m", "ziglang", "cc"]
    if sanitizers is None:
        sanitizers = _ADDRESS_AND_UNDEFINED if _system_compiler_sanitises(variables) else _TRAP
    if sanitizers != _TRAP:
        compiler = ["cc"]
    configure = [
        tool("cmake"),
        *("-G", "Ninja", "-S", str(firmware_dir / "host"), "-B", str(build_dir)),
        f"-DCMAKE_C_COMPILER={';'.join(compiler)}",
        f"-DCMAKE_MAKE_PROGRAM={tool('ninja')}",
        f"-DHIL_PYTHON={Path(sys.executable).as_posix()}",
        f"-DHIL_SANITIZERS={sanitizers}",
    ]
    run("configure for the host", configure, variables)
    run("compile for the host", [tool("ninja"), "-C", str(build_dir)], variables)
    return HostPrograms(build_dir, sanitizers)


def _system_compiler_sanitises(variables: dict[str, str]) -> bool:
    """Whether `cc` makes a program with both sanitizers that runs."""
    if shutil.which("cc") is None:
        return False
    with tempfile.TemporaryDirectory() as work:
        source, program = Path(work, "empty.c"), Path(work, "empty")
        source.write_text("int main(void) { return 0; }\n", encoding="ascii")
        for command in (
            ["cc", f"-fsanitize={_ADDRESS_AND_UNDEFINED}", str(source), "-o", str(program)],
            [str(program)],
        ):
            if subprocess.run(command, env=variables, capture_output=True, check=False).returncode != 0:
                return False
    return True
