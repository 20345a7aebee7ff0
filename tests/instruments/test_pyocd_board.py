# SPDX-License-Identifier: Apache-2.0
"""A probe behind a network connection that ends."""

import socket
import threading

import pytest

from hil.errors import ConnectError
from hil.instruments.pyocd_board import PyocdBoard


def test_a_server_that_goes_away_is_an_error_and_no_wait_for_ever() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]

        def hang_up() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(4096)

        answering = threading.Thread(target=hang_up)
        answering.start()
        board = PyocdBoard(f"remote:127.0.0.1:{port}", "stm32l475xg", 4e6)
        with pytest.raises(ConnectError, match=r"closed the connection|reset by peer"):
            board.identity()
        answering.join()
