# SPDX-License-Identifier: Apache-2.0
"""Errors of the virtual bench.

Errors that a client is to see travel as the client's own protocol says (a DAQmx status code, a SCPI error
queue entry, a pyOCD exception). The classes here are for what goes wrong inside the twin or in its
configuration.
"""


class TwinError(RuntimeError):
    """Something the virtual bench cannot do; the message says which part, what was asked and what to try."""


class BenchConfigError(TwinError):
    """A rig file's value the virtual bench cannot use; the message names the file, the key and what is
    expected.
    """


class WiringError(TwinError):
    """A wire that cannot be connected: an unknown pin or an instrument terminal of the wrong kind."""
