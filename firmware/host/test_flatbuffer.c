/* SPDX-License-Identifier: Apache-2.0 */
/* Each file is a heap block of its exact size, so that a read beyond it is one of the sanitizer's errors. */
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "flatbuffer.h"

static flatbuffer_t file_of(const void *bytes, uint32_t size)
{
    void *copy = malloc(size == 0u ? 1u : size);
    memcpy(copy, bytes, size);
    return (flatbuffer_t){.data = copy, .size = size, .broken = false};
}

/* A table at 12 with one field, a vector of two bytes at 20. */
static const uint8_t sound[] = {
    12, 0, 0, 0,          /* offset of the root table */
    6,  0, 8, 0, 4, 0,    /* vtable at 4: its size, the table's, field 0 at 4 */
    0,  0,                /* padding */
    8,  0, 0, 0,          /* the table: its vtable is 8 before it */
    4,  0, 0, 0,          /* field 0: offset of the vector */
    2,  0, 0, 0, 7, 9,    /* its length and elements */
};

static void test_sound_file(void)
{
    flatbuffer_t file = file_of(sound, sizeof sound);
    uint32_t table = flatbuffer_follow(&file, 0);
    CHECK_EQUAL(table, 12);
    CHECK_EQUAL(flatbuffer_field(&file, table, 0), 16);
    CHECK_EQUAL(flatbuffer_field(&file, table, 1), 0);
    CHECK_EQUAL(flatbuffer_field(&file, table, 30000), 0);
    flatbuffer_vector_t vector = flatbuffer_vector(&file, table, 0, 1);
    CHECK_EQUAL(vector.count, 2);
    CHECK_EQUAL(flatbuffer_u8(&file, vector.at + 1u), 9);
    CHECK(!file.broken);
    free((void *)(uintptr_t)file.data);
}

static void test_cut_off_anywhere(void)
{
    for (uint32_t size = 0; size < sizeof sound; size++) {
        flatbuffer_t file = file_of(sound, size);
        flatbuffer_vector_t vector = flatbuffer_vector(&file, flatbuffer_follow(&file, 0), 0, 1);
        CHECK(file.broken);
        CHECK_EQUAL(vector.count, 0);
        free((void *)(uintptr_t)file.data);
    }
}

static void test_wild_numbers(void)
{
    const uint32_t wild[] = {0xFFFFFFFFu, 0xFFFFFFFCu, 0x80000000u, 0x7FFFFFFFu, 26u, 25u, 22u};
    for (uint32_t i = 0; i < sizeof wild / sizeof wild[0]; i++) {
        for (uint32_t at = 0; at + 4u <= sizeof sound; at += 4u) {
            uint8_t bytes[sizeof sound];
            memcpy(bytes, sound, sizeof bytes);
            memcpy(&bytes[at], &wild[i], 4);
            flatbuffer_t file = file_of(bytes, sizeof bytes);
            uint32_t table = flatbuffer_follow(&file, 0);
            flatbuffer_vector_t vector = flatbuffer_vector(&file, table, 0, 8);
            CHECK(vector.count <= sizeof bytes / 8u);
            flatbuffer_table(&file, vector, 0);
            flatbuffer_u32(&file, wild[i]);
            CHECK(file.broken);
            free((void *)(uintptr_t)file.data);
        }
    }
}

int main(void)
{
    test_sound_file();
    test_cut_off_anywhere();
    test_wild_numbers();
    return check_result();
}
