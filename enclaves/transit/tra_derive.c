/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tra_derive.c: keys that come from a version's secret, and the few of them that are kept expanded.
 *
 * What is sealed is sealed under a key of a random salt, never under the version's own, and the
 * counter under a salt lives in memory alone: no state that came back could repeat a nonce.
 */
#include "crypto/sha2.h"
#include "tra_state.h"

#define SALT_TEXTS_MAX (UINT64_C(1) << 20) /* under one salt */
#define LABEL_SIZE     18u
#define SEAL_LABEL     15u

void tra_derive(const struct tra_work *work, const struct tra_version *version, enum tra_use use,
                const struct tra_item *item, uint8_t *key, uint32_t size)
{
    uint8_t info[LABEL_SIZE + 16 + 4 + 1 + TRA_CONTEXT_MAX];
    uint32_t at = LABEL_SIZE;
    const uint32_t context_size =
        item->context_size < TRA_CONTEXT_MAX ? item->context_size : TRA_CONTEXT_MAX;
    memcpy(info, "caisson-transit-v1", LABEL_SIZE);
    memcpy(info + at, work->key->is.id, 16);
    at += 16;
    csn_store_u32(info + at, version->number);
    at += 4;
    info[at++] = (uint8_t)use;
    if (context_size != 0) {
        memcpy(info + at, item->context, context_size);
        at += context_size;
    }
    if (csn_hkdf(work->store->tenant, 32, version->secret, version->secret_size, info, at, key,
                 size) != CSN_OK) {
        cse_panic(3); /* sizes are below HKDF's limit */
    }
}

/* ---- sealers ---- */

static void context_digest(const struct tra_item *item, uint8_t digest[32])
{
    if (item->context_size == 0) {
        memset(digest, 0, 32);
        return;
    }
    csn_sha256(item->context, item->context_size, digest);
}

bool tra_sealer_lasts(const struct tra_sealer *sealer)
{
    return sealer->of.seals != 0 && sealer->counter < SALT_TEXTS_MAX;
}

/* Of those that seal, whatever the salt: it is the sealer's own. */
static bool is_of(const struct tra_sealer *sealer, const struct tra_sealer_of *wanted)
{
    const struct tra_sealer_of *of = &sealer->of;
    const bool salted = wanted->seals != 0 ? tra_sealer_lasts(sealer)
                                           : memcmp(of->salt, wanted->salt, sizeof of->salt) == 0;
    return sealer->clock != 0 && salted && of->version == wanted->version &&
           of->use == wanted->use && memcmp(of->key_id, wanted->key_id, sizeof of->key_id) == 0 &&
           memcmp(of->context, wanted->context, sizeof of->context) == 0 &&
           memcmp(of->tenant, wanted->tenant, sizeof of->tenant) == 0;
}

static void make(const struct tra_work *work, const struct tra_version *version,
                 const struct tra_item *item, struct tra_sealer *sealer)
{
    uint8_t base[32];
    uint8_t message[SEAL_LABEL + sizeof sealer->of.salt];
    uint8_t secret[32];
    struct csn_hmac_key mac;
    tra_derive(work, version, (enum tra_use)sealer->of.use, item, base, sizeof base);
    memcpy(message, "caisson-seal-v1", SEAL_LABEL);
    memcpy(message + SEAL_LABEL, sealer->of.salt, sizeof sealer->of.salt);
    csn_hmac_key_init(&mac, base, sizeof base);
    csn_hmac(&mac, message, sizeof message, secret);
    csn_gcm_key_init(&sealer->key, secret);
    csn_wipe(&mac, sizeof mac);
    csn_wipe(base, sizeof base);
    csn_wipe(secret, sizeof secret);
}

/* The one that there is, or the place for it: that which was used least lately. */
static uint32_t find(const struct tra_worker *worker, const struct tra_sealer_of *wanted)
{
    uint32_t oldest = 0;
    if (is_of(&worker->sealers[worker->sealer_at], wanted)) {
        return worker->sealer_at;
    }
    for (uint32_t i = 0; i < TRA_CACHE_COUNT; i++) {
        if (is_of(&worker->sealers[i], wanted)) {
            return i;
        }
        oldest = worker->sealers[i].clock < worker->sealers[oldest].clock ? i : oldest;
    }
    return oldest;
}

struct tra_sealer *tra_sealer(struct tra_work *work, const struct tra_version *version,
                              enum tra_use use, const struct tra_item *item, const uint8_t *salt)
{
    struct tra_worker *worker = work->worker;
    struct tra_sealer_of wanted = {
        .version = version->number, .use = (uint16_t)use, .seals = salt == NULL};
    memcpy(wanted.tenant, work->store->tenant, sizeof wanted.tenant);
    memcpy(wanted.key_id, work->key->is.id, sizeof wanted.key_id);
    context_digest(item, wanted.context);
    if (salt != NULL) {
        memcpy(wanted.salt, salt, sizeof wanted.salt);
    }
    worker->sealer_at = find(worker, &wanted);
    struct tra_sealer *sealer = &worker->sealers[worker->sealer_at];
    if (!is_of(sealer, &wanted)) {
        if (wanted.seals != 0 && !cse_random(work->call, wanted.salt, sizeof wanted.salt)) {
            return NULL;
        }
        csn_wipe(sealer, sizeof *sealer);
        sealer->of = wanted;
        make(work, version, item, sealer);
    }
    sealer->clock = ++worker->clock;
    return sealer;
}

/* ---- ML-KEM ---- */

const struct csn_mlkem_key *tra_kem(const struct tra_work *work, const struct tra_version *version)
{
    struct tra_worker *worker = work->worker;
    struct tra_kem *oldest = &worker->kems[0];
    for (uint32_t i = 0; i < TRA_KEM_COUNT; i++) {
        struct tra_kem *kem = &worker->kems[i];
        if (kem->clock != 0 && kem->version == version->number &&
            memcmp(kem->key_id, work->key->is.id, 16) == 0 &&
            memcmp(kem->tenant, work->store->tenant, sizeof kem->tenant) == 0) {
            kem->clock = ++worker->clock;
            return &kem->key;
        }
        oldest = kem->clock < oldest->clock ? kem : oldest;
    }
    csn_wipe(oldest, sizeof *oldest);
    if (csn_mlkem_key_init(&oldest->key, version->secret) != CSN_OK) {
        csn_wipe(oldest, sizeof *oldest);
        return NULL;
    }
    memcpy(oldest->tenant, work->store->tenant, sizeof oldest->tenant);
    memcpy(oldest->key_id, work->key->is.id, 16);
    oldest->version = version->number;
    oldest->clock = ++worker->clock;
    return &oldest->key;
}

void tra_forget(struct tra_worker *worker, const uint8_t key_id[16])
{
    for (uint32_t i = 0; i < TRA_CACHE_COUNT; i++) {
        if (key_id == NULL || memcmp(worker->sealers[i].of.key_id, key_id, 16) == 0) {
            csn_wipe(&worker->sealers[i], sizeof worker->sealers[i]);
        }
    }
    for (uint32_t i = 0; i < TRA_KEM_COUNT; i++) {
        if (key_id == NULL || memcmp(worker->kems[i].key_id, key_id, 16) == 0) {
            csn_wipe(&worker->kems[i], sizeof worker->kems[i]);
        }
    }
}
