# The ATmega328P of an Arduino Uno with Arduino's core around it.
include ports/atmega328p/board.mk
SHARED := ports/atmega328p
NOT_BUILT := ports/atmega328p/main.c
# The boot loader has the last 512 bytes.
FLASH_BYTES := 32256
