# SPDX-License-Identifier: Apache-2.0
"""How many rounds a loop goes on as it does: worked out from its instructions, for many rounds at once.

`loop_path` turns one round's instructions into operations on values: core registers, condition flags, and
the words of memory that the round uses. A value at the loop's head is either supposed to change by the same
amount every round, or tainted: nothing is supposed, and nothing may depend on it. `evaluate` proves for a
range of rounds that every branch goes as it went, that every address is as it was, and that what was supposed
still holds at the next head. Where a range is too wide to tell, `rounds_alike` halves it; a single round
always tells.

Compiled by numba once per installation.
"""

from __future__ import annotations

import numba
import numpy as np
from numba import types

from hil.twin.core import value_ranges as ranges
from hil.twin.core.counter_line import ticks_of, time_of

REGISTERS = 15
"""R0 to R12, SP, LR."""
TEMPORARY, SECOND_TEMPORARY = 15, 16
N, Z, C, V = 17, 18, 19, 20
FIRST_SLOT = 21
"""The first word of memory."""
VALUES = 64
BASE, SLOPE, SPAN, TAINT = range(4)
"""What is known of a value: see `value_ranges`. TAINT has TAINTED for one that must not matter, VAGUE for one
that may change otherwise in later rounds than in this one."""
TAINTED, VAGUE = 1, 2

CODE, RESULT, LEFT, RIGHT, CONSTANT, SETS, EXTRA, WIDTH = range(8)
OPERATION_WORDS = 8
"""Words of an operation. LEFT and RIGHT are values; RIGHT -1 stands for CONSTANT, RESULT -1 for none."""
SETS_NZ, SETS_C, SETS_V = 1, 2, 4
(MOVE, ADD, SUBTRACT, AND, BIC, OR, ORN, XOR, MULTIPLY, NOT) = range(10)
(SHIFT_LEFT, SHIFT_RIGHT, SHIFT_RIGHT_SIGNED, ROTATE) = range(10, 14)
ADD_CARRY, SUBTRACT_CARRY, SET_CARRY = 14, 15, 16
BRANCH = 17
"""Taken as before: EXTRA is the condition, CONSTANT whether it held."""
SKIP_UNLESS = 18
"""EXTRA is the condition; unless it holds CONSTANT operations are passed over."""
BRANCH_ZERO = 19
"""LEFT was zero (CONSTANT 1) or not (0)."""
BRANCH_TO = 20
"""LEFT was CONSTANT."""
LOAD, STORE = 21, 22
"""LEFT has the address; EXTRA is the place, CONSTANT its address: a value, or a device load."""
DEVICE_LOAD, DEVICE_STORE = 23, 24

KIND, VALUE, PER_ROUND, CYCLES, LEAD_PS, RATE_HZ, DIVIDER, OFFSET, STEP, LINE_BASE, SIGN = range(11)
"""Words of a device load: how it is known; what it read in the round before the first, and what it reads
more every round (AFFINE); or at which cycle since the clock's anchor it is in that round, and the line."""
LOAD_WORDS = 11
AFFINE, LINE = 0, 1

ALIKE, UNDECIDED, DIFFERENT, REFUSED, UNBOUND = range(5)
"""What `evaluate` says of a range of rounds: all of them go as before; cannot tell; the first does not (if it
is one round); something depends on a tainted value; an access without a place."""
_MOST_EVALUATIONS = 4000

# What Python calls has its types here, so that it is compiled with the import, before a bench says it is
# ready. At the first call it would keep a client waiting for longer than the client has patience.
_TABLE, _ROW = types.int64[:, ::1], types.int64[::1]


