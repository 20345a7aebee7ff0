# SPDX-License-Identifier: Apache-2.0
"""What an image was built with, as far as its debug information tells."""

from __future__ import annotations

import io
from pathlib import Path

from elftools.elf.elffile import ELFFile

_MOST = 20
"""Different statements that are kept: a firmware has a few compilers, each with a few sets of flags."""
_LONGEST = 1000


def built_with(path: Path) -> list[str]:
    """The compilers of an ELF file, each once, in the order of the file.

    Each compilation unit names its producer (DWARF 5, section 3.1.1, ``DW_AT_producer``). GCC puts its flags
    there; clang does so with ``-grecord-command-line``.

    Returns:
        Nothing where there is no debug information that can be read.
    """
    found: dict[str, None] = {}
    try:
        elf = ELFFile(io.BytesIO(path.read_bytes()))
        if not elf.has_dwarf_info():
            return []
        for unit in elf.get_dwarf_info().iter_CUs():
            producer = unit.get_top_DIE().attributes.get("DW_AT_producer")
            if producer is not None:
                text = producer.value
                text = text.decode("utf-8", "replace") if isinstance(text, bytes) else str(text)
                found[text[:_LONGEST]] = None
    except Exception:  # noqa: BLE001  # damaged debug information says nothing; the image itself was read
        pass
    return list(found)[:_MOST]
