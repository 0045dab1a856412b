/* SPDX-License-Identifier: Apache-2.0 */
/* tra_sign.c: signatures and hashes. Signatures are r and s, or Ed25519's 64 bytes. */
#include "crypto/curve.h"
#include "crypto/ecdsa.h"
#include "crypto/sha2.h"
#include "tra_state.h"

uint32_t tra_hash_of(const struct tra_work *work)
{
    if (work->hash != CSN_WIRE_TRANSIT_HASH_DEFAULT) {
        return work->hash;
    }
    return work->key->is.type == CSN_WIRE_TRANSIT_P384 ? CSN_WIRE_TRANSIT_SHA2_384
                                                       : CSN_WIRE_TRANSIT_SHA2_256;
}

uint32_t tra_hash_size(const struct tra_work *work)
{
    switch (tra_hash_of(work)) {
    case CSN_WIRE_TRANSIT_SHA2_256:
        return 32;
    case CSN_WIRE_TRANSIT_SHA2_384:
        return 48;
    case CSN_WIRE_TRANSIT_SHA2_512:
        return 64;
    default:
        return 0;
    }
}

void tra_hash(uint32_t hash, const uint8_t *bytes, uint32_t size, uint8_t digest[64])
{
    struct csn_sha512 wide;
    if (hash == CSN_WIRE_TRANSIT_SHA2_256) {
        csn_sha256(bytes, size, digest);
        return;
    }
    if (hash == CSN_WIRE_TRANSIT_SHA2_384) {
        csn_sha384_init(&wide);
        csn_sha512_update(&wide, bytes, size);
        csn_sha384_final(&wide, digest);
        return;
    }
    csn_sha512_init(&wide);
    csn_sha512_update(&wide, bytes, size);
    csn_sha512_final(&wide, digest);
}

/* What is signed: the digest that was given, or one of the message. False: not one of that size. */
static bool digest_of(const struct tra_work *work, const struct tra_item *item, uint8_t digest[64])
{
    const uint32_t size = tra_hash_size(work);
    if ((work->flags & CSN_WIRE_TRANSIT_PREHASHED) == 0) {
        tra_hash(tra_hash_of(work), item->input, item->input_size, digest);
        return true;
    }
    if (item->input_size != size) {
        return false;
    }
    memcpy(digest, item->input, size);
    return true;
}

static cse_status sign_ecdsa(const struct tra_work *work, const struct tra_version *version,
                             const uint8_t *digest, uint8_t *signature)
{
    uint8_t hedge[CSN_ECDSA_HEDGE_SIZE];
    const struct csn_ecdsa_request request = {.curve = tra_kind(work->key->is.type)->curve,
                                              .secret = version->secret,
                                              .digest = digest,
                                              .digest_size = tra_hash_size(work),
                                              .hedge = hedge};
    if (!cse_random(work->call, hedge, sizeof hedge)) {
        return CSN_WIRE_STATUS_INTERNAL;
    }
    const csn_err result = csn_ecdsa_sign(&request, signature);
    csn_wipe(hedge, sizeof hedge);
    return result == CSN_OK ? CSN_WIRE_STATUS_OK : CSN_WIRE_STATUS_INTERNAL;
}

cse_status tra_sign_item(struct tra_work *work, struct tra_item *item)
{
    uint8_t digest[64];
    struct tra_version *version = tra_pick(work, item->version);
    const bool edwards = work->key->is.type == CSN_WIRE_TRANSIT_ED25519;
    if (version == NULL) {
        return CSN_WIRE_STATUS_NOT_FOUND;
    }
    if (!edwards && !digest_of(work, item, digest)) {
        return CSN_WIRE_STATUS_MALFORMED;
    }
    cse_status status = tra_take_use(work, version);
    if (status != CSN_WIRE_STATUS_OK) {
        return status;
    }
    item->version = version->number;
    if (edwards) {
        csn_ed25519_sign_expanded(item->output, item->input, item->input_size, version->secret);
        item->output_size = 64;
        return CSN_WIRE_STATUS_OK;
    }
    item->output_size = 2 * csn_ec_size(tra_kind(work->key->is.type)->curve);
    return sign_ecdsa(work, version, digest, item->output);
}

cse_status tra_verify_item(struct tra_work *work, struct tra_item *item)
{
    uint8_t digest[64];
    const struct tra_version *version = tra_pick(work, item->version);
    csn_err result = CSN_ERR_AUTH;
    if (version == NULL) {
        return CSN_WIRE_STATUS_NOT_FOUND;
    }
    if (work->key->is.type == CSN_WIRE_TRANSIT_ED25519) {
        if (item->extra_size == 64) {
            result =
                csn_ed25519_verify(item->extra, item->input, item->input_size, version->public_key);
        }
    } else {
        if (!digest_of(work, item, digest)) {
            return CSN_WIRE_STATUS_MALFORMED;
        }
        const struct tra_kind *kind = tra_kind(work->key->is.type);
        const struct csn_ecdsa_claim claim = {.curve = kind->curve,
                                              .public_key = version->public_key,
                                              .digest = digest,
                                              .digest_size = tra_hash_size(work),
                                              .signature = item->extra,
                                              .signature_size = item->extra_size};
        result = csn_ecdsa_verify(&claim);
    }
    item->version = version->number;
    item->output[0] = result == CSN_OK ? 1 : 0;
    item->output_size = 1;
    return CSN_WIRE_STATUS_OK;
}
