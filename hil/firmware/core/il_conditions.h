/* The closed set of trip conditions: true now, certain to stay for how long, pass over scans. */
#ifndef IL_CONDITIONS_H
#define IL_CONDITIONS_H

#include "il_lines.h"
#include "il_table.h"

/* What a condition may look at. */
typedef struct {
    const IL_FLASH il_table *table;
    const il_lines *lines;
    int32_t *memory;  /* the pool */
    uint8_t findings; /* of the core itself */
} il_view;

/* Is it true in this scan? Called once a scan while the row acts. */
bool il_evaluate(const il_view *view, const IL_FLASH il_row *row);

/* For how many further scans is the answer certain to stay? May be too small, never too large. */
int64_t il_quiet(const il_view *view, const IL_FLASH il_row *row);

/* Bring the memory to where so many evaluations would have brought it; the lines are before them. */
void il_pass(const il_view *view, const IL_FLASH il_row *row, int32_t ticks);

/* The machine left the states in which the row acts, or its gate closed. */
void il_leave(const il_view *view, const IL_FLASH il_row *row);

/* A new beam is selected. */
void il_select(const il_view *view, const IL_FLASH il_row *row);

#endif
