/* SPDX-License-Identifier: Apache-2.0 */
/* One time-out at a time, on the idle clock: it passes in Run and in Sleep, not in Stop. */
#ifndef HIL_TIMEOUT_H
#define HIL_TIMEOUT_H

#include <stdint.h>

/* EVENT_TIMEOUT comes in `duration_ms` (1..33000), unless this is called again or timeout_cancel() before. */
void timeout_start(uint32_t duration_ms);
void timeout_cancel(void);

#endif
