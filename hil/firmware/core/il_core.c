#include "il_core.h"

#include <stddef.h>
#include <string.h>

#include "il_crc.h"
#include "il_inject.h"
#include "il_machine.h"
#include "il_mask.h"

/* A self test may have to wait for a row to clear; its count need not go on. */
#define LONGEST_PHASE 60000

#define RETAINED_MAGIC 0x494C4B31uL /* "ILK1" */

/* Marks a cause in retained memory as asked for, until the reset has come. */
#define ASKED 0x80u

/* ---- retained memory and seal ------------------------------------------------------------------ */

static uint32_t crc_of_retained(const il_retained *retained) {
    return il_crc(retained, offsetof(il_retained, crc));
}

static void keep(il_core *core) {
    core->retained->in_beam = il_in_beam(core->state);
    core->retained->crc = crc_of_retained(core->retained);
}

/* A sum that every single flipped bit changes: each step can be undone, so a difference never
 * vanishes. Much faster than a CRC, as it is taken before and after every scan. */
static uint32_t sum_of(const il_core *core) {
    const uint8_t *byte = (const uint8_t *)core;
    uint32_t sum = 0;
    size_t i = 0;
    for (; (i + sizeof sum) <= offsetof(il_core, seal); i += sizeof sum) {
        uint32_t word;
        (void)memcpy(&word, &byte[i], sizeof word);
        sum = ((sum << 8) | (sum >> 24)) + word;
    }
    for (; i < offsetof(il_core, seal); i++) { /* where nothing is aligned, the seal stands anywhere */
        sum = ((sum << 8) | (sum >> 24)) + byte[i];
    }
    return sum;
}

/* Where table and retained memory are is kept twice: a flip within a scan would be sealed with the rest. */
static bool knows_its_places(const il_core *core) {
    return (core->table == core->table_again) && (core->retained == core->retained_again);
}

void il_seal(il_core *core) {
    if (knows_its_places(core)) { /* otherwise a wrong place would be written to */
        keep(core);
    }
    core->seal = sum_of(core);
}

bool il_is_whole(const il_core *core) {
    return knows_its_places(core) && (core->seal == sum_of(core)) &&
           (core->retained->crc == crc_of_retained(core->retained)) && il_machine_is_sound(core);
}

void il_reset(il_core *core, const IL_FLASH il_table *table, il_retained *retained, il_reset_cause cause) {
    /* With one bit flipped it is still known: power-on leaves the mark so by chance once in 10^8. */
    const uint32_t off = retained->magic ^ RETAINED_MAGIC;
    const bool known = (off & (off - 1u)) == 0u;
    if ((off != 0u) || (retained->crc != crc_of_retained(retained))) {
        (void)memset(retained, 0, sizeof *retained);
        retained->magic = RETAINED_MAGIC;
        retained->first_up = IL_NO_ROW;
        /* It was there and is damaged: nothing is known of a beam, so one was cut. */
        retained->in_beam = known;
    }
    if (retained->in_beam) {
        retained->findings = (uint8_t)(retained->findings | IL_RESET_IN_BEAM);
    }
    retained->boots += 1u;
    retained->cause = (uint8_t)cause;
    (void)memset(core, 0, sizeof *core);
    core->table = table;
    core->retained = retained;
    core->table_again = table;
    core->retained_again = retained;
    il_machine_become(core, IL_OFF);
    core->reply_accepted = true;
    core->reply_blocked_by = IL_NO_ROW;
    il_lines_start(&core->lines, table->signals, table->safe);
    il_machine_outputs(core, &core->outputs);
    il_seal(core);
    for (uint16_t piece = 0; piece <= table->rows; piece++) {
        if (!il_table_piece_is_whole(table, (uint8_t)piece)) {
            core->seal = ~core->seal; /* it answers, and scans nothing */
        }
    }
}

void il_distrust(il_retained *retained) {
    if (retained->crc != crc_of_retained(retained)) {
        /* Its mark may be what was damaged; without it the next start would take the board for a new one. */
        retained->magic = RETAINED_MAGIC;
        retained->crc = ~crc_of_retained(retained);
    }
}

void il_ask_reset(il_core *core, il_reset_cause cause, bool forget) {
    il_retained *retained = core->retained;
    retained->cause = (uint8_t)(ASKED | (uint8_t)cause);
    if (forget) {
        retained->meterset = 0;
        retained->first_up = IL_NO_ROW;
        retained->findings = 0;
        retained->in_beam = false;
        il_clear(&retained->latched);
        il_clear(&retained->local_due);
        retained->latch_sum = 0;
    }
    retained->crc = crc_of_retained(retained);
}

il_reset_cause il_asked_cause(const il_retained *retained, il_reset_cause otherwise) {
    const bool whole = (retained->magic == RETAINED_MAGIC) && (retained->crc == crc_of_retained(retained));
    const uint8_t cause = (uint8_t)(retained->cause & (uint8_t)~ASKED);
    const bool asked = (retained->cause & ASKED) != 0u;
    return (whole && asked && (cause <= (uint8_t)IL_RESET_EXTERNAL)) ? (il_reset_cause)cause : otherwise;
}

bool il_set(il_core *core, uint8_t signal, int64_t value, int64_t slope) {
    return (signal < core->table->signals) && il_lines_set(&core->lines, signal, value, slope);
}

/* ---- scans ----------------------------------------------------------------------------------------- */

