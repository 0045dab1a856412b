/* SPDX-License-Identifier: Apache-2.0 */
/*
 * inflight.c: a ring of entries over a ring of bytes; a copy never wraps.
 *
 * Orders: private memory of the host's, two threads. "Added" is published by the release store of
 * back and seen by the acquire load in csn_inflight_oldest(); "removed" by the release store of
 * front and seen by the acquire load in csn_inflight_has_room().
 */
#include "inflight.h"
#include <stdlib.h>
#include <string.h>

csn_err csn_inflight_init(struct csn_inflight *table, uint32_t count_max, uint64_t size_max)
{
    *table = (struct csn_inflight){.count_max = count_max, .size_max = size_max};
    table->entries = calloc(count_max, sizeof *table->entries);
    table->bytes = malloc(size_max);
    if (table->entries == NULL || table->bytes == NULL) {
        csn_inflight_free(table);
        return CSN_ERR_MEMORY;
    }
    return CSN_OK;
}

void csn_inflight_free(struct csn_inflight *table)
{
    free(table->entries);
    free(table->bytes);
    *table = (struct csn_inflight){0};
}

uint32_t csn_inflight_count(const struct csn_inflight *table)
{
    uint64_t front = __atomic_load_n(&table->front, __ATOMIC_ACQUIRE);
    return (uint32_t)(__atomic_load_n(&table->back, __ATOMIC_ACQUIRE) - front);
}

uint32_t csn_inflight_held(const struct csn_inflight *table)
{
    return (uint32_t)(table->reserved - __atomic_load_n(&table->front, __ATOMIC_ACQUIRE));
}

uint64_t csn_inflight_span(const struct csn_inflight *table)
{
    uint64_t front = __atomic_load_n(&table->front, __ATOMIC_ACQUIRE);
    return table->reserved == front ? 0
                                    : table->end - table->entries[front % table->count_max].start;
}

/* Where a copy of that size begins: at the end, or at the next start of the ring of bytes. */
static uint64_t place(const struct csn_inflight *table, uint32_t size)
{
    uint64_t offset = table->end % table->size_max;
    return offset + size <= table->size_max ? table->end : table->end - offset + table->size_max;
}

bool csn_inflight_has_room(const struct csn_inflight *table, uint32_t size)
{
    uint64_t front = __atomic_load_n(&table->front, __ATOMIC_ACQUIRE); /* its bytes are free */
    uint64_t count = table->reserved - front;
    if (count == 0) {
        return table->count_max != 0 && size <= table->size_max;
    }
    uint64_t oldest = table->entries[front % table->count_max].start;
    return count < table->count_max && place(table, size) + size - oldest <= table->size_max;
}

void *csn_inflight_reserve(struct csn_inflight *table, uint32_t size)
{
    uint64_t start = place(table, size);
    table->entries[table->reserved % table->count_max] =
        (struct csn_inflight_entry){.start = start, .size = size};
    table->end = start + size;
    table->reserved++;
    return table->bytes + start % table->size_max;
}

const struct csn_inflight_entry *csn_inflight_next(const struct csn_inflight *table)
{
    return table->reserved == table->back ? NULL : &table->entries[table->back % table->count_max];
}

void csn_inflight_commit(struct csn_inflight *table, uint64_t tag, uint32_t size, uint32_t crashes)
{
    struct csn_inflight_entry *entry = &table->entries[table->back % table->count_max];
    entry->tag = tag;
    entry->size = size;
    entry->crashes = crashes;
    __atomic_store_n(&table->back, table->back + 1, __ATOMIC_RELEASE);
}

void csn_inflight_abandon(struct csn_inflight *table)
{
    if (table->reserved != table->back) {
        table->end = table->entries[table->back % table->count_max].start;
        table->reserved = table->back;
    }
}

void csn_inflight_add(struct csn_inflight *table, uint64_t tag, const void *message, uint32_t size,
                      uint32_t crashes)
{
    void *bytes = csn_inflight_reserve(table, size);
    if (size != 0) {
        memcpy(bytes, message, size);
    }
    csn_inflight_commit(table, tag, size, crashes);
}

struct csn_inflight_entry *csn_inflight_oldest(const struct csn_inflight *table)
{
    if (__atomic_load_n(&table->back, __ATOMIC_ACQUIRE) == table->front) {
        return NULL;
    }
    return &table->entries[table->front % table->count_max];
}

void csn_inflight_remove(struct csn_inflight *table)
{
    __atomic_store_n(&table->front, table->front + 1, __ATOMIC_RELEASE);
}

struct csn_inflight_entry *csn_inflight_at(const struct csn_inflight *table, uint32_t index)
{
    return &table->entries[(table->front + index) % table->count_max];
}

const void *csn_inflight_bytes(const struct csn_inflight *table,
                               const struct csn_inflight_entry *entry)
{
    return table->bytes + entry->start % table->size_max;
}

void csn_inflight_clear(struct csn_inflight *table)
{
    table->front = table->back;
}
