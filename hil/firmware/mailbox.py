# SPDX-License-Identifier: Apache-2.0
"""The mailbox's C files, which any firmware can add: `firmware/mailbox`."""

from __future__ import annotations

from pathlib import Path

from hil.errors import FirmwareBuildError
from hil.firmware.build import FIRMWARE_DIR

MAILBOX_DIR = FIRMWARE_DIR / "mailbox"
MAILBOX_FILES = ("hil_mailbox.h", "hil_mailbox.c", "hil_mailbox_tflm.h")


def copy_mailbox(folder: Path) -> list[Path]:
    """Write the files into ``folder``, in place of older ones. Returns where they are.

    Raises:
        FirmwareBuildError: the folder cannot be written, or has a file of that name that is somebody else's.
    """
    written = [folder / name for name in MAILBOX_FILES]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for target in written:
            source = MAILBOX_DIR / target.name
            if target.exists() and not _is_ours(target):
                raise FirmwareBuildError(
                    f"{target} is there and not the mailbox's", where="firmware", operation="mailbox"
                )
            target.write_bytes(source.read_bytes())
    except OSError as error:
        raise FirmwareBuildError(
            f"{folder}: {error.strerror or error}", where="firmware", operation="mailbox"
        ) from error
    return written


def _is_ours(path: Path) -> bool:
    return b"hil_mailbox" in path.read_bytes()
