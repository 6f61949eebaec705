/* From reset to main(): the vectors every Cortex-M has, memory, and what to do on a fault.
 * The board adds its interrupts in section .board_vectors, which follows at exception 16. */
#include <stdint.h>

#include "cortex_m.h"
#include "il_port.h"

extern uint32_t start_of_data[], end_of_data[], load_of_data[], start_of_bss[], end_of_bss[], end_of_stack[];

int main(void);
void cortex_systick(void);
void cortex_reset(void);

/* A fault means that nothing in memory can be trusted: permit off, start anew. */
static void fault(void) { il_port_restart(); }

/* Boards whose watchdog announces itself do so by NMI; the restart follows by itself if the watchdog
 * still runs, and is asked for if it does not. */
static void nmi(void) { il_port_restart(); }

void cortex_reset(void) {
    const uint32_t *from = load_of_data;
    for (uint32_t *to = start_of_data; to < end_of_data; to++) {
        *to = *from;
        from++;
    }
    for (uint32_t *to = start_of_bss; to < end_of_bss; to++) {
        *to = 0;
    }
    (void)main();
    for (;;) {
        /* main() does not return */
    }
}

typedef void (*handler)(void);

typedef struct {
    uint32_t *stack;
    handler exception[15];
} vectors;

static const vectors table __attribute__((section(".vectors"), used)) = {
    .stack = end_of_stack,
    .exception =
        {
            [0] = cortex_reset,
            [1] = nmi,
            [2] = fault,  /* hard fault */
            [3] = fault,  /* memory management */
            [4] = fault,  /* bus */
            [5] = fault,  /* usage */
            [10] = fault, /* SVCall: not used */
            [11] = fault, /* debug monitor: not used */
            [13] = fault, /* PendSV: not used */
            [14] = cortex_systick,
        },
};
