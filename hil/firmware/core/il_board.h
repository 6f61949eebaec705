/* The firmware's main program, called by every port. */
#ifndef IL_BOARD_H
#define IL_BOARD_H

void il_board_start(void);

/* Take what was received, handle at most one frame, kick the watchdog. */
void il_board_poll(void);

#endif
