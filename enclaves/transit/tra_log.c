/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tra_log.c: entries put together, committed, and applied.
 *
 * Applying trusts nothing of an entry's order: a journal is authentic, but a bug that wrote it
 * would not be, and what does not fit is refused whole.
 */
#include "tra_log.h"
#include "tra_journal.h"

/* ---- putting together ---- */

static void put(struct tra_log *log, const struct tra_entry *entry, const void *body, uint32_t size)
{
    if (size + sizeof *entry > TRA_LOG_SIZE - log->size) {
        cse_panic(1); /* TRA_LOG_SIZE holds the largest change */
    }
    memcpy(log->bytes + log->size, entry, sizeof *entry);
    log->size += (uint32_t)sizeof *entry;
    if (size != 0) {
        memcpy(log->bytes + log->size, body, size);
        log->size += size;
    }
}

static struct tra_entry entry_of(enum tra_entry_kind kind, const struct tra_store *store,
                                 const uint8_t key_id[16], uint32_t number)
{
    struct tra_entry entry = {.kind = kind, .number = number, .change = store->change + 1};
    memcpy(entry.key_id, key_id, sizeof entry.key_id);
    return entry;
}

void tra_log_key(struct tra_log *log, const struct tra_store *store,
                 const struct tra_policy_of_key *policy)
{
    const struct tra_entry entry = entry_of(TRA_ENTRY_KEY, store, policy->id, 0);
    put(log, &entry, policy, sizeof *policy);
}

/* Of an expanded key the seed, from which the rest comes again. */
void tra_log_version(struct tra_log *log, const struct tra_store *store,
                     const struct tra_policy_of_key *policy, const struct tra_version *version)
{
    const struct tra_entry entry = entry_of(TRA_ENTRY_VERSION, store, policy->id, version->number);
    const bool expanded = policy->type == CSN_WIRE_TRANSIT_ED25519;
    struct tra_entry_version body = {.reserved = version->reserved,
                                     .birth = version->birth,
                                     .secret_size = expanded ? 32 : version->secret_size,
                                     .origin = version->origin};
    memcpy(body.secret, version->secret, body.secret_size);
    put(log, &entry, &body, sizeof body);
    csn_wipe(&body, sizeof body);
}

void tra_log_drop(struct tra_log *log, const struct tra_store *store, const uint8_t key_id[16],
                  uint32_t number)
{
    const struct tra_entry entry = entry_of(TRA_ENTRY_DROP, store, key_id, number);
    put(log, &entry, NULL, 0);
}

/* ---- applying ---- */

static struct tra_key *by_id(struct tra_store *store, const uint8_t id[16])
{
    for (uint32_t i = 0; i < TRA_KEY_COUNT; i++) {
        if (store->keys[i].used && memcmp(store->keys[i].is.id, id, 16) == 0) {
            return &store->keys[i];
        }
    }
    return NULL;
}

static struct tra_key *free_key(struct tra_store *store)
{
    for (uint32_t i = 0; i < TRA_KEY_COUNT; i++) {
        if (!store->keys[i].used) {
            return &store->keys[i];
        }
    }
    return NULL;
}

static bool is_policy(const struct tra_entry *entry, const struct tra_policy_of_key *policy)
{
    const uint32_t size = tra_length(policy->name);
    const struct tra_kind *kind = tra_kind(policy->type);
    return memcmp(entry->key_id, policy->id, 16) == 0 && tra_is_name(policy->name, size) &&
           kind != NULL && (policy->operations & ~kind->operations) == 0;
}

static csn_err apply_key(struct tra_store *store, const struct tra_entry *entry,
                         const uint8_t *bytes)
{
    struct tra_policy_of_key policy;
    memcpy(&policy, bytes, sizeof policy);
    if (!is_policy(entry, &policy)) {
        return CSN_ERR_FORMAT;
    }
    struct tra_key *same = tra_find(store, policy.name, tra_length(policy.name));
    struct tra_key *key = by_id(store, entry->key_id);
    if (same != key || (key != NULL && key->is.type != policy.type)) {
        return CSN_ERR_FORMAT;
    }
    if (key == NULL) {
        key = free_key(store);
        if (key == NULL) {
            return CSN_ERR_FORMAT;
        }
        *key = (struct tra_key){.used = true, .newest_at = TRA_NONE, .serial = entry->change};
        store->key_count++;
    }
    key->is = policy;
    return CSN_OK;
}

