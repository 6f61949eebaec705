#include "il_conditions.h"

#include "il_sums.h"

/* Most parts of one sum; the generator refuses more. */
#define MAX_PARTS 4u

/* Words of memory, by condition. */
enum { RATE_PHASE, RATE_ANSWER, RATE_USED, RATE_NEXT, RATE_SAMPLES };
enum { TRAVEL_STARTED, TRAVEL_COUNTED, TRAVEL_PLANNED, TRAVEL_POSITION, TRAVEL_ENDS };
enum { STALE_SEEN, STALE_LAST, STALE_SINCE };
enum { TIMER_COUNT };
enum { MOVES_BASED, MOVES_BASE, MOVES_AGE };

static int64_t least_of(int64_t a, int64_t b) { return (a < b) ? a : b; }

static int64_t distance(int64_t a) { return (a < 0) ? -a : a; }

static int32_t *memory_of(const il_view *view, const IL_FLASH il_row *row) {
    return &view->memory[row->memory];
}

static int32_t param(const il_view *view, const IL_FLASH il_row *row, uint8_t index) {
    return view->table->param[row->first + index];
}

static uint8_t signal_of(const il_view *view, const IL_FLASH il_row *row, uint8_t index) {
    return (uint8_t)param(view, row, index);
}

/* ---- comparison ------------------------------------------------------------------------------ */

static uint8_t load(const il_view *view, const IL_FLASH il_sum *sum, il_part *part) {
    for (uint8_t i = 0; i < sum->size; i++) {
        const IL_FLASH il_term *term = &view->table->term[sum->first + i];
        part[i].coefficient = term->coefficient;
        part[i].signal = term->signal;
    }
    return sum->size;
}

static bool comparison_evaluate(const il_view *view, const IL_FLASH il_row *row) {
    il_part part[MAX_PARTS];
    for (uint8_t a = 0; a < row->size; a++) {
        const IL_FLASH il_alternative *alternative = &view->table->alternative[row->first + a];
        bool all = true;
        for (uint8_t i = 0; (i < alternative->size) && all; i++) {
            const IL_FLASH il_sum *sum = &view->table->sum[alternative->first + i];
            const uint8_t size = load(view, sum, part);
            all = il_sum_value(view->lines, part, size, sum->constant) > 0;
        }
        if (all) {
            return true;
        }
    }
    return false;
}

static int64_t comparison_quiet(const il_view *view, const IL_FLASH il_row *row) {
    il_part part[MAX_PARTS];
    int64_t least = IL_FOREVER;
    for (uint8_t a = 0; a < row->size; a++) {
        const IL_FLASH il_alternative *alternative = &view->table->alternative[row->first + a];
        for (uint8_t i = 0; i < alternative->size; i++) {
            const IL_FLASH il_sum *sum = &view->table->sum[alternative->first + i];
            const uint8_t size = load(view, sum, part);
            least = least_of(least, il_sum_quiet(view->lines, part, size, sum->constant));
        }
    }
    return least;
}

/* ---- rate over a sliding window -------------------------------------------------------------- */

enum { RATE_SIGNAL, RATE_SET, RATE_WINDOW, RATE_STEP, RATE_ABOVE, RATE_GAIN_FACTOR, RATE_SET_FACTOR };

typedef struct {
    int32_t step;      /* distance of samples */
    int32_t samples;   /* how many a full window has */
    int64_t threshold; /* a gain above it is too high, or high enough */
    bool above;
} rate_rule;

static rate_rule rate_of(const il_view *view, const IL_FLASH il_row *row) {
    rate_rule rule;
    const int64_t set = il_x(view->lines, signal_of(view, row, RATE_SET));
    const int64_t limit = set * (int64_t)param(view, row, RATE_SET_FACTOR);
    const int64_t gain_factor = param(view, row, RATE_GAIN_FACTOR);
    rule.step = param(view, row, RATE_STEP);
    rule.samples = (param(view, row, RATE_WINDOW) / rule.step) + 1;
    rule.above = param(view, row, RATE_ABOVE) != 0;
    rule.threshold =
        rule.above ? il_floor_div(limit, gain_factor) : (il_ceil_div(limit, gain_factor) - 1);
    return rule;
}

static void rate_sample(const rate_rule *rule, int32_t *memory, int32_t value) {
    memory[RATE_SAMPLES + memory[RATE_NEXT]] = value;
    memory[RATE_NEXT] = (memory[RATE_NEXT] + 1) % rule->samples;
    if (memory[RATE_USED] < rule->samples) {
        memory[RATE_USED] += 1;
    }
}

