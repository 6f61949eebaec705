/* Sets of interlocks. */
#ifndef IL_MASK_H
#define IL_MASK_H

#include "il_types.h"

static inline bool il_has(const il_mask *mask, uint8_t row) {
    return (mask->byte[row >> 3] & (uint8_t)(1u << (row & 7u))) != 0u;
}

static inline void il_add(il_mask *mask, uint8_t row) {
    mask->byte[row >> 3] = (uint8_t)(mask->byte[row >> 3] | (uint8_t)(1u << (row & 7u)));
}

static inline void il_remove(il_mask *mask, uint8_t row) {
    mask->byte[row >> 3] = (uint8_t)(mask->byte[row >> 3] & (uint8_t)~(1u << (row & 7u)));
}

static inline void il_clear(il_mask *mask) {
    for (uint8_t i = 0; i < IL_MASK_BYTES; i++) {
        mask->byte[i] = 0;
    }
}

static inline bool il_any(const il_mask *mask) {
    uint8_t all = 0;
    for (uint8_t i = 0; i < IL_MASK_BYTES; i++) {
        all = (uint8_t)(all | mask->byte[i]);
    }
    return all != 0u;
}

static inline bool il_same(const il_mask *a, const il_mask *b) {
    uint8_t differing = 0;
    for (uint8_t i = 0; i < IL_MASK_BYTES; i++) {
        differing = (uint8_t)(differing | (a->byte[i] ^ b->byte[i]));
    }
    return differing == 0u;
}

#endif
