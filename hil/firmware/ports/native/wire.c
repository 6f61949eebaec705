/* The framing of the wire, offered to Python so that both sides can be tried against each other. */
#include "wire.h"

#include <string.h>

#include "il_cobs.h"

static uint8_t *encoded;
static uint32_t encoded_size, encoded_room;

static void collect(const uint8_t *data, uint16_t size) {
    for (uint16_t i = 0; i < size; i++) {
        if (encoded_size < encoded_room) {
            encoded[encoded_size] = data[i];
        }
        encoded_size++;
    }
}

uint32_t native_encode(const uint8_t *data, uint16_t size, uint8_t *out, uint32_t room) {
    encoded = out;
    encoded_room = room;
    encoded_size = 0;
    il_cobs_send(data, size, collect);
    return encoded_size;
}

uint32_t native_decode(const uint8_t *data, uint32_t size, uint16_t capacity, uint8_t *out, uint32_t room) {
    uint8_t buffer[4096];
    il_cobs cobs;
    uint32_t used = 0;
    if (capacity > sizeof buffer) {
        return 0;
    }
    il_cobs_start(&cobs, buffer, capacity);
    for (uint32_t i = 0; i < size; i++) {
        const il_cobs_event event = il_cobs_take(&cobs, data[i]);
        if (event == IL_COBS_MORE) {
            continue;
        }
        const uint16_t length = (event == IL_COBS_FRAME) ? cobs.size : 0u;
        if (room - used < (uint32_t)length + 3u) {
            return 0;
        }
        out[used] = (uint8_t)event;
        out[used + 1u] = (uint8_t)(length & 0xFFu);
        out[used + 2u] = (uint8_t)(length >> 8);
        memcpy(&out[used + 3u], buffer, length);
        used += (uint32_t)length + 3u;
    }
    return used;
}