/* The sample so many before the newest one; 0: the newest. */
static int32_t rate_sample_before(const rate_rule *rule, const int32_t *memory, int32_t back) {
    const int32_t place = memory[RATE_NEXT] - 1 - back;
    return memory[RATE_SAMPLES + ((place < 0) ? (place + rule->samples) : place)];
}

static bool rate_evaluate(const il_view *view, const IL_FLASH il_row *row) {
    int32_t *memory = memory_of(view, row);
    if (memory[RATE_PHASE] == 0) {
        const rate_rule rule = rate_of(view, row);
        rate_sample(&rule, memory, il_x(view->lines, signal_of(view, row, RATE_SIGNAL)));
        if (memory[RATE_USED] == rule.samples) {
            const int64_t gain = (int64_t)rate_sample_before(&rule, memory, 0) -
                                 (int64_t)rate_sample_before(&rule, memory, rule.samples - 1);
            memory[RATE_ANSWER] = ((gain > rule.threshold) == rule.above) ? 1 : 0;
        }
    }
    memory[RATE_PHASE] += 1;
    if (memory[RATE_PHASE] >= param(view, row, RATE_STEP)) {
        memory[RATE_PHASE] = 0;
    }
    return memory[RATE_ANSWER] != 0;
}

/* Scans until the next sample is taken. */
static int64_t rate_first(const rate_rule *rule, const int32_t *memory) {
    return (int64_t)((rule->step - memory[RATE_PHASE]) % rule->step) + 1;
}

/* Whole counts of a line so many scans from now. */
static int64_t ahead(const il_view *view, uint8_t index, int64_t ticks) {
    return il_floor(il_v(view->lines, index) + (il_s(view->lines, index) * ticks));
}

/* Steeper than 2^45 a line leaves 48 bits within 8 scans, and a window ahead of now it may leave 64. */
static bool is_steep(int64_t slope) { return distance(slope) > ((int64_t)0x200000000000); }

static int64_t rate_quiet(const il_view *view, const IL_FLASH il_row *row) {
    const int32_t *memory = memory_of(view, row);
    const rate_rule rule = rate_of(view, row);
    const int64_t first = rate_first(&rule, memory);
    const uint8_t index = signal_of(view, row, RATE_SIGNAL);
    if ((il_s(view->lines, signal_of(view, row, RATE_SET)) != 0) || is_steep(il_s(view->lines, index))) {
        return first - 1;
    }
    const bool exceeds = (memory[RATE_ANSWER] != 0) == rule.above;
    /* A coming sample against the one a window before it: known first, then itself to come. */
    for (int32_t number = 0; number < rule.samples; number++) {
        const int32_t back = rule.samples - 2 - number; /* of the start, before the newest known */
        if (back >= memory[RATE_USED]) {
            continue; /* no full window yet */
        }
        const int64_t end = ahead(view, index, first + ((int64_t)number * rule.step));
        const int64_t begin = (back >= 0)
                                  ? (int64_t)rate_sample_before(&rule, memory, back)
                                  : ahead(view, index, first + ((int64_t)(-back - 1) * rule.step));
        if (((end - begin) > rule.threshold) != exceeds) {
            return (first + ((int64_t)number * rule.step)) - 1;
        }
    }
    /* From here on both ends of the window lie on the present line. */
    const int64_t window = param(view, row, RATE_WINDOW);
    const int64_t gain = il_floor(il_s(view->lines, index) * window);
    if (((gain > rule.threshold) == exceeds) && (((gain + 1) > rule.threshold) == exceeds)) {
        return IL_FOREVER;
    }
    return (first + ((int64_t)rule.samples * rule.step)) - 1;
}

static void rate_pass(const il_view *view, const IL_FLASH il_row *row, int32_t ticks) {
    int32_t *memory = memory_of(view, row);
    const rate_rule rule = rate_of(view, row);
    const int64_t first = rate_first(&rule, memory);
    const uint8_t index = signal_of(view, row, RATE_SIGNAL);
    if (first <= (int64_t)ticks) {
        const int64_t last = first + ((((int64_t)ticks - first) / rule.step) * rule.step);
        const int64_t kept = (int64_t)(rule.samples - 1) * rule.step;
        const int64_t earliest = last - kept;
        int64_t tick = (earliest > first) ? earliest : first;
        for (; tick <= last; tick += rule.step) {
            rate_sample(&rule, memory, (int32_t)ahead(view, index, tick));
        }
    }
    memory[RATE_PHASE] = (int32_t)(((int64_t)memory[RATE_PHASE] + ticks) % rule.step);
}

