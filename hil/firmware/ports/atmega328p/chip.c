/* ATmega328P at 16 MHz (Arduino Uno). USART0 (D0, D1), permit on PB0 (D8; not D13, whose LED the
 * bootloader flashes). Registers: Microchip DS40002061, ATmega48A/PA/88A/PA/168A/PA/328/P. */
#include <avr/eeprom.h>
#include <avr/interrupt.h>
#include <avr/io.h>
#include <avr/sleep.h> /* sleep_cpu */
#include <avr/wdt.h>

#include "chip.h"
#include "il_port.h"
#include "ring.h"

#define PERMIT (1u << PORTB0)
/* 500 000 baud: exact at 16 MHz, and the most an Uno's USB side keeps up with. */
#define BAUD_DIVISOR 3u
#define HALF_US_PER_TICK 2000u
/* How long a byte may wait for room: 20 us at this baud rate; only dead hardware takes longer.
 * Engineering default. */
#define SEND_LIMIT_US 10000uL

static ring received;
static volatile uint32_t ticks;

/* Not cleared by start-up code. */
static il_retained retained __attribute__((section(".noinit")));
static uint8_t reset_flags;

ISR(USART_RX_vect) { ring_put(&received, UDR0); }

ISR(TIMER1_COMPA_vect) { ticks = ticks + 1u; }

uint32_t il_port_micros(void) {
    const uint8_t interrupts = SREG;
    cli();
    uint32_t now = ticks;
    const uint16_t half_us = TCNT1;
    /* The timer may have begun anew with its interrupt still waiting. */
    if (((TIFR1 & (1u << OCF1A)) != 0u) && (half_us < (HALF_US_PER_TICK / 2u))) {
        now += 1u;
    }
    SREG = interrupts;
    return (now * 1000u) + (half_us / 2u);
}

bool il_port_read(uint8_t *byte) { return ring_take(&received, byte); }

void il_port_write(const uint8_t *data, uint16_t size) {
    for (uint16_t i = 0; i < size; i++) {
        const uint32_t since = il_port_micros();
        while ((UCSR0A & (1u << UDRE0)) == 0u) {
            if ((il_port_micros() - since) > SEND_LIMIT_US) {
                return;
            }
        }
        UDR0 = data[i];
    }
}

void il_port_permit(bool on) {
    if (on) {
        PORTB |= PERMIT;
    } else {
        PORTB &= (uint8_t)~PERMIT;
    }
}

void il_port_kick(void) { wdt_reset(); }

void il_port_restart(void) {
    cli();
    il_port_permit(false);
    wdt_enable(WDTO_15MS);
    for (;;) {
        /* the watchdog ends this */
    }
}

il_reset_cause il_port_reset_cause(void) {
    if ((reset_flags & (1u << WDRF)) != 0u) {
        return IL_RESET_WATCHDOG;
    }
    return ((reset_flags & (1u << EXTRF)) != 0u) ? IL_RESET_EXTERNAL : IL_RESET_POWER;
}

il_retained *il_port_retained(void) { return &retained; }

/* The chip has no number of its own: whoever has several writes one into the first bytes of the EEPROM. */
void il_port_unique_id(uint8_t id[8]) {
    static const IL_FLASH char name[8] = {'A', 'T', 'M', 'E', 'G', 'A', '3', '2'};
    uint8_t blank = 0xFF;
    for (uint8_t i = 0; i < 8u; i++) {
        id[i] = eeprom_read_byte((const uint8_t *)(uintptr_t)i);
        blank = (uint8_t)(blank & id[i]);
    }
    for (uint8_t i = 0; (i < 8u) && (blank == 0xFFu); i++) {
        id[i] = (uint8_t)name[i];
    }
}

void chip_start(void) {
    /* After a watchdog reset the watchdog runs on with its shortest time, 15 ms. Clearing memory before
     * main() takes less than one. */
    reset_flags = MCUSR;
    MCUSR = 0;
    wdt_disable();
    il_port_permit(false);
    DDRB |= PERMIT;
    TCCR1A = 0;
    TCCR1B = (1u << WGM12) | (1u << CS11); /* from 0 to OCR1A in half microseconds */
    OCR1A = HALF_US_PER_TICK - 1u;
    TIMSK1 = (1u << OCIE1A);
    UBRR0 = BAUD_DIVISOR;
    UCSR0A = (1u << U2X0);
    UCSR0C = (1u << UCSZ01) | (1u << UCSZ00);
    UCSR0B = (1u << RXCIE0) | (1u << RXEN0) | (1u << TXEN0);
    wdt_enable(WDTO_1S); /* engineering default */
    sei();
}

void chip_wait(void) {
    cli();
    if (ring_is_empty(&received)) {
        SMCR = (1u << SE); /* idle: timer and UART run on */
        sei(); /* takes effect after the next instruction: no interrupt comes before the sleep */
        sleep_cpu();
        SMCR = 0;
    }
    sei();
}
