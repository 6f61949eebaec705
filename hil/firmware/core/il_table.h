/* An interlock table as the core reads it: constant, in flash, guarded by check sums.
 *
 * Conditions without a memory are alternatives of sums: a row is true when in any of its
 * alternatives every sum is positive. The others find their parameters in `params`, and their
 * memory in words of the core's pool.
 */
#ifndef IL_TABLE_H
#define IL_TABLE_H

#include "il_types.h"

typedef enum {
    IL_COMPARISON = 0, /* first: first alternative, size: how many */
    IL_RATE = 1,       /* signal, set rate, window, step, above, gain factor, set factor */
    IL_PER_TRAVEL = 2, /* signal, planned, position, over, percent (0.01 %), by */
    IL_STALE = 3,      /* signal, ticks */
    IL_TIMER = 4,      /* limit signal, tick factor, limit factor */
    IL_MOVES = 5,      /* signal, by, after, grows only */
    IL_FLAG = 6        /* finding */
} il_kind;

/* Findings of the core itself; bits of a byte. */
#define IL_PROOF_TEST_FAILED 0x01u
#define IL_RESET_IN_BEAM 0x02u

#define IL_STOPS_MOTION 0x01u
#define IL_GATE_ON 0x02u /* the row acts while its gate is true; otherwise while it is false */

typedef struct {
    int32_t coefficient;
    uint8_t signal;
} il_term;

typedef struct {
    int64_t constant;
    uint16_t first; /* term */
    uint8_t size;
} il_sum;

typedef struct {
    uint16_t first; /* sum */
    uint8_t size;
} il_alternative;

typedef struct {
    uint8_t kind;
    uint8_t gate; /* bool signal that enables or disables the row, or IL_NONE */
    uint8_t flags;
    uint8_t stop;
    uint8_t latch;
    uint8_t size;
    uint8_t counter; /* place among the debounce counters, or IL_NONE: trips in the first scan */
    uint16_t first;
    uint16_t memory; /* first word in the pool */
    uint16_t debounce;
    uint16_t acts_in;    /* a bit per state */
    uint16_t latches_in; /* a bit per state */
    uint16_t check;      /* over all of the above and everything the row names */
} il_row;

/* A line of the proof test: the row that must trip, and the rows that read what is forced for it. */
typedef struct {
    uint8_t row;
    uint8_t masked[IL_MASK_BYTES];
} il_proof;

typedef struct {
    uint8_t signals;
    uint8_t rows;
    uint8_t proofs;
    uint8_t meterset; /* signal retained as delivered meterset, or IL_NONE */
    uint16_t self_test_ticks;
    uint16_t proof_timeout;
    uint16_t memory; /* words of condition memory */
    uint16_t alternatives;
    uint16_t sums;
    uint16_t terms;
    uint16_t params;
    uint16_t check; /* over the numbers above, the safe values and the proofs */
    const IL_FLASH int32_t *safe; /* whole counts, one per signal */
    const IL_FLASH il_row *row;
    const IL_FLASH il_alternative *alternative;
    const IL_FLASH il_sum *sum;
    const IL_FLASH il_term *term;
    const IL_FLASH int32_t *param;
    const IL_FLASH il_proof *proof;
} il_table;

/* Whether a row, or with `piece` the number of rows what belongs to no row, is as it was generated. Every
 * single flipped bit is found. */
bool il_table_piece_is_whole(const IL_FLASH il_table *table, uint8_t piece);

#endif
