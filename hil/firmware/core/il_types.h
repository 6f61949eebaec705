/* Types shared by the whole interlock core.
 *
 * Everything is an integer. A signal is a line over scans: a 32.16 fixed-point value (48 bits) and a
 * slope a scan in the same format; the controller sees whole counts, rounded down.
 */
#ifndef IL_TYPES_H
#define IL_TYPES_H

#include <stdbool.h>
#include <stdint.h>

/* Tables stay in flash. On AVR that is an address space of its own. */
#if defined(__AVR__)
#define IL_FLASH __flash
#else
#define IL_FLASH
#endif

/* Capacity of a build. A board is built for one table (IL_ONE_TABLE) and has just what that needs;
 * the library for a computer takes any table. */
#ifdef IL_ONE_TABLE
#include "il_config.h"
#endif
#ifndef IL_MAX_SIGNALS
#define IL_MAX_SIGNALS 254
#endif
#ifndef IL_MAX_ROWS
#define IL_MAX_ROWS 254
#endif
#ifndef IL_MAX_MOVING
#define IL_MAX_MOVING IL_MAX_SIGNALS
#endif
#ifndef IL_MAX_COUNTERS /* rows with a debounce of more than one scan */
#define IL_MAX_COUNTERS IL_MAX_ROWS
#endif
#ifndef IL_MAX_MEMORY /* words of condition memory */
#define IL_MAX_MEMORY 2048
#endif

#define IL_FRACTION_BITS 16u
#define IL_ONE ((int64_t)65536)                 /* a count, in 32.16 fixed point */
#define IL_HIGHEST ((int64_t)0x7FFFFFFFFFFF)    /* of 48 bits */
#define IL_LOWEST (-IL_HIGHEST - 1)
#define IL_MASK_BYTES (((unsigned)IL_MAX_ROWS + 7u) / 8u)
#define IL_NONE 0xFFu
#define IL_FOREVER ((int64_t)0x10000000000) /* scans */

/* One bit per interlock, in table order. */
typedef struct {
    uint8_t byte[IL_MASK_BYTES];
} il_mask;

typedef enum {
    IL_OFF = 0,
    IL_SELF_TEST = 1,
    IL_STANDBY = 2,
    IL_PREPARATORY = 3,
    IL_CHECK = 4,
    IL_READY = 5,
    IL_IRRADIATION = 6,
    IL_HOLD = 7,
    IL_INTERRUPTED = 8,
    IL_TERMINATED = 9,
    IL_EMERGENCY = 10
} il_state;

typedef enum {
    IL_NO_COMMAND = 0,
    IL_POWER_ON = 1,
    IL_PREPARE = 2,
    IL_STAND_BY = 3,
    IL_BEGIN_CHECK = 4,
    IL_BEAM_ON = 5,
    IL_INTERRUPT = 6,
    IL_RESUME = 7,
    IL_TERMINATE = 8,
    IL_ACKNOWLEDGE = 9,
    IL_STAND_DOWN = 10,
    IL_RESTART = 11,
    IL_RESET_LOCAL = 12,
    IL_RESET_OPERATOR = 13,
    IL_RESET_PHYSICS = 14,
    IL_COMMANDS = 15
} il_command;

/* What a tripped interlock does to a beam, in rising order of severity. */
typedef enum {
    IL_STOP_COMPLETE = 0,
    IL_STOP_HOLD = 1,
    IL_STOP_INTERRUPT = 2,
    IL_STOP_TERMINATE = 3,
    IL_STOP_EMERGENCY = 4
} il_stop;

/* Who may clear a tripped interlock once its cause is gone. */
typedef enum { IL_LATCH_NONE = 0, IL_LATCH_OPERATOR = 1, IL_LATCH_PHYSICS = 2, IL_LATCH_LOCAL = 3 } il_latch;

typedef enum { IL_RESET_POWER = 0, IL_RESET_WATCHDOG = 1, IL_RESET_EXTERNAL = 2 } il_reset_cause;

#endif
