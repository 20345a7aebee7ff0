/* SPDX-License-Identifier: Apache-2.0 */
#include "flatbuffer.h"

#define OFFSET_SIZE 4u
#define VTABLE_HEADER 4u /* its own size and the table's, uint16 each */

static bool readable(flatbuffer_t *file, uint32_t at, uint32_t size)
{
    if (at > file->size || file->size - at < size) {
        file->broken = true;
        return false;
    }
    return true;
}

uint8_t flatbuffer_u8(flatbuffer_t *file, uint32_t at)
{
    return readable(file, at, 1) ? file->data[at] : 0u;
}

static uint32_t read_u16(flatbuffer_t *file, uint32_t at)
{
    return readable(file, at, 2) ? (uint32_t)file->data[at] | (uint32_t)file->data[at + 1u] << 8 : 0u;
}

uint32_t flatbuffer_u32(flatbuffer_t *file, uint32_t at)
{
    if (!readable(file, at, 4)) {
        return 0;
    }
    const uint8_t *bytes = &file->data[at];
    return (uint32_t)bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 | (uint32_t)bytes[3] << 24;
}

uint32_t flatbuffer_follow(flatbuffer_t *file, uint32_t at)
{
    return at + flatbuffer_u32(file, at);
}

uint32_t flatbuffer_field(flatbuffer_t *file, uint32_t table, uint32_t field)
{
    uint32_t vtable = table - flatbuffer_u32(file, table); /* a signed offset: the difference wraps as it should */
    uint32_t slot = VTABLE_HEADER + 2u * field;
    if (slot + 2u > read_u16(file, vtable)) {
        return 0;
    }
    uint32_t offset = read_u16(file, vtable + slot);
    return offset == 0u ? 0u : table + offset;
}

flatbuffer_vector_t flatbuffer_vector(flatbuffer_t *file, uint32_t table, uint32_t field, uint32_t element_size)
{
    flatbuffer_vector_t vector = {0, 0};
    uint32_t place = flatbuffer_field(file, table, field);
    if (place == 0u) {
        return vector;
    }
    uint32_t at = flatbuffer_follow(file, place);
    uint32_t count = flatbuffer_u32(file, at);
    if (count > file->size / element_size || !readable(file, at + OFFSET_SIZE, count * element_size)) {
        file->broken = true;
        return vector;
    }
    vector.at = at + OFFSET_SIZE;
    vector.count = count;
    return vector;
}

uint32_t flatbuffer_table(flatbuffer_t *file, flatbuffer_vector_t tables, uint32_t index)
{
    if (index >= tables.count) {
        file->broken = true;
        return 0;
    }
    return flatbuffer_follow(file, tables.at + OFFSET_SIZE * index);
}
