/* Where the parts of the core's memory are, for those who flip bits in it from outside: a simulated
 * fault, a campaign. Nothing of it is in a board's program; ports/layout makes a file of it.
 * The order is that of MEMORY_REGIONS in firmware_model/contract.py. */
#ifndef IL_LAYOUT_H
#define IL_LAYOUT_H

#include <stddef.h>

#include "il_core.h"

typedef struct {
    uint16_t retained; /* 1: offset in il_retained, 0: in il_core */
    uint16_t offset;
    uint16_t size;
} il_span;

#define IL_SPAN(retained, type, first, last)                                                               \
    {(retained), (uint16_t)offsetof(type, first),                                                          \
     (uint16_t)(offsetof(type, last) + sizeof(((type *)0)->last) - offsetof(type, first))}

/* First where the core says that its retained memory is, then the regions. */
#define IL_LAYOUT                                                                                          \
    {                                                                                                      \
        IL_SPAN(0, il_core, retained, retained), IL_SPAN(0, il_core, table, retained_again),               \
            IL_SPAN(0, il_core, lines, lines),                                                             \
            IL_SPAN(0, il_core, memory, count), IL_SPAN(0, il_core, tripped, reply_blocked_by),            \
            IL_SPAN(0, il_core, outputs, changed), IL_SPAN(0, il_core, seal, seal),                        \
            IL_SPAN(1, il_retained, latched, local_due), IL_SPAN(1, il_retained, magic, crc)               \
    }

#endif
