/* SPDX-License-Identifier: Apache-2.0 */
/*
 * canary.c: one pass over the bytes; a bitmap of window hashes says at almost every position that
 * nothing begins there, a hash table and a hash over the whole secret decide about the rest.
 */
#include "reference/canary.h"

#include <openssl/crypto.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define WINDOW_SIZE 8u
#define CHUNK_SIZE  (1u << 20)

struct entry {
    uint64_t window; /* mixed window, 0 = free */
    uint64_t whole;  /* hash over the whole secret */
    uint32_t number;
    uint16_t before; /* bytes of the secret before the window */
    uint16_t size;
};

struct csr_canary {
    struct entry *entries;
    uint64_t *bitmap;
    size_t entry_mask;
    unsigned bitmap_shift; /* 64 - log2(bits) */
    size_t bitmap_size;    /* bytes */
    size_t count;
    size_t count_max;
    size_t size_max; /* of the largest secret */
};

/* A bijection on 64 bits that maps only one value to 0; that one is moved to 1. */
static uint64_t mix(uint64_t value)
{
    value = (value ^ value >> 29) * UINT64_C(0xbf58476d1ce4e5b9);
    value = (value ^ value >> 32) * UINT64_C(0x9e3779b97f4a7c15);
    return value == 0 ? 1 : value;
}

static uint64_t mix_window(const uint8_t *bytes)
{
    uint64_t value;
    memcpy(&value, bytes, sizeof value);
    return mix(value ^ UINT64_C(0x5bd1e995a5a5c3f1));
}

static uint64_t hash_whole(const uint8_t *bytes, size_t size)
{
    uint64_t hash = mix(size + 77);
    for (size_t index = 0; index < size; index++) {
        hash = (hash ^ bytes[index]) * UINT64_C(0x100000001b3);
        hash ^= hash >> 31;
    }
    return mix(hash);
}

csn_err csr_canary_create(struct csr_canary **canary, size_t secret_count_max)
{
    if (secret_count_max == 0 || secret_count_max > UINT32_MAX / 64) {
        return CSN_ERR_ARGUMENT;
    }
    struct csr_canary *made = calloc(1, sizeof *made);
    if (made == NULL) {
        return CSN_ERR_MEMORY;
    }
    size_t slots = 64;
    unsigned bits = 12;
    while (slots < secret_count_max * 2) {
        slots *= 2;
    }
    while (((size_t)1 << bits) < slots * 32) {
        bits++;
    }
    made->entries = calloc(slots, sizeof *made->entries);
    made->bitmap_size = ((size_t)1 << bits) / 8;
    made->bitmap = calloc(1, made->bitmap_size);
    made->entry_mask = slots - 1;
    made->bitmap_shift = 64 - bits;
    made->count_max = secret_count_max;
    if (made->entries == NULL || made->bitmap == NULL) {
        csr_canary_destroy(made);
        return CSN_ERR_MEMORY;
    }
    *canary = made;
    return CSN_OK;
}

void csr_canary_destroy(struct csr_canary *canary)
{
    if (canary == NULL) {
        return;
    }
    if (canary->entries != NULL) {
        OPENSSL_cleanse(canary->entries, (canary->entry_mask + 1) * sizeof *canary->entries);
    }
    free(canary->entries);
    free(canary->bitmap);
    free(canary);
}

static bool may_begin(const struct csr_canary *canary, uint64_t window)
{
    uint64_t bit = window >> canary->bitmap_shift;
    return (canary->bitmap[bit / 64] >> bit % 64 & 1) != 0;
}

