/* Generated from an interlock table by `interlock table codegen`; do not edit. */
#ifndef IL_CONFIG_H
#define IL_CONFIG_H

/* reference linac */
#define IL_TABLE_NAME "reference_linac"
#define IL_TABLE_DIGEST "529aa52a31c823afea86224b8397367598220b2aa080bb7c1873a477bc3b0d2c"
#define IL_MAX_SIGNALS 78
#define IL_MAX_ROWS 67
#define IL_MAX_COUNTERS 35
#define IL_MAX_MEMORY 75

#endif