/* ---- a counter and its plan over a stretch of travel ------------------------------------------- */

enum { TRAVEL_SIGNAL, TRAVEL_PLAN, TRAVEL_AXIS, TRAVEL_OVER, TRAVEL_PERCENT, TRAVEL_BY };

static bool travel_evaluate(const il_view *view, const IL_FLASH il_row *row) {
    int32_t *memory = memory_of(view, row);
    const int32_t counted = il_x(view->lines, signal_of(view, row, TRAVEL_SIGNAL));
    const int32_t planned = il_x(view->lines, signal_of(view, row, TRAVEL_PLAN));
    const int32_t position = il_x(view->lines, signal_of(view, row, TRAVEL_AXIS));
    bool begins = memory[TRAVEL_STARTED] == 0;
    bool answer = false;
    if (!begins) {
        const int64_t gained = (int64_t)counted - (int64_t)memory[TRAVEL_COUNTED];
        const int64_t wanted = (int64_t)planned - (int64_t)memory[TRAVEL_PLANNED];
        const int64_t drift = 10000 * distance(gained - wanted);
        answer = (drift > (10000 * (int64_t)param(view, row, TRAVEL_BY))) &&
                 (drift > ((int64_t)param(view, row, TRAVEL_PERCENT) * wanted));
        memory[TRAVEL_ENDS] = 0;
        begins = distance((int64_t)position - (int64_t)memory[TRAVEL_POSITION]) >=
                 (int64_t)param(view, row, TRAVEL_OVER);
        if (begins && answer) {
            memory[TRAVEL_ENDS] = 1; /* the next answer starts from nothing */
        }
    }
    if (begins) {
        memory[TRAVEL_STARTED] = 1;
        memory[TRAVEL_COUNTED] = counted;
        memory[TRAVEL_PLANNED] = planned;
        memory[TRAVEL_POSITION] = position;
    }
    return answer;
}

/* Excess (1) or shortfall (-1) against the fixed amount and the percentage. */
static int64_t travel_drift_quiet(const il_view *view, const IL_FLASH il_row *row, int32_t sign) {
    const int32_t *memory = memory_of(view, row);
    const int64_t planned = memory[TRAVEL_PLANNED];
    const int64_t drift = sign * ((int64_t)memory[TRAVEL_COUNTED] - planned);
    const int32_t share = param(view, row, TRAVEL_PERCENT);
    il_part part[2] = {{sign, signal_of(view, row, TRAVEL_SIGNAL)}, {-sign, signal_of(view, row, TRAVEL_PLAN)}};
    const int64_t fixed =
        il_sum_quiet(view->lines, part, 2, -drift - (int64_t)param(view, row, TRAVEL_BY));
    part[0].coefficient = sign * 10000;
    part[1].coefficient = (-sign * 10000) - share;
    return least_of(fixed, il_sum_quiet(view->lines, part, 2, (-10000 * drift) + ((int64_t)share * planned)));
}

static int64_t travel_quiet(const il_view *view, const IL_FLASH il_row *row) {
    const int32_t *memory = memory_of(view, row);
    if ((memory[TRAVEL_ENDS] != 0) || (memory[TRAVEL_STARTED] == 0)) {
        return 0;
    }
    const int64_t over = param(view, row, TRAVEL_OVER);
    const int64_t from = memory[TRAVEL_POSITION];
    il_part part[1] = {{1, signal_of(view, row, TRAVEL_AXIS)}};
    int64_t least = least_of(travel_drift_quiet(view, row, 1), travel_drift_quiet(view, row, -1));
    least = least_of(least, il_sum_quiet(view->lines, part, 1, (-from - over) + 1));
    part[0].coefficient = -1;
    return least_of(least, il_sum_quiet(view->lines, part, 1, (from - over) + 1));
}

/* ---- a heartbeat that stands still --------------------------------------------------------------- */

enum { STALE_SIGNAL, STALE_TICKS };

static bool stale_evaluate(const il_view *view, const IL_FLASH il_row *row) {
    int32_t *memory = memory_of(view, row);
    const int32_t now = il_x(view->lines, signal_of(view, row, STALE_SIGNAL));
    if ((memory[STALE_SEEN] != 0) && (memory[STALE_LAST] == now)) {
        if (memory[STALE_SINCE] < INT32_MAX) {
            memory[STALE_SINCE] += 1;
        }
    } else {
        memory[STALE_SEEN] = 1;
        memory[STALE_LAST] = now;
        memory[STALE_SINCE] = 0;
    }
    return memory[STALE_SINCE] > param(view, row, STALE_TICKS);
}

