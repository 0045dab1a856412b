/* SPDX-License-Identifier: Apache-2.0 */
/* stop.c: what of a text may go out: not what could yet become a stop string or a character. */
#include "stop.h"
#include "../core/bytes.h"

/* Whether the string begins at `at`, as far as there is text: *whole if to its end. */
static bool begins_at(const struct csn_stop *stop, uint32_t string, uint32_t at, bool *whole)
{
    const uint32_t left = stop->held_size - at;
    *whole = left >= stop->sizes[string];
    return __builtin_memcmp(stop->held + at, stop->strings[string],
                            *whole ? stop->sizes[string] : left) == 0;
}

/* Bytes at the end that begin a character of more bytes. */
static uint32_t begun_size(const struct csn_stop *stop)
{
    for (uint32_t back = 1; back <= 3 && back <= stop->held_size; back++) {
        const uint8_t byte = stop->held[stop->held_size - back];
        if (byte >= 0xc0) {
            const uint32_t wanted = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2;
            return wanted > back && byte < 0xf8 ? back : 0;
        }
        if (byte < 0x80) {
            break;
        }
    }
    return 0;
}

/* The first place where one begins: whole ones, or those that the text's end cuts. */
static uint32_t first_of(const struct csn_stop *stop, bool wants_whole)
{
    for (uint32_t at = 0; at < stop->held_size; at++) {
        for (uint32_t i = 0; i < stop->count; i++) {
            bool whole;
            if (begins_at(stop, i, at, &whole) && whole == wants_whole) {
                return at;
            }
        }
    }
    return stop->held_size;
}

bool csn_stop_add(struct csn_stop *stop, const uint8_t *bytes, uint32_t add_size, uint32_t *size)
{
    __builtin_memcpy(stop->held + stop->held_size, bytes, add_size);
    stop->held_size += add_size;
    *size = first_of(stop, true);
    if (*size < stop->held_size) {
        return true;
    }
    const uint32_t cut = first_of(stop, false);
    const uint32_t whole = stop->held_size - begun_size(stop);
    *size = cut < whole ? cut : whole;
    return false;
}

void csn_stop_take(struct csn_stop *stop, uint32_t size)
{
    const uint32_t left = stop->held_size - size;
    __builtin_memmove(stop->held, stop->held + size, left);
    csn_wipe(stop->held + left, size);
    stop->held_size = left;
}
