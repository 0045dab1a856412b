/* SPDX-License-Identifier: Apache-2.0 */
/* tra_agree.c: what a version and somebody else's public half agree on, and ML-KEM both ways. */
#include "crypto/curve.h"
#include "crypto/ecdsa.h"
#include "crypto/sha2.h"
#include "tra_state.h"

/* The shared secret itself, *size bytes. MALFORMED: no public key of the type. */
static cse_status share(const struct tra_work *work, const struct tra_version *version,
                        const struct tra_item *item, uint8_t shared[CSN_EC_SIZE_MAX],
                        uint32_t *size)
{
    const uint32_t curve = tra_kind(work->key->is.type)->curve;
    csn_err result = CSN_ERR_AUTH;
    if (curve != 0) {
        *size = csn_ec_size(curve);
        result = csn_ec_agree(curve, version->secret, item->input, item->input_size, shared);
    } else if (item->input_size == 32) {
        *size = 32;
        result = csn_x25519(shared, version->secret, item->input);
    }
    return result == CSN_OK ? CSN_WIRE_STATUS_OK : CSN_WIRE_STATUS_MALFORMED;
}

cse_status tra_agree_item(struct tra_work *work, struct tra_item *item)
{
    uint8_t shared[CSN_EC_SIZE_MAX];
    uint32_t size = 0;
    struct tra_version *version = tra_pick(work, item->version);
    if (version == NULL) {
        return CSN_WIRE_STATUS_NOT_FOUND;
    }
    cse_status status = tra_take_use(work, version);
    if (status == CSN_WIRE_STATUS_OK) {
        status = share(work, version, item, shared, &size);
    }
    if (status == CSN_WIRE_STATUS_OK) {
        item->version = version->number;
        if ((work->flags & CSN_WIRE_TRANSIT_BARE) != 0) {
            memcpy(item->output, shared, size);
            item->output_size = size;
        } else {
            item->output_size = work->size;
            if (csn_hkdf(NULL, 0, shared, size, item->extra, item->extra_size, item->output,
                         work->size) != CSN_OK) {
                status = CSN_WIRE_STATUS_INTERNAL;
            }
        }
    }
    csn_wipe(shared, sizeof shared);
    return status;
}

cse_status tra_encapsulate_item(struct tra_work *work, struct tra_item *item)
{
    uint8_t randomness[32];
    const struct tra_version *version = tra_pick(work, item->version);
    const struct csn_mlkem_key *key = version != NULL ? tra_kem(work, version) : NULL;
    if (version == NULL) {
        return CSN_WIRE_STATUS_NOT_FOUND;
    }
    if (key == NULL || !cse_random(work->call, randomness, sizeof randomness)) {
        return CSN_WIRE_STATUS_INTERNAL;
    }
    csn_mlkem_encapsulate(&key->public, randomness, item->second, item->output);
    csn_wipe(randomness, sizeof randomness);
    item->version = version->number;
    item->output_size = CSN_MLKEM_SHARED_SIZE;
    item->second_size = CSN_MLKEM_CIPHERTEXT_SIZE;
    return CSN_WIRE_STATUS_OK;
}

cse_status tra_decapsulate_item(struct tra_work *work, struct tra_item *item)
{
    struct tra_version *version = tra_pick(work, item->version);
    if (version == NULL) {
        return CSN_WIRE_STATUS_NOT_FOUND;
    }
    if (item->input_size != CSN_MLKEM_CIPHERTEXT_SIZE) {
        return CSN_WIRE_STATUS_MALFORMED;
    }
    cse_status status = tra_take_use(work, version);
    if (status != CSN_WIRE_STATUS_OK) {
        return status;
    }
    const struct csn_mlkem_key *key = tra_kem(work, version);
    if (key == NULL ||
        csn_mlkem_decapsulate(key, item->input, item->input_size, item->output) != CSN_OK) {
        return CSN_WIRE_STATUS_INTERNAL;
    }
    item->version = version->number;
    item->output_size = CSN_MLKEM_SHARED_SIZE;
    return CSN_WIRE_STATUS_OK;
}
