/* SPDX-License-Identifier: Apache-2.0 */
/* Which operators are compiled in beside the element-wise ones and FULLY_CONNECTED: those of the model. The build writes
 * model_facts.h after the file that it links (tools/model.py); without that header all are. */
#ifndef HIL_OPERATORS_H
#define HIL_OPERATORS_H

#if __has_include("model_facts.h")
#include "model_facts.h"
#else
#define NETWORK_CONV_2D 1
#define NETWORK_DEPTHWISE_CONV_2D 1
#define NETWORK_POOL_2D 1
#define NETWORK_ADD 1
#define NETWORK_SOFTMAX 1
#endif

#endif
