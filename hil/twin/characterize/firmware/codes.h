/* SPDX-License-Identifier: Apache-2.0 */
/* The codes by whose name DS10198 gives run currents (Tables 33 and 39), in our own writing: the datasheet names them and
 * prints none. Included once for each memory that they run from; PLACE is the attribute that puts a function there, NAME
 * makes its name. None ends. They keep all data in SRAM1. */

/* "Reduced code", what all other tables of the run current are measured with. From SRAM1 it draws 2 % less than CoreMark,
 * from flash 6 %, so one program does not stand for both. From SRAM1: a filter over a short record. */
PLACE __attribute__((unused)) static void NAME(reduced)(void)
{
    volatile uint32_t *record = scratch.words;
    uint32_t low = 0;
    GPIO_CLOCKS_OFF;
    for (;;) {
        for (uint32_t i = 0; i < 32; i++) {
            uint32_t sample = record[i];
            low += (sample - low) >> 3;
            record[i] = low ^ i;
        }
    }
}

/* "Fibonacci": the sequence modulo 2^32, in registers. */
PLACE static void NAME(fibonacci)(void)
{
    GPIO_CLOCKS_OFF;
    for (;;) {
        uint32_t last = 0, next = 1;
        for (uint32_t n = 47; n != 0; n--) {
            uint32_t sum = last + next;
            last = next;
            next = sum;
            __asm volatile("" : "+r"(last), "+r"(next));
        }
    }
}

/* "CoreMark": its four kinds of work. A linked list is walked and reversed, small matrices are multiplied, a state
 * machine reads numbers out of a text, and a CRC goes over the results. */
PLACE static uint32_t NAME(crc16)(uint32_t data, uint32_t crc)
{
    for (uint32_t bit = 0; bit < 16; bit++) {
        uint32_t carry = (data ^ crc) & 1u;
        crc >>= 1;
        data >>= 1;
        if (carry) {
            crc ^= 0xA001u;
        }
    }
    return crc;
}

PLACE static uint32_t NAME(list_work)(uint32_t wanted)
{
    item_t *item = scratch.core.head, *reversed = 0;
    uint32_t found = 0;
    while (item) {
        item_t *next = item->next;
        if ((item->data & 0xFFu) == (wanted & 0xFFu)) {
            found += item->data >> 8;
        }
        item->next = reversed;
        reversed = item;
        item = next;
    }
    scratch.core.head = reversed;
    return found;
}

PLACE static uint32_t NAME(matrix_work)(int16_t value)
{
    int32_t sum = 0;
    for (uint32_t row = 0; row < SIDE; row++) {
        for (uint32_t column = 0; column < SIDE; column++) {
            int32_t cell = 0;
            for (uint32_t k = 0; k < SIDE; k++) {
                cell += scratch.core.a[row * SIDE + k] * scratch.core.b[k * SIDE + column];
            }
            scratch.core.c[row * SIDE + column] = cell + value;
            sum += cell >> 4;
        }
    }
    return (uint32_t)sum;
}

PLACE static uint32_t NAME(state_work)(void)
{
    enum { START, SIGN, WHOLE, POINT, FRACTION, BAD } state = START;
    uint32_t counts = 0;
    for (const char *text = scratch.core.text; *text; text++) {
        uint32_t c = (uint8_t)*text;
        uint32_t digit = c - '0' < 10u;
        if (c == ',') {
            counts += 1u << (4 * state);
            state = START;
        } else if (state == START || state == SIGN) {
            state = digit ? WHOLE : c == '+' || c == '-' ? SIGN : c == '.' ? POINT : BAD;
        } else if (state == WHOLE) {
            state = digit ? WHOLE : c == '.' ? POINT : BAD;
        } else if (state == POINT || state == FRACTION) {
            state = digit ? FRACTION : BAD;
        }
    }
    return counts;
}

PLACE static void NAME(coremark)(void)
{
    uint32_t crc = 0;
    GPIO_CLOCKS_OFF;
    for (uint32_t round = 0;; round++) {
        crc = NAME(crc16)(NAME(list_work)(round), crc);
        crc = NAME(crc16)(NAME(matrix_work)((int16_t)round), crc);
        crc = NAME(crc16)(NAME(state_work)(), crc);
        scratch.core.crc = crc;
    }
}

/* "Dhrystone 2.1": its mix of string copies and comparisons, records, arrays, short procedures and one division. */
PLACE __attribute__((noinline)) static uint32_t NAME(compare)(const char *one, const char *other)
{
    while (*one && *one == *other) {
        one++;
        other++;
    }
    return (uint32_t)(*one - *other);
}

PLACE __attribute__((noinline)) static void NAME(copy)(char *to, const char *from)
{
    while ((*to++ = *from++)) {
    }
}

PLACE __attribute__((noinline)) static void NAME(follow)(record_t *record)
{
    record_t *next = record->next;
    *next = *record;
    record->number = 5;
    next->number = record->number;
    next->next = record->next;
    if (next->kind == 0) {
        next->number = 6;
    } else {
        *record = *next;
    }
}

PLACE __attribute__((noinline)) static uint32_t NAME(index)(uint32_t a, uint32_t b)
{
    uint32_t at = a + 5;
    scratch.dhry.array[at] = b;
    scratch.dhry.array[at + 1] = scratch.dhry.array[at];
    scratch.dhry.array[at + 20] = at;
    scratch.dhry.table[at & 7][at & 7] += 1;
    return at;
}

PLACE static void NAME(dhrystone)(void)
{
    uint32_t one = 2, two = 3;
    GPIO_CLOCKS_OFF;
    for (;;) {
        NAME(copy)(scratch.dhry.second, scratch.dhry.first);
        scratch.dhry.flag = NAME(compare)(scratch.dhry.second, scratch.dhry.third) == 0;
        while (one < two) {
            one = 5 * one - two;
            two -= one > 8;
            one++;
        }
        one = NAME(index)(one & 7, two);
        NAME(follow)(&scratch.dhry.records[0]);
        for (uint32_t letter = 'A'; letter <= (uint32_t)scratch.dhry.first[0]; letter++) {
            if (letter == 'C') {
                scratch.dhry.array[1] = letter;
            }
        }
        two = two * one;
        one = two / (one | 1);
        two = (7 * (two - one) - one) & 15;
        one &= 3;
    }
}
