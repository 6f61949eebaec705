#include "il_link.h"

#include <string.h>

#include "il_crc.h"
#include "il_port.h"

/* A host waits no longer than this for an answer, however slow the board. */
#define ANSWER_WITHIN_US 100000uL

/* Changes that fit into the longest RUN; their number has one byte. */
#define CHANGES_THAT_FIT (((unsigned)IL_LINK_BUFFER - IL_WIRE_RUN_FIXED - IL_WIRE_CRC) / IL_WIRE_CHANGE)
#define MOST_CHANGES ((CHANGES_THAT_FIT > 255u) ? 255u : CHANGES_THAT_FIT)

#define SEQUENCE 0u
#define TYPE 1u

/* ---- numbers, little-endian ------------------------------------------------------------------------ */

static void put_u16(uint8_t *to, uint16_t value) {
    to[0] = (uint8_t)(value & 0xFFu);
    to[1] = (uint8_t)(value >> 8);
}

static void put_u32(uint8_t *to, uint32_t value) {
    put_u16(to, (uint16_t)(value & 0xFFFFu));
    put_u16(&to[2], (uint16_t)(value >> 16));
}

static uint16_t get_u16(const uint8_t *from) { return (uint16_t)(from[0] | ((uint16_t)from[1] << 8)); }

static uint32_t get_u32(const uint8_t *from) {
    return (uint32_t)get_u16(from) | ((uint32_t)get_u16(&from[2]) << 16);
}

static int64_t get_i48(const uint8_t *from) {
    const int64_t value = (int64_t)((uint64_t)get_u32(from) | ((uint64_t)get_u16(&from[4]) << 32));
    return (value > IL_HIGHEST) ? ((value - IL_HIGHEST - 1) + IL_LOWEST) : value;
}

/* ---- replies --------------------------------------------------------------------------------------- */

static uint8_t mask_bytes(const il_link *link) { return (uint8_t)((link->core->table->rows + 7u) / 8u); }

/* Begin a reply; every one starts with the boot count. */
static void begin_reply(il_link *link, uint8_t sequence, uint8_t type) {
    link->frame[SEQUENCE] = sequence;
    link->frame[TYPE] = type;
    put_u16(&link->frame[IL_WIRE_HEADER], (uint16_t)(link->core->retained->boots & 0xFFFFu));
}

static void send(il_link *link, uint16_t size) {
    put_u32(&link->frame[size], il_crc(link->frame, size));
    il_cobs_send(link->frame, (uint16_t)(size + IL_WIRE_CRC), il_port_write);
}

/* An error beside the sequence: a repetition is answered as before. */
static void complain(il_link *link, uint8_t sequence, uint8_t code, uint16_t detail) {
    begin_reply(link, sequence, IL_WIRE_ERROR);
    link->frame[IL_WIRE_ERROR_CODE] = code;
    put_u16(&link->frame[IL_WIRE_ERROR_DETAIL], detail);
    send(link, IL_WIRE_ERROR_FIXED);
}

static void put_masks(uint8_t *to, uint8_t size, const il_mask *const masks[], uint8_t count) {
    for (uint8_t i = 0; i < count; i++) {
        (void)memcpy(&to[(uint16_t)i * size], masks[i]->byte, size);
    }
}

static void send_outputs(il_link *link) {
    const il_outputs *outputs = &link->core->outputs;
    const uint8_t size = mask_bytes(link);
    const il_mask *const masks[IL_WIRE_OUTPUTS_MASK_COUNT] = {&outputs->tripped, &outputs->latched,
                                                              &outputs->local_due};
    uint8_t *frame = link->frame;
    begin_reply(link, link->sequence, IL_WIRE_OUTPUTS);
    put_u32(&frame[IL_WIRE_OUTPUTS_AT], link->at);
    frame[IL_WIRE_OUTPUTS_STATE] = outputs->state;
    frame[IL_WIRE_OUTPUTS_PERMIT] = outputs->permit ? 1u : 0u;
    frame[IL_WIRE_OUTPUTS_MOTION] = outputs->motion ? 1u : 0u;
    frame[IL_WIRE_OUTPUTS_POWER] = outputs->power ? 1u : 0u;
    frame[IL_WIRE_OUTPUTS_TEST_LINE] = outputs->test_line;
    put_u16(&frame[IL_WIRE_OUTPUTS_FIRST_UP], (uint16_t)outputs->first_up);
    frame[IL_WIRE_OUTPUTS_REPLY_COMMAND] = outputs->reply_command;
    frame[IL_WIRE_OUTPUTS_REPLY_ACCEPTED] = outputs->reply_accepted ? 1u : 0u;
    put_u16(&frame[IL_WIRE_OUTPUTS_REPLY_BLOCKED_BY], (uint16_t)outputs->reply_blocked_by);
    put_masks(&frame[IL_WIRE_OUTPUTS_MASKS], size, masks, IL_WIRE_OUTPUTS_MASK_COUNT);
    send(link, (uint16_t)(IL_WIRE_OUTPUTS_FIXED + ((uint16_t)IL_WIRE_OUTPUTS_MASK_COUNT * size)));
}

