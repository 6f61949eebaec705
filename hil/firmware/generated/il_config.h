/* Generated from an interlock table by `interlock table codegen`; do not edit. */
#ifndef IL_CONFIG_H
#define IL_CONFIG_H

/* reference linac */
#define IL_TABLE_NAME "reference_linac"
#define IL_TABLE_DIGEST "6d8b2b51c691a7b7ff457b2049c69492c9fc2f631ec65b5bc001107f502aa651"
#define IL_MAX_SIGNALS 83
#define IL_MAX_ROWS 71
#define IL_MAX_COUNTERS 35
#define IL_MAX_MEMORY 75

#endif
