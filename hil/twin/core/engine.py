# SPDX-License-Identifier: Apache-2.0
"""Unicorn behind a narrow, typed face: registers, memory map, hooks, start and stop."""

from __future__ import annotations

import ctypes
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import numpy.typing as npt
from unicorn import arm_const as arm
from unicorn import unicorn_const as uc
from unicorn.unicorn_py3 import unicorn as binding

from hil.twin.core import access_end
from hil.twin.core import state_layout as words

EVERYWHERE = (1, 0)
"""First and last address of a hook that is not bound to a range."""
UNTIL = 0x9000_0001
"""Where execution would end by itself: an odd address is never executed.  Unicorn looks that page up, so it
must be one that may hold code.
"""
XPSR_THUMB, XPSR_EXCEPTION = 1 << 24, 0x1FF
_XPSR_CONDITIONS = 0xF000_0000
_PRIVILEGE = (arm.UC_ARM_REG_XPSR, arm.UC_ARM_REG_CONTROL)
_ACCESSES = uc.UC_HOOK_MEM_READ | uc.UC_HOOK_MEM_WRITE
PRIVILEGED_REGISTERS = frozenset(
    (
        arm.UC_ARM_REG_MSP,
        arm.UC_ARM_REG_PSP,
        arm.UC_ARM_REG_CONTROL,
        arm.UC_ARM_REG_PRIMASK,
        arm.UC_ARM_REG_FAULTMASK,
        arm.UC_ARM_REG_BASEPRI,
    )
)
"""Registers that Unicorn hides from unprivileged code, and so from us while it runs."""


def cortex_m4() -> Any:
    """Return a Cortex-M4 with FPv4-SP of Unicorn, as its Python binding wraps it.

    UC_MODE_MCLASS would make it a Cortex-M33 whatever the model, and execute Armv8-M and FPv5 instructions.
    """
    engine = binding.Uc(uc.UC_ARCH_ARM, uc.UC_MODE_THUMB)
    engine.ctl_set_cpu_model(arm.UC_CPU_ARM_CORTEX_M4)
    return engine


