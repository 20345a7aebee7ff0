/* SPDX-License-Identifier: Apache-2.0 */
/* infer MODEL INPUTS OUTPUTS: runs a .tflite file on vectors, one after the other in a file. Prints the error code and
 * the arena that the model needs; the status is 0 where the model was loaded. */
#include "file.h"
#include "network.h"

static network_t network;

static uint32_t element_bytes(element_type_t type)
{
    return type == ELEMENT_FLOAT32 ? 4u : 1u;
}

int main(int argument_count, char **arguments)
{
    if (argument_count != 4) {
        fprintf(stderr, "infer MODEL INPUTS OUTPUTS\n");
        return 2;
    }
    uint32_t model_size, inputs_size;
    void *model = read_file(arguments[1], &model_size);
    uint8_t *inputs = read_file(arguments[2], &inputs_size);
    error_t error = network_load(&network, model, model_size);
    printf("error %d, arena %u\n", (int)error, network.arena_needed_bytes);
    if (error != ERROR_NONE) {
        free(inputs);
        free(model);
        return 1;
    }
    uint32_t input_bytes = network.input_size * element_bytes(network.input_type);
    uint32_t output_bytes = network.output_size * element_bytes(network.output_type);
    uint32_t count = inputs_size / input_bytes;
    uint8_t *outputs = malloc((size_t)count * output_bytes + 1u);
    for (uint32_t i = 0; i < count; i++) {
        network_invoke(&network, &inputs[i * input_bytes], &outputs[i * output_bytes]);
    }
    write_file(arguments[3], outputs, (size_t)count * output_bytes);
    free(outputs);
    free(inputs);
    free(model);
    return 0;
}
