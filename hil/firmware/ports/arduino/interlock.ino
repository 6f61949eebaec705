/* The interlock firmware as a sketch for an Arduino Uno: D0 and D1 at 500 000 baud, permit on D8.
 *
 * Nothing here may use Serial: the firmware has the UART for itself. Timer 1 is the firmware's clock, so
 * neither Servo nor analogWrite() on D9 and D10. Timer 0, millis() and delay() stay Arduino's. */
extern "C" {
#include "chip.h"
#include "il_board.h"
}

void setup() {
    chip_start();
    il_board_start();
}

void loop() {
    il_board_poll();
    chip_wait();
}
