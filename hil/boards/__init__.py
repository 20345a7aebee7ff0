# SPDX-License-Identifier: Apache-2.0
"""What a board puts around its part, as data: one TOML a board, which the controller and the twin share."""

from hil.boards.board import REFERENCE, Board, Console, names

__all__ = ["REFERENCE", "Board", "Console", "names"]
