/* The inputs of the core as lines over scans. */
#ifndef IL_LINES_H
#define IL_LINES_H

#include "il_types.h"

typedef struct {
    int32_t whole[IL_MAX_SIGNALS];
    uint16_t part[IL_MAX_SIGNALS];      /* of a count, in 1/65536 */
    uint8_t slot[IL_MAX_SIGNALS];       /* place in the list of moving signals, or IL_NONE */
    uint8_t signal[IL_MAX_MOVING];      /* moving signals */
    int64_t slope[IL_MAX_MOVING];       /* never 0 */
    uint8_t moving;                     /* how many */
    uint8_t signals;
} il_lines;

/* Whole counts now. */
static inline int32_t il_x(const il_lines *lines, uint8_t signal) { return lines->whole[signal]; }

/* 32.16 fixed point now. */
static inline int64_t il_v(const il_lines *lines, uint8_t signal) {
    return ((int64_t)lines->whole[signal] * IL_ONE) + (int64_t)lines->part[signal];
}

/* Slope a scan. */
static inline int64_t il_s(const il_lines *lines, uint8_t signal) {
    const uint8_t slot = lines->slot[signal];
    return (slot == IL_NONE) ? 0 : lines->slope[slot];
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
