/* CRC-32 (IEEE 802.3, reflected), the check of frames, retained memory and tables. */
#ifndef IL_CRC_H
#define IL_CRC_H

#include <stddef.h>
#include <stdint.h>

#define IL_CRC_START 0xFFFFFFFFuL

uint32_t il_crc_more(uint32_t crc, const void *data, size_t size);

static inline uint32_t il_crc(const void *data, size_t size) {
    return ~il_crc_more(IL_CRC_START, data, size);
}

#endif
