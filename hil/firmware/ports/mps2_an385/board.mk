FAMILY := cortex_m
CPU := -mcpu=cortex-m3 -mthumb
FLASH_BYTES := 4194304
RAM_BYTES := 4194304
# A whole set of the reference table's signals is two requests.
DEFINES := -DIL_LINK_BUFFER=640 -DIL_FULL_SCANS=64
