# SPDX-License-Identifier: Apache-2.0
"""``hil -v`` and ``hil --log-file``: what is said to the instruments, and what the libraries report."""

from __future__ import annotations

import logging
from pathlib import Path

from hil.errors import ResultsError
from hil.foreign_text import visible
from hil.instruments import exchange

_TERMINAL_LEVELS = (logging.CRITICAL, logging.INFO, logging.DEBUG)
"""By the number of ``-v``. Without it nothing is logged to the terminal: errors are told in a line anyway."""


class _Formatter(logging.Formatter):
    """A line per record; characters that a terminal would obey are spelt out."""

    def __init__(self) -> None:
        super().__init__("{asctime} {name}: {message}", style="{")

    def format(self, record: logging.LogRecord) -> str:
        event = record.msg
        if isinstance(event, exchange.Event):
            text = f"{event.kind} {event.instrument}: {event.text}"
            text += f" -> {event.answer}" if event.answer else ""
            record = logging.makeLogRecord({**vars(record), "msg": "%s", "args": (text,)})
        return visible(super().format(record))


def start(verbosity: int, file: Path | None) -> None:
    """Log to standard error, to a file, or to both; to neither, and at no cost, without a wish for it.

    Args:
        verbosity: how often ``-v`` was given: 1 shows what is said to the instruments, 2 all that there is.
        file: takes everything, whatever is shown.

    Raises:
        ResultsError: the file cannot be written.
    """
    handlers: list[logging.Handler] = []
    if verbosity:
        handlers.append(logging.StreamHandler())
        handlers[0].setLevel(_TERMINAL_LEVELS[min(verbosity, len(_TERMINAL_LEVELS) - 1)])
    if file is not None:
        try:
            handlers.append(logging.FileHandler(file, "w", encoding="utf-8", errors="backslashreplace"))
        except OSError as error:
            raise ResultsError(str(error), where=str(file), operation="write the log") from error
    for handler in handlers:
        handler.setFormatter(_Formatter())
        logging.getLogger().addHandler(handler)
        exchange.LOGGER.addHandler(handler)
    if handlers:
        logging.getLogger().setLevel(min(handler.level for handler in handlers) or logging.DEBUG)
        exchange.LOGGER.setLevel(logging.INFO)


def note_error(error: Exception) -> None:
    """Put an error's origin into the log, which its line on the terminal leaves out."""
    logging.getLogger(__name__).debug("ended by an error", exc_info=error)
