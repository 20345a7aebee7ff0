/* SPDX-License-Identifier: Apache-2.0 */
/* The RTC's 32 backup registers: the state's two copies (state.h) in BKP0R..BKP29R, and a note from one run to the next
 * in the two last:
 *
 *   BKP30R  exception number | mode << 8 | the complement of these 16 bits << 16; anything else is no note
 *   BKP31R  address of the faulting instruction
 *
 * The backup domain must be unlocked (rtc.h) before any of these. */
#ifndef HIL_BACKUP_H
#define HIL_BACKUP_H

#include <stdbool.h>
#include <stdint.h>

#include "state.h"

/* False if neither copy is whole: the state is then cleared, as it is when the domain had no supply. */
bool backup_load(state_t *state);
void backup_store(const state_t *state);

typedef struct {
    uint32_t exception; /* number of the one that ended the previous run, 0 for none */
    uint32_t mode;      /* power_mode_t to enter, 0 for none */
    uint32_t address;
} backup_note_t;

/* Called before a reset; backup_take_note() returns it once and forgets it. */
void backup_leave_note(const backup_note_t *note);
backup_note_t backup_take_note(void);

/* All registers, and back: around a reset of the backup domain. */
void backup_read_all(uint32_t words[32]);
void backup_write_all(const uint32_t words[32]);

#endif
