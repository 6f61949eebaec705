/* Received bytes between an interrupt, which puts, and the main loop, which takes.
 *
 * Each side writes one index only, and an index is read and written at once, so neither has to lock the
 * other out.
 */
#ifndef RING_H
#define RING_H

#include <stdbool.h>
#include <stdint.h>

#include "il_wire.h"

#ifndef RING_SIZE
#define RING_SIZE 1024u /* a power of two; at most half of what an index can count */
#endif
#if RING_SIZE <= 128u
typedef uint8_t ring_index;
#elif !defined(__AVR__)
typedef uint16_t ring_index;
#else
#error "an 8-bit processor reads 16 bits in two steps, between which an interrupt may come: RING_SIZE <= 128"
#endif

#if RING_SIZE < IL_WIRE_KEPT_WHILE_BUSY
#error "RING_SIZE: a board has to keep IL_WIRE_KEPT_WHILE_BUSY bytes while it works on a frame"
#endif

typedef struct {
    volatile ring_index put;
    volatile ring_index taken;
    volatile uint8_t lost; /* bytes that found no room; stays at 255 */
    volatile uint8_t byte[RING_SIZE];
} ring;

static inline bool ring_is_empty(const ring *r) { return r->put == r->taken; }

static inline void ring_put(ring *r, uint8_t byte) {
    const ring_index put = r->put;
    if ((ring_index)(put - r->taken) < RING_SIZE) {
        r->byte[put & (RING_SIZE - 1u)] = byte;
        r->put = (ring_index)(put + 1u);
    } else if (r->lost < 255u) {
        r->lost = (uint8_t)(r->lost + 1u); /* the frame's CRC will not fit; the host repeats it */
    } else {
        /* more than anyone needs to know */
    }
}

static inline bool ring_take(ring *r, uint8_t *byte) {
    const ring_index taken = r->taken;
    if (r->put == taken) {
        return false;
    }
    *byte = r->byte[taken & (RING_SIZE - 1u)];
    r->taken = (ring_index)(taken + 1u);
    return true;
}

#endif
