# SPDX-License-Identifier: Apache-2.0
"""The virtual power analyzer: a Keysight N6705C mainframe with an N6781A source/measure unit in channel 1.

It speaks SCPI over a TCP socket, as the instrument does on its SCPI socket service, so scripts written for
the instrument run unchanged with ``TCPIP::<host>::<port>::SOCKET``.
"""

from hil.twin.analyzer.n6705c import PowerAnalyzer
from hil.twin.analyzer.server import ScpiServer

__all__ = ["PowerAnalyzer", "ScpiServer"]
