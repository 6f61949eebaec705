#include "il_machine.h"

#include <stddef.h>

#include "il_mask.h"

/* ---- the graph ------------------------------------------------------------------------------------ */

typedef enum {
    ON_NOTHING, /* no transition has it */
    ON_POWER_ON,
    ON_SELF_TEST_PASSED,
    ON_PREPARE,
    ON_STAND_BY,
    ON_BEGIN_CHECK,
    ON_CHECK_PASSED,
    ON_CHECK_FAILED,
    ON_STAND_DOWN,
    ON_BEAM_ON,
    ON_HOLD,
    ON_RELEASE,
    ON_COMPLETE,
    ON_INTERRUPT,
    ON_RESUME,
    ON_TERMINATE,
    ON_ACKNOWLEDGE,
    ON_EMERGENCY,
    ON_RESTART
} trigger;

typedef enum {
    ALWAYS,
    BEAM_WAS_CUT_BY_RESET,
    NOTHING_TRIPPED,         /* self test */
    NOTHING_IN_THE_WAY,      /* nothing latched, no row that acts in irradiation tripped */
    ONLY_A_HOLD_IN_THE_WAY,  /* the same, but for rows that only hold */
    NOTHING_STANDS,          /* nothing latched, nothing tripped */
    NOTHING_BUT_HOLDS_STANDS /* nothing latched, nothing but holds tripped */
} guard;

typedef struct {
    uint8_t trigger;
    uint8_t source;
    uint8_t dest;
    uint8_t guard;
} transition;

/* Every allowed transition. What is not here cannot happen. Emergency is possible everywhere but
 * where the machine is off or in an emergency. */
static const IL_FLASH transition graph[] = {
    {ON_POWER_ON, IL_OFF, IL_SELF_TEST, ALWAYS},
    {ON_SELF_TEST_PASSED, IL_SELF_TEST, IL_TERMINATED, BEAM_WAS_CUT_BY_RESET},
    {ON_SELF_TEST_PASSED, IL_SELF_TEST, IL_STANDBY, NOTHING_TRIPPED},
    {ON_PREPARE, IL_STANDBY, IL_PREPARATORY, ALWAYS},
    {ON_STAND_BY, IL_PREPARATORY, IL_STANDBY, ALWAYS},
    {ON_BEGIN_CHECK, IL_PREPARATORY, IL_CHECK, NOTHING_STANDS},
    {ON_CHECK_PASSED, IL_CHECK, IL_READY, ALWAYS},
    {ON_CHECK_FAILED, IL_CHECK, IL_PREPARATORY, ALWAYS},
    {ON_STAND_DOWN, IL_READY, IL_PREPARATORY, ALWAYS},
    {ON_BEAM_ON, IL_READY, IL_HOLD, ONLY_A_HOLD_IN_THE_WAY},
    {ON_BEAM_ON, IL_READY, IL_IRRADIATION, NOTHING_IN_THE_WAY},
    {ON_HOLD, IL_IRRADIATION, IL_HOLD, ALWAYS},
    {ON_RELEASE, IL_HOLD, IL_IRRADIATION, NOTHING_IN_THE_WAY},
    {ON_COMPLETE, IL_IRRADIATION, IL_PREPARATORY, ALWAYS},
    {ON_COMPLETE, IL_HOLD, IL_PREPARATORY, ALWAYS},
    {ON_INTERRUPT, IL_READY, IL_INTERRUPTED, ALWAYS},
    {ON_INTERRUPT, IL_IRRADIATION, IL_INTERRUPTED, ALWAYS},
    {ON_INTERRUPT, IL_HOLD, IL_INTERRUPTED, ALWAYS},
    {ON_RESUME, IL_INTERRUPTED, IL_READY, NOTHING_BUT_HOLDS_STANDS},
    {ON_TERMINATE, IL_CHECK, IL_TERMINATED, ALWAYS},
    {ON_TERMINATE, IL_READY, IL_TERMINATED, ALWAYS},
    {ON_TERMINATE, IL_IRRADIATION, IL_TERMINATED, ALWAYS},
    {ON_TERMINATE, IL_HOLD, IL_TERMINATED, ALWAYS},
    {ON_TERMINATE, IL_INTERRUPTED, IL_TERMINATED, ALWAYS},
    {ON_ACKNOWLEDGE, IL_TERMINATED, IL_PREPARATORY, NOTHING_BUT_HOLDS_STANDS},
    {ON_RESTART, IL_EMERGENCY, IL_SELF_TEST, NOTHING_STANDS},
};

