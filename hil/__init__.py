# SPDX-License-Identifier: Apache-2.0
"""hil-rig: a hardware-in-the-loop test rig controller for low-power TinyML firmware."""


def __getattr__(name: str) -> str:
    """``__version__``, looked up when somebody asks: pytest imports this package in every run."""
    if name != "__version__":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib.metadata import version

    return version("hil-rig")
