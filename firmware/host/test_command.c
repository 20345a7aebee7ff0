/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "check.h"
#include "command.h"
#include "crc.h"

#define FUZZ_LINES 200000
#define FUZZ_SEED 20

static error_t parse(const char *text, size_t length, command_t *command)
{
    line_t line;
    line_clear(&line);
    for (size_t i = 0; i < length; i++) {
        if (line_push(&line, text[i])) {
            break;
        }
    }
    return command_parse(&line, command);
}

/* `body` with the CRC that belongs to it. */
static error_t parse_body(const char *body, command_t *command)
{
    char text[256];
    int length = snprintf(text, sizeof text, "$%s*%04X", body, crc16_ccitt(body, strlen(body)));
    return parse(text, (size_t)length, command);
}

static void check_good_lines(void)
{
    command_t command;
    CHECK_EQUAL(parse_body("0 INFO", &command), ERROR_NONE);
    CHECK_EQUAL(command.verb, VERB_INFO);
    CHECK_EQUAL(command.sequence, 0);
    CHECK_EQUAL(strcmp(command.key, ""), 0);
    CHECK_EQUAL(parse_body("4294967294 SET plan=3", &command), ERROR_NONE);
    CHECK_EQUAL(command.verb, VERB_SET);
    CHECK_EQUAL(command.sequence, 4294967294);
    CHECK_EQUAL(strcmp(command.key, "plan"), 0);
    CHECK_EQUAL(strcmp(command.value, "3"), 0);
    CHECK_EQUAL(parse_body("1 WDTEST", &command), ERROR_NONE);
    CHECK_EQUAL(command.verb, VERB_WDTEST);
}

static void check_bad_lines(void)
{
    static const struct {
        const char *body;
        error_t error;
    } cases[] = {
        {"", ERROR_COMMAND_CORRUPT},          {" INFO", ERROR_COMMAND_CORRUPT},      {"x INFO", ERROR_COMMAND_CORRUPT},
        {"-1 INFO", ERROR_COMMAND_CORRUPT},   {"1", ERROR_COMMAND_CORRUPT},          {"4294967296 INFO", ERROR_COMMAND_CORRUPT},
        {"1 ", ERROR_COMMAND_UNKNOWN},        {"1  INFO", ERROR_COMMAND_UNKNOWN},    {"1 info", ERROR_COMMAND_UNKNOWN},
        {"1 INF", ERROR_COMMAND_UNKNOWN},     {"1 INFOS", ERROR_COMMAND_UNKNOWN},    {"1 INFO ", ERROR_COMMAND_FIELD},
        {"1 SET plan", ERROR_COMMAND_FIELD},  {"1 SET plan=", ERROR_COMMAND_FIELD},  {"1 SET =3", ERROR_COMMAND_FIELD},
        {"1 SET a=1 b=2", ERROR_COMMAND_FIELD}, {"1 SET plan=3 ", ERROR_COMMAND_FIELD},
        {"1 SET key_of_sixteen__=1", ERROR_COMMAND_FIELD}, {"1 A_VERB_THAT_IS_TOO_LONG", ERROR_COMMAND_UNKNOWN},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        command_t command;
        error_t error = parse_body(cases[i].body, &command);
        if (error != cases[i].error) {
            fprintf(stderr, "\"%s\": ", cases[i].body);
        }
        CHECK_EQUAL(error, cases[i].error);
        CHECK_EQUAL(command.sequence, error == ERROR_COMMAND_CORRUPT ? COMMAND_NO_SEQUENCE : 1u);
    }
}

static void check_lines(void)
{
    command_t command;
    char text[2 * COMMAND_CAPACITY];
    memset(text, 'x', sizeof text);
    CHECK_EQUAL(parse(text, COMMAND_CAPACITY, &command), ERROR_COMMAND_CORRUPT);
    CHECK_EQUAL(parse(text, COMMAND_CAPACITY + 1u, &command), ERROR_COMMAND_OVERLONG);
    CHECK_EQUAL(parse(text, sizeof text, &command), ERROR_COMMAND_OVERLONG);
    CHECK_EQUAL(parse("\r\n", 2, &command), ERROR_COMMAND_CORRUPT);

    line_t line;
    line_clear(&line);
    CHECK(!line_push(&line, 'a'));
    CHECK(!line_push(&line, '\r'));
    CHECK(line_push(&line, '\n'));
    CHECK_EQUAL(line.length, 1);
}

static void check_values(void)
{
    uint32_t number = 7;
    CHECK(command_number("4294967295", &number));
    CHECK_EQUAL(number, 4294967295);
    CHECK(!command_number("4294967296", &number));
    CHECK(!command_number("99999999999999999999999999", &number));
    CHECK(!command_number("", &number));
    CHECK(!command_number("1a", &number));
    CHECK_EQUAL(number, 4294967295);

    int8_t bytes[2];
    CHECK(command_bytes("80Ff", bytes, 2));
    CHECK_EQUAL(bytes[0], -128);
    CHECK_EQUAL(bytes[1], -1);
    CHECK(!command_bytes("80f", bytes, 2));
    CHECK(!command_bytes("80ff0", bytes, 2));
    CHECK(!command_bytes("80fg", bytes, 2));
    CHECK(!command_bytes("", bytes, 2));
}

static uint64_t random_state = FUZZ_SEED;

static uint32_t below(uint32_t limit)
{
    random_state = random_state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)((random_state >> 32) * limit >> 32);
}

/* Commands that are damaged, with a CRC that is right, so that the damage gets past it. */
static void fuzz(void)
{
    static const char *const bodies[] = {"1 INFO", "4294967295 SET period_ms=10000", "9 INFER in=0123456789abcdef", "3 MODE name=stop2"};
    unsigned long accepted = 0;
    for (unsigned long i = 0; i < FUZZ_LINES; i++) {
        char body[COMMAND_CAPACITY + 16u];
        const char *from = bodies[below(4)];
        strcpy(body, from);
        uint32_t length = (uint32_t)strlen(body);
        for (uint32_t count = below(5); count > 0u; count--) {
            uint32_t at = below(length);
            if (below(3) == 0u && length < COMMAND_CAPACITY) {
                memmove(&body[at + 1u], &body[at], length - at);
                length++;
            }
            body[at] = (char)(1 + below(255));
        }
        char text[COMMAND_CAPACITY + 32u];
        memcpy(&text[1], body, length);
        text[0] = '$';
        snprintf(&text[1u + length], 8, "*%04X", crc16_ccitt(body, length));
        command_t command;
        error_t error = parse(text, length + 6u, &command);
        CHECK(error == ERROR_NONE || (error >= ERROR_COMMAND_CORRUPT && error <= ERROR_COMMAND_RANGE));
        if (error == ERROR_NONE) {
            CHECK(command.verb < VERB_COUNT);
            accepted++;
        }
    }
    CHECK(accepted > FUZZ_LINES / 10);
    CHECK(accepted < FUZZ_LINES);
}

int main(void)
{
    check_good_lines();
    check_bad_lines();
    check_lines();
    check_values();
    fuzz();
    return check_result();
}
