#include "il_lines.h"

static int64_t floor_of(int64_t value) {
    /* Shifting a negative number right is left to the compiler by C99; division is not. */
    const int64_t whole = value / IL_ONE;
    return ((value % IL_ONE) < 0) ? (whole - 1) : whole;
}

static void put_line(il_lines *lines, uint8_t slot, int64_t value) {
    const int64_t whole = floor_of(value);
    lines->whole[lines->signal[slot]] = (int32_t)whole;
    lines->part[slot] = (uint16_t)(value - (whole * IL_ONE));
}

/* The last one moves into the gap. */
static void stop_line(il_lines *lines, uint8_t slot) {
    lines->moving = (uint8_t)(lines->moving - 1u);
    lines->signal[slot] = lines->signal[lines->moving];
    lines->part[slot] = lines->part[lines->moving];
    lines->slope[slot] = lines->slope[lines->moving];
}

void il_lines_start(il_lines *lines, uint8_t signals, const IL_FLASH int32_t *safe) {
    lines->moving = 0;
    for (uint8_t i = 0; i < signals; i++) {
        lines->whole[i] = safe[i];
    }
}

bool il_lines_set(il_lines *lines, uint8_t signal, int64_t value, int64_t slope) {
    if ((value < IL_LOWEST) || (value > IL_HIGHEST) || (slope < IL_LOWEST) || (slope > IL_HIGHEST)) {
        return false;
    }
    uint8_t slot = il_slot(lines, signal);
    if (slope == 0) {
        if (slot != IL_NONE) {
            stop_line(lines, slot);
        }
        lines->whole[signal] = (int32_t)floor_of(value);
        return true;
    }
    if (slot == IL_NONE) {
        if (lines->moving >= (uint8_t)IL_MAX_MOVING) {
            return false;
        }
        slot = lines->moving;
        lines->signal[slot] = signal;
        lines->moving = (uint8_t)(lines->moving + 1u);
    }
    lines->slope[slot] = slope;
    put_line(lines, slot, value);
    return true;
}

bool il_lines_fit(const il_lines *lines, int32_t ticks) {
    for (uint8_t i = 0; i < lines->moving; i++) {
        const int64_t value = il_v_of(lines, i);
        const int64_t slope = lines->slope[i];
        const int64_t room = (slope > 0) ? ((IL_HIGHEST - value) / slope) : ((IL_LOWEST - value) / slope);
        if (room < (int64_t)ticks) {
            return false;
        }
    }
    return true;
}

void il_lines_advance(il_lines *lines, int32_t ticks) {
    for (uint8_t i = 0; i < lines->moving; i++) {
        put_line(lines, i, il_v_of(lines, i) + (lines->slope[i] * (int64_t)ticks));
    }
}
