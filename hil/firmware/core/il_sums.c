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

int64_t il_sum_quiet(const il_lines *lines, const il_part *part, uint8_t size, int64_t constant) {
    int64_t slope = 0;
    int64_t start = constant * IL_ONE;
    int64_t up = 0;   /* what rounding down of falling parts can add, in counts */
    int64_t down = 0; /* what it can take away */
    int64_t value = constant;
    bool moving = false;
    for (uint8_t i = 0; i < size; i++) {
        const int64_t coefficient = part[i].coefficient;
        const int64_t gain = il_s(lines, part[i].signal);
        start += coefficient * il_v(lines, part[i].signal);
        value += coefficient * (int64_t)il_x(lines, part[i].signal);
        if (gain != 0) {
            moving = true;
            slope += coefficient * gain;
            if (coefficient > 0) {
                down += coefficient;
            } else {
                up -= coefficient;
            }
        }
    }
    if (!moving) {
        return IL_FOREVER;
    }
    /* Rounding takes less than one count, at most IL_ONE - 1 parts of it, off every moving signal. */
    if (value <= 0) {
        const int64_t room = (IL_ONE - (up * (IL_ONE - 1))) - start; /* the line must stay below this */
        if (room <= 0) {
            return 0;
        }
        return (slope <= 0) ? IL_FOREVER : ((room - 1) / slope);
    }
    const int64_t room = start - (down * (IL_ONE - 1)); /* the line must stay above this */
    if (room <= 0) {
        return 0;
    }
    return (slope >= 0) ? IL_FOREVER : ((room - 1) / -slope);
}
