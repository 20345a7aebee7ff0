# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from hil.twin.core.memory import Memory
from tests.twin.core.conftest import MEMORIES


def test_preloaded_bytes_are_there_in_the_alias_too_and_drop_old_code():
    memory, dropped = Memory(MEMORIES, seed=1), []
    memory.invalidated.connect(lambda address, size: dropped.append((address, size)))
    memory.preload(0x0800_1000, b"\x78\x56\x34\x12")
    assert memory.read(0x0800_1000, 4) == memory.read(0x1000, 4) == 0x1234_5678
    assert memory.read(0x0800_1004, 4) == 0xFFFF_FFFF
    assert dropped == [(0x0800_1000, 4)]


def test_bytes_that_leave_their_memory_are_refused_whole():
    memory = Memory(MEMORIES, seed=1)
    with pytest.raises(ValueError, match="0x080ffffe"):
        memory.preload(0x080F_FFFE, b"four")
    assert memory.read(0x080F_FFFE, 2) == 0xFFFF
