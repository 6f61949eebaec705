/* Consistent overhead byte stuffing (Cheshire and Baker, 1999): frames without a zero, between zeros. */
#ifndef IL_COBS_H
#define IL_COBS_H

#include <stdbool.h>
#include <stdint.h>

/* Decodes byte by byte into a buffer of the caller. */
typedef struct {
    uint8_t *data;
    uint16_t capacity;
    uint16_t size;     /* decoded so far */
    uint8_t left;      /* bytes of the present block still to come */
    bool zero_due;     /* a zero follows the present block unless the frame ends */
    bool started;
    bool overrun;
} il_cobs;

typedef enum { IL_COBS_MORE, IL_COBS_FRAME, IL_COBS_DAMAGED } il_cobs_event;

void il_cobs_start(il_cobs *cobs, uint8_t *data, uint16_t capacity);

/* Take a byte. IL_COBS_FRAME: `size` bytes of `data` are a frame, until the next byte is taken. */
il_cobs_event il_cobs_take(il_cobs *cobs, uint8_t byte);

/* Encode and end a frame, block by block, without a second buffer. */
void il_cobs_send(const uint8_t *data, uint16_t size, void (*write)(const uint8_t *data, uint16_t size));

#endif