@numba.njit(cache=True, error_model="numpy")
def _holds(condition, values, compared, left, right, rounds):  # type: ignore[no-untyped-def]  # typed by numba
    """A condition of the architecture (0 to 13): 0, 1, UNKNOWN, or -1 if it depends on a tainted flag."""
    kind, negated = condition >> 1, condition & 1
    first, second = np.int64(Z), np.int64(Z)
    if kind == 1:
        first = second = np.int64(C)
    elif kind == 2:
        first = second = np.int64(N)
    elif kind == 3:
        first = second = np.int64(V)
    elif kind == 4:
        first = np.int64(C)
    elif kind >= 5:
        first, second = np.int64(N), np.int64(V)
    taint = values[first, TAINT] | values[second, TAINT]
    if kind == 6:
        taint |= values[Z, TAINT]
    if taint & TAINTED:
        return np.int64(-1)
    truth = np.int64(ranges.UNKNOWN)
    if kind < 4:
        truth = _flag(values, first)
    elif compared and kind == 4:
        truth = ranges.is_less(right, left, False, False, rounds)
    elif compared and kind == 5:
        truth = ranges.is_less(right, left, True, True, rounds)
    elif compared:
        truth = ranges.is_less(right, left, True, False, rounds)
    else:
        one, other, zero = _flag(values, first), _flag(values, second), _flag(values, np.int64(Z))
        if kind == 4:
            if one == 0 or zero == 1:
                truth = np.int64(0)
            elif one == 1 and zero == 0:
                truth = np.int64(1)
        elif one != ranges.UNKNOWN and other != ranges.UNKNOWN:
            truth = np.int64(one == other)
            if kind == 6 and truth == 1:
                truth = np.int64(ranges.UNKNOWN) if zero == ranges.UNKNOWN else 1 - zero
    if truth == ranges.UNKNOWN:
        return truth
    return truth ^ negated


@numba.njit(cache=True, error_model="numpy")
def _flag(values, index):  # type: ignore[no-untyped-def]  # typed by numba
    """A flag's value: 0, 1 or UNKNOWN."""
    if values[index, SPAN] or values[index, SLOPE]:
        return np.int64(ranges.UNKNOWN)
    return values[index, BASE]


@numba.njit(cache=True, error_model="numpy")
def _set_flag(values, index, truth, taint):  # type: ignore[no-untyped-def]  # typed by numba
    values[index, SLOPE] = 0
    values[index, BASE] = 0 if truth == ranges.UNKNOWN else truth
    values[index, SPAN] = np.int64(truth == ranges.UNKNOWN)
    values[index, TAINT] = taint