/* Scans until a moving counter shows another whole count than `whole`. */
static int64_t stale_next_change(int64_t whole, int64_t value, int64_t slope) {
    if (slope > 0) {
        return il_ceil_div(((whole + 1) * IL_ONE) - value, slope);
    }
    return il_floor_div(value - (whole * IL_ONE), -slope) + 1;
}

static int64_t stale_quiet(const il_view *view, const IL_FLASH il_row *row) {
    const int32_t *memory = memory_of(view, row);
    const uint8_t index = signal_of(view, row, STALE_SIGNAL);
    const int64_t limit = param(view, row, STALE_TICKS);
    const int64_t since = memory[STALE_SINCE];
    const int64_t slope = il_s(view->lines, index);
    const bool tripped = since > limit;
    if (slope == 0) {
        return tripped ? IL_FOREVER : (limit - since);
    }
    const int64_t change =
        stale_next_change(il_x(view->lines, index), il_v(view->lines, index), slope);
    if (tripped) {
        return change - 1;
    }
    if (((since + change) - 1) > limit) {
        return limit - since;
    }
    const int64_t longest = il_ceil_div(IL_ONE, distance(slope));
    return ((longest - 1) <= limit) ? IL_FOREVER : change;
}

static void stale_pass(const il_view *view, const IL_FLASH il_row *row, int32_t ticks) {
    int32_t *memory = memory_of(view, row);
    const uint8_t index = signal_of(view, row, STALE_SIGNAL);
    const int64_t value = il_v(view->lines, index);
    const int64_t slope = il_s(view->lines, index);
    const int64_t end = ahead(view, index, ticks);
    if ((memory[STALE_SEEN] != 0) && (end == (int64_t)memory[STALE_LAST])) {
        const int64_t since = (int64_t)memory[STALE_SINCE] + ticks;
        memory[STALE_SINCE] = (since > INT32_MAX) ? INT32_MAX : (int32_t)since;
        return;
    }
    const int64_t before = (slope > 0) ? (end - 1) : (end + 1);
    memory[STALE_SEEN] = 1;
    memory[STALE_LAST] = (int32_t)end;
    memory[STALE_SINCE] = (int32_t)((int64_t)ticks - stale_next_change(before, value, slope));
}

/* ---- beam-on time ------------------------------------------------------------------------------------ */

enum { TIMER_LIMIT, TIMER_TICK_FACTOR, TIMER_LIMIT_FACTOR };

static int64_t timer_limit(const il_view *view, const IL_FLASH il_row *row) {
    return (int64_t)il_x(view->lines, signal_of(view, row, TIMER_LIMIT)) *
           (int64_t)param(view, row, TIMER_LIMIT_FACTOR);
}

static bool timer_evaluate(const il_view *view, const IL_FLASH il_row *row) {
    int32_t *memory = memory_of(view, row);
    if (memory[TIMER_COUNT] < INT32_MAX) {
        memory[TIMER_COUNT] += 1;
    }
    return ((int64_t)memory[TIMER_COUNT] * (int64_t)param(view, row, TIMER_TICK_FACTOR)) >
           timer_limit(view, row);
}

static int64_t timer_quiet(const il_view *view, const IL_FLASH il_row *row) {
    if (il_s(view->lines, signal_of(view, row, TIMER_LIMIT)) != 0) {
        return 0;
    }
    const int64_t room =
        il_floor_div(timer_limit(view, row), (int64_t)param(view, row, TIMER_TICK_FACTOR)) -
        (int64_t)memory_of(view, row)[TIMER_COUNT];
    return (room < 0) ? IL_FOREVER : room;
}

/* ---- a signal that leaves its place ---------------------------------------------------------------------- */

enum { MOVES_SIGNAL, MOVES_BY, MOVES_AFTER, MOVES_GROWS_ONLY };

static bool moves_evaluate(const il_view *view, const IL_FLASH il_row *row) {
    int32_t *memory = memory_of(view, row);
    const int32_t value = il_x(view->lines, signal_of(view, row, MOVES_SIGNAL));
    const int64_t by = param(view, row, MOVES_BY);
    if (memory[MOVES_BASED] == 0) {
        if (memory[MOVES_AGE] >= param(view, row, MOVES_AFTER)) {
            memory[MOVES_BASED] = 1;
            memory[MOVES_BASE] = value;
        }
        memory[MOVES_AGE] += 1;
        return false;
    }
    if (param(view, row, MOVES_GROWS_ONLY) != 0) {
        if (value < memory[MOVES_BASE]) {
            memory[MOVES_BASE] = value;
        }
        return ((int64_t)value - (int64_t)memory[MOVES_BASE]) > by;
    }
    return distance((int64_t)value - (int64_t)memory[MOVES_BASE]) > by;
}

