#include "il_sums.h"

int64_t il_floor_div(int64_t a, int64_t b) {
    int64_t quotient = a / b;
    if ((a % b) < 0) {
        quotient -= 1;
    }
    return quotient;
}

int64_t il_ceil_div(int64_t a, int64_t b) { return -il_floor_div(-a, b); }

int64_t il_sum_value(const il_lines *lines, const il_part *part, uint8_t size, int64_t constant) {
    int64_t total = constant;
    for (uint8_t i = 0; i < size; i++) {
        total += part[i].coefficient * (int64_t)il_x(lines, part[i].signal);
    }
    return total;
}

/* What rounding down of moving parts can take off the sum (of positive ones) or add to it (of negative
 * ones), in counts. Apart from il_sum_quiet(), so that the deepest calls do not lie above both. */
static int64_t rounding(const il_lines *lines, const il_part *part, uint8_t size, bool adds) {
    int64_t counts = 0;
    for (uint8_t i = 0; i < size; i++) {
        const int64_t coefficient = adds ? -part[i].coefficient : part[i].coefficient;
        if ((coefficient > 0) && (il_slot(lines, part[i].signal) != IL_NONE)) {
            counts += coefficient;
        }
    }
    return counts;
}

int64_t il_sum_quiet(const il_lines *lines, const il_part *part, uint8_t size, int64_t constant) {
    int64_t slope = 0;
    int64_t start = constant * IL_ONE;
    int64_t value = constant;
    bool moving = false;
    for (uint8_t i = 0; i < size; i++) {
        const int64_t coefficient = part[i].coefficient;
        start += coefficient * il_v(lines, part[i].signal);
        value += coefficient * (int64_t)il_x(lines, part[i].signal);
        if (il_slot(lines, part[i].signal) != IL_NONE) {
            moving = true;
            slope += coefficient * il_s(lines, part[i].signal);
        }
    }
    if (!moving) {
        return IL_FOREVER;
    }
    /* Rounding takes less than one count, at most IL_ONE - 1 parts of it, off every moving signal. */
    if (value <= 0) {
        /* the line must stay below this */
        const int64_t room = (IL_ONE - (rounding(lines, part, size, true) * (IL_ONE - 1))) - start;
        if (room <= 0) {
            return 0;
        }
        return (slope <= 0) ? IL_FOREVER : ((room - 1) / slope);
    }
    /* the line must stay above this */
    const int64_t room = start - (rounding(lines, part, size, false) * (IL_ONE - 1));
    if (room <= 0) {
        return 0;
    }
    return (slope >= 0) ? IL_FOREVER : ((room - 1) / -slope);
}
