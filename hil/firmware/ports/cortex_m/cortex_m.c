#include "cortex_m.h"

#include "il_board.h"
#include "il_port.h"

#define SYST_CSR REGISTER(0xE000E010uL)
#define SYST_RVR REGISTER(0xE000E014uL)
#define SYST_CVR REGISTER(0xE000E018uL)
#define SYST_ENABLE 1u
#define SYST_TICKINT 2u
#define SYST_CLKSOURCE 4u /* the processor's own clock */
#define NVIC_ISER(n) REGISTER(0xE000E100uL + (4u * (n)))
#define AIRCR REGISTER(0xE000ED0CuL)
#define AIRCR_VECTKEY 0x05FA0000uL
#define AIRCR_SYSRESETREQ 4u

#define US_PER_TICK 1000u

/* How long a byte may wait for room. Far longer than any baud rate needs: only a line that is not
 * read at all takes longer. Engineering default. */
#define SEND_LIMIT_US 100000u

#define MARK 0x6B657074uL
#define NOTHING 0x00C0FFEEuL
#define FAILURE 0x0BADBEEFuL

/* Not cleared by any start-up code (section .noinit); holds anything after power-on. */
typedef struct {
    uint32_t mark;
    uint32_t note; /* left by the run before */
    il_retained retained;
} kept;

static kept outlives __attribute__((section(".noinit")));

ring cortex_received;

static il_reset_cause cause;
static uint32_t cycles_per_us;
static volatile uint32_t ticks;

/* ---- clock ------------------------------------------------------------------------------------- */

void cortex_systick(void);
void cortex_systick(void) { ticks = ticks + 1u; }

void cortex_start_clock(uint32_t cycles) {
    cycles_per_us = cycles;
    SYST_RVR = (cycles * US_PER_TICK) - 1u;
    SYST_CVR = 0;
    SYST_CSR = SYST_ENABLE | SYST_TICKINT | SYST_CLKSOURCE;
}

/* The counter falls to 0 and the tick is counted a moment later, so between two looks at the ticks
 * they may step; then look again. Twice in a row takes a whole tick, so a few looks are enough. */
uint32_t il_port_micros(void) {
    uint32_t now = ticks;
    uint32_t left = SYST_CVR;
    for (uint8_t looks = 0; (now != ticks) && (looks < 3u); looks++) {
        now = ticks;
        left = SYST_CVR;
    }
    return (now * US_PER_TICK) + ((US_PER_TICK - 1u) - (left / cycles_per_us));
}

/* ---- restart ----------------------------------------------------------------------------------- */

static void note_start(void) {
    if (outlives.mark != MARK) {
        cause = IL_RESET_POWER;
    } else if ((outlives.note == FAILURE) || board_watchdog_bit()) {
        cause = IL_RESET_WATCHDOG;
    } else {
        cause = IL_RESET_EXTERNAL;
    }
    outlives.mark = MARK;
    outlives.note = NOTHING;
}

void cortex_note_failure(void) {
    il_port_permit(false);
    outlives.note = FAILURE;
}

void il_port_restart(void) {
    cortex_note_failure();
    __asm volatile("dsb" ::: "memory");
    AIRCR = AIRCR_VECTKEY | AIRCR_SYSRESETREQ;
    for (;;) {
        /* the reset takes a few cycles to come */
    }
}

il_reset_cause il_port_reset_cause(void) { return cause; }

il_retained *il_port_retained(void) { return &outlives.retained; }

/* ---- bytes ------------------------------------------------------------------------------------- */

void cortex_enable_interrupt(uint32_t number) { NVIC_ISER(number / 32u) = 1uL << (number % 32u); }

bool il_port_read(uint8_t *byte) { return ring_take(&cortex_received, byte); }

void il_port_write(const uint8_t *data, uint16_t size) {
    for (uint16_t i = 0; i < size; i++) {
        const uint32_t since = il_port_micros();
        while (!board_send(data[i])) {
            if ((il_port_micros() - since) > SEND_LIMIT_US) {
                return; /* nobody reads: the host repeats its request when it is back */
            }
        }
    }
}

/* A byte that comes between the look at the ring and the sleep still ends it: with interrupts masked
 * a pending one wakes the processor, and is served after they are unmasked. */
static void sleep_if_idle(void) {
    __asm volatile("cpsid i" ::: "memory");
    if (ring_is_empty(&cortex_received)) {
        __asm volatile("wfi" ::: "memory");
    }
    __asm volatile("cpsie i" ::: "memory");
}

int main(void) {
    note_start();
    board_start();
    il_board_start();
    for (;;) {
        il_board_poll();
        sleep_if_idle();
    }
}