static int64_t moves_quiet(const il_view *view, const IL_FLASH il_row *row) {
    const int32_t *memory = memory_of(view, row);
    const int64_t by = param(view, row, MOVES_BY);
    const int64_t base = memory[MOVES_BASE];
    const bool grows_only = param(view, row, MOVES_GROWS_ONLY) != 0;
    il_part part[1] = {{1, signal_of(view, row, MOVES_SIGNAL)}};
    if (memory[MOVES_BASED] == 0) {
        const int64_t left = (int64_t)param(view, row, MOVES_AFTER) - (int64_t)memory[MOVES_AGE];
        return (left < 0) ? 0 : left;
    }
    if (grows_only && (il_s(view->lines, part[0].signal) < 0)) {
        return 0;
    }
    const int64_t up = il_sum_quiet(view->lines, part, 1, -base - by);
    if (grows_only) {
        return up;
    }
    part[0].coefficient = -1;
    return least_of(up, il_sum_quiet(view->lines, part, 1, base - by));
}

/* ---- all of them ---------------------------------------------------------------------------------------------- */

bool il_evaluate(const il_view *view, const IL_FLASH il_row *row) {
    switch (row->kind) {
    case IL_COMPARISON:
        return comparison_evaluate(view, row);
    case IL_RATE:
        return rate_evaluate(view, row);
    case IL_PER_TRAVEL:
        return travel_evaluate(view, row);
    case IL_STALE:
        return stale_evaluate(view, row);
    case IL_TIMER:
        return timer_evaluate(view, row);
    case IL_MOVES:
        return moves_evaluate(view, row);
    case IL_FLAG:
        return (view->findings & (uint8_t)param(view, row, 0)) != 0u;
    default:
        return true; /* an unknown condition is a tripped one */
    }
}

int64_t il_quiet(const il_view *view, const IL_FLASH il_row *row) {
    switch (row->kind) {
    case IL_COMPARISON:
        return comparison_quiet(view, row);
    case IL_RATE:
        return rate_quiet(view, row);
    case IL_PER_TRAVEL:
        return travel_quiet(view, row);
    case IL_STALE:
        return stale_quiet(view, row);
    case IL_TIMER:
        return timer_quiet(view, row);
    case IL_MOVES:
        return moves_quiet(view, row);
    case IL_FLAG:
        return IL_FOREVER; /* changes only together with an output */
    default:
        return 0;
    }
}

void il_pass(const il_view *view, const IL_FLASH il_row *row, int32_t ticks) {
    int32_t *memory = memory_of(view, row);
    switch (row->kind) {
    case IL_RATE:
        rate_pass(view, row, ticks);
        break;
    case IL_STALE:
        stale_pass(view, row, ticks);
        break;
    case IL_TIMER:
        memory[TIMER_COUNT] =
            (memory[TIMER_COUNT] > (INT32_MAX - ticks)) ? INT32_MAX : (memory[TIMER_COUNT] + ticks);
        break;
    case IL_MOVES:
        if (memory[MOVES_BASED] == 0) {
            memory[MOVES_AGE] += ticks;
        }
        break;
    default:
        break; /* the others remember nothing that a quiet scan changes */
    }
}

void il_leave(const il_view *view, const IL_FLASH il_row *row) {
    int32_t *memory = memory_of(view, row);
    switch (row->kind) {
    case IL_RATE:
        for (uint8_t i = 0; i < RATE_SAMPLES; i++) {
            memory[i] = 0;
        }
        break;
    case IL_PER_TRAVEL:
        memory[TRAVEL_STARTED] = 0;
        memory[TRAVEL_ENDS] = 0;
        break;
    case IL_STALE:
        memory[STALE_SEEN] = 0;
        memory[STALE_SINCE] = 0;
        break;
    case IL_MOVES:
        memory[MOVES_BASED] = 0;
        memory[MOVES_AGE] = 0;
        break;
    default:
        break;
    }
}

void il_select(const il_view *view, const IL_FLASH il_row *row) {
    if (row->kind == (uint8_t)IL_TIMER) {
        memory_of(view, row)[TIMER_COUNT] = 0;
    }
}
