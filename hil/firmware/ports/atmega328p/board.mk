FAMILY := avr
# Named address spaces (__flash) are an extension of C, so gnu99 and, where they are named, no -pedantic.
STANDARD := -std=gnu99
CPU := -mmcu=atmega328p
DEFINES := -DF_CPU=16000000UL -DRING_SIZE=64u -DIL_MAX_MOVING=24
FLASH_BYTES := 32768
RAM_BYTES := 2048
# Left over when every call is at its deepest and an interrupt comes then.
RAM_FREE_PERCENT := 25
