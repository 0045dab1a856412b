/* SPDX-License-Identifier: Apache-2.0 */
/*
 * foreign.h: hostile bytes for Frama-C's Eva. Every byte may be anything, and the last one is the
 * last of its array, so that a read beyond the size is a read beyond the array: an alarm.
 */
#ifndef PROOFS_EVA_FOREIGN_H
#define PROOFS_EVA_FOREIGN_H

#include "__fc_builtin.h"
#include "verify/input.h"

#ifndef FOREIGN_SIZE_MAX
#define FOREIGN_SIZE_MAX 4096
#endif

static uint8_t foreign_memory[FOREIGN_SIZE_MAX];
static volatile uint8_t foreign_seen;

/* Any bytes, of any size from least to most; each size is followed on its own. */
static struct csv_bytes foreign_bytes(size_t least, size_t most)
{
    size_t size = Frama_C_unsigned_long_interval(least, most);
    /*@ split size; */
    Frama_C_make_unknown((char *)foreign_memory, sizeof foreign_memory);
    return (struct csv_bytes){foreign_memory + sizeof foreign_memory - size, size};
}

/* What a parser hands out must be readable from its first byte to its last. */
static void foreign_touch(const uint8_t *at, size_t size)
{
    if (size != 0) {
        foreign_seen = at[0];
        foreign_seen = at[size - 1];
    }
}

#endif
