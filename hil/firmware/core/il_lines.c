#include "il_lines.h"

/* A slope below this times any number of scans stays far within 64 bits. */
#define GENTLE ((int64_t)0x80000000u)

/* Shifting a negative number right is left to the compiler by C99. A division would take a small processor
 * a thousand steps. */
int64_t il_floor(int64_t value) {
    const uint64_t distance = (uint64_t)((value < 0) ? -(value + 1) : value); /* from 0 or from -1 */
    const uint64_t counts = distance >> IL_FRACTION_BITS;
    const int64_t whole = (int64_t)counts;
    return (value < 0) ? (-whole - 1) : whole;
}

static void put_line(il_lines *lines, uint8_t slot, int64_t value) {
    lines->whole[lines->signal[slot]] = (int32_t)il_floor(value);
    lines->part[slot] = (uint16_t)((uint64_t)value & 0xFFFFu);
}

/* The last one moves into the gap. */
static void stop_line(il_lines *lines, uint8_t slot) {
    lines->moving = (uint8_t)(lines->moving - 1u);
    lines->signal[slot] = lines->signal[lines->moving];
    lines->part[slot] = lines->part[lines->moving];
    lines->slope_whole[slot] = lines->slope_whole[lines->moving];
    lines->slope_part[slot] = lines->slope_part[lines->moving];
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
        lines->whole[signal] = (int32_t)il_floor(value);
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
    lines->slope_whole[slot] = (int32_t)il_floor(slope);
    lines->slope_part[slot] = (uint16_t)((uint64_t)slope & 0xFFFFu);
    put_line(lines, slot, value);
    return true;
}

bool il_lines_fit(const il_lines *lines, int32_t ticks) {
    for (uint8_t i = 0; i < lines->moving; i++) {
        const int64_t value = il_v_of(lines, i);
        const int64_t slope = il_s_of(lines, i);
        const int64_t room = (slope > 0) ? (IL_HIGHEST - value) : (IL_LOWEST - value);
        if ((slope < GENTLE) && (slope > -GENTLE)) { /* without a division */
            const int64_t way = slope * (int64_t)ticks;
            if ((slope > 0) ? (way > room) : (way < room)) {
                return false;
            }
        } else if ((room / slope) < (int64_t)ticks) {
            return false;
        } else {
            /* steep, and still within */
        }
    }
    return true;
}

void il_lines_advance(il_lines *lines, int32_t ticks) {
    for (uint8_t i = 0; i < lines->moving; i++) {
        put_line(lines, i, il_v_of(lines, i) + (il_s_of(lines, i) * (int64_t)ticks));
    }
}
