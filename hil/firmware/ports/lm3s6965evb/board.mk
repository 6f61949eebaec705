FAMILY := cortex_m
CPU := -mcpu=cortex-m3 -mthumb
FLASH_BYTES := 262144
RAM_BYTES := 65536
