/* The board's side of the wire: frames in, the core run, replies out.
 *
 * Whatever is not exactly right is counted or answered with an error, and never acted upon. A request that
 * is repeated because its reply got lost is not carried out twice: its reply is made again, from memory that
 * only the next request changes. So one buffer serves for the request and then for its reply.
 */
#ifndef IL_LINK_H
#define IL_LINK_H

#include "il_cobs.h"
#include "il_core.h"
#include "il_wire.h"

#ifndef IL_LINK_BUFFER
#define IL_LINK_BUFFER 128 /* longest request, decoded */
#endif
/* Longest reply: WELCOME, or OUTPUTS with its masks. */
#define IL_LINK_OUTPUTS (IL_WIRE_OUTPUTS_FIXED + (IL_WIRE_OUTPUTS_MASK_COUNT * IL_MASK_BYTES))
#define IL_LINK_REPLY                                                                                      \
    (((IL_LINK_OUTPUTS > IL_WIRE_WELCOME_FIXED) ? IL_LINK_OUTPUTS : IL_WIRE_WELCOME_FIXED) + IL_WIRE_CRC)
#define IL_LINK_FRAME (((unsigned)IL_LINK_BUFFER > IL_LINK_REPLY) ? (unsigned)IL_LINK_BUFFER : IL_LINK_REPLY)

/* Who this board is. */
typedef struct {
    const IL_FLASH char *table_digest; /* hexadecimal */
    const IL_FLASH char *build;        /* at most 16 characters count */
    uint8_t unique_id[8];
} il_identity;

typedef enum {
    IL_LINK_IDLE,
    IL_LINK_ANSWERED, /* a frame was handled */
    IL_LINK_RESTART,  /* the host asked for a restart */
    IL_LINK_BROKEN    /* the core's memory is damaged */
} il_link_event;

typedef struct {
    il_core *core;
    il_identity identity;
    il_cobs cobs;
    uint32_t at;          /* scans run since the reset */
    uint32_t scanned;     /* when the last one was, on the clock of the port */
    uint32_t request_crc; /* of the last request taken */
    uint16_t damaged;
    uint8_t sequence; /* of the last request taken */
    uint8_t answer;   /* type of the reply to it */
    uint8_t code;     /* of an ERROR */
    uint16_t detail;  /* of an ERROR; of a WELCOME the damaged frames then */
    bool greeted;
    uint8_t nonce[8];
    uint8_t frame[IL_LINK_FRAME]; /* a request as it arrives, then its reply */
} il_link;

void il_link_start(il_link *link, il_core *core, const il_identity *identity);

/* Take a received byte; a complete frame is handled at once. */
il_link_event il_link_take(il_link *link, uint8_t byte);

#endif
