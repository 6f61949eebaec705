/* Sums of signals compared with zero. */
#ifndef IL_SUMS_H
#define IL_SUMS_H

#include "il_lines.h"
#include "il_table.h"

typedef struct {
    int32_t coefficient; /* the generator keeps the sum of all below 2^16 */
    uint8_t signal;
} il_part;

/* Division that rounds down, and up, for a positive divisor. */
int64_t il_floor_div(int64_t a, int64_t b);
int64_t il_ceil_div(int64_t a, int64_t b);

/* The sum now. */
int64_t il_sum_value(const il_lines *lines, const il_part *part, uint8_t size, int64_t constant);

/* Scans for which its sign (positive or not) is certain to stay. */
int64_t il_sum_quiet(const il_lines *lines, const il_part *part, uint8_t size, int64_t constant);

#endif
