# SPDX-License-Identifier: Apache-2.0
"""VISA with an end to every answer, in time and in bytes.

PyVISA reads on while an instrument goes on sending, and its time-out starts anew with every piece. That of
pyvisa-py starts anew with every byte on a socket and over HiSLIP, and with every packet over VXI-11, so that
an answer that trickles would keep its reader for as long as it says that it is.
"""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import pyvisa

ANSWER_TIMEOUT_S = 30.0
"""From a message to the end of its answer, and for opening a connection (assumption: three times what may
pass without a byte)."""

LONGEST_ANSWER_BYTES = 1 << 23
"""Four times the longest answer, a scope record of 524,288 floats."""

Opened = TypeVar("Opened")


class BoundedLibrary:
    """A VISA library whose answers have an end. All else is the library's own.

    A late answer's connection is cut from another thread, where the library is pyvisa-py and has connections
    of its own. A vendor's library gives a call the time-out that the session has.
    """

    def __init__(self, library: Any) -> None:
        self._library = library
        self._begin()

    def _begin(self) -> None:
        self._deadline_s = time.monotonic() + ANSWER_TIMEOUT_S
        self._left_bytes = LONGEST_ANSWER_BYTES

    def __getattr__(self, name: str) -> Any:
        return getattr(self._library, name)

    def write(self, session: Any, data: bytes) -> Any:
        """A message; the answer that it asks for begins. Raises VisaIOError where it is not taken in time."""
        self._begin()
        return self._in_time(session, lambda: self._library.write(session, data))  # VXI-11 waits for a reply

    def read(self, session: Any, count: int) -> Any:
        """A piece of the answer. Raises VisaIOError for a late one, OSError for one that is too long."""
        if self._left_bytes <= 0:
            raise OSError(f"more than {LONGEST_ANSWER_BYTES} bytes, which is no answer to any query")
        size = min(count, self._left_bytes)
        data, status = self._in_time(session, lambda: self._library.read(session, size))
        self._left_bytes -= len(data)
        return data, status

    def _in_time(self, session: Any, call: Callable[[], Any]) -> Any:
        """What a call of the library returns; its connection is cut where the time is up."""
        cut = threading.Event()

        def cut_off() -> None:
            cut.set()
            for connection in _connections(self._library, session):
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)
                connection.close()

        timer = threading.Timer(max(0.0, self._deadline_s - time.monotonic()), cut_off)
        timer.daemon = True
        timer.start()
        try:
            returned = call()
        except Exception:
            # Whatever the library raises of a socket that is closed under it: OSError and ValueError of its
            # own, struct.error of VXI-11, TypeError and AttributeError of HiSLIP. All else is raised on.
            if cut.is_set():
                raise pyvisa.VisaIOError(pyvisa.constants.StatusCode.error_timeout) from None
            raise
        finally:
            timer.cancel()
        if cut.is_set():
            raise pyvisa.VisaIOError(pyvisa.constants.StatusCode.error_timeout)
        return returned


def open_in_time(action: Callable[[], Opened]) -> Opened:
    """Open a connection within :data:`ANSWER_TIMEOUT_S`.

    One that takes longer is left behind in a thread, since nobody has its socket yet.

    Raises:
        TimeoutError: it took longer.
    """
    outcome: list[Opened] = []
    failure: list[BaseException] = []

    def work() -> None:
        try:
            outcome.append(action())
        except BaseException as error:  # noqa: BLE001  # carried over to the thread that waits
            failure.append(error)

    thread = threading.Thread(target=work, name="VISA open", daemon=True)
    thread.start()
    thread.join(ANSWER_TIMEOUT_S)
    for error in failure:
        raise error
    for opened in outcome:
        return opened
    raise TimeoutError(f"no connection within {ANSWER_TIMEOUT_S:g} s")


def _connections(library: Any, session: Any) -> Iterator[socket.socket]:
    """The sockets of one of pyvisa-py's sessions: its own, a VXI-11 client's, or the two of HiSLIP."""
    interface = getattr(getattr(library, "sessions", {}).get(session), "interface", None)
    for candidate in (interface, *(getattr(interface, name, None) for name in ("sock", "_sync", "_async"))):
        if isinstance(candidate, socket.socket):
            yield candidate
