/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tra_birth.c: what may be shown of a key, and the signed word of this instance on it.
 *
 * A certificate is made anew each time it is asked for. It says where the version was made, which
 * may have been another instance; whoever signs has that from its journal.
 */
#include "crypto/curve.h"
#include "crypto/sha2.h"
#include "tra_state.h"
#include <caisson/vouch.h>
#include <caisson/wire/birth.h>

_Static_assert(TRA_BIRTH_MAX >= CSN_WIRE_BIRTH_SIZE_MAX, "room for every certificate");
_Static_assert((int)CSN_WIRE_TRANSIT_TYPE_LAST == (int)CSN_WIRE_KEY_TYPE_LAST, "the same numbers");
_Static_assert((int)CSN_WIRE_TRANSIT_ED25519 == (int)CSN_WIRE_KEY_TYPE_ED25519, "the same numbers");

/* Our operations in the words of certificates, which have fewer. */
static const uint32_t words[CSN_WIRE_TRANSIT_FPE_DECRYPT + 1] = {
    [CSN_WIRE_TRANSIT_ENCRYPT] = CSN_WIRE_OPERATION_ENCRYPT,
    [CSN_WIRE_TRANSIT_DECRYPT] = CSN_WIRE_OPERATION_DECRYPT,
    [CSN_WIRE_TRANSIT_REWRAP] = CSN_WIRE_OPERATION_REWRAP,
    [CSN_WIRE_TRANSIT_SIGN] = CSN_WIRE_OPERATION_SIGN,
    [CSN_WIRE_TRANSIT_VERIFY] = CSN_WIRE_OPERATION_VERIFY,
    [CSN_WIRE_TRANSIT_MAC] = CSN_WIRE_OPERATION_MAC,
    [CSN_WIRE_TRANSIT_DERIVE] = CSN_WIRE_OPERATION_DERIVE,
    [CSN_WIRE_TRANSIT_AGREE] = CSN_WIRE_OPERATION_AGREE,
    [CSN_WIRE_TRANSIT_ENCAPSULATE] = CSN_WIRE_OPERATION_ENCAPSULATE,
    [CSN_WIRE_TRANSIT_DECAPSULATE] = CSN_WIRE_OPERATION_DECAPSULATE,
    [CSN_WIRE_TRANSIT_DATAKEY] = CSN_WIRE_OPERATION_DATA_KEY,
    [CSN_WIRE_TRANSIT_DATAKEY_OPEN] = CSN_WIRE_OPERATION_DATA_KEY,
    [CSN_WIRE_TRANSIT_FPE_ENCRYPT] = CSN_WIRE_OPERATION_FPE,
    [CSN_WIRE_TRANSIT_FPE_DECRYPT] = CSN_WIRE_OPERATION_FPE,
};

static uint32_t words_of(uint32_t operations)
{
    uint32_t mask = 0;
    for (uint32_t i = 1; i <= CSN_WIRE_TRANSIT_FPE_DECRYPT; i++) {
        mask |= (operations >> i & 1) != 0 ? words[i] : 0;
    }
    return mask;
}

/* Over all that a certificate says and that does not change, and the secret. */
static void make_witness(const struct tra_store *store, const struct tra_policy_of_key *policy,
                         const struct tra_version *version, uint8_t witness[16])
{
    const uint32_t numbers[] = {policy->type, policy->flags & CSN_WIRE_TRANSIT_KEY_DERIVED,
                                policy->operations, version->number, version->origin};
    struct csn_hmac_key key;
    struct csn_hmac mac;
    uint8_t tag[32];
    csn_hmac_key_init(&key, store->witness_key, sizeof store->witness_key);
    csn_hmac_init(&mac, &key);
    csn_hmac_update(&mac, policy->name, sizeof policy->name);
    csn_hmac_update(&mac, policy->id, sizeof policy->id);
    csn_hmac_update(&mac, numbers, sizeof numbers);
    csn_hmac_update(&mac, &version->birth, offsetof(struct tra_birth, witness));
    csn_hmac_update(&mac, version->secret, sizeof version->secret);
    csn_hmac_final(&mac, tag);
    memcpy(witness, tag, 16);
    csn_wipe(&key, sizeof key);
    csn_wipe(&mac, sizeof mac);
}

