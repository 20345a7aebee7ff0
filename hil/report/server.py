# SPDX-License-Identifier: Apache-2.0
"""Serves a run's page and its logs to a browser on this machine, so that the page zooms to every sample.

The page asks for ranges of bytes (RFC 9110, section 14). Other web pages get nothing: a request has to name
this server as its host, so that no other name can be pointed at it, and a browser that says that another site
asks (``Sec-Fetch-Site``, ``Origin``) is refused.
"""

from __future__ import annotations

import re
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote

from hil.errors import ResultsError
from hil.results.waveform_file import SUFFIX

_RANGE = re.compile(r"bytes=(\d{1,18})-(\d{1,18})?\Z")
_PIECE = 1 << 20
_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; "
    "connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}


def server(folder: Path, port: int = 0) -> ThreadingHTTPServer:
    """Return a server for a run's folder on the loopback interface; ``serve_forever`` runs it.

    Args:
        folder: of the run.
        port: 0 for any that is free; ``server_port`` has it.

    Raises:
        ResultsError: the port cannot be had.
    """

    class Handler(_Handler):
        served = folder

    try:
        return ThreadingHTTPServer(("127.0.0.1", port), Handler)
    except (OSError, OverflowError) as error:
        raise ResultsError(
            str(error), where=f"port {port}", operation="serve report", hint="another --port, or none"
        ) from error


class _Handler(BaseHTTPRequestHandler):
    served: Path
    protocol_version = "HTTP/1.1"
    timeout = 30
    disable_nagle_algorithm = True  # an answer is sent in two parts, and the second would wait for 40 ms

    def do_GET(self) -> None:
        """Answer with the page, or with a range of a log."""
        if not self._is_own():
            return self._refuse(HTTPStatus.FORBIDDEN)
        path = self._path()
        if path is None or not path.is_file():
            return self._refuse(HTTPStatus.NOT_FOUND)
        size = path.stat().st_size
        first, last = 0, size - 1
        if "Range" in self.headers:
            asked = _RANGE.match(self.headers["Range"])
            if asked is None or int(asked[1]) >= size:
                return self._refuse(HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE)
            first = int(asked[1])
            last = min(last, int(asked[2])) if asked[2] else last
            if last < first:
                return self._refuse(HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE)
            self.send_response(HTTPStatus.PARTIAL_CONTENT)
            self.send_header("Content-Range", f"bytes {first}-{last}/{size}")
        else:
            self.send_response(HTTPStatus.OK)
        self.send_header("Accept-Ranges", "bytes")
        self._head("text/html; charset=utf-8" if path.suffix == ".html" else "application/octet-stream")
        self.send_header("Content-Length", str(last - first + 1))
        self.end_headers()
        with path.open("rb") as file:
            file.seek(first)
            left = last - first + 1
            while left > 0 and (piece := file.read(min(left, _PIECE))):
                self.wfile.write(piece)
                left -= len(piece)
        return None

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing of each request."""

    def _is_own(self) -> bool:
        assert isinstance(self.server, ThreadingHTTPServer)
        port = self.server.server_port
        hosts = (f"127.0.0.1:{port}", f"localhost:{port}")
        if self.headers.get("Host") not in hosts:
            return False
        if self.headers.get("Sec-Fetch-Site", "none") not in ("same-origin", "none"):
            return False
        return self.headers.get("Origin") in (None, *(f"http://{host}" for host in hosts))

    def _path(self) -> Path | None:
        """The file that is asked for: the page, or a log of the run."""
        asked = self.path.partition("?")[0]
        if asked in ("/", "/report.html"):
            return self.served / "report.html"
        name = unquote(asked.removeprefix("/waveforms/"))
        if asked.startswith("/waveforms/") and name.endswith(SUFFIX):
            return next((path for path in (self.served / "waveforms").iterdir() if path.name == name), None)
        return None

    def _refuse(self, status: HTTPStatus) -> None:
        self.send_response(status)
        self._head("text/plain; charset=utf-8")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def _head(self, kind: str) -> None:
        self.send_header("Content-Type", kind)
        for name, value in _HEADERS.items():
            self.send_header(name, value)
