/* SPDX-License-Identifier: Apache-2.0 */
/* The part's power modes, each for good, until a reset: for measuring what they draw.
 *
 * A mode is entered at boot, on a note that MODE leaves before it resets the part: so the watchdog, which cannot be
 * stopped, has not been started and never ends one, and nothing else that the application turned on is left over. Pins
 * are parked, the RTC runs on without its wake-up timer. */
#ifndef HIL_MODES_H
#define HIL_MODES_H

typedef enum {
    MODE_NONE = 0,
    MODE_RUN,     /* MSI 4 MHz, voltage range 2, from flash */
    MODE_LPRUN,   /* MSI 2 MHz on the low-power regulator, from flash */
    MODE_SLEEP,   /* as run */
    MODE_LPSLEEP, /* as lprun, with the flash powered down */
    MODE_STOP0,
    MODE_STOP1,
    MODE_STOP2,
    MODE_STANDBY,
    MODE_SHUTDOWN,
} mode_t;

/* MODE_NONE for an unknown name. */
mode_t mode_named(const char *name);

/* Call on the idle clock, with the backup domain unlocked. */
_Noreturn void mode_enter(mode_t mode);

#endif
