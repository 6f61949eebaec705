FAMILY := cortex_m
CPU := -mcpu=cortex-m3 -mthumb
FLASH_BYTES := 4194304
RAM_BYTES := 4194304
