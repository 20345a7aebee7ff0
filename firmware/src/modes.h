/* SPDX-License-Identifier: Apache-2.0 */
/* The part's power modes, each for good, until a reset: for measuring what they draw.
 *
 * A mode is entered at boot, on a note that MODE leaves before it resets the part: so the watchdog, which cannot be
 * stopped, has not been started and never ends one, and nothing else that the application turned on is left over. Pins
 * are parked, the RTC runs on without its wake-up timer. */
#ifndef HIL_MODES_H
#define HIL_MODES_H

#include "protocol.h"

/* MODE_NONE for an unknown name. */
power_mode_t mode_named(const char *name);

/* Call on the idle clock, with the backup domain unlocked. */
_Noreturn void mode_enter(power_mode_t mode);

#endif
