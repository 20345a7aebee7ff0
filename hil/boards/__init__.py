# SPDX-License-Identifier: Apache-2.0
"""What a board puts around its part, as data: one TOML a board, which the controller and the twin share."""

from hil.boards.board import BUS_SIGNALS, REFERENCE, Board, Console, Device, names

__all__ = ["BUS_SIGNALS", "REFERENCE", "Board", "Console", "Device", "names"]
