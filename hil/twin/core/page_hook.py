# SPDX-License-Identifier: Apache-2.0
"""Tells Unicorn, page by page, what may be done there: most pages of RAM hold no code, which makes them fast.

Unicorn must notice a store to code that it has translated.  It does so by taking every store to a page that
may be executed on a slow way, three to five times as slow as the store itself (2.1.4, `notdirty_write`).  It
asks this hook for a page's rights when the program touches the page first.  So a page of RAM may not be
executed until the program does.  Then the hook refuses and names the page in `FETCH_REFUSED`, the engine
notes it in `CODE_PAGES`, and the program goes on (`Engine.start`).

What may never be executed is the architecture's: Armv7-M ARM (DDI 0403), B3.1, table B3-1.
"""

from __future__ import annotations

from typing import Final

import numba
import numpy as np
from numba import types
from unicorn import unicorn_const as uc_const

from hil.twin.core import state_layout as words
from hil.twin.core.access_end import go_on
from hil.twin.core.memory_map import WINDOW_SHIFT
from hil.twin.core.native import STATE_POINTER

PAGE_SHIFT: Final = 12
_FETCH: Final = uc_const.UC_MEM_FETCH
_DATA: Final = uc_const.UC_PROT_READ | uc_const.UC_PROT_WRITE
_ALL: Final = uc_const.UC_PROT_ALL
_DEVICES, _RAM_BEHIND, _DEVICES_BEHIND = 0x4000_0000, 0x6000_0000, 0xA000_0000


@numba.cfunc(types.boolean(types.uintp, types.uint64, types.int32, STATE_POINTER, STATE_POINTER), cache=True)
def on_page(uc, page_u64, kind, entry, state):  # type: ignore[no-untyped-def]  # typed by numba
    """UC_HOOK_TLB_FILL callback; `entry` takes the page's address and its rights, `user_data` is the state
    array.
    """
    page = np.int64(page_u64)
    executed = not (_DEVICES <= page < _RAM_BEHIND or page >= _DEVICES_BEHIND)
    window = words.WINDOWS + (page >> WINDOW_SHIFT) * words.WINDOW_WORDS
    offset = page - state[window + words.WINDOW_BASE]
    if (
        state[window + words.WINDOW_KIND] == words.KIND_RAM
        and 0 <= offset < state[window + words.WINDOW_SIZE]
    ):
        executed = state[state[window + words.WINDOW_PAGES] + (offset >> PAGE_SHIFT)] != 0
    if kind == _FETCH and not executed:
        state[words.FETCH_REFUSED] = page
        return False
    if kind != _FETCH:
        go_on(uc, state)
    entry[0] = page
    entry[1] = _ALL if executed else _DATA
    return True


ON_PAGE: int = on_page.address or 0
"""Native address of the callback."""
