/* SPDX-License-Identifier: Apache-2.0 */
/* The memory functions that a freestanding compiler may still call: ISO C's and those of the Arm run-time ABI
 * (RTABI, section 4.3.4). Compiled with -fno-builtin, or the loops would be turned into calls of themselves. */
#include <stddef.h>
#include <stdint.h>

void *memcpy(void *restrict to, const void *restrict from, size_t size);
void *memset(void *to, int value, size_t size);
void __aeabi_memcpy(void *restrict to, const void *restrict from, size_t size);
void __aeabi_memcpy4(void *restrict to, const void *restrict from, size_t size);
void __aeabi_memcpy8(void *restrict to, const void *restrict from, size_t size);
void __aeabi_memset(void *to, size_t size, int value);
void __aeabi_memset4(void *to, size_t size, int value);
void __aeabi_memset8(void *to, size_t size, int value);
void __aeabi_memclr(void *to, size_t size);
void __aeabi_memclr4(void *to, size_t size);
void __aeabi_memclr8(void *to, size_t size);

void *memcpy(void *restrict to, const void *restrict from, size_t size)
{
    uint8_t *target = to;
    const uint8_t *source = from;
    while (size-- > 0u) {
        *target++ = *source++;
    }
    return to;
}

void *memset(void *to, int value, size_t size)
{
    uint8_t *target = to;
    while (size-- > 0u) {
        *target++ = (uint8_t)value;
    }
    return to;
}

void __aeabi_memcpy(void *restrict to, const void *restrict from, size_t size)
{
    memcpy(to, from, size);
}

void __aeabi_memcpy4(void *restrict to, const void *restrict from, size_t size)
{
    memcpy(to, from, size);
}

void __aeabi_memcpy8(void *restrict to, const void *restrict from, size_t size)
{
    memcpy(to, from, size);
}

void __aeabi_memset(void *to, size_t size, int value)
{
    memset(to, value, size);
}

void __aeabi_memset4(void *to, size_t size, int value)
{
    memset(to, value, size);
}

void __aeabi_memset8(void *to, size_t size, int value)
{
    memset(to, value, size);
}

void __aeabi_memclr(void *to, size_t size)
{
    memset(to, 0, size);
}

void __aeabi_memclr4(void *to, size_t size)
{
    memset(to, 0, size);
}

void __aeabi_memclr8(void *to, size_t size)
{
    memset(to, 0, size);
}