#define TRANSITIONS ((uint8_t)(sizeof(graph) / sizeof(graph[0])))

#define BIT(state) (1u << (uint8_t)(state))

static uint16_t bit(uint8_t state) { return (uint16_t)(1u << state); }

bool il_in_beam(uint8_t state) {
    const uint16_t in_beam =
        (uint16_t)(BIT(IL_READY) | BIT(IL_IRRADIATION) | BIT(IL_HOLD) | BIT(IL_INTERRUPTED));
    return (in_beam & bit(state)) != 0u;
}

static bool may_move(uint8_t state) {
    const uint16_t motion = (uint16_t)(BIT(IL_STANDBY) | BIT(IL_PREPARATORY) | BIT(IL_CHECK) | BIT(IL_READY) |
                                       BIT(IL_IRRADIATION) | BIT(IL_HOLD));
    return (motion & bit(state)) != 0u;
}

static bool acts_in(const IL_FLASH il_row *row, uint8_t state) { return (row->acts_in & bit(state)) != 0u; }

void il_machine_become(il_core *core, il_state state) {
    core->state = (uint8_t)state;
    core->not_state = (uint8_t)~core->state;
}

/* ---- latches --------------------------------------------------------------------------------------- */

/* What a row adds to the sum of the latches, and takes from it again. */
static uint8_t share_of(uint8_t row) { return (uint8_t)(row + 1u); }

/* Change a bit of one of the two masks of latches. */
static void set_latch(il_retained *retained, il_mask *mask, uint8_t row, bool on) {
    if (il_has(mask, row) != on) {
        retained->latch_sum = (uint8_t)(retained->latch_sum ^ share_of(row));
        mask->byte[row >> 3] = (uint8_t)(mask->byte[row >> 3] ^ (uint8_t)(1u << (row & 7u)));
    }
}

static uint8_t sum_of_latches(const il_core *core) {
    uint8_t sum = 0;
    for (uint8_t i = 0; i < core->table->rows; i++) {
        if (il_has(&core->retained->latched, i) != il_has(&core->retained->local_due, i)) {
            sum = (uint8_t)(sum ^ share_of(i)); /* in both it counts twice, which is not at all */
        }
    }
    return sum;
}

/* ---- what stands in the way -------------------------------------------------------------------------- */

/* Tripped rows: those that act in irradiation only, or all; holds counted, or not. */
static bool tripped(const il_core *core, bool in_beam_only, bool holds_too) {
    for (uint8_t i = 0; i < core->table->rows; i++) {
        const IL_FLASH il_row *row = &core->table->row[i];
        if (il_has(&core->tripped, i) && (holds_too || (row->stop != (uint8_t)IL_STOP_HOLD)) &&
            (!in_beam_only || acts_in(row, (uint8_t)IL_IRRADIATION))) {
            return true;
        }
    }
    return false;
}

static bool latched(const il_core *core) { return il_any(&core->retained->latched); }

static bool allows(const il_core *core, uint8_t which) {
    bool allowed = false;
    switch (which) {
    case ALWAYS:
        allowed = true;
        break;
    case BEAM_WAS_CUT_BY_RESET:
        allowed = (core->retained->findings & IL_RESET_IN_BEAM) != 0u;
        break;
    case NOTHING_TRIPPED:
        allowed = !tripped(core, false, true);
        break;
    case NOTHING_IN_THE_WAY:
        allowed = !latched(core) && !tripped(core, true, true);
        break;
    case ONLY_A_HOLD_IN_THE_WAY:
        allowed = !latched(core) && tripped(core, true, true) && !tripped(core, true, false);
        break;
    case NOTHING_BUT_HOLDS_STANDS:
        allowed = !latched(core) && !tripped(core, false, false);
        break;
    case NOTHING_STANDS:
    default: /* the strictest */
        allowed = !latched(core) && !tripped(core, false, true);
        break;
    }
    return allowed;
}

