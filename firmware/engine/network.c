/* SPDX-License-Identifier: Apache-2.0 */
#include "network.h"

#include "elementwise.h"
#include "fully_connected.h"

void network_invoke(const network_t *network, const void *input, void *output)
{
    for (uint32_t i = 0; i < network->layer_count; i++) {
        const layer_t *layer = &network->layers[i];
        void *result = i + 1u == network->layer_count ? output : network->activations[i & 1u];
        switch (layer->kernel) {
        case KERNEL_FULLY_CONNECTED:
            fully_connected(layer, input, result, network->widened);
            break;
        case KERNEL_LOOK_UP:
            look_up(layer->parameters.table, layer->output_size, input, result);
            break;
        case KERNEL_QUANTIZE:
            quantize(layer->parameters.affine, layer->output_size, input, result);
            break;
        case KERNEL_DEQUANTIZE:
            dequantize(layer->parameters.affine, layer->output_size, input, result);
            break;
        }
        input = result;
    }
}
