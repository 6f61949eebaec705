/* Generated from the message table by `interlock board codegen`; do not edit. */
#ifndef IL_WIRE_H
#define IL_WIRE_H

#define IL_WIRE_PROTOCOL 1u
#define IL_WIRE_HEADER 2u
#define IL_WIRE_CRC 4u
#define IL_WIRE_CHANGE 13u
#define IL_WIRE_KEPT_WHILE_BUSY 24u

/* Error codes. */
#define IL_WIRE_DAMAGED 1u
#define IL_WIRE_UNKNOWN_TYPE 2u
#define IL_WIRE_BAD_LENGTH 3u
#define IL_WIRE_BAD_SEQUENCE 4u
#define IL_WIRE_NOT_GREETED 5u
#define IL_WIRE_WRONG_TICK 6u
#define IL_WIRE_BAD_VALUE 7u
#define IL_WIRE_REFUSED 8u
#define IL_WIRE_STALE_RESET 9u

/* HELLO: offsets in the decoded frame. */
#define IL_WIRE_HELLO 0x01u
#define IL_WIRE_HELLO_FIXED 10u
#define IL_WIRE_HELLO_NONCE 2u

/* SET: offsets in the decoded frame. */
#define IL_WIRE_SET 0x02u
#define IL_WIRE_SET_FIXED 7u
#define IL_WIRE_SET_AT 2u
#define IL_WIRE_SET_CHANGES 6u

/* RUN: offsets in the decoded frame. */
#define IL_WIRE_RUN 0x03u
#define IL_WIRE_RUN_FIXED 12u
#define IL_WIRE_RUN_AT 2u
#define IL_WIRE_RUN_TICKS 6u
#define IL_WIRE_RUN_COMMAND 10u
#define IL_WIRE_RUN_CHANGES 11u

/* RESET: offsets in the decoded frame. */
#define IL_WIRE_RESET 0x04u
#define IL_WIRE_RESET_FIXED 6u
#define IL_WIRE_RESET_BOOTS 2u
#define IL_WIRE_RESET_CAUSE 4u
#define IL_WIRE_RESET_FORGET 5u

/* READ_RETAINED: offsets in the decoded frame. */
#define IL_WIRE_READ_RETAINED 0x05u
#define IL_WIRE_READ_RETAINED_FIXED 2u

/* READ_OUTPUTS: offsets in the decoded frame. */
#define IL_WIRE_READ_OUTPUTS 0x06u
#define IL_WIRE_READ_OUTPUTS_FIXED 2u

/* WELCOME: offsets in the decoded frame. */
#define IL_WIRE_WELCOME 0x81u
#define IL_WIRE_WELCOME_FIXED 61u
#define IL_WIRE_WELCOME_BOOTS 2u
#define IL_WIRE_WELCOME_NONCE 4u
#define IL_WIRE_WELCOME_PROTOCOL 12u
#define IL_WIRE_WELCOME_TABLE 13u
#define IL_WIRE_WELCOME_SIGNALS 21u
#define IL_WIRE_WELCOME_ROWS 22u
#define IL_WIRE_WELCOME_BUILD 23u
#define IL_WIRE_WELCOME_UNIQUE_ID 39u
#define IL_WIRE_WELCOME_BOOT_COUNT 47u
#define IL_WIRE_WELCOME_CAUSE 51u
#define IL_WIRE_WELCOME_AT 52u
#define IL_WIRE_WELCOME_MAX_CHANGES 56u
#define IL_WIRE_WELCOME_RECEIVE_SIZE 57u
#define IL_WIRE_WELCOME_DAMAGED 59u

/* SET_DONE: offsets in the decoded frame. */
#define IL_WIRE_SET_DONE 0x82u
#define IL_WIRE_SET_DONE_FIXED 8u
#define IL_WIRE_SET_DONE_BOOTS 2u
#define IL_WIRE_SET_DONE_AT 4u

/* OUTPUTS: offsets in the decoded frame. */
#define IL_WIRE_OUTPUTS 0x83u
#define IL_WIRE_OUTPUTS_FIXED 19u
#define IL_WIRE_OUTPUTS_MASK_COUNT 3u
#define IL_WIRE_OUTPUTS_BOOTS 2u
#define IL_WIRE_OUTPUTS_AT 4u
#define IL_WIRE_OUTPUTS_STATE 8u
#define IL_WIRE_OUTPUTS_PERMIT 9u
#define IL_WIRE_OUTPUTS_MOTION 10u
#define IL_WIRE_OUTPUTS_POWER 11u
#define IL_WIRE_OUTPUTS_TEST_LINE 12u
#define IL_WIRE_OUTPUTS_FIRST_UP 13u
#define IL_WIRE_OUTPUTS_REPLY_COMMAND 15u
#define IL_WIRE_OUTPUTS_REPLY_ACCEPTED 16u
#define IL_WIRE_OUTPUTS_REPLY_BLOCKED_BY 17u
#define IL_WIRE_OUTPUTS_MASKS 19u

/* RETAINED: offsets in the decoded frame. */
#define IL_WIRE_RETAINED 0x85u
#define IL_WIRE_RETAINED_FIXED 15u
#define IL_WIRE_RETAINED_MASK_COUNT 2u
#define IL_WIRE_RETAINED_BOOTS 2u
#define IL_WIRE_RETAINED_BOOT_COUNT 4u
#define IL_WIRE_RETAINED_CAUSE 8u
#define IL_WIRE_RETAINED_METERSET 9u
#define IL_WIRE_RETAINED_FIRST_UP 13u
#define IL_WIRE_RETAINED_MASKS 15u

/* ERROR: offsets in the decoded frame. */
#define IL_WIRE_ERROR 0xFFu
#define IL_WIRE_ERROR_FIXED 7u
#define IL_WIRE_ERROR_BOOTS 2u
#define IL_WIRE_ERROR_CODE 4u
#define IL_WIRE_ERROR_DETAIL 5u

#endif
