/* SPDX-License-Identifier: Apache-2.0 */
/* Whole files in heap blocks of their exact size. Ends the program with status 2 where something is wrong. */
#ifndef HIL_FILE_H
#define HIL_FILE_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

static inline void *read_file(const char *path, uint32_t *size)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL || fseek(file, 0, SEEK_END) != 0) {
        perror(path);
        exit(2);
    }
    long length = ftell(file);
    rewind(file);
    void *data = malloc(length <= 0 ? 1u : (size_t)length);
    if (length < 0 || data == NULL || fread(data, 1, (size_t)length, file) != (size_t)length) {
        perror(path);
        exit(2);
    }
    fclose(file);
    *size = (uint32_t)length;
    return data;
}

static inline void write_file(const char *path, const void *data, size_t size)
{
    FILE *file = fopen(path, "wb");
    if (file == NULL || fwrite(data, 1, size, file) != size || fclose(file) != 0) {
        perror(path);
        exit(2);
    }
}

#endif