static bool same_outputs(const il_outputs *a, const il_outputs *b) {
    return (a->state == b->state) && (a->permit == b->permit) && (a->motion == b->motion) &&
           (a->power == b->power) && (a->test_line == b->test_line) && (a->first_up == b->first_up) &&
           (a->reply_command == b->reply_command) && (a->reply_accepted == b->reply_accepted) &&
           (a->reply_blocked_by == b->reply_blocked_by) && il_same(&a->tripped, &b->tripped) &&
           il_same(&a->latched, &b->latched) && il_same(&a->local_due, &b->local_due);
}

static void note_meterset(il_core *core) {
    if (core->table->meterset != IL_NONE) {
        core->retained->meterset = il_x(&core->lines, core->table->meterset);
    }
}

/* Apart from the scan, so that the copy is on the stack only while it is needed. */
static bool update_outputs(il_core *core) {
    const il_outputs before = core->outputs;
    il_machine_outputs(core, &core->outputs);
    return !same_outputs(&before, &core->outputs);
}

static void scan(il_core *core, il_command command) {
    const uint8_t before = core->state;
    const uint8_t line = core->line;
    il_machine_evaluate(core);
    core->judged = true;
    il_machine_step(core, command);
    if (core->state != before) {
        il_machine_enter(core, before);
        core->judged = false;
    } else if (core->line != line) {
        core->judged = false;
    } else {
        /* every row that acts was evaluated in this very state */
    }
    if (il_in_beam(before) || il_in_beam(core->state)) {
        note_meterset(core); /* the scan that ends a beam counts as well */
    }
    core->changed = update_outputs(core);
}

/* Whether a debounce has begun and is not over. */
static bool is_counting(const il_core *core, const IL_FLASH il_row *row) {
    return (row->counter != IL_NONE) && (core->count[row->counter] > 0u) &&
           (core->count[row->counter] < row->debounce);
}

static int32_t at_most(int64_t scans, int32_t most) { return (scans < (int64_t)most) ? (int32_t)scans : most; }

/* The next pieces of the table, at most all; after the last one begins anew. */
static bool table_is_whole(il_core *core) {
    bool whole = true;
    for (uint16_t i = 0; (i < IL_PIECES_A_SCAN) && (i <= core->table->rows) && whole; i++) {
        whole = il_table_piece_is_whole(core->table, core->piece);
        core->piece = (core->piece < core->table->rows) ? (uint8_t)(core->piece + 1u) : 0u;
    }
    return whole;
}

/* Scans after this one that are certain to change no output. */
static int32_t quiet(const il_core *core, int32_t most) {
    const il_view view = il_machine_view(core);
    const IL_FLASH il_row *proven = il_machine_proven(core);
    int32_t least = at_most(il_machine_quiet_phase(core), most);
    if ((proven != NULL) && (least > 0)) {
        least = at_most(il_quiet(&view, proven), least);
    }
    for (uint8_t i = 0; (i < core->table->rows) && (least > 0); i++) {
        const IL_FLASH il_row *row = &core->table->row[i];
        if (!il_machine_acts(core, row)) {
            continue;
        }
        if ((row->gate != IL_NONE) && (il_s(&core->lines, row->gate) != 0)) {
            return 0;
        }
        if (il_machine_masked(core, i) || !il_machine_gate_is_open(core, row)) {
            continue;
        }
        least = at_most(il_quiet(&view, row), least);
        if (is_counting(core, row)) {
            least = at_most((int64_t)row->debounce - (int64_t)core->count[row->counter] - 1, least);
        }
    }
    return (least > 0) ? least : 0;
}

static void pass_over(il_core *core, int32_t ticks) {
    const il_view view = il_machine_view(core);
    for (uint8_t i = 0; i < core->table->rows; i++) {
        const IL_FLASH il_row *row = &core->table->row[i];
        if (!il_machine_acts(core, row) || il_machine_masked(core, i) ||
            !il_machine_gate_is_open(core, row)) {
            continue;
        }
        il_pass(&view, row, ticks);
        if (is_counting(core, row)) {
            core->count[row->counter] = (uint16_t)(core->count[row->counter] + (uint16_t)ticks);
        }
    }
    if ((core->state == (uint8_t)IL_SELF_TEST) || (core->state == (uint8_t)IL_CHECK)) {
        const int32_t passed = (int32_t)core->phase_ticks + ticks;
        core->phase_ticks = (passed > LONGEST_PHASE) ? (uint16_t)LONGEST_PHASE : (uint16_t)passed;
    }
    il_lines_advance(&core->lines, ticks);
    if (il_in_beam(core->state)) {
        note_meterset(core);
    }
}

int32_t il_run(il_core *core, int32_t ticks, il_command command) {
    if (!il_is_whole(core)) {
        return IL_BROKEN;
    }
    if ((ticks < 1) || ((uint8_t)command >= (uint8_t)IL_COMMANDS) || !il_lines_fit(&core->lines, ticks)) {
        return 0;
    }
    if (!table_is_whole(core)) {
        return IL_BROKEN;
    }
    int32_t done = 1;
    int32_t full = 1;
    scan(core, command);
    while ((done < ticks) && !core->changed && (full < IL_FULL_SCANS)) {
        const int32_t skipped = quiet(core, ticks - done);
        if (skipped > 0) {
            pass_over(core, skipped);
            done += skipped;
        }
        if (done < ticks) {
            il_lines_advance(&core->lines, 1);
            il_seal(core);
            IL_BETWEEN_SCANS(core);
            if (!il_is_whole(core) || !table_is_whole(core)) {
                return IL_BROKEN;
            }
            scan(core, IL_NO_COMMAND);
            done += 1;
            full += 1;
        }
    }
    il_lines_advance(&core->lines, 1); /* the inputs stand ready for the next scan */
    il_seal(core);
    return il_is_whole(core) ? done : IL_BROKEN; /* the last scan as well, before anyone acts on it */
}
