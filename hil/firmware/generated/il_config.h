/* Generated from an interlock table by `interlock table codegen`; do not edit. */
#ifndef IL_CONFIG_H
#define IL_CONFIG_H

/* reference linac */
#define IL_TABLE_NAME "reference_linac"
#define IL_TABLE_DIGEST "c53ae14c98649f3e02ca52a8fe0c24fef3dfee4534e388618f8306aeded85a0e"
#define IL_MAX_SIGNALS 76
#define IL_MAX_ROWS 62
#define IL_MAX_MEMORY 60

#endif
