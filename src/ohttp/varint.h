/* SPDX-License-Identifier: Apache-2.0 */
/* varint.h: the variable-length integer of RFC 9000 section 16, as RFC 9292 uses it. */
#ifndef CSN_OHTTP_VARINT_H
#define CSN_OHTTP_VARINT_H

#include <stdbool.h>
#include <stdint.h>

#define CSN_VARINT_SIZE_MAX 8u

/*
 * Reads one from bytes[*offset] on, and moves *offset behind it. Longer encodings than necessary
 * are legal there. False: it does not end within size; *offset is as it was.
 */
static inline bool csn_varint_read(const uint8_t *bytes, uint32_t size, uint32_t *offset,
                                   uint64_t *value)
{
    if (*offset >= size) {
        return false;
    }
    uint32_t length = 1u << (bytes[*offset] >> 6);
    if (size - *offset < length) {
        return false;
    }
    uint64_t result = bytes[*offset] & 0x3f;
    for (uint32_t i = 1; i < length; i++) {
        result = result << 8 | bytes[*offset + i];
    }
    *offset += length;
    *value = result;
    return true;
}

/* How many bytes the shortest encoding of value takes; values stay below 2^62. */
static inline uint32_t csn_varint_size(uint64_t value)
{
    return value < 1u << 6 ? 1 : value < 1u << 14 ? 2 : value < 1u << 30 ? 4 : 8;
}

/* Writes the shortest encoding; returns its size. The caller has the room. */
static inline uint32_t csn_varint_write(uint8_t *bytes, uint64_t value)
{
    uint32_t length = csn_varint_size(value);
    uint32_t prefix = length == 1 ? 0 : length == 2 ? 1 : length == 4 ? 2 : 3;
    for (uint32_t i = 0; i < length; i++) {
        bytes[i] = (uint8_t)(value >> 8 * (length - 1 - i));
    }
    bytes[0] = (uint8_t)(bytes[0] | prefix << 6);
    return length;
}

#endif