static void send_retained(il_link *link) {
    const il_retained *retained = link->core->retained;
    const uint8_t size = mask_bytes(link);
    const il_mask *const masks[IL_WIRE_RETAINED_MASK_COUNT] = {&retained->latched, &retained->local_due};
    uint8_t *frame = link->frame;
    begin_reply(link, link->sequence, IL_WIRE_RETAINED);
    put_u32(&frame[IL_WIRE_RETAINED_BOOT_COUNT], retained->boots);
    frame[IL_WIRE_RETAINED_CAUSE] = retained->cause;
    put_u32(&frame[IL_WIRE_RETAINED_METERSET], (uint32_t)retained->meterset);
    put_u16(&frame[IL_WIRE_RETAINED_FIRST_UP], (uint16_t)retained->first_up);
    put_masks(&frame[IL_WIRE_RETAINED_MASKS], size, masks, IL_WIRE_RETAINED_MASK_COUNT);
    send(link, (uint16_t)(IL_WIRE_RETAINED_FIXED + ((uint16_t)IL_WIRE_RETAINED_MASK_COUNT * size)));
}

static uint8_t nibble_of(char digit) {
    return (uint8_t)((digit <= '9') ? (digit - '0') : (digit - 'a' + 10));
}

static void send_welcome(il_link *link) {
    const il_identity *identity = &link->identity;
    const il_core *core = link->core;
    uint8_t *frame = link->frame;
    (void)memset(frame, 0, IL_WIRE_WELCOME_FIXED);
    begin_reply(link, link->sequence, IL_WIRE_WELCOME);
    (void)memcpy(&frame[IL_WIRE_WELCOME_NONCE], link->nonce, sizeof link->nonce);
    frame[IL_WIRE_WELCOME_PROTOCOL] = IL_WIRE_PROTOCOL;
    for (uint8_t i = 0; i < 8u; i++) {
        const IL_FLASH char *digits = &identity->table_digest[2u * i];
        frame[IL_WIRE_WELCOME_TABLE + i] = (uint8_t)((nibble_of(digits[0]) << 4) | nibble_of(digits[1]));
    }
    frame[IL_WIRE_WELCOME_SIGNALS] = core->table->signals;
    frame[IL_WIRE_WELCOME_ROWS] = core->table->rows;
    for (uint8_t i = 0; (i < 16u) && (identity->build[i] != '\0'); i++) {
        frame[IL_WIRE_WELCOME_BUILD + i] = (uint8_t)identity->build[i];
    }
    (void)memcpy(&frame[IL_WIRE_WELCOME_UNIQUE_ID], identity->unique_id, sizeof identity->unique_id);
    put_u32(&frame[IL_WIRE_WELCOME_BOOT_COUNT], core->retained->boots);
    frame[IL_WIRE_WELCOME_CAUSE] = core->retained->cause;
    put_u32(&frame[IL_WIRE_WELCOME_AT], link->at);
    frame[IL_WIRE_WELCOME_MAX_CHANGES] = (uint8_t)MOST_CHANGES;
    put_u16(&frame[IL_WIRE_WELCOME_RECEIVE_SIZE], IL_LINK_BUFFER);
    put_u16(&frame[IL_WIRE_WELCOME_DAMAGED], link->detail);
    send(link, IL_WIRE_WELCOME_FIXED);
}

static void send_set_done(il_link *link) {
    begin_reply(link, link->sequence, IL_WIRE_SET_DONE);
    put_u32(&link->frame[IL_WIRE_SET_DONE_AT], link->at);
    send(link, IL_WIRE_SET_DONE_FIXED);
}

/* The reply to the last request taken, for the first time or again. */
static void answer(il_link *link) {
    switch (link->answer) {
    case IL_WIRE_WELCOME:
        send_welcome(link);
        break;
    case IL_WIRE_SET_DONE:
        send_set_done(link);
        break;
    case IL_WIRE_OUTPUTS:
        send_outputs(link);
        break;
    case IL_WIRE_RETAINED:
        send_retained(link);
        break;
    default:
        complain(link, link->sequence, link->code, link->detail);
        break;
    }
}

/* The last request taken is answered like this. */
static void answer_with(il_link *link, uint8_t type) {
    link->answer = type;
    answer(link);
}

static void error(il_link *link, uint8_t code, uint16_t detail) {
    link->code = code;
    link->detail = detail;
    answer_with(link, IL_WIRE_ERROR);
}

/* ---- requests -------------------------------------------------------------------------------------- */