bool tra_bear(const struct tra_work *work, const struct tra_policy_of_key *policy,
              struct tra_version *version)
{
    struct tra_store *store = work->store;
    struct tra_birth *birth = &version->birth;
    if (!store->has_witness) {
        if (!cse_random(work->call, store->witness_key, sizeof store->witness_key)) {
            return false;
        }
        store->has_witness = true;
    }
    birth->change = store->change + 1;
    birth->grant_version = cse_grant_version(work->call);
    memcpy(birth->boot_id, cse_boot_id(work->call), sizeof birth->boot_id);
    memcpy(birth->measurement, cse_measurement(work->call), sizeof birth->measurement);
    memcpy(birth->grant_digest, cse_grant_digest(work->call), sizeof birth->grant_digest);
    make_witness(store, policy, version, birth->witness);
    return true;
}

/* Of this boot, as far as the journal says; then its witness says whether that is true. */
static bool is_forged(const struct tra_work *work, const struct tra_version *version)
{
    uint8_t witness[16];
    if (memcmp(version->birth.boot_id, cse_boot_id(work->call), 16) != 0) {
        return false;
    }
    make_witness(work->store, &work->key->is, version, witness);
    return !work->store->has_witness || !csn_equal_ct(witness, version->birth.witness, 16);
}

cse_status tra_birth(const struct tra_work *work, const struct tra_version *version,
                     uint8_t *certificate, uint32_t *size)
{
    const struct tra_policy_of_key *is = &work->key->is;
    const struct tra_birth *at = &version->birth;
    struct csn_wire_birth birth = {
        .magic = CSN_WIRE_BIRTH_MAGIC,
        .version = CSN_WIRE_BIRTH_VERSION,
        .key_type = is->type,
        .key_version = version->number,
        .origin = version->origin,
        .operations = words_of(is->operations),
        .flags = (is->flags & CSN_WIRE_TRANSIT_KEY_DERIVED) != 0 ? CSN_WIRE_BIRTH_DERIVED : 0,
        .grant_version = at->grant_version,
        .change = at->change,
        .records_max = is->max_uses,
    };
    memcpy(birth.tenant, work->store->tenant, sizeof birth.tenant);
    if (!is_forged(work, version)) { /* else of no boot */
        memcpy(birth.boot_id, at->boot_id, sizeof birth.boot_id);
    }
    memcpy(birth.measurement, at->measurement, sizeof birth.measurement);
    memcpy(birth.grant_digest, at->grant_digest, sizeof birth.grant_digest);
    memcpy(birth.name, is->name, sizeof birth.name);
    birth.public_size = tra_kind_public(work, version, certificate + sizeof birth);
    birth.size = (uint32_t)sizeof birth + birth.public_size + 64;
    memcpy(certificate, &birth, sizeof birth);
    const uint32_t signed_size = birth.size - 64;
    *size = birth.size;
    return cse_statement_sign(work->call, CSN_WIRE_BIRTH_LABEL, certificate, signed_size,
                              certificate + signed_size) == CSN_OK
               ? CSN_WIRE_STATUS_OK
               : CSN_WIRE_STATUS_INTERNAL;
}

void tra_describe(const struct tra_work *work, const struct tra_version *version,
                  struct csn_wire_transit_key *view)
{
    const struct tra_key *key = work->key;
    const struct tra_version *oldest = tra_oldest(work->store, key);
    *view = (struct csn_wire_transit_key){
        .type = key->is.type,
        .flags = key->is.flags,
        .operations = key->is.operations,
        .purposes = key->is.purposes,
        .max_uses = key->is.max_uses,
        .uses = version->uses,
        .newest = key->newest,
        .min_version = key->is.min_version,
        .oldest = oldest != NULL ? oldest->number : 0,
        .version = version->number,
        .origin = version->origin,
        .public_size = tra_kind(key->is.type)->public_size,
    };
    memcpy(view->name, key->is.name, sizeof view->name);
    memcpy(view->id, key->is.id, sizeof view->id);
}

cse_status tra_import_key(struct tra_work *work, uint8_t public_key[32], uint8_t statement[64])
{
    struct tra_store *store = work->store;
    uint8_t bytes[64];
    if (!store->has_import) {
        if (!cse_random(work->call, store->import_secret, sizeof store->import_secret)) {
            return CSN_WIRE_STATUS_INTERNAL;
        }
        csn_x25519_public(store->import_public, store->import_secret);
        store->has_import = true;
    }
    memcpy(public_key, store->import_public, 32);
    memcpy(bytes, store->tenant, 32);
    memcpy(bytes + 32, store->import_public, 32);
    return cse_statement_sign(work->call, "caisson-import-key-v1", bytes, sizeof bytes,
                              statement) == CSN_OK
               ? CSN_WIRE_STATUS_OK
               : CSN_WIRE_STATUS_INTERNAL;
}
