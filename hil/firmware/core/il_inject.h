/* Bits of the core's memory that a test flips at a scan it chooses. Only in builds with IL_INJECT.
 *
 * A test arms `il_injection` from outside: through a debugger on a board, by name in a library. The
 * scans that are counted are those that il_run() works through after its first, between which the memory
 * is sealed.
 */
#ifndef IL_INJECT_H
#define IL_INJECT_H

#ifdef IL_INJECT

#include "il_core.h"

typedef struct {
    uint32_t scans;  /* until it happens; 0: not armed */
    uint16_t offset; /* of the byte in the core, taken modulo its size */
    uint8_t mask;    /* bits to flip */
} il_injection_order;

extern volatile il_injection_order il_injection;

void il_inject_between_scans(il_core *core);

#endif

#endif