static uint32_t free_version(const struct tra_store *store)
{
    uint32_t at = 0;
    while (at < TRA_VERSION_COUNT && store->versions[at].number != 0) {
        at++;
    }
    return at;
}

static csn_err apply_version(struct tra_store *store, const struct tra_entry *entry,
                             const uint8_t *bytes)
{
    struct tra_entry_version body;
    struct tra_key *key = by_id(store, entry->key_id);
    const uint32_t at = free_version(store);
    if (key == NULL || at == TRA_VERSION_COUNT || entry->number <= key->newest ||
        key->count == TRA_KEPT_MAX) {
        return CSN_ERR_FORMAT;
    }
    struct tra_version *version = &store->versions[at];
    memcpy(&body, bytes, sizeof body);
    bool good = body.secret_size <= sizeof body.secret &&
                tra_kind_take(key->is.type, body.secret, body.secret_size, version);
    if (good) {
        version->number = entry->number;
        version->older = key->newest_at;
        version->origin = body.origin;
        version->reserved = body.reserved;
        version->uses = body.reserved;
        version->birth = body.birth;
        key->newest_at = (uint16_t)at;
        key->newest = entry->number;
        key->count++;
        store->version_count++;
    } else {
        csn_wipe(version, sizeof *version);
    }
    csn_wipe(&body, sizeof body);
    return good ? CSN_OK : CSN_ERR_FORMAT;
}

static void drop_at(struct tra_store *store, struct tra_key *key, uint16_t *link)
{
    struct tra_version *version = &store->versions[*link];
    *link = version->older;
    csn_wipe(version, sizeof *version);
    key->count--;
    store->version_count--;
}

/* The newest version goes with its key only. */
static csn_err apply_drop(struct tra_store *store, const struct tra_entry *entry)
{
    struct tra_key *key = by_id(store, entry->key_id);
    if (key == NULL) {
        return CSN_ERR_FORMAT;
    }
    if (entry->number == 0) {
        while (key->count != 0 && key->newest_at < TRA_VERSION_COUNT) {
            drop_at(store, key, &key->newest_at);
        }
        csn_wipe(key, sizeof *key);
        store->key_count--;
        return CSN_OK;
    }
    struct tra_version *newer = tra_version(store, key, key->newest);
    for (uint32_t i = 1; newer != NULL && i < key->count; i++) {
        struct tra_version *version = &store->versions[newer->older];
        if (version->number == entry->number) {
            drop_at(store, key, &newer->older);
            return CSN_OK;
        }
        newer = version;
    }
    return CSN_ERR_FORMAT;
}

/* After a restart what was reserved counts as used. Live, uses are below it already. */
static csn_err apply_uses(struct tra_store *store, const struct tra_entry *entry,
                          const uint8_t *bytes)
{
    const uint64_t to = csn_load_u64(bytes);
    const struct tra_key *key = by_id(store, entry->key_id);
    struct tra_version *version = key != NULL ? tra_version(store, key, entry->number) : NULL;
    if (version == NULL || to < version->reserved) {
        return CSN_ERR_FORMAT;
    }
    version->reserved = to;
    version->uses = to;
    return CSN_OK;
}

static csn_err apply_one(struct tra_store *store, const struct tra_entry *entry,
                         const uint8_t *body)
{
    switch (entry->kind) {
    case TRA_ENTRY_KEY:
        return apply_key(store, entry, body);
    case TRA_ENTRY_VERSION:
        return apply_version(store, entry, body);
    case TRA_ENTRY_DROP:
        return apply_drop(store, entry);
    case TRA_ENTRY_USES:
        return apply_uses(store, entry, body);
    default:
        return CSN_OK; /* a mark */
    }
}

