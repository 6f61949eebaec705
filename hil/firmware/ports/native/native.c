#include "native.h"

#include <stdlib.h>
#include <string.h>

#include "il_layout.h"

struct native_board {
    il_table table;
    il_retained retained;
    il_core core;
};

static void report_outputs(const native_board *board, int32_t ticks, native_report *report) {
    const il_outputs *outputs = &board->core.outputs;
    report->ticks = ticks;
    report->first_up = outputs->first_up;
    report->reply_blocked_by = outputs->reply_blocked_by;
    report->state = outputs->state;
    report->permit = outputs->permit ? 1 : 0;
    report->motion = outputs->motion ? 1 : 0;
    report->power = outputs->power ? 1 : 0;
    report->test_line = outputs->test_line;
    report->reply_command = outputs->reply_command;
    report->reply_accepted = outputs->reply_accepted ? 1 : 0;
    memcpy(report->tripped, outputs->tripped.byte, IL_MASK_BYTES);
    memcpy(report->latched, outputs->latched.byte, IL_MASK_BYTES);
    memcpy(report->local_due, outputs->local_due.byte, IL_MASK_BYTES);
}

native_board *native_open(const il_table *table) {
    if (table->signals > IL_MAX_SIGNALS || table->rows > IL_MAX_ROWS || table->memory > IL_MAX_MEMORY) {
        return NULL;
    }
    native_board *board = calloc(1, sizeof *board);
    if (board != NULL) {
        board->table = *table;
    }
    return board;
}

void native_close(native_board *board) { free(board); }

int native_mask_bytes(void) { return IL_MASK_BYTES; }

void native_reset(native_board *board, int cause, native_report *report) {
    il_reset(&board->core, &board->table, &board->retained, (il_reset_cause)cause);
    report_outputs(board, 0, report);
}

int32_t native_run(native_board *board, const native_change *change, int changes, int32_t ticks, int command,
                   native_report *report) {
    int32_t done = il_is_whole(&board->core) ? 1 : IL_BROKEN;
    for (int i = 0; i < changes && done > 0; i++) {
        if (!il_set(&board->core, change[i].signal, change[i].value, change[i].slope)) {
            done = 0;
        }
    }
    if (done >= 0) {
        il_seal(&board->core);
    }
    if (done > 0) {
        done = il_run(&board->core, ticks, (il_command)command);
    }
    report_outputs(board, done, report);
    return done;
}

void native_read_retained(const native_board *board, native_retained *retained) {
    retained->boots = board->retained.boots;
    retained->meterset = board->retained.meterset;
    retained->first_up = board->retained.first_up;
    retained->cause = board->retained.cause;
    memcpy(retained->latched, board->retained.latched.byte, IL_MASK_BYTES);
    memcpy(retained->local_due, board->retained.local_due.byte, IL_MASK_BYTES);
}

static const il_span layout[] = IL_LAYOUT;

bool native_flip(native_board *board, int region, uint32_t bit) {
    const int regions = (int)(sizeof layout / sizeof layout[0]) - 1; /* the first entry is none */
    if (region < 0 || region >= regions) {
        return false;
    }
    const il_span *span = &layout[region + 1];
    uint8_t *memory = (span->retained != 0u) ? (uint8_t *)&board->retained : (uint8_t *)&board->core;
    const uint32_t place = bit % (span->size * 8u);
    uint8_t *byte = &memory[span->offset + place / 8u];
    *byte = (uint8_t)(*byte ^ (1u << (place % 8u)));
    return true;
}

void native_seal(native_board *board) { il_seal(&board->core); }
