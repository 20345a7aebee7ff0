// SPDX-License-Identifier: Apache-2.0
// What TensorFlow Lite Micro and the C++ run-time expect of a platform. Messages go nowhere: the console has a protocol.
#include <stdarg.h>
#include <stddef.h>

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