/* Take a transition if the graph and its guard allow it. */
static bool fire(il_core *core, trigger on) {
    if (on == ON_EMERGENCY) {
        if ((core->state == (uint8_t)IL_OFF) || (core->state == (uint8_t)IL_EMERGENCY)) {
            return false;
        }
        il_machine_become(core, IL_EMERGENCY);
        return true;
    }
    for (uint8_t i = 0; i < TRANSITIONS; i++) {
        if ((graph[i].trigger == (uint8_t)on) && (graph[i].source == core->state) &&
            allows(core, graph[i].guard)) {
            il_machine_become(core, (il_state)graph[i].dest);
            return true;
        }
    }
    return false;
}

/* The row that blocks: the first latched one, else the first tripped one, holds last. */
static int16_t blocking(const il_core *core) {
    int16_t any = IL_NO_ROW;
    int16_t no_hold = IL_NO_ROW;
    for (uint8_t i = 0; i < core->table->rows; i++) {
        if (il_has(&core->retained->latched, i)) {
            return (int16_t)i;
        }
        if (il_has(&core->tripped, i)) {
            any = (any == IL_NO_ROW) ? (int16_t)i : any;
            if ((core->table->row[i].stop != (uint8_t)IL_STOP_HOLD) && (no_hold == IL_NO_ROW)) {
                no_hold = (int16_t)i;
            }
        }
    }
    return (no_hold != IL_NO_ROW) ? no_hold : any;
}

/* ---- conditions, debounce, latches -------------------------------------------------------------------- */

il_view il_machine_view(const il_core *core) {
    il_view view;
    view.table = core->table;
    view.lines = &core->lines;
    view.memory = (int32_t *)core->memory;
    view.findings = core->retained->findings;
    return view;
}

bool il_machine_acts(const il_core *core, const IL_FLASH il_row *row) { return acts_in(row, core->state); }

bool il_machine_gate_is_open(const il_core *core, const IL_FLASH il_row *row) {
    if (row->gate == IL_NONE) {
        return true;
    }
    return (il_x(&core->lines, row->gate) != 0) == ((row->flags & IL_GATE_ON) != 0u);
}

bool il_machine_masked(const il_core *core, uint8_t row) {
    if ((core->state != (uint8_t)IL_CHECK) || (core->line >= core->table->proofs)) {
        return false;
    }
    return (core->table->proof[core->line].masked[row >> 3] & (uint8_t)(1u << (row & 7u))) != 0u;
}

static void trip(il_core *core, uint8_t i, const IL_FLASH il_row *row) {
    il_retained *retained = core->retained;
    il_add(&core->tripped, i);
    if (il_has(&retained->latched, i) || ((row->latches_in & bit(core->state)) != 0u)) {
        set_latch(retained, &retained->latched, i, true);
        if (row->latch == (uint8_t)IL_LATCH_LOCAL) {
            set_latch(retained, &retained->local_due, i, true);
        }
    }
}

static void forget_count(il_core *core, const IL_FLASH il_row *row) {
    if (row->counter != IL_NONE) {
        core->count[row->counter] = 0;
    }
}

/* Count a scan in which the condition holds; whether it has held for the whole debounce. */
static bool has_held(il_core *core, const IL_FLASH il_row *row) {
    if (row->counter == IL_NONE) {
        return true;
    }
    uint16_t *count = &core->count[row->counter];
    if (*count < row->debounce) {
        *count = (uint16_t)(*count + 1u);
    }
    return *count >= row->debounce;
}

/* Whether the condition held in this scan, be it too short to trip. */
static bool holds(const il_core *core, uint8_t i, const IL_FLASH il_row *row) {
    return (row->counter == IL_NONE) ? il_has(&core->tripped, i) : (core->count[row->counter] > 0u);
}

