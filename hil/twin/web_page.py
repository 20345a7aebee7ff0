# SPDX-License-Identifier: Apache-2.0
"""Tells a web page from a client of the bench.

Any page in a browser on this machine can send bytes to a loopback port; a plain form or ``fetch`` needs no
permission. The browser sends its request line first, and then the lines that the page wrote. A server that
answers lines would take those for its own. So every server hangs up on a request line of HTTP, and on the
first bytes of a TLS handshake, whose session ticket a page can choose.
"""

from __future__ import annotations

import re

_REQUEST_LINE = re.compile(rb"(GET|HEAD|POST|PUT|DELETE|CONNECT|OPTIONS|TRACE|PATCH) \S")
"""Methods of RFC 9110, section 9, and PATCH (RFC 5789). A page that uses a method of its own asks first, with
OPTIONS. No command of the instruments, the debug probe, the clock or the faults begins so."""

_TLS_HANDSHAKE = b"\x16\x03"
"""Content type 22 and the major version of every record (RFC 8446, section 5.1)."""


def comes_from_a_browser(line: bytes | bytearray) -> bool:
    """Whether ``line``, or what came of it so far, begins like a request of a browser."""
    return _REQUEST_LINE.match(line) is not None or line.startswith(_TLS_HANDSHAKE)
