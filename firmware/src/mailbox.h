/* SPDX-License-Identifier: Apache-2.0 */
/* The rig's door to the detector, through mailbox/hil_mailbox.h: a tensor, or a window of samples, goes in, the network's
 * answer and the score come out. */
#ifndef HIL_DETECTOR_MAILBOX_H
#define HIL_DETECTOR_MAILBOX_H

#include <stdbool.h>
#include <stdint.h>

#include "protocol.h"

/* Fills in the header and says whether the rig asked for the service. Call once at boot. `samples` is room for a window,
 * `model_error` answers every inference if set. */
bool mailbox_open(error_t model_error, uint16_t *samples);

/* Serves until the rig ends it, then resets. Call on clock plan 0, after mailbox_open(). */
void mailbox_serve(void);

#endif
