# SPDX-License-Identifier: Apache-2.0
"""The program that a bench needs: how it starts, how it fails, how it ends."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from hil.config import ServiceConfig
from hil.errors import ServiceError
from hil.rig.service import Service

READY = (
    'print(\'{"ready": true, "addresses": {"clock": "127.0.0.1:9"}, "assumptions": ["a flat earth"]}\','
    " flush=True)\n"
)

LEASED = READY + "import sys; sys.stdin.read()\n"


def service(script: str, timeout: str = "20 s", arguments: tuple[str, ...] = ()) -> Service:
    config = ServiceConfig.model_validate(
        {"command": ["{python}", "-c", script, "{rig_file}"], "ready_timeout": timeout}
    )
    return Service(config, Path("rig.toml"), arguments)


def _running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_addresses_come_from_the_ready_line_and_the_command_is_filled_in() -> None:
    script = (
        "import sys, pathlib\nassert pathlib.Path(sys.argv[1]).is_absolute()\nassert sys.argv[2] == 'x'\n"
        + LEASED
    )
    running = service(script, arguments=("x",))
    assert running.addresses == {"clock": "127.0.0.1:9"}
    assert running.assumptions == ("a flat earth",)
    running.close()


def test_remarks_are_collected_while_it_runs_each_once() -> None:
    lines = ('{"remark": "a"}', "no JSON", '{"remark": "b"}', '{"remark": "a"}')
    script = READY + f"print(*{lines!r}, sep=chr(10), flush=True)\nimport sys; sys.stdin.read()\n"
    running = service(script)
    running.close()
    assert running.remarks == ("a", "b")


@pytest.mark.parametrize(
    ("script", "message"),
    [
        (
            "import sys; sys.exit('no such bench')",
            "ended with status 1: no such bench",
        ),
        ("print('hello', flush=True)", r"said b'hello"),
        ("print('{\"ready\": true}', flush=True)", r"said b"),
        ("print('[]', flush=True)", r"said b"),
    ],
)
def test_a_service_that_does_not_become_ready(script: str, message: str) -> None:
    with pytest.raises(ServiceError, match=message):
        service(script)


def test_a_service_that_says_nothing_is_given_up_and_ended() -> None:
    with pytest.raises(ServiceError, match=r"no ready line within 0\.05 s.*ready_timeout"):
        service("import sys; sys.stdin.read()", timeout="50 ms")


def test_a_program_that_is_not_there() -> None:
    config = ServiceConfig.model_validate({"command": ["no-such-program-anywhere"]})
    with pytest.raises(ServiceError, match=r"start: .*check \[service\] command"):
        Service(config, Path("rig.toml"))


def test_much_on_standard_error_does_not_stop_it() -> None:
    running = service("import sys; sys.stderr.write('x' * 1_000_000)\n" + LEASED)
    running.close()


@pytest.mark.skipif(sys.platform == "win32", reason="signals and process ids as POSIX has them")
def test_the_service_ends_with_a_killed_parent(tmp_path: Path) -> None:
    script = (
        "import os, signal\n"
        "from hil.config import ServiceConfig\n"
        "from hil.rig.service import Service\n"
        "from pathlib import Path\n"
        f"leased = {LEASED!r}\n"
        "config = ServiceConfig.model_validate({'command': ['{python}', '-c', leased]})\n"
        "service = Service(config, Path('rig.toml'))\n"
        "print(service._process.pid, flush=True)\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    parent = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=30)
    assert parent.returncode == -signal.SIGKILL
    pid = int(parent.stdout)
    for _ in range(200):
        if not _running(pid) or Path(f"/proc/{pid}/stat").read_text().split()[2] == "Z":
            return
        subprocess.run([sys.executable, "-c", ""], check=True)  # let it run: some tens of milliseconds
    pytest.fail(f"service {pid} outlived its parent")
