# SPDX-License-Identifier: Apache-2.0
"""What is wrong with a bench, its addresses, its disk or its sources ends a run with 10 and one line.

No such fault says anything about the device, so none may end with 1 or show where in hil-rig it was met.
"""

import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

BARE = """
name = "bare"
[board]
name = "nucleo_l476rg"
mcu = "stm32l476rg"
supply_voltage = "3.3 V"
supply_current_limit = "100 mA"
ambient_temperature = "25 °C"
ambient_uncertainty = "2 °C"
"""

PROBE = '[probe]\ntarget = "stm32l475xg"\nfrequency = "4 MHz"\nuid = '
CONSOLE = "[console]\nbaud = 115200\nport = "
DAQ = """
[daq]
driver = "nidaqmx"
device = "Dev1"
analog_output = { gain = "0.01 %", offset = "2 mV", source = "assumption" }
timebase_accuracy = "50 ppm"
timebase_source = "NI X Series user manual"
grpc = """
ANALYZER = """
[power_analyzer]
driver = "n6705c"
channel = 1
smallest_seamless_range = "3 A"
sense = "remote"
ranges = [{ range = "3 A", gain = "0.03 %", offset = "250 uA", source = "assumption" }]
voltage = { gain = "0.025 %", offset = "1.8 mV", source = "assumption" }
resource = """

FULL = "import os\nFULL = os.open('/dev/full', os.O_RDWR)\n"
CONFTEST = {
    "full journal": FULL
    + "from hil.results.json_lines import JsonLines\n"
    + "append = JsonLines.append\n"
    + "def full(self, fields):\n"
    + "    if self.path.name == 'journal.jsonl': os.dup2(FULL, self._descriptor)\n"
    + "    append(self, fields)\n"
    + "JsonLines.append = full\n",
    "full record of switching": FULL
    + "import pytest\n"
    + "from hil.rig.switching import Act, Switching\n"
    + "@pytest.fixture(autouse=True)\n"
    + "def switches(rig):\n"
    + "    os.dup2(FULL, rig._switching_file.fileno())\n"
    + "    rig._write_switching(Switching(0.0, next(iter(Act)), '', None))\n",
    "no sources": "from pathlib import Path\n"
    + "from hil.firmware import build\n"
    + "from hil.rig.bench import Bench\n"
    + "build.build.__defaults__ = tuple(\n"
    + "    Path('nowhere') if d == build.FIRMWARE_DIR else d for d in build.build.__defaults__)\n"
    + "Bench.identities = lambda self: {}\n",
}
"""What is planted for each fault that no rig file has."""


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong."""

    table: str
    """Appended to the rig file."""
    fixture: str
    """What the test asks for."""
    says: str
    """In the line that tells it."""
    conftest: str = ""


FAULTS = {
    "probe at no port": Fault(PROBE + '"remote:127.0.0.1:port"', "board", "board: identify: "),
    "probe with NUL": Fault(PROBE + r'"\u0000"', "board", "board: find the probe: none matches"),
    "probe that answers garbage": Fault(PROBE + '"remote:127.0.0.1:{garbage}"', "board", "board: identify: "),
    "analyzer of no kind": Fault(ANALYZER + '"rubbish"', "power_analyzer", "power_analyzer: connect: "),
    "analyzer beyond all ports": Fault(
        ANALYZER + '"TCPIP::127.0.0.1::99999::SOCKET"', "power_analyzer", "power_analyzer: connect: "
    ),
    "analyzer without its library": Fault(
        ANALYZER + '"GPIB0::5::INSTR"', "power_analyzer", "power_analyzer: connect: "
    ),
    "DAQ with blanks": Fault(DAQ + '"a b:1"', "daq", "daq: identify: "),
    "DAQ with NUL": Fault(DAQ + r'"x\u0000y:1"', "daq", "daq: "),
    "console of no kind": Fault(CONSOLE + '"foo://bar"', "console", "console foo://bar: "),
    "console beyond all ports": Fault(CONSOLE + '"socket://127.0.0.1:99999"', "console", "console socket"),
    "console that is no port": Fault(CONSOLE + '"/dev/null"', "console", "console /dev/null: "),
    "console with a baud rate beyond all": Fault(
        CONSOLE.replace("115200", "100000000000000000000") + '"/dev/ptmx"', "console", ""
    ),
    "clock at no port": Fault('[clock]\naddress = "tcp://host"', "clock", "no address of a clock"),
    "clock beyond all ports": Fault(
        '[clock]\naddress = "tcp://127.0.0.1:99999"', "clock", "no address of a clock"
    ),
    "clock with NUL": Fault(r"[clock]" + "\n" + r'address = "tcp://a\u0000b:1"', "clock", "clock.address"),
    "service with NUL": Fault(r"[service]" + "\n" + r'command = ["x\u0000y"]', "clock", "start: "),
    "service that is a folder": Fault('[service]\ncommand = ["/"]', "clock", "start: "),
    "full journal": Fault("", "measure", "No space left on device"),
    "full record of switching": Fault("", "rig", "No space left on device"),
    "no sources": Fault(PROBE + '"none"', "image", "firmware: build: there is no file "),
}
REFUSED = 4
"""What a rig file that says what cannot be ends with, before anything is begun."""


@contextmanager
def garbage() -> Iterator[int]:
    """A server that answers every line with what is no answer; yields its port."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection:
                while connection.recv(4096):
                    connection.sendall(b"\xff\x00{[\n")

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield listener.getsockname()[1]
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join()


@pytest.mark.short_form(4)
@pytest.mark.skipif(sys.platform == "win32", reason="names devices of POSIX")
@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_of_the_bench_ends_with_10_and_one_line(name: str, tmp_path: Path) -> None:
    fault = FAULTS[name]
    body = "measure(Measurement('x', 1.0, 'V', 0.0))" if fault.fixture == "measure" else "rig.record()"
    (tmp_path / "pytest.ini").write_text("[pytest]\n", "utf-8")
    (tmp_path / "conftest.py").write_text(CONFTEST.get(name, ""), "utf-8")
    (tmp_path / "test_x.py").write_text(
        "from hil.measurement.measurement import Measurement\n"
        f"def test_x(rig, {'request' if fault.fixture == 'rig' else fault.fixture}): {body}\n",
        "utf-8",
    )
    with garbage() as port:
        (tmp_path / "rig.toml").write_text(BARE + fault.table.replace("{garbage}", str(port)), "utf-8")
        command = [sys.executable, "-m", "pytest", "--rig=rig.toml", "-p", "no:cacheprovider", "test_x.py"]
        environment = {**os.environ, "COLUMNS": "500"}
        done = subprocess.run(
            command, cwd=tmp_path, capture_output=True, text=True, check=False, env=environment
        )
    output = done.stdout + done.stderr
    assert "Traceback" not in output
    assert fault.says in output
    assert "hil/" not in output.replace(str(tmp_path), ""), "it shows where in hil-rig it was met"
    if done.returncode == REFUSED:
        assert next(line for line in output.splitlines() if line).startswith("ERROR: rig.toml:")
        return
    assert done.returncode == 10, output
    (folder,) = (tmp_path / "results").iterdir()
    described = json.loads((folder / "run.json").read_text("utf-8"))
    assert (described["exit_status"], described["verdict"]) == (10, "bench error")
