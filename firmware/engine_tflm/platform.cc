// SPDX-License-Identifier: Apache-2.0
// What TensorFlow Lite Micro, newlib and the C++ run-time expect of a platform. Messages go nowhere: the console has a
// protocol. There is no file, no process and no heap: what asks for one is refused, and what gives up traps.
#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/stat.h>
#include <sys/types.h>

extern "C" {

__attribute__((weak)) void DebugLog(const char *, va_list) {}

// Called by its older name in some versions.
__attribute__((weak)) int DebugVsnprintf(char *, size_t, const char *, va_list)
{
    return 0;
}

__attribute__((weak)) int DebugLogVsnprintf(char *, size_t, const char *, va_list)
{
    return 0;
}

// Destructors of static objects never run: the program does not end.
void *__dso_handle = nullptr;

int __aeabi_atexit(void *, void (*)(void *), void *)
{
    return 0;
}

void __cxa_pure_virtual(void)
{
    __builtin_trap();
}

// newlib's system calls, which abort(), printf() and malloc() end in. Fault_Handler reports the trap, and resets.
__attribute__((weak)) void _exit(int)
{
    __builtin_trap();
}

__attribute__((weak)) int _kill(pid_t, int)
{
    errno = EINVAL;
    return -1;
}

__attribute__((weak)) pid_t _getpid(void)
{
    return 1;
}

__attribute__((weak)) void *_sbrk(ptrdiff_t)
{
    errno = ENOMEM;
    return reinterpret_cast<void *>(-1);
}

__attribute__((weak)) int _write(int, const void *, size_t)
{
    errno = EBADF;
    return -1;
}

__attribute__((weak)) int _read(int, void *, size_t)
{
    errno = EBADF;
    return -1;
}

__attribute__((weak)) int _close(int)
{
    errno = EBADF;
    return -1;
}

__attribute__((weak)) int _fstat(int, struct stat *)
{
    errno = EBADF;
    return -1;
}

__attribute__((weak)) int _isatty(int)
{
    errno = EBADF;
    return 0;
}

__attribute__((weak)) off_t _lseek(int, off_t, int)
{
    errno = EBADF;
    return -1;
}

}  // extern "C"

// Virtual destructors refer to it; nothing is ever deleted.
void operator delete(void *) noexcept
{
    __builtin_trap();
}

void operator delete(void *, size_t) noexcept
{
    __builtin_trap();
}
