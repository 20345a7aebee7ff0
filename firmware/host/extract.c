/* SPDX-License-Identifier: Apache-2.0 */
/* extract SEGMENTS CODES FEATURES: features_extract() of windows of uint16 codes, one after the other in a file. */
#include <string.h>

#include "features.h"
#include "file.h"

int main(int argument_count, char **arguments)
{
    if (argument_count != 4) {
        fprintf(stderr, "extract SEGMENTS CODES FEATURES\n");
        return 2;
    }
    uint32_t segments = (uint32_t)atoi(arguments[1]);
    uint32_t size;
    uint8_t *codes = read_file(arguments[2], &size);
    uint32_t window_bytes = segments * WINDOW_SAMPLES * 2u;
    uint32_t count = size / window_bytes;
    int8_t *features = malloc((size_t)count * FEATURE_COUNT + 1u);
    uint16_t *window = malloc(window_bytes);
    for (uint32_t i = 0; i < count; i++) {
        memcpy(window, &codes[i * window_bytes], window_bytes);
        features_extract(window, segments, &features[i * FEATURE_COUNT]);
    }
    write_file(arguments[3], features, (size_t)count * FEATURE_COUNT);
    free(window);
    free(features);
    free(codes);
    return 0;
}