class Engine:
    """A Cortex-M4F of Unicorn.

    It calls the library directly where the Python binding would cost several microseconds a call.
    """

    def __init__(self, state: npt.NDArray[np.int64]) -> None:
        """``state`` is the array of the native hooks."""
        self._engine = cortex_m4()
        self._engine.ctl_set_tlb_mode(uc.UC_TLB_VIRTUAL)  # it asks `page_hook` what pages are for
        self._state = state
        self._handle = self._engine._uch
        self._word = ctypes.c_uint32()
        self._word_reference = ctypes.byref(self._word)
        registers = (*(arm.UC_ARM_REG_R0 + i for i in range(13)), arm.UC_ARM_REG_SP, arm.UC_ARM_REG_LR)
        self._snapshot_ids = (ctypes.c_int * 16)(*registers, arm.UC_ARM_REG_XPSR)
        self._snapshot = (ctypes.c_uint32 * 16)()
        self._snapshot_pointers = (ctypes.c_void_p * 16)(
            *(ctypes.addressof(self._snapshot) + 4 * i for i in range(16))
        )
        self._batches: dict[tuple[int, ...], tuple[Any, Any, Any]] = {}
        self._callbacks: list[object] = []  # ctypes callbacks must live as long as the engine
        self._memories: list[tuple[int, int, int]] = []
        self._access_ends: dict[int, tuple[ctypes.c_size_t, tuple[int, int]]] = {}
        self._stopped_at: Any = None
        access_end.register(self.handle, self)
        self.is_running = False
        """Instructions are being executed: whoever asks was called by one of their accesses."""

    @property
    def handle(self) -> int:
        """What Unicorn calls this engine in its callbacks."""
        return self._handle.value or 0

    # --- registers ---

    def read_registers(self, registers: tuple[int, ...]) -> list[int]:
        """As `read_register`, several at once."""
        ids, words, pointers = self._batch(registers)
        binding.uclib.uc_reg_read_batch(self._handle, ids, pointers, len(registers))
        return list(words)

    def write_registers(self, registers: tuple[int, ...], values: Sequence[int]) -> None:
        """Write several of R0 to R14 at once."""
        ids, words, pointers = self._batch(registers)
        words[:] = values
        binding.uclib.uc_reg_write_batch(self._handle, ids, pointers, len(registers))

    def _batch(self, registers: tuple[int, ...]) -> tuple[Any, Any, Any]:
        """Numbers, words and their addresses, as Unicorn takes them."""
        batch = self._batches.get(registers)
        if batch is None:
            count = len(registers)
            words = (ctypes.c_uint32 * count)()
            first = ctypes.addressof(words)
            pointers = (ctypes.c_void_p * count)(*(first + 4 * index for index in range(count)))
            batch = self._batches[registers] = (ctypes.c_int * count)(*registers), words, pointers
        return batch

    def read_register(self, register: int) -> int:
        """Return a 32-bit register by its Unicorn number, as the program could read it."""
        binding.uclib.uc_reg_read(self._handle, register, self._word_reference)
        return self._word.value

    def write_register(self, register: int, value: int) -> None:
        """Write a 32-bit register by its Unicorn number, as the program could."""
        self._word.value = value & 0xFFFF_FFFF
        binding.uclib.uc_reg_write(self._handle, register, self._word_reference)
        if register in (arm.UC_ARM_REG_XPSR, arm.UC_ARM_REG_CONTROL):
            self._renew_flags()

    def _renew_flags(self) -> None:
        """Have Unicorn work out again whether the program is privileged and in a handler.

        It keeps a copy of both for translated code, which outside UC_MODE_MCLASS no write of xPSR or CONTROL
        renews; a write of the condition flags does.
        """
        binding.uclib.uc_reg_read(self._handle, arm.UC_ARM_REG_XPSR, self._word_reference)
        self._word.value &= _XPSR_CONDITIONS
        binding.uclib.uc_reg_write(self._handle, arm.UC_ARM_REG_APSR_NZCV, self._word_reference)

    def read_privileged(self, register: int) -> int:
        """Return one of PRIVILEGED_REGISTERS whatever the program's privilege."""
        with self._privileged():
            return self.read_register(register)

    def read_all_privileged(self, registers: tuple[int, ...]) -> tuple[int, ...]:
        """As `read_privileged`, several at once."""
        with self._privileged():
            return tuple(self.read_registers(registers))

    def write_privileged(self, register: int, value: int) -> None:
        """Write one of PRIVILEGED_REGISTERS whatever the program's privilege."""
        with self._privileged():
            self.write_register(register, value)

    @contextmanager
    def _privileged(self) -> Iterator[None]:
        """Pretend to be in a handler: Unicorn applies the program's privilege to our accesses too."""
        xpsr, control = self.read_registers(_PRIVILEGE)
        unprivileged = not xpsr & XPSR_EXCEPTION and control & 1
        if unprivileged:
            self.write_register(arm.UC_ARM_REG_XPSR, xpsr | 3)
        yield
        if unprivileged:
            self.write_register(arm.UC_ARM_REG_XPSR, xpsr)

    def snapshot(self) -> bytes:
        """Return R0 to R14 and xPSR, to be compared; also from inside a load."""
        binding.uclib.uc_reg_read_batch(self._handle, self._snapshot_ids, self._snapshot_pointers, 16)
        return bytes(self._snapshot)

    @property
    def pc(self) -> int:
        """Address of the next instruction."""
        return self.read_register(arm.UC_ARM_REG_PC)

    @property
    def is_thumb(self) -> bool:
        """The T bit of EPSR."""
        return bool(self.read_register(arm.UC_ARM_REG_XPSR) & XPSR_THUMB)

    # --- execution ---

    def start(self, until: int | None = None) -> int:
        """Execute from PC until stopped; return Unicorn's error number.

        With the address of the next instruction in `until`, execute one.  (The count alone would let a whole
        IT block run.)
        """
        self.is_running = True
        end, count = (UNTIL, 0) if until is None else (until, 1)
        try:
            while True:
                status = int(binding.uclib.uc_emu_start(self._handle, self.pc | 1, end, 0, count))
                if status != uc.UC_ERR_EXCEPTION or not self._let_execute():
                    return status
        finally:
            self.is_running = False
            if self.is_leaving:
                self._state[words.LEAVING] = 0
                self._protect_memories(uc.UC_PROT_ALL)
                if self._stopped_at is not None:
                    self._engine.context_restore(self._stopped_at)
                    self._stopped_at = None

    def _let_execute(self) -> bool:
        """Let the page of RAM be executed that `page_hook` has refused; return False if it was no RAM."""
        page, self._state[words.FETCH_REFUSED] = int(self._state[words.FETCH_REFUSED]), -1
        place = words.page_place(self._state, page)
        if place is None:
            return False
        self._state[place] = 1
        self._engine.ctl(uc.UC_CTL_TLB_FLUSH, uc.UC_CTL_IO_WRITE)  # what it knows of the page's rights
        return True

    def stop(self) -> None:
        """Stop from inside a callback."""
        binding.uclib.uc_emu_stop(self._handle)

    def stop_at_access(self, kind: int) -> None:
        """Stop from inside a hook on an access of this kind, before the instruction has any effect."""
        in_it_block = self.read_register(arm.UC_ARM_REG_EPSR) & access_end.IT_BITS
        if in_it_block and not self.is_leaving:
            self._state[words.LEAVING] = 1
            if kind == access_end.LOAD:
                # Unicorn looks at this permission next. Taking it away leaves its tables, which it goes on to
                # use, where they are; a change of the other one does not.
                self._protect_memories(uc.UC_PROT_WRITE | uc.UC_PROT_EXEC)
            else:
                self._stopped_at = self._engine.context_save()
                self._protect_memories(uc.UC_PROT_READ | uc.UC_PROT_EXEC)
        self.stop()

    @property
    def is_leaving(self) -> bool:
        """The program is on its way out of an IT block that it was stopped in: what it does is not done."""
        return bool(self._state[words.LEAVING])

    def _protect_memories(self, permissions: int) -> None:
        """Let the program have these of the permissions that it has of its memories."""
        for address, size, most in self._memories:
            self._engine.mem_protect(address, size, most & permissions)

    def drop_translations(self, address: int, size: int) -> None:
        """Forget translated code in a range."""
        self._engine.ctl_remove_cache(address, address + size)

    def drop_all_translations(self) -> None:
        """Forget all translated code, as a change of hooks on memory accesses needs."""
        self._engine.ctl_flush_tb()

    # --- set-up ---

    def map_memory(self, address: int, size: int, host_pointer: int, writable: bool) -> None:
        """Share host memory with the program; where it is not writable a store calls the protection hook."""
        self._engine.mem_map_ptr(address, size, uc.UC_PROT_ALL, host_pointer)
        permissions = uc.UC_PROT_ALL if writable else uc.UC_PROT_READ | uc.UC_PROT_EXEC
        self._engine.mem_protect(address, size, permissions)
        self._memories.append((address, size, permissions))

    def map_device(self, address: int, size: int, read: int, user: int, ignore_write: int) -> None:
        """Have loads and stores of a range call the protection hooks, where the program counter is exact.

        `read` and `ignore_write` are addresses of native functions that Unicorn calls after those hooks, the
        first with `user` as its data.
        """
        check(
            binding.uclib.uc_mmio_map(
                self._handle,
                address,
                size,
                ctypes.c_void_p(read),
                ctypes.c_void_p(user),
                ctypes.c_void_p(ignore_write),
                None,
            )
        )
        self._engine.mem_protect(address, size, uc.UC_PROT_NONE)

    def add_native_hook(
        self, kind: int, function: int, user: int, bounds: tuple[int, int] = EVERYWHERE
    ) -> ctypes.c_size_t:
        """Hook a native function, with `user` as its data; return what `remove_hook` takes."""
        return self._add(kind, ctypes.c_void_p(function), *bounds, user)

    def add_hook(self, kind: int, callback: Any, first: int, last: int) -> ctypes.c_size_t:
        """Hook a ctypes callback for a range of addresses; return what `remove_hook` takes."""
        self._callbacks.append(callback)
        return self._add(kind, ctypes.cast(callback, ctypes.c_void_p), first, last, 0)

    def add_native_access_hook(self, function: int, user: int, bounds: tuple[int, int]) -> ctypes.c_size_t:
        """Hook a native function on loads and stores, as `add_native_hook` does."""
        return self._add_access(ctypes.c_void_p(function), *bounds, user)

    def add_access_hook(self, callback: Any, first: int, last: int) -> ctypes.c_size_t:
        """Hook a ctypes callback on loads and stores, as `add_hook` does."""
        self._callbacks.append(callback)
        return self._add_access(ctypes.cast(callback, ctypes.c_void_p), first, last, 0)

    def remove_hook(self, hook: ctypes.c_size_t) -> None:
        """Remove a hook."""
        check(binding.uclib.uc_hook_del(self._handle, hook))
        if hook.value in self._access_ends:
            check(binding.uclib.uc_hook_del(self._handle, self._access_ends.pop(hook.value)[0]))

    def _add_access(self, function: ctypes.c_void_p, first: int, last: int, user: int) -> ctypes.c_size_t:
        """Hook loads and stores, and have the IT bits forgotten after all such hooks."""
        hook = self._add(_ACCESSES, function, first, last, user)
        bounds = {number: where for number, (_, where) in self._access_ends.items()}
        for end, _ in self._access_ends.values():
            check(binding.uclib.uc_hook_del(self._handle, end))
        for number, (low, high) in (bounds | {hook.value or 0: (first, last)}).items():
            end = self._add(
                _ACCESSES,
                ctypes.c_void_p(access_end.ON_ACCESS_END),
                low,
                high,
                self._state.ctypes.data,
            )
            self._access_ends[number] = end, (low, high)
        return hook

    def _add(self, kind: int, function: ctypes.c_void_p, first: int, last: int, user: int) -> ctypes.c_size_t:
        hook = ctypes.c_size_t()
        check(
            binding.uclib.uc_hook_add(
                self._handle,
                ctypes.byref(hook),
                kind,
                function,
                ctypes.c_void_p(user),
                ctypes.c_uint64(first),
                ctypes.c_uint64(last),
            )
        )
        return hook


def check(status: int) -> None:
    """Raise UcError unless `status` says that a call of Unicorn succeeded."""
    if status != uc.UC_ERR_OK:
        raise binding.UcError(status)
