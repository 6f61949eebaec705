/* A port of the firmware that is in the hands of a test: wire, clock, pins and retained memory.
 *
 * Nothing here waits and nothing reads a clock of the computer, so what a board does is the same every
 * time. A restart is only noted; the test then calls bench_start(), as the hardware would call main().
 */
#include <stddef.h>
#include <string.h>

#include "il_board.h"
#include "il_port.h"

#define IN_SIZE 65536u
#define OUT_SIZE 1048576u
#define LOG_SIZE 4096u

typedef struct {
    uint32_t micros;        /* the board's clock */
    uint32_t micros_a_look; /* what it gains whenever the firmware looks at it */
    uint32_t kicks;
    uint32_t restarts;
    uint32_t in_size, in_taken;
    uint32_t out_size;
    uint32_t flip_at_look; /* a bit of retained memory flips at so many looks at the clock from now; 0: none */
    uint32_t log_size; /* 'P' permit on, 'p' permit off, 'w' bytes written, 'r' restart, 'k' watchdog */
    uint8_t permit;
    uint8_t cause;
    uint8_t unique_id[8];
    uint8_t in[IN_SIZE];
    uint8_t out[OUT_SIZE];
    char log[LOG_SIZE];
} bench_state;

bench_state bench;
il_retained bench_retained;

uint32_t bench_retained_size(void) { return (uint32_t)sizeof bench_retained; }
/* The seal is last; what follows it is only there to align the next core. */
uint32_t bench_core_size(void) { return (uint32_t)(offsetof(il_core, seal) + sizeof(uint32_t)); }

/* The first events since the test emptied the log; a long run has too many to keep them all. */
static void note(char event) {
    if (bench.log_size < LOG_SIZE) {
        bench.log[bench.log_size] = event;
        bench.log_size++;
    }
}

bool il_port_read(uint8_t *byte) {
    if (bench.in_taken == bench.in_size) {
        return false;
    }
    *byte = bench.in[bench.in_taken];
    bench.in_taken++;
    return true;
}

void il_port_write(const uint8_t *data, uint16_t size) {
    for (uint16_t i = 0; (i < size) && (bench.out_size < OUT_SIZE); i++) {
        bench.out[bench.out_size] = data[i];
        bench.out_size++;
    }
    note('w');
}

uint32_t il_port_micros(void) {
    bench.micros += bench.micros_a_look;
    if (bench.flip_at_look > 0u) {
        bench.flip_at_look--;
        if (bench.flip_at_look == 0u) {
            bench_retained.meterset ^= 1;
        }
    }
    return bench.micros;
}

void il_port_permit(bool on) {
    bench.permit = on ? 1u : 0u;
    note(on ? 'P' : 'p');
}

void il_port_kick(void) {
    bench.kicks++;
    note('k');
}

void il_port_restart(void) {
    bench.restarts++;
    note('r');
}

il_reset_cause il_port_reset_cause(void) { return (il_reset_cause)bench.cause; }

void il_port_unique_id(uint8_t id[8]) { (void)memcpy(id, bench.unique_id, sizeof bench.unique_id); }

il_retained *il_port_retained(void) { return &bench_retained; }

void bench_start(void) { il_board_start(); }

void bench_poll(void) { il_board_poll(); }
