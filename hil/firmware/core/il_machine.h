/* The treatment-delivery state machine over the rows of a table. */
#ifndef IL_MACHINE_H
#define IL_MACHINE_H

#include "il_core.h"

/* Whether a beam is selected and proven, so that any change of a parameter must end it. */
bool il_in_beam(uint8_t state);

il_view il_machine_view(const il_core *core);
bool il_machine_acts(const il_core *core, const IL_FLASH il_row *row);
bool il_machine_gate_is_open(const il_core *core, const IL_FLASH il_row *row);

/* Whether a row is read but cannot trip, because what it reads is being forced. */
bool il_machine_masked(const il_core *core, uint8_t row);

/* Conditions, debounce, latches. */
void il_machine_evaluate(il_core *core);

/* Choose and take at most one transition; everything a trip asks for comes first. */
void il_machine_step(il_core *core, il_command command);

/* Another state was entered in this scan: rows that no longer act forget what they saw. */
void il_machine_enter(il_core *core, uint8_t before);

/* The row that the proof test is at, or NULL. */
const IL_FLASH il_row *il_machine_proven(const il_core *core);

/* Scans before a phase of the self test or the proof test can end by itself, as long as the row that is
 * being proven answers what it answers now. */
int64_t il_machine_quiet_phase(const il_core *core);

/* Enter a state. */
void il_machine_become(il_core *core, il_state state);

/* Whether state, latches and permit, which are kept twice or follow from others, agree. A bit of them
 * that flips within a scan is sealed with the rest; here it shows. */
bool il_machine_is_sound(const il_core *core);

void il_machine_outputs(const il_core *core, il_outputs *outputs);

#endif
