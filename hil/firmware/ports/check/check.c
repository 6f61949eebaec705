/* A program in place of the board's own, to try a port: clock, UART, watchdog, restart and retained
 * memory, with a terminal or with tests/boards. Lines of text in, one line back:
 *
 *     any text    the text, a blank and its CRC-32 in hexadecimal
 *     !micros     the board's clock
 *     !restart    restarts the board
 *     !hang       stops kicking the watchdog
 *     !trip       a permit, taken back after 1 ms: the pin's pulse for an oscilloscope
 *
 * At every start it says "boot", boots so far, cause and unique id, in hexadecimal.
 */
#include <string.h>

#include "il_board.h"
#include "il_crc.h"
#include "il_port.h"
#include "il_table_data.h"

#define LONGEST 64u

static il_core core;
static char line[LONGEST];
static uint8_t length;

static void say_hex(uint32_t value, uint8_t digits) {
    for (uint8_t i = digits; i > 0u; i--) {
        const uint8_t nibble = (uint8_t)((value >> (4 * (i - 1))) & 0xFu);
        const uint8_t digit = (uint8_t)(nibble + ((nibble < 10u) ? (uint8_t)'0' : (uint8_t)('A' - 10)));
        il_port_write(&digit, 1);
    }
}

static void say(const char *text, uint8_t size) { il_port_write((const uint8_t *)text, size); }

static bool is(const char *command) {
    return (strlen(command) == length) && (memcmp(line, command, length) == 0);
}

void il_board_start(void) {
    uint8_t id[8];
    /* The core, so that boots are counted by what counts them in the real program. */
    il_reset(&core, &il_table_data, il_port_retained(), il_port_reset_cause());
    il_port_unique_id(id);
    say("boot ", 5);
    say_hex(il_port_retained()->boots, 8);
    say(" ", 1);
    say_hex((uint32_t)il_port_reset_cause(), 2);
    say(" ", 1);
    for (uint8_t i = 0; i < 8u; i++) {
        say_hex(id[i], 2);
    }
    say("\n", 1);
}

static void pulse(void) {
    const uint32_t since = il_port_micros();
    il_port_permit(true);
    while ((il_port_micros() - since) < 1000u) {
        /* the clock goes on by interrupt */
    }
    il_port_permit(false);
}

static void answer(void) {
    if (is("!restart")) {
        il_port_restart();
    }
    while (is("!hang")) {
        /* the watchdog ends this */
    }
    if (is("!trip")) {
        pulse();
    }
    if (is("!micros")) {
        say_hex(il_port_micros(), 8);
    } else {
        say(line, length);
        say(" ", 1);
        say_hex(il_crc(line, length), 8);
    }
    say("\n", 1);
}

void il_board_poll(void) {
    uint8_t byte;
    il_port_kick();
    while (il_port_read(&byte)) {
        if (byte == (uint8_t)'\n') {
            answer();
            length = 0;
            return;
        }
        if (length < LONGEST) {
            line[length] = (char)byte;
            length++;
        }
    }
}
