#include "chip.h"
#include "il_board.h"

int main(void) {
    chip_start();
    il_board_start();
    for (;;) {
        il_board_poll();
        chip_wait();
    }
}