csn_err csr_canary_add(struct csr_canary *canary, const void *secret, size_t size)
{
    const uint8_t *bytes = secret;
    if (size < CSR_CANARY_SECRET_SIZE_MIN || size > CSR_CANARY_SECRET_SIZE_MAX) {
        return CSN_ERR_ARGUMENT;
    }
    if (canary->count == canary->count_max) {
        return CSN_ERR_LIMIT;
    }
    /* The last window that nobody else has: ends tell more than beginnings ("DE", a BIN). */
    size_t before = size - WINDOW_SIZE;
    while (before > 0 && may_begin(canary, mix_window(bytes + before))) {
        before--;
    }
    uint64_t window = mix_window(bytes + before);
    size_t slot = window & canary->entry_mask;
    while (canary->entries[slot].window != 0) {
        slot = (slot + 1) & canary->entry_mask;
    }
    canary->entries[slot] = (struct entry){.window = window,
                                           .whole = hash_whole(bytes, size),
                                           .number = (uint32_t)canary->count++,
                                           .before = (uint16_t)before,
                                           .size = (uint16_t)size};
    uint64_t bit = window >> canary->bitmap_shift;
    canary->bitmap[bit / 64] |= UINT64_C(1) << bit % 64;
    canary->size_max = size > canary->size_max ? size : canary->size_max;
    return CSN_OK;
}

struct range {
    const uint8_t *bytes;
    size_t size;
    size_t seen;   /* secrets that end in the first so many bytes were counted before */
    uint64_t base; /* offset of bytes in the file */
};

static void confirm(const struct csr_canary *canary, const struct range *range, size_t position,
                    uint64_t window, struct csr_canary_hits *hits)
{
    size_t slot = window & canary->entry_mask;
    for (; canary->entries[slot].window != 0; slot = (slot + 1) & canary->entry_mask) {
        const struct entry *entry = &canary->entries[slot];
        if (entry->window != window || entry->before > position) {
            continue;
        }
        size_t begin = position - entry->before;
        if (entry->size > range->size - begin || begin + entry->size <= range->seen ||
            hash_whole(range->bytes + begin, entry->size) != entry->whole) {
            continue;
        }
        if (hits->count++ == 0) {
            hits->first_secret = entry->number;
            hits->first_offset = range->base + begin;
        }
    }
}

static void scan_range(const struct csr_canary *canary, const struct range *range,
                       struct csr_canary_hits *hits)
{
    for (size_t position = 0; position + WINDOW_SIZE <= range->size; position++) {
        uint64_t window = mix_window(range->bytes + position);
        if (may_begin(canary, window)) {
            confirm(canary, range, position, window, hits);
        }
    }
}

void csr_canary_scan(const struct csr_canary *canary, const void *bytes, size_t size,
                     struct csr_canary_hits *hits)
{
    struct range range = {.bytes = bytes, .size = size};
    scan_range(canary, &range, hits);
    hits->bytes += size;
}

csn_err csr_canary_scan_fd(const struct csr_canary *canary, int fd, uint64_t offset, uint64_t size,
                           struct csr_canary_hits *hits)
{
    uint8_t *buffer = malloc(CHUNK_SIZE + CSR_CANARY_SECRET_SIZE_MAX);
    size_t held = 0; /* bytes carried over from the last chunk */
    csn_err err = buffer == NULL ? CSN_ERR_MEMORY : CSN_OK;
    while (err == CSN_OK && size > 0) {
        size_t want = size < CHUNK_SIZE ? (size_t)size : CHUNK_SIZE;
        ssize_t got = pread(fd, buffer + held, want, (off_t)offset);
        if (got <= 0) {
            err = got < 0 ? CSN_ERR_SYSTEM : CSN_OK;
            break;
        }
        struct range range = {buffer, held + (size_t)got, held, offset - held};
        scan_range(canary, &range, hits);
        hits->bytes += (uint64_t)got;
        offset += (uint64_t)got;
        size -= (uint64_t)got;
        held = canary->size_max == 0 ? 0 : canary->size_max - 1;
        held = held < range.size ? held : range.size;
        memmove(buffer, buffer + range.size - held, held);
    }
    if (buffer != NULL) {
        OPENSSL_cleanse(buffer, CHUNK_SIZE + CSR_CANARY_SECRET_SIZE_MAX);
    }
    free(buffer);
    return err;
}
