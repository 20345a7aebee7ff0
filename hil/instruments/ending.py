# SPDX-License-Identifier: Apache-2.0
"""Every way out of a run is the same way, whatever asked for it.

The first ending signal (or the run's deadline) is raised once in the main thread as :class:`Ended`, so that
every ``with`` on the way lets go. From the moment that the way out has begun nothing is raised any more: a
further signal only makes it hurry. A thread of its own watches, since a main thread that is stuck in a driver
hears nothing: it asks again, has the bench switched off from elsewhere in time, and at last ends the process.
"""

from __future__ import annotations

import _thread
import contextlib
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable
from types import FrameType

from hil.instruments.interrupts import ENDING_SIGNALS

ASK_AGAIN_S = 2.0
"""Wall time after which a main thread that has not begun its way out is asked again."""
EMERGENCY_S = 5.0
"""Wall time after which the bench is switched off by another process. Within 10 s of the signal all outputs
are to be off: GitHub's runner, for one, kills a cancelled job after 10 s."""
LAST_RESORT_S = 90.0
"""Wall time after which the process is ended by force. An assumption: the slowest way out, report included,
takes half of it."""

_DEADLINE_SIGNAL = 14
"""What a run ended by its deadline ends with, plus 128: SIGALRM, where the system has it."""


class Ended(KeyboardInterrupt):
    """The run was told to end; ``str()`` says by what."""


class Ending:
    """What the process was told, and how far its way out is. One per process."""

    def __init__(self, deadline_s: float | None = None) -> None:
        """Nothing is listened to yet.

        Args:
            deadline_s: wall time from :meth:`listen` after which the run is ended.
        """
        self.emergency: Callable[[], None] | None = None
        """Switches the bench off without this process's main thread."""
        self.signal: int | None = None
        """The first signal that asked for the end; None while none has."""
        self.requests = 0
        """How many asked."""
        self._deadline_s = deadline_s
        self._out_of_time = False
        self._heard = signal.SIGTERM
        """What the watching thread asks with: the first signal, also before the main thread has met it."""
        self._asking_again = False
        self._way_out = False
        self._safe = False
        self._listening = False
        self._previous: dict[signal.Signals, object] = {}
        self._report_ignored = sys.unraisablehook

    @property
    def reason(self) -> str:
        """What ended the run, in a word or two; empty while nothing has."""
        if self.signal is None:
            return ""
        return "its deadline" if self._out_of_time else signal.Signals(self.signal).name

    @property
    def exit_status(self) -> int | None:
        """128 and the signal's number, as shells have it; None while nothing asked for the end."""
        if self.signal is None:
            return None
        return 128 + (_DEADLINE_SIGNAL if self._out_of_time else self.signal)

    @property
    def hurried(self) -> bool:
        """Whether somebody asked more than once."""
        return self.requests > 1

    def listen(self) -> None:
        """Take the ending signals over, and begin to count the time. In the main thread only."""
        heard, wake_up = socket.socketpair()  # both for as long as the process lives
        wake_up.setblocking(False)
        self._listening = True
        for number in ENDING_SIGNALS:
            if signal.getsignal(number) is not signal.SIG_IGN:  # nohup ignores SIGHUP, and means it
                self._previous[number] = signal.signal(number, self._on_signal)
        signal.set_wakeup_fd(wake_up.detach(), warn_on_full_buffer=False)
        threading.Thread(target=self._watch, args=(heard,), name="ending", daemon=True).start()

    def drop_quietly(self) -> None:
        """Let Python report no :class:`Ended` that it has to drop: raised in a destructor, or in the callback
        of a weak reference. The main thread is asked again.
        """
        self._report_ignored, sys.unraisablehook = sys.unraisablehook, self._on_ignored

    def begin(self) -> None:
        """Say that the way out has begun: from here on nothing is raised."""
        self._way_out = True

    def made_safe(self) -> None:
        """Say that the bench is off, or that all was tried: the emergency is not needed."""
        self._safe = True

    def close(self, requests: int) -> bool:
        """Stop listening, unless more than ``requests`` have asked by now; return whether it was done.

        From then on a signal is ignored: what the run says about itself is final.
        """
        self._way_out = True
        if self.requests != requests:
            return False
        for number in self._previous:
            signal.signal(number, signal.SIG_IGN)
        return True

    def _on_signal(self, number: int, _frame: FrameType | None) -> None:
        if self._asking_again:
            self._asking_again = False
        else:
            self.requests += 1
        if self.signal is None:
            self.signal = number
        if not self._way_out:
            raise Ended(self.reason)

    def _on_ignored(self, ignored: sys.UnraisableHookArgs) -> None:
        if not isinstance(ignored.exc_value, Ended):
            self._report_ignored(ignored)

    def _watch(self, heard: socket.socket) -> None:
        """Wait for the first signal or the deadline, then see that the way out is taken."""
        heard.settimeout(self._deadline_s)
        numbers = tuple(int(number) for number in self._previous)
        while True:
            try:
                told = [byte for byte in heard.recv(64) if byte in numbers]
                if told:
                    self._heard = signal.Signals(told[0])
                    break
            except TimeoutError:
                self._out_of_time = True
                self._ask()
                break
        began_s = asked_s = time.monotonic()
        emergency = self.emergency
        while True:
            time.sleep(0.1)
            waited_s = time.monotonic() - began_s
            if not self._way_out and time.monotonic() - asked_s >= ASK_AGAIN_S:
                asked_s = time.monotonic()
                self._asking_again = self.signal is not None
                self._ask()
            if emergency is not None and not self._safe and waited_s >= EMERGENCY_S:
                with contextlib.suppress(Exception):  # whatever it met, the main thread may still do it
                    emergency()
                emergency = None
            if waited_s >= LAST_RESORT_S:
                print(
                    f"hil: the way out took longer than {LAST_RESORT_S:g} s; ended by force",
                    file=sys.stderr,
                    flush=True,
                )
                os._exit(self.exit_status or 128 + signal.SIGTERM)

    def _ask(self) -> None:
        """Interrupt the main thread as the first signal did, also out of a system call."""
        number = self._heard
        if hasattr(signal, "pthread_kill"):
            signal.pthread_kill(threading.main_thread().ident or 0, number)
        else:
            _thread.interrupt_main(number)