/* Bytes behind the head of an entry; UINT32_MAX: no such kind. */
static uint32_t body_size(uint32_t kind)
{
    switch (kind) {
    case TRA_ENTRY_KEY:
        return sizeof(struct tra_policy_of_key);
    case TRA_ENTRY_VERSION:
        return sizeof(struct tra_entry_version);
    case TRA_ENTRY_DROP:
    case TRA_ENTRY_MARK:
        return 0;
    case TRA_ENTRY_USES:
        return sizeof(uint64_t);
    default:
        return UINT32_MAX;
    }
}

csn_err tra_log_apply(struct tra_store *store, const uint8_t *bytes, uint32_t size)
{
    uint32_t at = 0;
    while (at < size) {
        struct tra_entry entry;
        if (size - at < sizeof entry) {
            return CSN_ERR_FORMAT;
        }
        memcpy(&entry, bytes + at, sizeof entry);
        at += (uint32_t)sizeof entry;
        const uint32_t body = body_size(entry.kind);
        if (body > size - at) {
            return CSN_ERR_FORMAT;
        }
        CSN_TRY(apply_one(store, &entry, bytes + at));
        at += body;
        store->change = entry.change > store->change ? entry.change : store->change;
    }
    return CSN_OK;
}

/* ---- saving ---- */

/* The entry's change is the one that made it, not one of now. */
static csn_err save_log(struct cse_journal *journal, struct tra_log *log, uint64_t change)
{
    memcpy(log->bytes + offsetof(struct tra_entry, change), &change, sizeof change);
    const csn_err result = cse_journal_save(journal, log->bytes, log->size);
    csn_wipe(log, sizeof *log);
    return result;
}

static csn_err save_key(struct tra_store *store, struct cse_journal *journal,
                        const struct tra_key *key)
{
    struct tra_log log = {.size = 0};
    const struct tra_version *versions[TRA_KEPT_MAX];
    uint32_t count = 0;
    for (uint16_t at = key->newest_at; count < key->count && at < TRA_VERSION_COUNT;
         at = store->versions[at].older) {
        versions[count++] = &store->versions[at];
    }
    tra_log_key(&log, store, &key->is);
    CSN_TRY(save_log(journal, &log, key->serial));
    while (count-- != 0) { /* the oldest first */
        tra_log_version(&log, store, &key->is, versions[count]);
        CSN_TRY(save_log(journal, &log, versions[count]->birth.change));
    }
    return CSN_OK;
}

csn_err tra_log_save(struct tra_store *store, struct cse_journal *journal)
{
    struct tra_log log = {.size = 0};
    const uint8_t none[16] = {0};
    const struct tra_entry mark = entry_of(TRA_ENTRY_MARK, store, none, 0);
    for (uint32_t i = 0; i < TRA_KEY_COUNT; i++) {
        if (store->keys[i].used) {
            CSN_TRY(save_key(store, journal, &store->keys[i]));
        }
    }
    put(&log, &mark, NULL, 0);
    return save_log(journal, &log, store->change);
}

/* ---- committing ---- */

cse_status tra_log_commit(struct tra_work *work, struct tra_log *log)
{
    cse_status status = tra_journal_append(work, log->bytes, log->size);
    if (status == CSN_WIRE_STATUS_OK &&
        tra_log_apply(work->store, log->bytes, log->size) != CSN_OK) {
        cse_panic(2); /* a change that was not checked before it was written */
    }
    csn_wipe(log, sizeof *log);
    return status;
}

cse_status tra_log_uses(struct tra_work *work, struct tra_version *version, uint64_t to)
{
    struct tra_entry entry =
        entry_of(TRA_ENTRY_USES, work->store, work->key->is.id, version->number);
    uint8_t bytes[sizeof entry + sizeof to];
    memcpy(bytes, &entry, sizeof entry);
    csn_store_u64(bytes + sizeof entry, to);
    cse_status status = tra_journal_append(work, bytes, sizeof bytes);
    if (status == CSN_WIRE_STATUS_OK) {
        version->reserved = to;
    }
    return status;
}
