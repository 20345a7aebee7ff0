/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HIL_ELEMENT_TYPE_H
#define HIL_ELEMENT_TYPE_H

/* Of a network's input or output. */
typedef enum { ELEMENT_INT8, ELEMENT_FLOAT32 } element_type_t;

#endif
