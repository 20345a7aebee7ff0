# SPDX-License-Identifier: Apache-2.0
"""Which reader a file is for, by the ending of its name or else by how its content begins."""

from __future__ import annotations

from pathlib import Path

from hil.golden.data.recordings.channel import Channel, Layout, refused
from hil.golden.data.recordings.csv_file import read_csv
from hil.golden.data.recordings.edge_impulse_file import read_edge_impulse
from hil.golden.data.recordings.mat_file import read_mat
from hil.golden.data.recordings.npy_file import read_npy
from hil.golden.data.recordings.tdms_file import read_tdms
from hil.golden.data.recordings.wav_file import read_wav

_TABLES = {
    ".csv": read_csv,
    ".tsv": read_csv,
    ".txt": read_csv,
    ".npy": read_npy,
    ".npz": read_npy,
    ".mat": read_mat,
}
_CHANNELS = {".wav": read_wav, ".tdms": read_tdms, ".json": read_edge_impulse}
ENDINGS = (*_TABLES, *_CHANNELS)
_BEGINNINGS = (
    (b"RIFF", ".wav"),
    (b"RF64", ".wav"),
    (b"TDSm", ".tdms"),
    (b"\x93NUMPY", ".npy"),
    (b"PK\x03\x04", ".npz"),
    (b"MATLAB 5.0 MAT-file", ".mat"),
    (b"MATLAB 7.3 MAT-file", ".mat"),
    (b"{", ".json"),
)
_DOCUMENTS = (
    ".md",
    ".rst",
    ".pdf",
    ".doc",
    ".docx",
    ".odt",
    ".xls",
    ".xlsx",
    ".ppt",
    ".pptx",
    ".htm",
    ".html",
    ".rtf",
    ".png",
    ".jpg",
    ".jpeg",
    ".gif",
    ".svg",
    ".mp4",
    ".xml",
    ".ini",
    ".yml",
    ".yaml",
    ".toml",
    ".py",
    ".m",
    ".ipynb",
    ".log",
    ".bak",
    ".zip",
    ".gz",
    ".7z",
    ".rar",
)
_DOCUMENT_NAMES = ("readme", "license", "licence", "copying", "notes", "changelog", "authors", "citation")


def is_document(file: Path) -> bool:
    """Whether a file beside recordings is there for people: a README, a picture, a script."""
    return file.suffix.lower() in _DOCUMENTS or file.stem.lower() in _DOCUMENT_NAMES


def channels(file: Path, layout: Layout | None, axes: int | None) -> list[Channel]:
    """The channels of `file`.

    Raises:
        RecordingError: the file is of no kind that can be read, damaged, or has no rows of which `layout` or
            `axes` could say something.
        OSError: the file cannot be read.
    """
    ending = file.suffix.lower()
    if ending not in ENDINGS:
        ending = _by_content(file)
    if ending in _TABLES:
        return _TABLES[ending](file, layout, axes)
    if layout is not None or axes is not None:
        raise refused(file, f"a file of type {ending} has no rows", hint="leave --layout and --axes out")
    return _CHANNELS[ending](file)


def _by_content(file: Path) -> str:
    with file.open("rb") as opened:
        start = opened.read(4096)
    for beginning, ending in _BEGINNINGS:
        if start.startswith(beginning):
            return ending
    if b"\0" in start:
        raise refused(
            file,
            f"neither ending {file.suffix!r} nor content of a recording",
            expected=f"a file of type {', '.join(ENDINGS)}",
        )
    return ".csv"
