# SPDX-License-Identifier: Apache-2.0
"""However the process ends, nothing is left running and the bench is safe."""

import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

SIM = Path(__file__).resolve().parents[2] / "rig_configs" / "sim.toml"

USER = f"""
import time
from hil.config import load_rig
from hil.rig import State, open_rig
with open_rig(load_rig({str(SIM)!r})) as rig:
    rig.to(State.POWERED)
    print("powered", flush=True)
    time.sleep(60)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="sends POSIX signals")
@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGKILL])
def test_no_service_outlives_its_user(ending: signal.Signals) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", USER], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as user:
        assert user.stdout is not None
        assert user.stdout.readline() == "powered\n"
        services = psutil.Process(user.pid).children(recursive=True)
        assert services
        user.send_signal(ending)
        _, errors = user.communicate(timeout=30)
    _, alive = psutil.wait_procs(services, timeout=10)
    assert alive == []
    if ending is signal.SIGINT:
        assert errors.splitlines()[-1] == "KeyboardInterrupt", "the way down reported something"
