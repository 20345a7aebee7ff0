# SPDX-License-Identifier: Apache-2.0
"""The virtual DAQ: an NI X Series device behind the NI gRPC device service.

Unmodified ``nidaqmx`` programs reach it with ``GrpcSessionOptions``, exactly as they reach a device that
another computer shares with NI gRPC Device Server.
"""

from hil.twin.daq.daq import Daq
from hil.twin.daq.grpc_service import DaqServer

__all__ = ["Daq", "DaqServer"]
