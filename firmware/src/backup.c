/* SPDX-License-Identifier: Apache-2.0 */
#include "backup.h"

#include "mutant.h"
#include "registers.h"

#define NOTE 30u
#define NOTE_ADDRESS 31u

static uint32_t current_copy; /* the one that the next store must not touch */
static uint32_t sequence;

bool backup_load(state_t *state)
{
    uint32_t copies[STATE_COPIES][STATE_WORDS];
    for (uint32_t copy = 0; copy < STATE_COPIES; copy++) {
        for (uint32_t i = 0; i < STATE_WORDS; i++) {
            copies[copy][i] = RTC->BKPR[copy * STATE_WORDS + i];
        }
    }
    uint32_t newest = state_newest((const uint32_t(*)[STATE_WORDS])copies);
    if (newest == STATE_COPIES) {
        current_copy = 0;
        sequence = 0;
        state_clear(state);
        return false;
    }
    current_copy = newest;
    sequence = copies[newest][0];
    state_unpack(copies[newest], state);
    return true;
}

void backup_store(const state_t *state)
{
    if (!MUTANT_STORE_BACKUP) {
        return;
    }
    uint32_t words[STATE_WORDS];
    current_copy = MUTANT_NEXT_COPY(current_copy);
    sequence++;
    state_pack(state, sequence, words);
    for (uint32_t i = 0; i < STATE_WORDS; i++) {
        RTC->BKPR[current_copy * STATE_WORDS + i] = words[i];
    }
}

void backup_leave_note(const backup_note_t *note)
{
    uint32_t text = (note->exception & 0xFFu) | (note->mode & 0xFFu) << 8;
    RTC->BKPR[NOTE_ADDRESS] = note->address;
    RTC->BKPR[NOTE] = text | (~text & 0xFFFFu) << 16;
}

backup_note_t backup_take_note(void)
{
    backup_note_t note = {0, 0, 0};
    uint32_t word = RTC->BKPR[NOTE];
    if ((word & 0xFFFFu) == (~word >> 16)) {
        note = (backup_note_t){word & 0xFFu, word >> 8 & 0xFFu, RTC->BKPR[NOTE_ADDRESS]};
        RTC->BKPR[NOTE] = 0;
    }
    return note;
}

void backup_read_all(uint32_t words[32])
{
    for (uint32_t i = 0; i < 32u; i++) {
        words[i] = RTC->BKPR[i];
    }
}

void backup_write_all(const uint32_t words[32])
{
    for (uint32_t i = 0; i < 32u; i++) {
        RTC->BKPR[i] = words[i];
    }
}
