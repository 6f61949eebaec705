/* Received bytes between an interrupt, which puts, and the main loop, which takes.
 *
 * Each side writes one index only and an index is one byte, so neither has to lock the other out.
 */
#ifndef RING_H
#define RING_H

#include <stdbool.h>
#include <stdint.h>

#ifndef RING_SIZE
#define RING_SIZE 128u /* a power of two, at most 128: indices count freely in one byte */
#endif

typedef struct {
    volatile uint8_t put;
    volatile uint8_t taken;
    volatile uint8_t lost; /* bytes that found no room; stays at 255 */
    volatile uint8_t byte[RING_SIZE];
} ring;

static inline bool ring_is_empty(const ring *r) { return r->put == r->taken; }

static inline void ring_put(ring *r, uint8_t byte) {
    const uint8_t put = r->put;
    if ((uint8_t)(put - r->taken) < RING_SIZE) {
        r->byte[put & (RING_SIZE - 1u)] = byte;
        r->put = (uint8_t)(put + 1u);
    } else if (r->lost < 255u) {
        r->lost = (uint8_t)(r->lost + 1u); /* the frame's CRC will not fit; the host repeats it */
    } else {
        /* more than anyone needs to know */
    }
}

static inline bool ring_take(ring *r, uint8_t *byte) {
    const uint8_t taken = r->taken;
    if (r->put == taken) {
        return false;
    }
    *byte = r->byte[taken & (RING_SIZE - 1u)];
    r->taken = (uint8_t)(taken + 1u);
    return true;
}

#endif
