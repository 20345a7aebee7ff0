# SPDX-License-Identifier: Apache-2.0
"""The NI gRPC device service in front of the device: ``nidaqmx_grpc.NiDAQmx`` on grpcio.

The service's methods come from the descriptor that the ``nidaqmx`` package ships. Whatever has no handler
answers with a proper DAQmx error that names the call.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc
import session_pb2
from nidaqmx._stubs import nidaqmx_pb2 as pb

from hil.twin.daq import attribute_rpcs, channel_rpcs, data_rpcs, event_rpcs, task_rpcs
from hil.twin.daq.call import Call, Handler
from hil.twin.daq.device import PRODUCT
from hil.twin.daq.errors import Code, DaqmxError
from hil.twin.daq.relay import Relay
from hil.twin.daq.sessions import Sessions
from hil.twin.daq.x_series import XSeriesDevice

SERVICE = "nidaqmx_grpc.NiDAQmx"
WORKERS = 32
"""Calls served at a time; a call that waits keeps its thread."""

_OPTIONS = (("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1))

_LOCKED = task_rpcs.LOCKED | channel_rpcs.LOCKED | data_rpcs.LOCKED | event_rpcs.LOCKED
_BLOCKING = task_rpcs.BLOCKING | data_rpcs.BLOCKING


class DaqServer:
    """A running server; :attr:`address` is ``host:port``."""

    def __init__(self, daq: XSeriesDevice, host: str, port: int, latency_s: float = 0.0) -> None:
        """``latency_s`` is the bench time that each call takes before it acts."""
        self._daq = daq
        self._latency_s = latency_s
        self._answering = threading.Event()
        self._answering.set()
        self._sessions = Sessions(daq)
        self._server = grpc.server(
            ThreadPoolExecutor(WORKERS, thread_name_prefix="daq-rpc"), options=_OPTIONS
        )
        service = pb.DESCRIPTOR.services_by_name["NiDAQmx"]
        self._server.add_generic_rpc_handlers(
            (
                grpc.method_handlers_generic_handler(
                    SERVICE, {method.name: self._rpc(method) for method in service.methods}
                ),
                grpc.method_handlers_generic_handler(
                    session_pb2.DESCRIPTOR.services_by_name["SessionUtilities"].full_name, self._utilities()
                ),
            )
        )
        upstream_port = self._server.add_insecure_port("127.0.0.1:0")
        self._server.start()
        self._relay = Relay(host, port, upstream_port, self._client_gone)
        self.address = self._relay.address

    def close(self) -> None:
        """Stop serving and clear all tasks."""
        self.hang(False)
        self._relay.close()
        self._server.stop(None).wait()
        with self._daq.bench.lock:
            self._sessions.clear_all()

    def hang(self, hung: bool) -> None:
        """A fault: take calls and answer none until it is over."""
        if hung:
            self._answering.clear()
        else:
            self._answering.set()

    def drop_clients(self) -> None:
        """A fault: every connection ends; clients may connect again."""
        self._relay.drop_clients()

    def _client_gone(self, client: str) -> None:
        with self._daq.bench.lock:
            self._sessions.client_gone(client)

    def _rpc(self, method: Any) -> Any:
        deserialize = getattr(pb, method.input_type.name).FromString
        serialize = getattr(pb, method.output_type.name).SerializeToString
        handler = (
            _LOCKED.get(method.name) or _BLOCKING.get(method.name) or attribute_rpcs.handler(method.name)
        )
        locked = method.name in _LOCKED

        def serve(request: Any, context: Any) -> Any:
            return self._answer(handler or _unsupported(method.name), request, context, locked=locked)

        stream = event_rpcs.STREAMS.get(method.name)

        def serve_stream(request: Any, context: Any) -> Iterator[Any]:
            responses = self._answer(stream or _unsupported(method.name), request, context, locked=True)
            # At once: the client waits for it before it goes on.
            context.send_initial_metadata(())
            yield from responses()

        if method.server_streaming:
            return grpc.unary_stream_rpc_method_handler(serve_stream, deserialize, serialize)
        return grpc.unary_unary_rpc_method_handler(serve, deserialize, serialize)

    def _answer(self, handler: Handler, request: Any, context: Any, *, locked: bool) -> Any:
        if any(key == "origin" for key, _ in context.invocation_metadata()):
            context.abort(grpc.StatusCode.PERMISSION_DENIED, "the bench takes no calls from a web page")
        self._answering.wait()
        call = Call(self._daq, self._sessions, request, context.peer(), context.is_active)
        try:
            if self._latency_s:
                with self._daq.bench.lock:
                    self._daq.bench.advance(self._latency_s)
            if not locked:
                return handler(call)
            with self._daq.bench.lock:
                return handler(call)
        except DaqmxError as error:
            metadata = [("ni-error", str(int(error.code)))]
            if error.samples_read is not None:
                metadata.append(("ni-samps-per-chan-read", str(error.samples_read)))
            context.set_trailing_metadata(metadata)
            return context.abort(grpc.StatusCode.UNKNOWN, str(error))

    def _utilities(self) -> dict[str, Any]:
        """The part of ``SessionUtilities`` that makes sense here: listing the device, and clearing
        everything.
        """

        def enumerate_devices(_request: Any, _context: Any) -> Any:
            properties = session_pb2.DeviceProperties(
                name=self._daq.name,
                model=PRODUCT,
                vendor="National Instruments",
                serial_number=f"{self._daq.serial:08X}",
            )
            return session_pb2.EnumerateDevicesResponse(devices=[properties])

        def reset_server(_request: Any, _context: Any) -> Any:
            with self._daq.bench.lock:
                self._sessions.clear_all()
            return session_pb2.ResetServerResponse(is_server_reset=True)

        return {
            "EnumerateDevices": grpc.unary_unary_rpc_method_handler(
                enumerate_devices,
                session_pb2.EnumerateDevicesRequest.FromString,
                session_pb2.EnumerateDevicesResponse.SerializeToString,
            ),
            "ResetServer": grpc.unary_unary_rpc_method_handler(
                reset_server,
                session_pb2.ResetServerRequest.FromString,
                session_pb2.ResetServerResponse.SerializeToString,
            ),
        }


def _unsupported(name: str) -> Handler:
    def refuse(_call: Call) -> Any:
        raise DaqmxError(
            Code.FUNCTION_NOT_SUPPORTED, f"The virtual {PRODUCT} does not support the call {name}."
        )

    return refuse
