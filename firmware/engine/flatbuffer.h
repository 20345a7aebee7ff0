/* SPDX-License-Identifier: Apache-2.0 */
/* Reads tables and vectors of a FlatBuffer in place. Every access is checked against the file's size: one that is out
 * of bounds reads as 0 and marks the file as broken, which the caller looks at before it trusts what it got. */
#ifndef HIL_FLATBUFFER_H
#define HIL_FLATBUFFER_H

#include <stdbool.h>
#include <stdint.h>

typedef struct {
    const uint8_t *data;
    uint32_t size;
    bool broken;
} flatbuffer_t;

/* Elements start at `at`; an absent vector has count 0. */
typedef struct {
    uint32_t at;
    uint32_t count;
} flatbuffer_vector_t;

uint8_t flatbuffer_u8(flatbuffer_t *file, uint32_t at);
uint32_t flatbuffer_u32(flatbuffer_t *file, uint32_t at);
/* Where the offset stored at `at` points: the root table for at = 0. */
uint32_t flatbuffer_follow(flatbuffer_t *file, uint32_t at);
/* Where field number `field` of the table is stored, 0 if it is absent (and so has its default value). */
uint32_t flatbuffer_field(flatbuffer_t *file, uint32_t table, uint32_t field);
flatbuffer_vector_t flatbuffer_vector(flatbuffer_t *file, uint32_t table, uint32_t field, uint32_t element_size);
/* Table number `index` of a vector of tables; out of range breaks the file. */
uint32_t flatbuffer_table(flatbuffer_t *file, flatbuffer_vector_t tables, uint32_t index);

#endif