@numba.njit(cache=True, error_model="numpy")
def _device_value(load, round_, rounds, hclk_hz, period):  # type: ignore[no-untyped-def]  # typed by numba
    """What a device load reads from a round on."""
    if load[KIND] == AFFINE:
        base = (load[VALUE] + load[PER_ROUND] * (round_ + 1)) & ranges.WORD
        return base, load[PER_ROUND], np.int64(0)
    first = load[CYCLES] + (round_ + 1) * period
    last = first + (rounds - 1) * period
    ticks = load[OFFSET] + ticks_of(load[LEAD_PS] + time_of(first, hclk_hz), load[RATE_HZ], load[DIVIDER])
    begin = load[LINE_BASE] + load[SIGN] * (ticks // load[STEP])
    ticks = load[OFFSET] + ticks_of(load[LEAD_PS] + time_of(last, hclk_hz), load[RATE_HZ], load[DIVIDER])
    end = load[LINE_BASE] + load[SIGN] * (ticks // load[STEP])
    return min(begin, end), np.int64(0), abs(end - begin)


@numba.njit(
    types.int64(
        *(_TABLE, _TABLE, _TABLE, _ROW),
        *(types.int64, types.int64, types.int64, types.int64, _ROW),
    ),
    cache=True,
    error_model="numpy",
)
def evaluate(operations, loads, values, supposed, round_, rounds, hclk_hz, period, where):  # type: ignore[no-untyped-def]  # typed by numba
    """Execute rounds from `round_` on at once; `values` go from the head to the next head, of the first.

    `where` gets the operation that decided and, of one that is UNBOUND, the address.
    """
    before = values.copy()
    compared = False
    left = right = (np.int64(0), np.int64(0), np.int64(0))
    at = 0
    while at < operations.shape[0]:
        operation = operations[at]
        code, sets, constant = operation[CODE], operation[SETS], operation[CONSTANT]
        where[0] = at
        at += 1
        if code == SET_CARRY:
            _set_flag(values, C, constant, np.int64(0))
            compared = False
            continue
        if code in (BRANCH, SKIP_UNLESS):
            truth = _holds(operation[EXTRA], values, compared, left, right, rounds)
            if truth < 0:
                return REFUSED
            if truth == ranges.UNKNOWN:
                return UNDECIDED
            if code == SKIP_UNLESS:
                if truth == 0:
                    at += constant
            elif truth != constant:
                return DIFFERENT
            continue
        a = (np.int64(0), np.int64(0), np.int64(0))
        taint = np.int64(0)
        if operation[LEFT] >= 0:
            row = values[operation[LEFT]]
            a = (row[BASE], row[SLOPE], row[SPAN])
            taint |= row[TAINT]
        b = (constant, np.int64(0), np.int64(0))
        if operation[RIGHT] >= 0:
            row = values[operation[RIGHT]]
            b = (row[BASE], row[SLOPE], row[SPAN])
            taint |= row[TAINT]
        if code >= BRANCH_ZERO:
            if taint & TAINTED:
                return REFUSED
            if code == BRANCH_ZERO:
                truth = ranges.is_zero(a, rounds)
                if truth == ranges.UNKNOWN:
                    return UNDECIDED
                if truth != constant:
                    return DIFFERENT
                continue
            start, extent = ranges.hull(a[0], a[1], a[2], rounds)
            if extent != 0:
                return UNDECIDED
            if code == BRANCH_TO:
                if start != constant:
                    return DIFFERENT
                continue
            if operation[EXTRA] < 0 or start != constant:
                where[1] = start
                return UNBOUND
            if code == DEVICE_STORE:
                row = values[operation[RESULT]]
                start, extent = ranges.hull(row[BASE], row[SLOPE], row[SPAN], rounds)
                if row[TAINT] & TAINTED or extent != 0 or start != operation[SETS]:
                    return REFUSED
                continue
            if code == STORE:
                values[operation[EXTRA]] = values[operation[RESULT]]
                continue
            if code == LOAD:
                values[operation[RESULT]] = values[operation[EXTRA]]
                continue
            r = _device_value(loads[operation[EXTRA]], round_, rounds, hclk_hz, period)
            row = values[operation[RESULT]]
            row[BASE], row[SLOPE], row[SPAN] = r[0], r[1], r[2]
            row[TAINT] = VAGUE if loads[operation[EXTRA], KIND] == LINE else 0
            continue
        carried, overflowed = np.int64(ranges.UNKNOWN), np.int64(ranges.UNKNOWN)
        r = a
        if code <= SUBTRACT or code in (ADD_CARRY, SUBTRACT_CARRY):
            if code == MOVE:
                r = b
            else:
                carry = np.int64(code == SUBTRACT)
                if code >= ADD_CARRY:
                    taint |= values[C, TAINT]
                    carry = _flag(values, C)
                    if carry == ranges.UNKNOWN and not taint & TAINTED:
                        return UNDECIDED
                    carry &= 1
                second = b
                if code in (SUBTRACT, SUBTRACT_CARRY):
                    second = ranges.complement(b)
                r0, r1, r2, carried, overflowed = ranges.add(a, second, carry, rounds)
                r = (r0, r1, r2)
        elif code == AND:
            r = ranges.conjunction(a, b, rounds)
        elif code == BIC:
            r = ranges.conjunction(a, ranges.complement(b), rounds)
        elif code == OR:
            r = ranges.disjunction(a, b, rounds)
        elif code == ORN:
            r = ranges.disjunction(a, ranges.complement(b), rounds)
        elif code == XOR:
            r = ranges.difference(a, b, rounds)
        elif code == NOT:
            r = ranges.complement(b)
        elif code == MULTIPLY:
            r = ranges.product(a, b, rounds)
        else:
            amount, extent = ranges.hull(b[0], b[1], b[2], rounds)
            if extent != 0:
                if not taint & TAINTED:
                    return UNDECIDED
                amount = np.int64(0)
            amount = min(amount & 0xFF, np.int64(33))
            if code == SHIFT_LEFT:
                r = ranges.shifted_left(a, amount)
                carried = ranges.bit(a, np.int64(32) - amount, rounds) if 0 < amount <= 32 else np.int64(0)
            elif code == ROTATE:
                amount &= 31
                if amount:
                    r = ranges.rotated_right(a, amount, rounds)
                carried = ranges.bit((r[0], r[1], r[2]), np.int64(31), rounds)
            else:
                arithmetic = code == SHIFT_RIGHT_SIGNED
                r = ranges.shifted_right(a, amount, arithmetic, rounds)
                position = min(amount - 1, np.int64(31))
                carried = np.int64(0)
                if amount > 0 and (arithmetic or amount <= 32):
                    carried = ranges.bit(a, position, rounds)
            if amount == 0:
                sets &= ~SETS_C
        nonlinear = AND <= code <= MULTIPLY or SHIFT_RIGHT <= code <= ROTATE
        if nonlinear and r[1] == 0 and (a[1] != 0 or b[1] != 0):
            taint |= VAGUE  # it stays for a while, maybe, and not for ever
        if sets:
            compared = False
            if sets & SETS_NZ:
                _set_flag(values, N, ranges.bit(r, np.int64(31), rounds), taint)
                _set_flag(values, Z, ranges.is_zero(r, rounds), taint)
            if sets & SETS_C:
                _set_flag(values, C, carried, taint)
            if sets & SETS_V:
                _set_flag(values, V, overflowed, taint)
                if code == SUBTRACT:
                    compared, left, right = True, a, b
        if operation[RESULT] >= 0:
            row = values[operation[RESULT]]
            row[BASE], row[SLOPE], row[SPAN], row[TAINT] = r[0], r[1], r[2], taint
    where[0] = -1
    for index in range(VALUES):
        if supposed[index]:
            row, head = values[index], before[index]
            if row[TAINT] & TAINTED:
                return REFUSED
            if rounds > 1 and (row[SPAN] or row[SLOPE] != head[SLOPE]):
                return UNDECIDED
            if row[BASE] != (head[BASE] + head[SLOPE]) & ranges.WORD:
                return DIFFERENT
    return ALIKE


@numba.njit(cache=True, error_model="numpy")
def at_head(values, round_, made):  # type: ignore[no-untyped-def]  # typed by numba
    """Put the values at the head of a round into `made`, from those at the head of the first."""
    made[:] = values
    for index in range(VALUES):
        made[index, BASE] = (values[index, BASE] + values[index, SLOPE] * round_) & ranges.WORD


@numba.njit(
    types.int64(*(_TABLE, _TABLE, _TABLE, _ROW), *(types.int64, types.int64, types.int64, _ROW)),
    cache=True,
    error_model="numpy",
)
def rounds_alike(operations, loads, values, supposed, most, hclk_hz, period, where):  # type: ignore[no-untyped-def]  # typed by numba
    """The number of rounds, at most `most`, that go as the one before the first."""
    made = values.copy()
    done, step, in_a_row = np.int64(0), np.int64(most), 0
    for _ in range(_MOST_EVALUATIONS):
        if done >= most:
            break
        step = min(step, most - done)
        at_head(values, done, made)
        said = evaluate(operations, loads, made, supposed, done, step, hclk_hz, period, where)
        if said == ALIKE:
            done += step
            in_a_row += 1
            if in_a_row > 1:
                step *= 2
        elif step == 1 or said != UNDECIDED:
            break
        else:
            step //= 2
            in_a_row = 0
    return done
