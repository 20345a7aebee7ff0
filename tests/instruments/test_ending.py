# SPDX-License-Identifier: Apache-2.0
"""What a main thread is asked to end by while it is stuck: always by what asked first."""

import subprocess
import sys

import pytest

STUCK = """
import os, signal, sys, threading, time
from hil.instruments import ending, interrupts

ending.ASK_AGAIN_S = 0.2
end = ending.Ending()
end.listen()
number = signal.Signals[sys.argv[1]]
try:
    with interrupts.held_back(60.0) as held:  # as in a driver: nothing is raised meanwhile
        threading.Thread(target=lambda: os.kill(os.getpid(), number)).start()
        while held.count < 2:  # the signal, and that of the watching thread
            time.sleep(0.05)
except ending.Ended as error:
    print(error, end.exit_status - number)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="sends POSIX signals")
@pytest.mark.parametrize("name", ["SIGINT", "SIGHUP", "SIGTERM"])
def test_asked_again_a_stuck_main_thread_still_ends_by_the_first_signal(name: str) -> None:
    done = subprocess.run([sys.executable, "-c", STUCK, name], capture_output=True, text=True, check=False)
    assert done.stdout == f"{name} 128\n", done.stderr


IGNORED = """
import os, signal, time, weakref
from hil.instruments import ending

ending.ASK_AGAIN_S = 0.2
end = ending.Ending()
end.listen()
end.drop_quietly()

class Thing:
    pass

thing = Thing()
watched = weakref.ref(thing, lambda _: (os.kill(os.getpid(), signal.SIGTERM), time.sleep(0.05)))
try:
    del thing  # what its callback raises Python drops
    time.sleep(10)
except ending.Ended as error:
    print(error, end.requests)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="sends POSIX signals")
def test_where_python_drops_what_a_signal_raises_the_main_thread_is_asked_again_without_a_word() -> None:
    done = subprocess.run([sys.executable, "-c", IGNORED], capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("SIGTERM 1\n", "")
