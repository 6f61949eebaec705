#ifndef NATIVE_WIRE_H
#define NATIVE_WIRE_H

#include <stdint.h>

/* Encode and end one frame. Returns its size; what does not fit into `room` is not written. */
uint32_t native_encode(const uint8_t *data, uint16_t size, uint8_t *out, uint32_t room);

/* Take bytes as a board would, with a buffer of `capacity` (at most 4096). Writes for every frame that
 * ends an event, its length in two bytes and its content. Returns the bytes written; 0: no room. */
uint32_t native_decode(const uint8_t *data, uint32_t size, uint16_t capacity, uint8_t *out, uint32_t room);

#endif
