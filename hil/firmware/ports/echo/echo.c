/* A program in place of the board's own that sends back what it receives, up to each zero. What an exchange
 * of frames costs beside it is the firmware's share; the rest is the link's. */
#include "il_board.h"
#include "il_port.h"

#define LONGEST 200u

static uint8_t frame[LONGEST];
static uint8_t size;

void il_board_start(void) { il_port_permit(false); }

void il_board_poll(void) {
    uint8_t byte;
    il_port_kick();
    while (il_port_read(&byte)) {
        if (size < LONGEST) {
            frame[size] = byte;
            size++;
        }
        if (byte == 0u) {
            il_port_write(frame, size);
            size = 0;
        }
    }
}
