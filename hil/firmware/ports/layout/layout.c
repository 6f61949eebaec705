/* The layout of the core's memory as a file: compiled like a board's program and part of none. */
#include "il_layout.h"

const il_span il_layout[] = IL_LAYOUT;
