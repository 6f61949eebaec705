/* The core in a process of this computer, as a library that Python loads. */
#ifndef NATIVE_H
#define NATIVE_H

#include "il_core.h"

typedef struct {
    int64_t value;
    int64_t slope;
    uint8_t signal;
} native_change;

/* Outputs without holes; masks as bytes, in table order. */
typedef struct {
    int32_t ticks;
    int16_t first_up;
    int16_t reply_blocked_by;
    uint8_t state;
    uint8_t permit;
    uint8_t motion;
    uint8_t power;
    uint8_t test_line;
    uint8_t reply_command;
    uint8_t reply_accepted;
    uint8_t tripped[IL_MASK_BYTES];
    uint8_t latched[IL_MASK_BYTES];
    uint8_t local_due[IL_MASK_BYTES];
} native_report;

typedef struct {
    uint32_t boots;
    int32_t meterset;
    int16_t first_up;
    uint8_t cause;
    uint8_t latched[IL_MASK_BYTES];
    uint8_t local_due[IL_MASK_BYTES];
} native_retained;

typedef struct native_board native_board;

/* NULL: no memory, or the table does not fit this build. */
native_board *native_open(const il_table *table);
void native_close(native_board *board);

/* Bytes of a mask in this build. */
int native_mask_bytes(void);

void native_reset(native_board *board, int cause, native_report *report);

/* Scans run; 0: refused; below 0: the memory was broken. */
int32_t native_run(native_board *board, const native_change *change, int changes, int32_t ticks, int command,
                   native_report *report);

/* Flip a bit of a region (il_layout.h), counted modulo its size. False: there is no such region. */
bool native_flip(native_board *board, int region, uint32_t bit);

/* Seal the core as it is: as if what was flipped had been flipped within a scan. */
void native_seal(native_board *board);

void native_read_retained(const native_board *board, native_retained *retained);

#endif
