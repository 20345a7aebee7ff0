# SPDX-License-Identifier: Apache-2.0
"""Who gets what from ``hil report serve``."""

import http.client
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from hil.errors import ResultsError
from hil.report.server import server

LOG = bytes(range(256)) * 20


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    folder = tmp_path_factory.mktemp("run")
    (folder / "report.html").write_text("<p>the page", "utf-8")
    (folder / "run.json").write_text("{}", "utf-8")
    (folder / "waveforms").mkdir()
    (folder / "waveforms" / "01_µ.hlog").write_bytes(LOG)
    with server(folder) as serving:
        thread = threading.Thread(target=serving.serve_forever)
        thread.start()
        yield serving.server_port
        serving.shutdown()
        thread.join()


def ask(
    port: int, path: str, method: str = "GET", **headers: str
) -> tuple[int, bytes, http.client.HTTPResponse]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    connection.request(method, path, headers={name.replace("_", "-"): text for name, text in headers.items()})
    answer = connection.getresponse()
    body = answer.read()
    connection.close()
    return answer.status, body, answer


def test_the_page_and_ranges_of_its_logs_are_served(port: int) -> None:
    assert ask(port, "/")[:2] == (200, b"<p>the page")
    status, body, answer = ask(port, "/waveforms/01_%C2%B5.hlog", Range="bytes=300-309")
    assert (status, body) == (206, LOG[300:310])
    assert answer.headers["Content-Range"] == f"bytes 300-309/{len(LOG)}"
    assert ask(port, "/waveforms/01_%C2%B5.hlog", Range="bytes=5110-9999")[1] == LOG[5110:]
    assert ask(port, "/waveforms/01_%C2%B5.hlog")[1] == LOG


@pytest.mark.parametrize("asked", ["bytes=9999-", "bytes=5-2", "bytes=-5", "bytes=a-b", "lines=1-2"])
def test_no_other_range_is_answered(port: int, asked: str) -> None:
    assert ask(port, "/waveforms/01_%C2%B5.hlog", Range=asked)[0] == 416


@pytest.mark.parametrize(
    "path", ["/run.json", "/waveforms/../run.json", "/waveforms/%2e%2e/run.json", "/waveforms/", "/x"]
)
def test_nothing_else_is_served(port: int, path: str) -> None:
    assert ask(port, path)[0] == 404


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "evil.example"},
        {"Host": "evil.example:1234"},
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Sec_Fetch_Site": "cross-site"},
        {"Sec_Fetch_Site": "same-site"},
    ],
)
def test_other_web_pages_get_nothing(port: int, headers: dict[str, str]) -> None:
    status, body, answer = ask(port, "/", **headers)
    assert (status, body) == (403, b"")
    assert "Access-Control-Allow-Origin" not in answer.headers


def test_its_own_page_may_ask(port: int) -> None:
    own = f"http://127.0.0.1:{port}"
    assert ask(port, "/", Sec_Fetch_Site="same-origin", Origin=own)[0] == 200


def test_a_port_in_use_is_told(port: int, tmp_path: Path) -> None:
    with pytest.raises(ResultsError, match="another --port"):
        server(tmp_path, port)


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS"])
def test_nothing_can_be_written(port: int, method: str) -> None:
    assert ask(port, "/", method)[0] == 501
