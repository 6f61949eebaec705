FAMILY := cortex_m
CPU := -mcpu=cortex-m4 -mthumb -mfloat-abi=soft
FLASH_BYTES := 1048576
RAM_BYTES := 131072
