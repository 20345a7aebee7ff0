# SPDX-License-Identifier: Apache-2.0
"""What the controller and the instruments say to each other, for whoever wants it on record.

Drivers report their messages, and instruments that are wrapped by :func:`observed` their operations, as
:class:`Event` objects to the logger ``hil.exchange``. Nothing is reported while nobody listens.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from types import TracebackType
from typing import Any, Literal

import numpy as np

LOGGER = logging.getLogger("hil.exchange")
LOGGER.propagate = False  # the record of a run is no program's log
LOGGER.setLevel(logging.CRITICAL)

_LONGEST_TEXT = 200
"""Characters of a value that are kept."""


@dataclass(frozen=True)
class Event:
    """One thing said, or the beginning or end of an operation that is made of such things."""

    kind: Literal["begin", "message", "end"]
    instrument: str
    text: str
    """The operation with its arguments; the message that was sent."""
    answer: str = ""
    """The result of an operation that ends; the answer to a message."""


def listening() -> bool:
    """Whether anybody wants to know. Turning values into text takes time."""
    return LOGGER.isEnabledFor(logging.INFO)


def message(instrument: str, sent: str, answer: object = "") -> None:
    """Report a message to an instrument and its answer, or one from an instrument with nothing sent."""
    if listening():
        LOGGER.info(Event("message", instrument, sent, _text(answer)))


def observed(name: str, instrument: Any) -> Any:
    """``instrument``, with its operations reported under ``name``; itself while nobody listens."""
    return _Observed(name, instrument) if listening() else instrument


class _Observed:
    """Reports each call of a method, what it was given and what it returned."""

    def __init__(self, name: str, instrument: Any) -> None:
        self._name, self._instrument = name, instrument

    def __getattr__(self, attribute: str) -> Any:
        value = getattr(self._instrument, attribute)
        return self._reporting(attribute, value) if callable(value) else value

    def _reporting(self, name: str, method: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(method)
        def call(*arguments: Any, **options: Any) -> Any:
            operation = f"{name}({_arguments(arguments, options)})"
            with _Operation(self._name, operation) as running:
                result = method(*arguments, **options)
                if hasattr(result, "__enter__") and hasattr(result, "__exit__"):
                    return _ObservedContext(self._name, operation, result)
                running.result = _text(result)
                return result

        return call


class _Operation:
    """The time between an operation's two events."""

    def __init__(self, instrument: str, operation: str) -> None:
        self._instrument, self._operation = instrument, operation
        self.result = ""

    def __enter__(self) -> _Operation:
        LOGGER.info(Event("begin", self._instrument, self._operation))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        result = self.result if error is None else f"{type(error).__name__}: {_text(str(error))}"
        LOGGER.info(Event("end", self._instrument, self._operation, result))


class _ObservedContext:
    """A context manager that an instrument returned: a counter that is armed on entering."""

    def __init__(self, instrument: str, operation: str, context: Any) -> None:
        self._instrument, self._operation, self._context = instrument, operation, context

    def __enter__(self) -> Any:
        with _Operation(self._instrument, f"enter {self._operation}"):
            return observed(self._instrument, self._context.__enter__())

    def __exit__(self, *error: Any) -> Any:
        with _Operation(self._instrument, f"leave {self._operation}"):
            return self._context.__exit__(*error)


def _arguments(arguments: tuple[Any, ...], options: dict[str, Any]) -> str:
    texts = [_text(value) for value in arguments if not callable(value)]
    texts += [f"{name}={_text(value)}" for name, value in options.items() if not callable(value)]
    return ", ".join(texts)


def _text(value: object) -> str:
    """A value in few characters; long ones by what identifies them."""
    match value:
        case None:
            return ""
        case str():
            text = value
        case bytes():
            text = f"{len(value)} bytes" if len(value) > 16 else f"0x{value.hex()}"
        case np.ndarray() if value.size > 4:
            text = f"{value.size} values from {value.min():.6g} to {value.max():.6g}"
        case np.ndarray():
            text = ", ".join(f"{number:.9g}" for number in value.ravel())
        case float():
            text = f"{value:.9g}"
        case list() | tuple() if len(value) > 0 and all(_is_segment(item) for item in value):
            text = f"{sum(len(item[1]) for item in value)} bytes in {len(value)} segment(s)"
        case _ if hasattr(value, "manufacturer"):  # an identity
            text = ", ".join(f"{name} {part}" for name, part in vars(value).items())
        case _ if hasattr(value, "mean_a"):  # a waveform
            text = f"{len(value)} samples of {value.period_s:.6g} s"  # type: ignore[arg-type, attr-defined]
        case _:
            text = str(value)
    return text if len(text) <= _LONGEST_TEXT else f"{text[:_LONGEST_TEXT]}..."


def _is_segment(value: object) -> bool:
    return isinstance(value, tuple) and len(value) == 2 and isinstance(value[1], bytes)
