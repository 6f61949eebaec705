/* What a board's port offers the core; each port implements all of it. */
#ifndef IL_PORT_H
#define IL_PORT_H

#include "il_core.h"

bool il_port_read(uint8_t *byte);                        /* next received byte, without waiting */
void il_port_write(const uint8_t *data, uint16_t size);  /* waits until it is queued; bounded */
uint32_t il_port_micros(void);                           /* board clock, wraps */
void il_port_permit(bool on);                            /* drives the permit pin */
void il_port_kick(void);                                 /* hardware watchdog */
void il_port_restart(void);                              /* reset the board for real; does not return */
il_reset_cause il_port_reset_cause(void);
void il_port_unique_id(uint8_t id[8]);
il_retained *il_port_retained(void);                     /* memory that no reset clears (.noinit) */

#endif
