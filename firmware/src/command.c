/* SPDX-License-Identifier: Apache-2.0 */
#include "command.h"

#include "crc.h"

#define CRC_DIGITS 4u
#define OVERLONG (COMMAND_CAPACITY + 1u)

static const char *const verb_names[VERB_COUNT] = {
    [VERB_INFO] = "INFO", [VERB_STATUS] = "STATUS", [VERB_SET] = "SET",     [VERB_DEFAULTS] = "DEFAULTS",
    [VERB_INFER] = "INFER", [VERB_RUN] = "RUN",     [VERB_SWEEP] = "SWEEP", [VERB_MODE] = "MODE",
    [VERB_TEST] = "TEST", [VERB_LOG] = "LOG",       [VERB_RESET] = "RESET", [VERB_WDTEST] = "WDTEST",
};

void line_clear(line_t *line)
{
    line->length = 0;
}

bool line_push(line_t *line, char character)
{
    if (character == '\n') {
        if (line->length > 0u && line->length < OVERLONG && line->text[line->length - 1u] == '\r') {
            line->length--;
        }
        return true;
    }
    if (line->length < COMMAND_CAPACITY) {
        line->text[line->length++] = character;
    } else {
        line->length = OVERLONG;
    }
    return false;
}

bool command_is(const char *text, const char *expected)
{
    while (*text != '\0' && *text == *expected) {
        text++;
        expected++;
    }
    return *text == *expected;
}

bool command_number(const char *text, uint32_t *value)
{
    uint64_t number = 0;
    if (*text == '\0') {
        return false;
    }
    for (; *text != '\0'; text++) {
        if (*text < '0' || *text > '9') {
            return false;
        }
        number = number * 10u + (uint32_t)(*text - '0');
        if (number > 0xFFFFFFFFu) {
            return false;
        }
    }
    *value = (uint32_t)number;
    return true;
}

/* The value of a hexadecimal digit, 16 for anything else. */
static uint32_t hex_digit(char character)
{
    if (character >= '0' && character <= '9') {
        return (uint32_t)(character - '0');
    }
    if (character >= 'a' && character <= 'f') {
        return (uint32_t)(character - 'a') + 10u;
    }
    if (character >= 'A' && character <= 'F') {
        return (uint32_t)(character - 'A') + 10u;
    }
    return 16;
}

bool command_bytes(const char *text, int8_t *bytes, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        uint32_t high = hex_digit(*text);
        uint32_t low = high < 16u ? hex_digit(text[1]) : 16u;
        if (low > 15u) {
            return false;
        }
        bytes[i] = (int8_t)(uint8_t)(high << 4 | low);
        text += 2;
    }
    return *text == '\0';
}

/* Copies the characters from `at` up to `end` or a character of `stops` (a blank or '='). Where it stopped; `end` + 1
 * if they are none, too many or not printable. */
static uint32_t take(const line_t *line, uint32_t at, uint32_t end, char stop, char *to, uint32_t capacity)
{
    uint32_t length = 0;
    while (at < end && line->text[at] != stop) {
        char character = line->text[at++];
        if (length + 1u >= capacity || character <= ' ' || character > '~') {
            return end + 1u;
        }
        to[length++] = character;
    }
    to[length] = '\0';
    return length > 0u ? at : end + 1u;
}

static bool crc_is_right(const line_t *line, uint32_t star)
{
    uint32_t expected = 0;
    for (uint32_t i = star + 1u; i < line->length; i++) {
        uint32_t digit = hex_digit(line->text[i]);
        if (digit > 15u) {
            return false;
        }
        expected = expected << 4 | digit;
    }
    return crc16_ccitt(&line->text[1], star - 1u) == expected;
}

static error_t find_verb(const char *name, verb_t *verb)
{
    for (uint32_t i = 0; i < VERB_COUNT; i++) {
        if (command_is(name, verb_names[i])) {
            *verb = (verb_t)i;
            return ERROR_NONE;
        }
    }
    return ERROR_COMMAND_UNKNOWN;
}

error_t command_parse(const line_t *line, command_t *command)
{
    command->sequence = COMMAND_NO_SEQUENCE;
    command->key[0] = '\0';
    command->value[0] = '\0';
    if (line->length == OVERLONG) {
        return ERROR_COMMAND_OVERLONG;
    }
    if (line->length < 2u + CRC_DIGITS || line->text[0] != '$') {
        return ERROR_COMMAND_CORRUPT;
    }
    uint32_t star = line->length - CRC_DIGITS - 1u;
    if (line->text[star] != '*' || !crc_is_right(line, star)) {
        return ERROR_COMMAND_CORRUPT;
    }

    char name[COMMAND_KEY_CAPACITY];
    uint32_t at = take(line, 1, star, ' ', name, sizeof name);
    uint32_t sequence;
    if (at >= star || !command_number(name, &sequence)) {
        return ERROR_COMMAND_CORRUPT;
    }
    command->sequence = sequence;

    at = take(line, at + 1u, star, ' ', name, sizeof name);
    if (at > star) {
        return ERROR_COMMAND_UNKNOWN;
    }
    error_t error = find_verb(name, &command->verb);
    if (error != ERROR_NONE || at == star) {
        return error;
    }

    at = take(line, at + 1u, star, '=', command->key, sizeof command->key);
    if (at >= star) {
        return ERROR_COMMAND_FIELD;
    }
    at = take(line, at + 1u, star, ' ', command->value, sizeof command->value);
    return at == star ? ERROR_NONE : ERROR_COMMAND_FIELD;
}
