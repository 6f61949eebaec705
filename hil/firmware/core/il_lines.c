#include "il_lines.h"

#define HIGHEST (((int64_t)1 << 47) - 1)
#define LOWEST (-((int64_t)1 << 47))

static void put(il_lines *lines, uint8_t signal, int64_t value) {
    /* Shifting a negative number right is left to the compiler by C99; division is not. */
    int64_t whole = value / IL_ONE;
    if ((value % IL_ONE) < 0) {
        whole -= 1;
    }
    lines->whole[signal] = (int32_t)whole;
    lines->part[signal] = (uint16_t)(value - (whole * IL_ONE));
}

static void stop(il_lines *lines, uint8_t signal) {
    const uint8_t slot = lines->slot[signal];
    if (slot != IL_NONE) {
        lines->moving = (uint8_t)(lines->moving - 1u);
        lines->signal[slot] = lines->signal[lines->moving];
        lines->slope[slot] = lines->slope[lines->moving];
        lines->slot[lines->signal[slot]] = slot;
        lines->slot[signal] = IL_NONE;
    }
}

void il_lines_start(il_lines *lines, uint8_t signals, const IL_FLASH int32_t *safe) {
    lines->signals = signals;
    lines->moving = 0;
    for (uint8_t i = 0; i < signals; i++) {
        lines->whole[i] = safe[i];
        lines->part[i] = 0;
        lines->slot[i] = IL_NONE;
    }
}

bool il_lines_set(il_lines *lines, uint8_t signal, int64_t value, int64_t slope) {
    if ((value < LOWEST) || (value > HIGHEST) || (slope < LOWEST) || (slope > HIGHEST)) {
        return false;
    }
    if (slope == 0) {
        stop(lines, signal);
    } else {
        if (lines->slot[signal] == IL_NONE) {
            if (lines->moving >= IL_MAX_MOVING) {
                return false;
            }
            lines->slot[signal] = lines->moving;
            lines->signal[lines->moving] = signal;
            lines->moving = (uint8_t)(lines->moving + 1u);
        }
        lines->slope[lines->slot[signal]] = slope;
    }
    put(lines, signal, value);
    return true;
}

bool il_lines_fit(const il_lines *lines, int32_t ticks) {
    for (uint8_t i = 0; i < lines->moving; i++) {
        const int64_t value = il_v(lines, lines->signal[i]);
        const int64_t slope = lines->slope[i];
        const int64_t room = (slope > 0) ? ((HIGHEST - value) / slope) : ((LOWEST - value) / slope);
        if (room < (int64_t)ticks) {
            return false;
        }
    }
    return true;
}

void il_lines_advance(il_lines *lines, int32_t ticks) {
    for (uint8_t i = 0; i < lines->moving; i++) {
        const uint8_t signal = lines->signal[i];
        put(lines, signal, il_v(lines, signal) + (lines->slope[i] * (int64_t)ticks));
    }
}
