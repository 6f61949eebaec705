/* What a board must offer. A port implements these and calls il_board_start() once and
 * il_board_poll() for ever. */
#ifndef IL_PORT_H
#define IL_PORT_H

#include "il_core.h"

/* Next received byte, without waiting. False: there is none. */
bool il_port_read(uint8_t *byte);

/* Waits until it is queued, for a bounded time; what a dead line does not take is lost. */
void il_port_write(const uint8_t *data, uint16_t size);

/* Board clock in microseconds; wraps. */
uint32_t il_port_micros(void);

/* Drives the permit pin. Off after every reset until told otherwise. */
void il_port_permit(bool on);

/* Keeps the hardware watchdog from restarting the board. */
void il_port_kick(void);

/* Restarts the board for real; does not return. */
void il_port_restart(void);

/* Why the board started. A restart of its own counts as the watchdog's. */
il_reset_cause il_port_reset_cause(void);

void il_port_unique_id(uint8_t id[8]);

/* Memory that no reset clears. After power-on it holds anything. */
il_retained *il_port_retained(void);

#endif
