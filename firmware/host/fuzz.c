/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz SEED CASES MODEL...: loads damaged copies of the models and foreign files, and runs what is accepted. A sanitizer
 * ends the program at the first read or write out of bounds and at undefined behaviour; the caller sees to it that
 * nothing hangs. Prints how many cases ended with each error code. */
#include <string.h>

#include "file.h"
#include "network.h"

#define MAX_MODELS 64
#define ERROR_CODES 256
#define MAX_INVOKED_ELEMENTS 65536u /* of an input or output: what is larger is loaded, not run */

static network_t network;
static uint64_t state;

static uint32_t next(void)
{
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(state >> 32);
}

static uint32_t below(uint32_t limit)
{
    return (uint32_t)((uint64_t)next() * limit >> 32);
}

/* What is likely to be an offset, a size or an index, and wrong. */
static uint32_t wild(uint32_t size)
{
    const uint32_t numbers[] = {0u, 1u, 0x7Fu, 0x80u, 0xFFu, 0xFFFFu, 0x7FFFFFFFu, 0x80000000u, 0xFFFFFFFCu, 0xFFFFFFFFu};
    uint32_t kind = below(14);
    if (kind < 10u) {
        return numbers[kind];
    }
    return kind == 10u ? size : kind == 11u ? size - 1u : kind == 12u ? below(size) : next();
}

static void damage(uint8_t *data, uint32_t size)
{
    for (uint32_t count = 1u + below(8); count > 0u; count--) {
        uint32_t at = below(size);
        switch (below(4)) {
        case 0:
            data[at] ^= (uint8_t)(1u << below(8));
            break;
        case 1:
            data[at] = (uint8_t)next();
            break;
        case 2: { /* a 32-bit number where such numbers lie */
            uint32_t number = wild(size);
            at &= ~3u;
            memcpy(&data[at], &number, size - at < 4u ? size - at : 4u);
            break;
        }
        default: { /* a piece of the file in another place */
            uint32_t length = 1u + below(size - at < 64u ? size - at : 64u);
            uint32_t from = below(size - length + 1u);
            memmove(&data[at], &data[from], at + length > size ? size - at : length);
        }
        }
    }
}

/* One case in a heap block of its exact size. */
static uint8_t *make_case(const uint8_t *model, uint32_t model_size, uint32_t *size)
{
    uint32_t kind = below(16);
    *size = kind < 12u ? model_size : below(kind < 14u ? model_size + 1u : 4096u);
    uint8_t *data = malloc(*size == 0u ? 1u : *size);
    if (kind < 14u) { /* damaged, or cut off and sometimes damaged */
        memcpy(data, model, *size);
        if (*size != 0u && (kind < 12u || below(2) == 0u)) {
            damage(data, *size);
        }
    } else { /* foreign, sometimes with the right beginning */
        for (uint32_t i = 0; i < *size; i++) {
            data[i] = (uint8_t)next();
        }
        if (below(2) == 0u) {
            memcpy(data, model, *size < 8u ? *size : 8u);
        }
    }
    return data;
}

static void run(void)
{
    if (network.input_size > MAX_INVOKED_ELEMENTS || network.output_size > MAX_INVOKED_ELEMENTS) {
        return;
    }
    uint32_t input_bytes = network.input_size * (network.input_type == ELEMENT_FLOAT32 ? 4u : 1u);
    uint32_t output_bytes = network.output_size * (network.output_type == ELEMENT_FLOAT32 ? 4u : 1u);
    uint8_t *input = malloc(input_bytes);
    uint8_t *output = malloc(output_bytes);
    for (uint32_t i = 0; i < input_bytes; i++) {
        input[i] = (uint8_t)next(); /* as float32, not-a-number and infinities too */
    }
    network_invoke(&network, input, output);
    free(output);
    free(input);
}

int main(int argument_count, char **arguments)
{
    int model_count = argument_count - 3;
    if (model_count < 1 || model_count > MAX_MODELS) {
        fprintf(stderr, "fuzz SEED CASES MODEL...\n");
        return 2;
    }
    uint8_t *models[MAX_MODELS];
    uint32_t sizes[MAX_MODELS];
    for (int i = 0; i < model_count; i++) {
        models[i] = read_file(arguments[3 + i], &sizes[i]);
    }
    state = strtoull(arguments[1], NULL, 10);
    unsigned long cases = strtoul(arguments[2], NULL, 10);
    unsigned long counts[ERROR_CODES] = {0};
    for (unsigned long i = 0; i < cases; i++) {
        uint32_t chosen = below((uint32_t)model_count);
        uint32_t size;
        uint8_t *data = make_case(models[chosen], sizes[chosen], &size);
        error_t error = network_load(&network, data, size);
        counts[(unsigned)error % ERROR_CODES]++;
        if (error == ERROR_NONE) {
            run();
        }
        free(data);
    }
    for (int code = 0; code < ERROR_CODES; code++) {
        if (counts[code] != 0u) {
            printf("error %d: %lu\n", code, counts[code]);
        }
    }
    for (int i = 0; i < model_count; i++) {
        free(models[i]);
    }
    return 0;
}
