FAMILY := cortex_m
CPU := -mcpu=cortex-m4 -mthumb -mfloat-abi=soft
FLASH_BYTES := 1048576
RAM_BYTES := 131072
# A whole set of the reference table's signals is two requests.
DEFINES := -DIL_LINK_BUFFER=640 -DIL_FULL_SCANS=64
