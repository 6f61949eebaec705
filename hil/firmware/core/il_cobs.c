#include "il_cobs.h"

#define LONGEST_BLOCK 254u
#define NO_ZERO_FOLLOWS 255u

static void begin_frame(il_cobs *cobs) {
    cobs->size = 0;
    cobs->left = 0;
    cobs->zero_due = false;
    cobs->started = false;
    cobs->overrun = false;
}

void il_cobs_start(il_cobs *cobs, uint8_t *data, uint16_t capacity) {
    cobs->data = data;
    cobs->capacity = capacity;
    begin_frame(cobs);
}

static void put_byte(il_cobs *cobs, uint8_t byte) {
    if (cobs->size < cobs->capacity) {
        cobs->data[cobs->size] = byte;
        cobs->size = (uint16_t)(cobs->size + 1u);
    } else {
        cobs->overrun = true; /* what does not fit cannot be a frame for us */
    }
}

static il_cobs_event end(il_cobs *cobs) {
    il_cobs_event event = IL_COBS_MORE; /* nothing between two zeros is no frame */
    if (cobs->started) {
        event = (cobs->overrun || (cobs->left > 0u)) ? IL_COBS_DAMAGED : IL_COBS_FRAME;
    }
    const uint16_t size = cobs->size;
    begin_frame(cobs);
    if (event == IL_COBS_FRAME) {
        cobs->size = size;
    }
    return event;
}

il_cobs_event il_cobs_take(il_cobs *cobs, uint8_t byte) {
    if (byte == 0u) {
        return end(cobs);
    }
    if (!cobs->started) {
        begin_frame(cobs); /* the frame before was the caller's until now */
        cobs->started = true;
    }
    if (cobs->left > 0u) {
        put_byte(cobs, byte);
        cobs->left = (uint8_t)(cobs->left - 1u);
    } else {
        if (cobs->zero_due) {
            put_byte(cobs, 0u);
        }
        cobs->left = (uint8_t)(byte - 1u);
        cobs->zero_due = byte != NO_ZERO_FOLLOWS;
    }
    return IL_COBS_MORE;
}

void il_cobs_send(const uint8_t *data, uint16_t size, void (*write)(const uint8_t *data, uint16_t size)) {
    static const uint8_t delimiter = 0;
    uint16_t place = 0;
    bool more = true; /* a zero, or the end, is still to be written as a block */
    while (more) {
        uint8_t run = 0;
        while ((run < LONGEST_BLOCK) && ((uint16_t)(place + run) < size) && (data[place + run] != 0u)) {
            run = (uint8_t)(run + 1u);
        }
        const uint8_t code = (uint8_t)(run + 1u);
        write(&code, 1);
        if (run > 0u) {
            write(&data[place], run);
        }
        place = (uint16_t)(place + run);
        more = place < size;
        if (code != NO_ZERO_FOLLOWS) {
            place = (uint16_t)(place + 1u); /* over the zero that the code stands for */
        }
    }
    write(&delimiter, 1);
}
