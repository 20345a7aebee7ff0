/* SPDX-License-Identifier: Apache-2.0 */
#include "network.h"

#include <stddef.h>

#include "addition.h"
#include "convolution.h"
#include "elementwise.h"
#include "fully_connected.h"
#include "pool.h"
#include "softmax.h"

void network_invoke(const network_t *network, const void *input, void *output)
{
    const layer_t *end = &network->layers[network->layer_count];
    for (const layer_t *layer = network->layers; layer != end; layer++) {
        const void *source = layer->source != NULL ? layer->source : input;
        void *result = layer->result != NULL ? layer->result : output;
        switch (layer->kernel) {
        case KERNEL_FULLY_CONNECTED:
            fully_connected(layer, source, result, network->scratch);
            break;
        case KERNEL_LOOK_UP:
            look_up(layer->parameters.table, layer->output_size, source, result);
            break;
        case KERNEL_QUANTIZE:
            quantize(layer->parameters.affine, layer->output_size, source, result);
            break;
        case KERNEL_DEQUANTIZE:
            dequantize(layer->parameters.affine, layer->output_size, source, result);
            break;
#if NETWORK_CONV_2D
        case KERNEL_CONV_2D:
            convolve(&layer->parameters.convolution, source, result, network->scratch);
            break;
#endif
#if NETWORK_DEPTHWISE_CONV_2D
        case KERNEL_DEPTHWISE_CONV_2D:
            convolve_depthwise(&layer->parameters.convolution, source, result);
            break;
#endif
#if NETWORK_POOL_2D
        case KERNEL_AVERAGE_POOL_2D:
            average_pool(&layer->parameters.pool, source, result);
            break;
        case KERNEL_MAX_POOL_2D:
            max_pool(&layer->parameters.pool, source, result);
            break;
#endif
#if NETWORK_ADD
        case KERNEL_ADD:
            add(&layer->parameters.addition, layer->output_size, source, layer->second != NULL ? layer->second : input,
                result);
            break;
#endif
#if NETWORK_SOFTMAX
        case KERNEL_SOFTMAX:
            softmax(&layer->parameters.softmax, layer->output_size, source, result);
            break;
#endif
        default: /* no network is loaded with another */
            break;
        }
    }
}
