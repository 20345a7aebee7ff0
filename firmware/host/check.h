/* SPDX-License-Identifier: Apache-2.0 */
/* A test is a program that CHECKs and returns check_result(). */
#ifndef HIL_CHECK_H
#define HIL_CHECK_H

#include <stdio.h>

static int check_failures;

#define CHECK(condition)                                                        \
    do {                                                                        \
        if (!(condition)) {                                                     \
            fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition); \
            check_failures++;                                                   \
        }                                                                       \
    } while (0)

/* The values are compared and printed as long long. */
#define CHECK_EQUAL(found, expected)                                                                            \
    do {                                                                                                        \
        long long check_found = (long long)(found);                                                             \
        long long check_expected = (long long)(expected);                                                       \
        if (check_found != check_expected) {                                                                    \
            fprintf(stderr, "%s:%d: %s is %lld, not %lld\n", __FILE__, __LINE__, #found, check_found, check_expected); \
            check_failures++;                                                                                   \
        }                                                                                                       \
    } while (0)

static inline int check_result(void)
{
    return check_failures == 0 ? 0 : 1;
}

#endif
