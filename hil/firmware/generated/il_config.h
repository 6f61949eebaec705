/* Generated from an interlock table by `interlock table codegen`; do not edit. */
#ifndef IL_CONFIG_H
#define IL_CONFIG_H

/* reference linac */
#define IL_TABLE_NAME "reference_linac"
#define IL_TABLE_DIGEST "f181d85575167c083aed0efb181d78a27d7b3a93160f9fc793c6e8d0793659ce"
#define IL_MAX_SIGNALS 76
#define IL_MAX_ROWS 63
#define IL_MAX_COUNTERS 31
#define IL_MAX_MEMORY 75

#endif
