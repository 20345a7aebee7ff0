# SPDX-License-Identifier: Apache-2.0
"""The plotting library and the script that draws logs with it, as texts that a page holds."""

from __future__ import annotations

from importlib import resources

_FILES = resources.files("hil.report")


def library() -> str:
    """UPlot's script."""
    return (_FILES / "static" / "uPlot.iife.min.js").read_text(encoding="utf-8")


def library_style() -> str:
    """UPlot's style sheet."""
    return (_FILES / "static" / "uPlot.min.css").read_text(encoding="utf-8")


def script() -> str:
    """Reads logs (``log_store.js``) and draws them (``waveform.js``)."""
    return "\n".join(
        (_FILES / "templates" / name).read_text(encoding="utf-8") for name in ("log_store.js", "waveform.js")
    )
