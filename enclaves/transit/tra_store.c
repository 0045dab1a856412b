/* SPDX-License-Identifier: Apache-2.0 */
/* tra_store.c: a tenant's keys by name, and their versions by number. */
#include "tra_state.h"

bool tra_is_name(const char *name, uint32_t size)
{
    if (size == 0 || size >= CSN_WIRE_TRANSIT_NAME_SIZE) {
        return false;
    }
    for (uint32_t i = 0; i < size; i++) {
        const char c = name[i];
        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
              c == '.' || c == '_' || c == '-')) {
            return false;
        }
    }
    return true;
}

struct tra_key *tra_find(struct tra_store *store, const char *name, uint32_t size)
{
    if (!tra_is_name(name, size)) {
        return NULL;
    }
    for (uint32_t i = 0; i < TRA_KEY_COUNT; i++) {
        struct tra_key *key = &store->keys[i];
        if (key->used && key->is.name[size] == 0 && memcmp(key->is.name, name, size) == 0) {
            return key;
        }
    }
    return NULL;
}

struct tra_version *tra_version(struct tra_store *store, const struct tra_key *key, uint32_t number)
{
    uint16_t at = key->newest_at;
    for (uint32_t i = 0; i < key->count && at < TRA_VERSION_COUNT; i++) {
        if (store->versions[at].number == number) {
            return &store->versions[at];
        }
        at = store->versions[at].older;
    }
    return NULL;
}

struct tra_version *tra_oldest(struct tra_store *store, const struct tra_key *key)
{
    struct tra_version *oldest = NULL;
    uint16_t at = key->newest_at;
    for (uint32_t i = 0; i < key->count && at < TRA_VERSION_COUNT; i++) {
        oldest = &store->versions[at];
        at = oldest->older;
    }
    return oldest;
}

struct tra_store *tra_store_of(struct tra_worker *worker, const uint8_t tenant[32])
{
    struct tra_store *unused = NULL;
    for (uint32_t i = 0; i < TRA_STORE_COUNT; i++) {
        struct tra_store *store = &worker->stores[i];
        if (store->used && memcmp(store->tenant, tenant, 32) == 0) {
            return store;
        }
        if (!store->used && unused == NULL) {
            unused = store;
        }
    }
    if (unused != NULL) {
        unused->used = true;
        memcpy(unused->tenant, tenant, 32);
    }
    return unused;
}

struct tra_key *tra_next(struct tra_store *store, uint64_t serial)
{
    struct tra_key *next = NULL;
    for (uint32_t i = 0; i < TRA_KEY_COUNT; i++) {
        struct tra_key *key = &store->keys[i];
        if (key->used && key->serial > serial && (next == NULL || key->serial < next->serial)) {
            next = key;
        }
    }
    return next;
}

void tra_store_drop(struct tra_store *store)
{
    cse_journal_close((struct cse_journal *)(void *)store->journal);
    csn_wipe(store, sizeof *store);
}

void tra_store_clear(struct tra_store *store)
{
    csn_wipe(store->keys, sizeof store->keys);
    csn_wipe(store->versions, sizeof store->versions);
    store->key_count = 0;
    store->version_count = 0;
    store->change = 0;
}
