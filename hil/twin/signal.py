# SPDX-License-Identifier: Apache-2.0
"""How a block tells others what happened, without knowing who they are.

Blocks of the virtual bench are connected in two ways. What a block cannot work without it gets when it is
made. What it has to tell goes out through a :class:`Signal`, which many may listen to.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Generic, ParamSpec

from hil.twin.errors import TwinError

P = ParamSpec("P")
_CONTAINERS = (list, tuple, set, frozenset)


class Signal(Generic[P]):
    """Calls everybody who listens, in the order in which they began to.

    What a listener raises goes to the caller, and the listeners behind it are not called. A listener may
    connect and disconnect others: that counts from the next call on.
    """

    __slots__ = ("_listeners", "required")

    def __init__(self, *, required: bool = False) -> None:
        """``required``: the part is not whole while nobody listens, which :func:`check_connected` finds."""
        self._listeners: tuple[Callable[P, object], ...] = ()
        self.required = required

    def connect(self, listener: Callable[P, object]) -> None:
        """Call ``listener`` from now on."""
        self._listeners = (*self._listeners, listener)

    def disconnect(self, listener: Callable[P, object]) -> None:
        """Call it no longer; raises ValueError if it does not listen."""
        listeners = list(self._listeners)
        listeners.remove(listener)
        self._listeners = tuple(listeners)

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> None:
        """Tell them."""
        for listener in self._listeners:
            listener(*args, **kwargs)

    def __bool__(self) -> bool:
        """Whether somebody listens."""
        return bool(self._listeners)


def check_connected(whole: object) -> None:
    """Look through an object and all that it is made of for required signals that nobody listens to.

    Raises:
        TwinError: there are some; it names each by its owner.
    """
    missing = sorted(set(_unconnected(whole)))
    if missing:
        raise TwinError(f"nobody listens to {', '.join(missing)}: connect it where the part is assembled")


def _unconnected(whole: object) -> Iterator[str]:
    seen: set[int] = set()
    waiting = [whole]
    while waiting:
        owner = waiting.pop()
        if id(owner) in seen:
            continue
        seen.add(id(owner))
        if isinstance(owner, Mapping):
            waiting.extend(owner.values())
        elif isinstance(owner, _CONTAINERS):
            waiting.extend(owner)
        elif type(owner).__module__.startswith("hil.twin."):
            for name, value in getattr(owner, "__dict__", {}).items():
                if isinstance(value, Signal):
                    if value.required and not value:
                        yield f"{type(owner).__name__}.{name}"
                else:
                    waiting.append(value)
