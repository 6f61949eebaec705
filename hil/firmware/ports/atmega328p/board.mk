FAMILY := avr
# Named address spaces (__flash) are an extension of C, so gnu99 and, where they are named, no -pedantic.
STANDARD := -std=gnu99
CPU := -mmcu=atmega328p
# Signals moving at once: 11 in the busiest of the scenarios. 68 bytes are a request of 4 changes.
# A scan of the reference table can take several milliseconds.
DEFINES := -DF_CPU=16000000UL -DRING_SIZE=32u -DIL_MAX_MOVING=13 -DIL_LINK_BUFFER=68 -DIL_FULL_SCANS=4
# Small first: shared prologues, short jumps, and nothing inlined, which also keeps the frames of the
# callers small. The last three were found by trying: each makes it smaller with avr-gcc 5.4.
OPTIMISE := -mcall-prologues -mrelax -fno-inline-small-functions -fno-inline-functions-called-once \
    -fno-ipa-sra -fno-partial-inlining -fno-move-loop-invariants -mstrict-X -fno-jump-tables
FLASH_BYTES := 32768
RAM_BYTES := 2048
# Left over when every call is at its deepest and an interrupt comes then.
RAM_FREE_PERCENT := 25
