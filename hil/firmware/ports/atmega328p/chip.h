/* The ATmega328P beside what il_port.h asks for: setting it up, and waiting. */
#ifndef CHIP_H
#define CHIP_H

/* Pins, clock (timer 1), USART0 and watchdog; the permit is off. First of all, once. */
void chip_start(void);

/* Sleep until the next interrupt, unless something has been received already. */
void chip_wait(void);

#endif
