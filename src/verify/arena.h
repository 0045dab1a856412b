/* SPDX-License-Identifier: Apache-2.0 */
/*
 * arena.h: the one bounded piece of memory behind a verdict or a policy.
 *
 * What is taken is zeroed then, aligned to 16 bytes, and given back only with the arena. When it is
 * used up, csv_take() returns NULL and `full` stays set: the appraisal then ends as unverifiable.
 */
#ifndef CSV_VERIFY_ARENA_H
#define CSV_VERIFY_ARENA_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct csv_arena {
    uint8_t *base;
    size_t size;
    size_t used;
    bool full;
};

void *csv_take(struct csv_arena *arena, size_t count, size_t item_size);
/* What was taken last, and is no longer needed, may go back: to the value of `used` before. */
static inline void csv_give_back(struct csv_arena *arena, size_t used)
{
    arena->used = used;
}
/* Does at point into the arena? */
static inline bool csv_arena_holds(const struct csv_arena *arena, const uint8_t *at)
{
    return (uintptr_t)at - (uintptr_t)arena->base < arena->size;
}

/* Terminated texts; "" when the arena is full, never NULL. */
const char *csv_text(struct csv_arena *arena, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
const char *csv_text_hex(struct csv_arena *arena, const uint8_t *bytes, size_t size);
/* Without padding (RFC 4648, section 5). */
const char *csv_text_base64url(struct csv_arena *arena, const uint8_t *bytes, size_t size);
/* Foreign bytes as a text: anything but printable ASCII becomes '?'. */
const char *csv_text_foreign(struct csv_arena *arena, const uint8_t *bytes, size_t size);

#endif