void il_machine_evaluate(il_core *core) {
    const il_view view = il_machine_view(core);
    il_clear(&core->tripped);
    for (uint8_t i = 0; i < core->table->rows; i++) {
        const IL_FLASH il_row *row = &core->table->row[i];
        if (!il_machine_acts(core, row)) {
            continue;
        }
        if (!il_machine_gate_is_open(core, row)) {
            forget_count(core, row);
            il_leave(&view, row);
        } else if (il_machine_masked(core, i) || !il_evaluate(&view, row)) {
            forget_count(core, row);
        } else if (has_held(core, row)) {
            trip(core, i, row);
        } else {
            /* the debounce goes on */
        }
    }
}

/* ---- commands --------------------------------------------------------------------------------------------- */

static void reply(il_core *core, il_command command, bool accepted) {
    core->reply_command = (uint8_t)command;
    core->reply_accepted = accepted;
    core->reply_blocked_by = accepted ? (int16_t)IL_NO_ROW : blocking(core);
}

static void refuse(il_core *core, il_command command) {
    if (command != IL_NO_COMMAND) {
        reply(core, command, false);
    }
}

/* The finding a row stands for, 0: none. */
static uint8_t finding_of(const il_core *core, const IL_FLASH il_row *row) {
    return (row->kind == (uint8_t)IL_FLAG) ? (uint8_t)core->table->param[row->first] : 0u;
}

/* A failed proof test ends with its reset; a beam that was cut has to be ended first. */
static bool ends_with_reset(const il_core *core, uint8_t finding) {
    return (finding == IL_PROOF_TEST_FAILED) ||
           ((finding == IL_RESET_IN_BEAM) && (core->state == (uint8_t)IL_TERMINATED));
}

static bool reset_row(il_core *core, uint8_t i, il_command command) {
    const IL_FLASH il_row *row = &core->table->row[i];
    il_retained *retained = core->retained;
    const uint8_t finding = finding_of(core, row);
    if (!il_has(&retained->latched, i) || (holds(core, i, row) && !ends_with_reset(core, finding))) {
        return false; /* not latched, or the cause is still there, were it for a single scan */
    }
    if (command == IL_RESET_LOCAL) {
        if (!il_has(&retained->local_due, i)) {
            return false;
        }
        set_latch(retained, &retained->local_due, i, false);
        return true;
    }
    if (il_has(&retained->local_due, i) ||
        ((row->latch == (uint8_t)IL_LATCH_PHYSICS) && (command != IL_RESET_PHYSICS))) {
        return false;
    }
    set_latch(retained, &retained->latched, i, false);
    if (ends_with_reset(core, finding)) {
        retained->findings = (uint8_t)(retained->findings & (uint8_t)~finding);
        il_remove(&core->tripped, i);
        forget_count(core, row);
    }
    return true;
}

static bool reset_latches(il_core *core, il_command command) {
    bool cleared = false;
    for (uint8_t i = 0; i < core->table->rows; i++) {
        cleared = reset_row(core, i, command) || cleared;
    }
    return cleared;
}

/* What a command triggers, in their order; the resets of latches come after these. */
static const IL_FLASH uint8_t triggered_by[] = {
    ON_NOTHING, ON_POWER_ON,  ON_PREPARE,     ON_STAND_BY,   ON_BEGIN_CHECK, ON_BEAM_ON, ON_INTERRUPT,
    ON_RESUME,  ON_TERMINATE, ON_ACKNOWLEDGE, ON_STAND_DOWN, ON_RESTART,
};

static bool obey(il_core *core, il_command command) {
    if (command >= IL_RESET_LOCAL) {
        return reset_latches(core, command);
    }
    return fire(core, (trigger)triggered_by[command]);
}

/* ---- proof test ------------------------------------------------------------------------------------------------ */

