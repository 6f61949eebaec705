/* The one table a board is built with; its source is generated. */
#ifndef IL_TABLE_DATA_H
#define IL_TABLE_DATA_H

#include "il_table.h"

extern const IL_FLASH il_table il_table_data;

#endif
