#include "il_sums.h"

/* Of numbers that are not negative. Most are short, and a small processor divides those much faster. */
static int64_t quotient_of(int64_t a, int64_t b) {
    if ((a <= (int64_t)UINT32_MAX) && (b <= (int64_t)UINT32_MAX)) {
        const uint32_t quotient = (uint32_t)a / (uint32_t)b;
        return (int64_t)quotient;
    }
    const uint64_t quotient = (uint64_t)a / (uint64_t)b;
    return (int64_t)quotient;
}

int64_t il_floor_div(int64_t a, int64_t b) {
    return (a < 0) ? ~quotient_of(~a, b) : quotient_of(a, b);
}

int64_t il_ceil_div(int64_t a, int64_t b) { return -il_floor_div(-a, b); }

int64_t il_sum_value(const il_lines *lines, const il_part *part, uint8_t size, int64_t constant) {
    int64_t total = constant;
    for (uint8_t i = 0; i < size; i++) {
        total += (int64_t)part[i].coefficient * (int64_t)il_x(lines, part[i].signal);
    }
    return total;
}

int64_t il_sum_quiet(const il_lines *lines, const il_part *part, uint8_t size, int64_t constant) {
    int64_t slope = 0;
    int64_t start = 0;
    int32_t above = 0; /* what rounding down of moving parts can take off the sum, in counts */
    int32_t below = 0; /* and what it can add, of negative ones */
    bool moving = false;
    for (uint8_t i = 0; i < size; i++) {
        const uint8_t slot = il_slot(lines, part[i].signal);
        if (slot != IL_NONE) {
            const int32_t coefficient = part[i].coefficient;
            moving = true;
            start += (int64_t)coefficient * (int64_t)lines->part[slot];
            slope += (int64_t)coefficient * il_s_of(lines, slot);
            if (coefficient > 0) {
                above += coefficient;
            } else {
                below -= coefficient;
            }
        }
    }
    if (!moving) {
        return IL_FOREVER;
    }
    const int64_t value = il_sum_value(lines, part, size, constant);
    start += value * IL_ONE;
    /* Rounding takes less than one count, at most IL_ONE - 1 parts of it, off every moving signal. */
    if (value <= 0) {
        /* the line must stay below this */
        const int64_t room = (IL_ONE - ((int64_t)below * (IL_ONE - 1))) - start;
        if (room <= 0) {
            return 0;
        }
        return (slope <= 0) ? IL_FOREVER : quotient_of(room - 1, slope);
    }
    /* the line must stay above this */
    const int64_t room = start - ((int64_t)above * (IL_ONE - 1));
    if (room <= 0) {
        return 0;
    }
    return (slope >= 0) ? IL_FOREVER : quotient_of(room - 1, -slope);
}