/* One line after the other is forced; each must trip and clear again within the time-out. */
static void prove_line(il_core *core) {
    const IL_FLASH il_table *table = core->table;
    if (core->line >= table->proofs) {
        (void)fire(core, ON_CHECK_PASSED);
        return;
    }
    const il_view view = il_machine_view(core);
    const bool answer = il_evaluate(&view, &table->row[table->proof[core->line].row]);
    core->phase_ticks += 1u;
    if (answer == core->forcing) {
        core->phase_ticks = 0;
        if (core->forcing) {
            core->forcing = false;
        } else {
            core->line = (uint8_t)(core->line + 1u);
            core->forcing = core->line < table->proofs;
        }
    } else if (core->phase_ticks >= table->proof_timeout) {
        core->retained->findings = (uint8_t)(core->retained->findings | IL_PROOF_TEST_FAILED);
        (void)fire(core, ON_CHECK_FAILED);
    } else {
        /* the line still has time to answer */
    }
}

/* ---- one transition a scan ------------------------------------------------------------------------------------- */

/* Most severe stop asked for by a tripped row, the normal end aside; IL_STOP_COMPLETE: none. */
static uint8_t worst_trip(const il_core *core) {
    uint8_t worst = (uint8_t)IL_STOP_COMPLETE;
    for (uint8_t i = 0; i < core->table->rows; i++) {
        if (il_has(&core->tripped, i) && (core->table->row[i].stop > worst)) {
            worst = core->table->row[i].stop;
        }
    }
    return worst;
}

static bool complete_tripped(const il_core *core) {
    for (uint8_t i = 0; i < core->table->rows; i++) {
        if (il_has(&core->tripped, i) && (core->table->row[i].stop == (uint8_t)IL_STOP_COMPLETE)) {
            return true;
        }
    }
    return false;
}

/* Take a stop and keep its first cause: the first tripped row of the worst stop. */
static bool take_stop(il_core *core, trigger on, uint8_t worst) {
    if (!fire(core, on)) {
        return false;
    }
    for (uint8_t i = 0; (i < core->table->rows) && (core->retained->first_up == IL_NO_ROW); i++) {
        if (il_has(&core->tripped, i) && (core->table->row[i].stop == worst)) {
            core->retained->first_up = (int16_t)i;
        }
    }
    return true;
}

static void go_on(il_core *core) {
    switch (core->state) {
    case IL_HOLD:
        (void)fire(core, ON_RELEASE);
        break;
    case IL_SELF_TEST:
        core->phase_ticks += 1u;
        if (core->phase_ticks >= core->table->self_test_ticks) {
            core->phase_ticks = core->table->self_test_ticks; /* it may have to wait */
            (void)fire(core, ON_SELF_TEST_PASSED);
        }
        break;
    case IL_CHECK:
        prove_line(core);
        break;
    default:
        break;
    }
}

void il_machine_step(il_core *core, il_command command) {
    const uint8_t worst = worst_trip(core);
    /* A person's stop of a beam is obeyed even in the scan in which it would only be held. */
    const bool ordered = (command == IL_INTERRUPT) || (command == IL_TERMINATE);
    const bool stopped =
        ((worst >= (uint8_t)IL_STOP_EMERGENCY) && take_stop(core, ON_EMERGENCY, worst)) ||
        ((worst >= (uint8_t)IL_STOP_TERMINATE) && take_stop(core, ON_TERMINATE, worst)) ||
        ((worst >= (uint8_t)IL_STOP_INTERRUPT) && take_stop(core, ON_INTERRUPT, worst)) ||
        ((worst >= (uint8_t)IL_STOP_HOLD) && take_stop(core, ON_CHECK_FAILED, worst)) ||
        (complete_tripped(core) && fire(core, ON_COMPLETE)) ||
        ((worst == (uint8_t)IL_STOP_HOLD) && !ordered && fire(core, ON_HOLD));
    if (stopped) {
        refuse(core, command);
    } else if (command != IL_NO_COMMAND) {
        const bool accepted = obey(core, command);
        reply(core, command, accepted);
    } else {
        go_on(core);
    }
}

