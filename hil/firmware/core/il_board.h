/* What every board does after its hardware is set up. */
#ifndef IL_BOARD_H
#define IL_BOARD_H

/* The core starts in its most restrictive state; retained memory is taken over if it is whole. */
void il_board_start(void);

/* Take received bytes, handle at most one frame, kick the watchdog. Damaged memory: permit off, restart. */
void il_board_poll(void);

#endif
