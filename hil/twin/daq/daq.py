# SPDX-License-Identifier: Apache-2.0
"""The virtual DAQ as the bench uses it: the device, and the service that clients reach it through."""

from __future__ import annotations

from hil.twin.daq.grpc_service import DaqServer
from hil.twin.daq.x_series import XSeriesDevice


class Daq(XSeriesDevice):
    """The device with its server; see :class:`hil.twin.daq.x_series.XSeriesDevice` for the screws."""

    def serve(self, host: str = "127.0.0.1", port: int = 0, latency_s: float = 0.0) -> DaqServer:
        """Serve the NI gRPC device service; port 0 takes a free one. Each call takes ``latency_s``."""
        return DaqServer(self, host, port, latency_s)
