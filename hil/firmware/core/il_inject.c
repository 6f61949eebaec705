#include "il_inject.h"

#ifdef IL_INJECT

volatile il_injection_order il_injection;

void il_inject_between_scans(il_core *core) {
    const uint32_t scans = il_injection.scans;
    if (scans > 0u) {
        il_injection.scans = scans - 1u;
        if (scans == 1u) {
            uint8_t *byte = (uint8_t *)core;
            const uint16_t at = (uint16_t)(il_injection.offset % sizeof *core);
            byte[at] = (uint8_t)(byte[at] ^ il_injection.mask);
        }
    }
}

#else

/* C has no empty source files. */
typedef int il_inject_nothing;

#endif
