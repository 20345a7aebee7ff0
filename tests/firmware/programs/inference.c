/* SPDX-License-Identifier: Apache-2.0 */
/* Runs the network on vectors that a test puts into RAM, and counts the cycles of the last inference. */
#include "network.h"
#include "program.h"

extern const uint8_t hil_model[];
extern const uint8_t hil_model_end[];

static network_t network;

uint32_t program_load(void)
{
    return network_load(&network, hil_model, (uint32_t)(hil_model_end - hil_model));
}

void program_run(uint32_t number)
{
    const int8_t *input = (const int8_t *)&exchange.input[number * network.input_size];
    network_invoke(&network, input, (int8_t *)&exchange.output[number * network.output_size]);
}
