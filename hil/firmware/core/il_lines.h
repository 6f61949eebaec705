/* The inputs of the core as lines over scans. */
#ifndef IL_LINES_H
#define IL_LINES_H

#include "il_types.h"

typedef struct {
    int32_t whole[IL_MAX_SIGNALS];
    uint8_t signal[IL_MAX_MOVING];      /* moving signals */
    uint16_t part[IL_MAX_MOVING];       /* of a count, in 1/65536; no one sees that of a line at rest */
    int32_t slope_whole[IL_MAX_MOVING]; /* slope a scan, whole and part; never 0 */
    uint16_t slope_part[IL_MAX_MOVING];
    uint8_t moving;                     /* how many */
} il_lines;

/* Place in the list of moving signals, or IL_NONE. The list is short: searching it costs less than the
 * memory to know. */
static inline uint8_t il_slot(const il_lines *lines, uint8_t signal) {
    for (uint8_t slot = 0; slot < lines->moving; slot++) {
        if (lines->signal[slot] == signal) {
            return slot;
        }
    }
    return IL_NONE;
}

/* Whole counts now. */
static inline int32_t il_x(const il_lines *lines, uint8_t signal) { return lines->whole[signal]; }

/* Whole counts of a 32.16 number, rounded down. */
int64_t il_floor(int64_t value);

/* Slope a scan of a moving line. */
static inline int64_t il_s_of(const il_lines *lines, uint8_t slot) {
    return ((int64_t)lines->slope_whole[slot] * IL_ONE) + (int64_t)lines->slope_part[slot];
}

/* 32.16 fixed point now, of a moving line. */
static inline int64_t il_v_of(const il_lines *lines, uint8_t slot) {
    return ((int64_t)lines->whole[lines->signal[slot]] * IL_ONE) + (int64_t)lines->part[slot];
}

/* 32.16 fixed point now; whole counts of a line at rest. */
static inline int64_t il_v(const il_lines *lines, uint8_t signal) {
    const uint8_t slot = il_slot(lines, signal);
    return (slot == IL_NONE) ? ((int64_t)lines->whole[signal] * IL_ONE) : il_v_of(lines, slot);
}

/* Slope a scan. */
static inline int64_t il_s(const il_lines *lines, uint8_t signal) {
    const uint8_t slot = il_slot(lines, signal);
    return (slot == IL_NONE) ? 0 : il_s_of(lines, slot);
}

/* Every signal at rest at its safe value. */
void il_lines_start(il_lines *lines, uint8_t signals, const IL_FLASH int32_t *safe);

/* A signal is this line from now on. False: it does not fit (too many moving, or no 32.16 number). */
bool il_lines_set(il_lines *lines, uint8_t signal, int64_t value, int64_t slope);

/* Whether every line stays a 32.16 number for so many scans. */
bool il_lines_fit(const il_lines *lines, int32_t ticks);

/* Move on by so many scans. */
void il_lines_advance(il_lines *lines, int32_t ticks);

#endif
