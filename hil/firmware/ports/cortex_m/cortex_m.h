/* What all Cortex-M boards share: start, system tick, restart, memory that outlives a reset.
 * Register names and addresses: ARMv7-M Architecture Reference Manual (ARM DDI 0403E), B3.2 and B3.3. */
#ifndef CORTEX_M_H
#define CORTEX_M_H

#include <stdbool.h>
#include <stdint.h>

#include "ring.h"

#define REGISTER(address) (*(volatile uint32_t *)(uintptr_t)(address))

/* Bytes the board's receive interrupt has put there. */
extern ring cortex_received;

/* Start the microsecond clock; the processor runs at so many cycles a microsecond. */
void cortex_start_clock(uint32_t cycles_per_us);

void cortex_enable_interrupt(uint32_t number);

/* The watchdog is about to restart the board, or a fault is being handled: permit off, and note it
 * for the next start. */
void cortex_note_failure(void);

/* ---- by the board ------------------------------------------------------------------------------ */

/* Clocks, pins, UART and watchdog; permit off first. */
void board_start(void);

/* One byte into the transmitter. False: no room now. */
bool board_send(uint8_t byte);

/* Whether the hardware says that its watchdog caused this start. Boards without such a register: false. */
bool board_watchdog_bit(void);

#endif