/* Put changes in force, from their number on. False: an error has been answered. All of them are
 * looked at before the first is taken. */
static bool take_changes(il_link *link, uint16_t place) {
    const uint8_t *frame = link->frame;
    const uint8_t count = frame[place];
    for (uint8_t i = 0; i < count; i++) {
        const uint16_t at = (uint16_t)(place + 1u + (i * IL_WIRE_CHANGE));
        if (frame[at] >= link->core->table->signals) {
            error(link, IL_WIRE_BAD_VALUE, at);
            return false;
        }
    }
    for (uint8_t i = 0; i < count; i++) {
        const uint8_t *change = &frame[(uint16_t)(place + 1u + (i * IL_WIRE_CHANGE))];
        if (!il_set(link->core, change[0], get_i48(&change[1]), get_i48(&change[7]))) {
            link->greeted = false; /* half of it is in force: nothing may be run on that */
            il_seal(link->core);
            error(link, IL_WIRE_REFUSED, i);
            return false;
        }
    }
    il_seal(link->core);
    return true;
}

/* Whether `at` and the length of a request with changes are right; otherwise an error is answered. */
static bool well_placed(il_link *link, uint16_t size, uint16_t fixed) {
    if ((size < fixed) || (size != (uint16_t)(fixed + (link->frame[fixed - 1u] * IL_WIRE_CHANGE)))) {
        error(link, IL_WIRE_BAD_LENGTH, size);
        return false;
    }
    if (get_u32(&link->frame[IL_WIRE_HEADER]) != link->at) {
        error(link, IL_WIRE_WRONG_TICK, (uint16_t)(link->at & 0xFFFFu));
        return false;
    }
    return true;
}

static il_link_event set(il_link *link, uint16_t size) {
    if (!well_placed(link, size, IL_WIRE_SET_FIXED)) {
        return IL_LINK_ANSWERED;
    }
    if (!il_is_whole(link->core)) {
        return IL_LINK_BROKEN;
    }
    if (take_changes(link, IL_WIRE_SET_CHANGES)) {
        answer_with(link, IL_WIRE_SET_DONE);
    }
    return IL_LINK_ANSWERED;
}

/* Run, IL_FULL_SCANS at a time, until something changes, all is run or the host has waited long enough. */
static il_link_event run_on(il_link *link, uint32_t ticks, il_command command) {
    const uint32_t began = il_port_micros();
    uint32_t left = ticks;
    bool goes_on = true;
    while (goes_on) {
        const int32_t done = il_run(link->core, (int32_t)left, (left == ticks) ? command : IL_NO_COMMAND);
        if (done < 0) {
            return IL_LINK_BROKEN;
        }
        if (done == 0) {
            link->greeted = false;
            error(link, IL_WIRE_REFUSED, 0);
            return IL_LINK_ANSWERED;
        }
        link->scanned = il_port_micros();
        il_port_permit(link->core->outputs.permit);
        il_port_kick();
        link->at += (uint32_t)done;
        left -= (uint32_t)done;
        goes_on = (left > 0u) && !link->core->changed && ((il_port_micros() - began) < ANSWER_WITHIN_US);
    }
    answer_with(link, IL_WIRE_OUTPUTS);
    return IL_LINK_ANSWERED;
}

static il_link_event run(il_link *link, uint16_t size) {
    if (!well_placed(link, size, IL_WIRE_RUN_FIXED)) {
        return IL_LINK_ANSWERED;
    }
    const uint32_t ticks = get_u32(&link->frame[IL_WIRE_RUN_TICKS]);
    const uint8_t command = link->frame[IL_WIRE_RUN_COMMAND];
    if ((ticks == 0u) || (ticks > 0x7FFFFFFFuL)) {
        error(link, IL_WIRE_BAD_VALUE, IL_WIRE_RUN_TICKS);
        return IL_LINK_ANSWERED;
    }
    if (command >= (uint8_t)IL_COMMANDS) {
        error(link, IL_WIRE_BAD_VALUE, IL_WIRE_RUN_COMMAND);
        return IL_LINK_ANSWERED;
    }
    if (!il_is_whole(link->core)) {
        return IL_LINK_BROKEN;
    }
    if (!take_changes(link, IL_WIRE_RUN_CHANGES)) {
        return IL_LINK_ANSWERED;
    }
    return run_on(link, ticks, (il_command)command);
}

