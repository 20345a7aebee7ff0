/* SPDX-License-Identifier: Apache-2.0 */
/* Command lines from the console: `$<seq> <VERB> <key>=<value>*<CRC>\n`, at most one field.
 * docs/console_protocol.md has the format. Nothing here touches hardware. */
#ifndef HIL_COMMAND_H
#define HIL_COMMAND_H

#include <stdbool.h>
#include <stdint.h>

#include "protocol.h"

#define COMMAND_CAPACITY 128u /* the longest command, INFER, has 92 characters */
#define COMMAND_KEY_CAPACITY 16u
#define COMMAND_VALUE_CAPACITY 72u
#define COMMAND_NO_SEQUENCE 0xFFFFFFFFu /* of a line whose own cannot be trusted */

typedef enum {
    VERB_INFO,
    VERB_STATUS,
    VERB_SET,
    VERB_DEFAULTS,
    VERB_INFER,
    VERB_RUN,
    VERB_SWEEP,
    VERB_MODE,
    VERB_TEST,
    VERB_LOG,
    VERB_RESET,
    VERB_WDTEST,
    VERB_COUNT,
} verb_t;

typedef struct {
    uint32_t sequence;
    verb_t verb;
    char key[COMMAND_KEY_CAPACITY]; /* empty without a field */
    char value[COMMAND_VALUE_CAPACITY];
} command_t;

/* A line as it comes in. */
typedef struct {
    char text[COMMAND_CAPACITY];
    uint32_t length; /* COMMAND_CAPACITY + 1: too long, the rest up to its end is thrown away */
} line_t;

/* Adds a character. True when it ended a line; the next character then begins another one. */
bool line_push(line_t *line, char character);
void line_clear(line_t *line);

/* Takes a whole line apart. ERROR_NONE, or ERROR_COMMAND_...; `command->sequence` is set in any case. */
error_t command_parse(const line_t *line, command_t *command);

/* Decimal digits, at most 4294967295. */
bool command_number(const char *text, uint32_t *value);

/* Exactly `count` bytes as pairs of hexadecimal digits. */
bool command_bytes(const char *text, int8_t *bytes, uint32_t count);

bool command_is(const char *text, const char *expected);

#endif