void il_machine_enter(il_core *core, uint8_t before) {
    const il_view view = il_machine_view(core);
    const uint8_t after = core->state;
    core->phase_ticks = 0;
    for (uint8_t i = 0; i < core->table->rows; i++) {
        const IL_FLASH il_row *row = &core->table->row[i];
        if (acts_in(row, before) && !acts_in(row, after)) {
            forget_count(core, row);
            il_leave(&view, row);
            il_remove(&core->tripped, i);
        }
        if (after == (uint8_t)IL_PREPARATORY) {
            il_select(&view, row);
        }
    }
    if (after == (uint8_t)IL_CHECK) {
        core->line = 0;
        core->forcing = core->table->proofs > 0u;
        core->retained->first_up = IL_NO_ROW;
    }
    if ((after == (uint8_t)IL_READY) && (before == (uint8_t)IL_INTERRUPTED)) {
        core->retained->first_up = IL_NO_ROW;
    }
}

const IL_FLASH il_row *il_machine_proven(const il_core *core) {
    const IL_FLASH il_table *table = core->table;
    const bool proving = (core->state == (uint8_t)IL_CHECK) && (core->line < table->proofs);
    return proving ? &table->row[table->proof[core->line].row] : NULL;
}

int64_t il_machine_quiet_phase(const il_core *core) {
    const IL_FLASH il_table *table = core->table;
    if (core->state == (uint8_t)IL_SELF_TEST) {
        const int64_t left = (int64_t)table->self_test_ticks - (int64_t)core->phase_ticks - 1;
        if (left > 0) {
            return left;
        }
        return (allows(core, NOTHING_TRIPPED) || allows(core, BEAM_WAS_CUT_BY_RESET)) ? 0 : IL_FOREVER;
    }
    if (core->state == (uint8_t)IL_HOLD) {
        return allows(core, NOTHING_IN_THE_WAY) ? 0 : IL_FOREVER;
    }
    if (core->state != (uint8_t)IL_CHECK) {
        return IL_FOREVER;
    }
    const IL_FLASH il_row *proven = il_machine_proven(core);
    if (proven == NULL) {
        return 0;
    }
    const il_view view = il_machine_view(core);
    if (il_evaluate(&view, proven) == core->forcing) {
        return 0; /* it has answered in a scan with a command, which does not move the proof test on */
    }
    return (int64_t)table->proof_timeout - (int64_t)core->phase_ticks - 1;
}

/* ---- outputs ------------------------------------------------------------------------------------------------------- */

static bool permits(const il_core *core) {
    return (core->state == (uint8_t)IL_IRRADIATION) && core->judged && !latched(core) &&
           !tripped(core, true, true);
}

bool il_machine_is_sound(const il_core *core) {
    return ((core->not_state ^ core->state) == 0xFFu) &&
           (core->retained->latch_sum == sum_of_latches(core)) && (core->outputs.state == core->state) &&
           (core->outputs.permit == permits(core));
}

static bool stops_motion(const il_core *core) {
    for (uint8_t i = 0; i < core->table->rows; i++) {
        if (((core->table->row[i].flags & IL_STOPS_MOTION) != 0u) &&
            (il_has(&core->tripped, i) || il_has(&core->retained->latched, i))) {
            return true;
        }
    }
    return false;
}

void il_machine_outputs(const il_core *core, il_outputs *outputs) {
    const bool testing = (core->state == (uint8_t)IL_CHECK) && core->forcing;
    outputs->state = core->state;
    outputs->permit = permits(core);
    outputs->motion = may_move(core->state) && !stops_motion(core);
    outputs->power = (core->state != (uint8_t)IL_OFF) && (core->state != (uint8_t)IL_EMERGENCY);
    outputs->test_line = testing ? (uint8_t)(core->table->proof[core->line].row + 1u) : 0u;
    outputs->first_up = core->retained->first_up;
    outputs->reply_command = core->reply_command;
    outputs->reply_accepted = core->reply_accepted;
    outputs->reply_blocked_by = core->reply_blocked_by;
    outputs->tripped = core->tripped;
    outputs->latched = core->retained->latched;
    outputs->local_due = core->retained->local_due;
}