static il_link_event reset(il_link *link, uint16_t size) {
    const uint8_t *frame = link->frame;
    const uint16_t boots = (uint16_t)(link->core->retained->boots & 0xFFFFu);
    if (size != IL_WIRE_RESET_FIXED) {
        error(link, IL_WIRE_BAD_LENGTH, size);
    } else if (get_u16(&frame[IL_WIRE_RESET_BOOTS]) != boots) {
        error(link, IL_WIRE_STALE_RESET, boots);
    } else if (frame[IL_WIRE_RESET_CAUSE] > (uint8_t)IL_RESET_EXTERNAL) {
        error(link, IL_WIRE_BAD_VALUE, IL_WIRE_RESET_CAUSE);
    } else if (frame[IL_WIRE_RESET_FORGET] > 1u) {
        error(link, IL_WIRE_BAD_VALUE, IL_WIRE_RESET_FORGET);
    } else if (!il_is_whole(link->core)) {
        return IL_LINK_BROKEN; /* what is damaged must not be closed with a new CRC */
    } else {
        il_ask_reset(link->core, (il_reset_cause)frame[IL_WIRE_RESET_CAUSE], frame[IL_WIRE_RESET_FORGET] == 1u);
        return IL_LINK_RESTART;
    }
    return IL_LINK_ANSWERED;
}

/* A request in its turn. */
static il_link_event carry_out(il_link *link, uint16_t size) {
    const uint8_t type = link->frame[TYPE];
    switch (type) {
    case IL_WIRE_SET:
        return set(link, size);
    case IL_WIRE_RUN:
        return run(link, size);
    case IL_WIRE_RESET:
        return reset(link, size);
    case IL_WIRE_READ_RETAINED:
    case IL_WIRE_READ_OUTPUTS:
        if (size != IL_WIRE_HEADER) {
            error(link, IL_WIRE_BAD_LENGTH, size);
        } else {
            answer_with(link, (type == IL_WIRE_READ_OUTPUTS) ? IL_WIRE_OUTPUTS : IL_WIRE_RETAINED);
        }
        return IL_LINK_ANSWERED;
    default:
        error(link, IL_WIRE_UNKNOWN_TYPE, type);
        return IL_LINK_ANSWERED;
    }
}

static il_link_event hello(il_link *link, uint16_t size, uint32_t crc) {
    const uint8_t *nonce = &link->frame[IL_WIRE_HELLO_NONCE];
    if (size != IL_WIRE_HELLO_FIXED) {
        complain(link, link->frame[SEQUENCE], IL_WIRE_BAD_LENGTH, size);
    } else if (link->greeted && (memcmp(nonce, link->nonce, sizeof link->nonce) == 0)) {
        /* a late copy of the greeting of this very session; the session goes on */
    } else {
        (void)memcpy(link->nonce, nonce, sizeof link->nonce);
        link->greeted = true;
        link->sequence = link->frame[SEQUENCE];
        link->request_crc = crc;
        link->detail = link->damaged;
        answer_with(link, IL_WIRE_WELCOME);
    }
    return IL_LINK_ANSWERED;
}

/* A frame whose CRC is right. */
static il_link_event handle(il_link *link, uint16_t size, uint32_t crc) {
    const uint8_t sequence = link->frame[SEQUENCE];
    if (link->greeted && (sequence == link->sequence) && (crc == link->request_crc)) {
        answer(link); /* its reply got lost */
        return IL_LINK_ANSWERED;
    }
    if (link->frame[TYPE] == IL_WIRE_HELLO) {
        return hello(link, size, crc);
    }
    if (!link->greeted) {
        complain(link, sequence, IL_WIRE_NOT_GREETED, 0);
        return IL_LINK_ANSWERED;
    }
    const uint8_t next = (uint8_t)(link->sequence + 1u);
    if (sequence != next) {
        complain(link, sequence, IL_WIRE_BAD_SEQUENCE, next);
        return IL_LINK_ANSWERED;
    }
    link->sequence = sequence;
    link->request_crc = crc;
    return carry_out(link, size);
}

void il_link_start(il_link *link, il_core *core, const il_identity *identity) {
    (void)memset(link, 0, sizeof *link);
    link->core = core;
    link->identity = *identity;
    il_cobs_start(&link->cobs, link->frame, IL_LINK_BUFFER);
}

il_link_event il_link_take(il_link *link, uint8_t byte) {
    const il_cobs_event event = il_cobs_take(&link->cobs, byte);
    if (event == IL_COBS_MORE) {
        return IL_LINK_IDLE;
    }
    const uint16_t size = link->cobs.size;
    if ((event == IL_COBS_FRAME) && (size >= (IL_WIRE_HEADER + IL_WIRE_CRC))) {
        const uint16_t body = (uint16_t)(size - IL_WIRE_CRC);
        const uint32_t crc = il_crc(link->frame, body);
        if (crc == get_u32(&link->frame[body])) {
            return handle(link, body, crc);
        }
    }
    link->damaged = (uint16_t)((link->damaged < 0xFFFFu) ? (link->damaged + 1u) : link->damaged);
    complain(link, 0, IL_WIRE_DAMAGED, link->damaged);
    return IL_LINK_ANSWERED;
}
