/* The interlock controller: one scan, and many scans at once over linear inputs.
 *
 * The permit is computed anew in every scan: state irradiation, every row that acts in it judged and
 * none tripped, nothing latched. It is never remembered. At most one transition a scan; a trip beats
 * everything else:
 *
 *     emergency > terminate > interrupt > complete > ordered stop > hold > command > release >
 *     end of a phase
 */
#ifndef IL_CORE_H
#define IL_CORE_H

#include "il_conditions.h"
#include "il_lines.h"
#include "il_table.h"

#define IL_NO_ROW (-1)
#define IL_BROKEN (-1)

/* A place for a test build to interfere (il_inject.h); nothing in a release. */
#if defined(IL_INJECT)
#define IL_BETWEEN_SCANS(core) il_inject_between_scans(core)
#else
#define IL_BETWEEN_SCANS(core) ((void)0)
#endif

typedef struct {
    uint8_t state;
    bool permit; /* the only thing that lets the beam on */
    bool motion; /* motors may be driven */
    bool power;  /* high voltage and motor supplies */
    uint8_t test_line; /* 1 + row exercised by the proof test, 0: none */
    int16_t first_up;  /* row that caused the last stop, or IL_NO_ROW */
    uint8_t reply_command;
    bool reply_accepted;
    int16_t reply_blocked_by; /* row, or IL_NO_ROW: the state */
    il_mask tripped;
    il_mask latched;
    il_mask local_due; /* latched and still waiting for the reset at its place */
} il_outputs;

/* What survives a loss of power or a reset. The port keeps it in memory that no reset clears. */
typedef struct {
    uint32_t magic;
    uint32_t boots;
    int32_t meterset; /* last meterset seen in a beam */
    il_mask latched;
    il_mask local_due;
    int16_t first_up;
    uint8_t cause;
    uint8_t findings;
    uint8_t latch_sum; /* over the bits of both masks, changed with each of them: see not_state */
    bool in_beam;
    uint32_t crc;
} il_retained;

typedef struct {
    const IL_FLASH il_table *table;
    il_retained *retained;
    const IL_FLASH il_table *table_again; /* see knows_its_places() */
    il_retained *retained_again;
    il_lines lines;
    int32_t memory[IL_MAX_MEMORY];
    uint16_t count[IL_MAX_COUNTERS]; /* scans in a row a condition has held, up to the debounce */
    il_mask tripped;
    uint8_t state;
    uint8_t not_state; /* its complement: a bit that flips within a scan is not sealed unseen */
    uint8_t line; /* position in the list of lines to prove */
    bool forcing;
    bool judged; /* every row that acts in this state was evaluated in it */
    uint16_t phase_ticks;
    uint8_t reply_command;
    bool reply_accepted;
    int16_t reply_blocked_by;
    il_outputs outputs;
    bool changed; /* by the last scan */
    uint8_t piece; /* of the table, to be checked next */
    uint32_t seal; /* over everything above; a flipped bit breaks it */
} il_core;

/* Start, or start anew. Retained memory that is damaged counts as a beam that was cut. */
void il_reset(il_core *core, const IL_FLASH il_table *table, il_retained *retained, il_reset_cause cause);

/* Before a restart: if retained memory is damaged, the next start must find a beam that was cut, whichever
 * bit it is. */
void il_distrust(il_retained *retained);

/* Prepare a restart that the host asked for: the next reset has this cause, whatever the hardware will
 * say. With `forget` retained memory starts empty but for the count of boots. */
void il_ask_reset(il_core *core, il_reset_cause cause, bool forget);

/* The cause that was asked for; `otherwise` if the reset came by itself. */
il_reset_cause il_asked_cause(const il_retained *retained, il_reset_cause otherwise);

/* From the next scan on a signal is this line. False: not accepted, nothing changed. The caller seals
 * the core when it has set what it has to set. */
bool il_set(il_core *core, uint8_t signal, int64_t value, int64_t slope);

/* Pieces of the table checked before each scan, a row each: all of them, so that no scan uses a damaged
 * limit. On a processor without the time for it 8, an engineering default: then it is found within
 * (rows + 1) / 8 scans. Scans that are passed over need no limits. */
#ifndef IL_PIECES_A_SCAN
#if defined(__AVR__)
#define IL_PIECES_A_SCAN 8u
#else
#define IL_PIECES_A_SCAN 256u
#endif
#endif

/* Scans worked through in one call of il_run(), not counting those passed over. A board sets it to what
 * it can do without looking at its line and its watchdog. */
#ifndef IL_FULL_SCANS
#define IL_FULL_SCANS INT32_MAX
#endif

/* Run up to `ticks` scans and stop after the first that changed an output, or after IL_FULL_SCANS that
 * could have. The command is given in the first scan. Returns how many scans were run; 0: the request is
 * not acceptable, nothing was run; IL_BROKEN: the core's memory is not what it was sealed with, or its
 * table is damaged, and the caller has to make safe. */
int32_t il_run(il_core *core, int32_t ticks, il_command command);

/* Close the core's memory with its seal, and see whether it is still whole. */
void il_seal(il_core *core);
bool il_is_whole(const il_core *core);

#endif
