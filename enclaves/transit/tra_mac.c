/* SPDX-License-Identifier: Apache-2.0 */
/* tra_mac.c: HMAC under a version's secret, or, of a derived key, under what comes from it. */
#include "crypto/sha2.h"
#include "tra_state.h"

static void mac(const struct tra_work *work, const uint8_t *secret, uint32_t secret_size,
                const struct tra_item *item, uint8_t tag[64])
{
    struct csn_hmac_key key;
    switch (tra_hash_of(work)) {
    case CSN_WIRE_TRANSIT_SHA2_384:
        csn_hmac_384(secret, secret_size, item->input, item->input_size, tag);
        return;
    case CSN_WIRE_TRANSIT_SHA2_512:
        csn_hmac_512(secret, secret_size, item->input, item->input_size, tag);
        return;
    default:
        csn_hmac_key_init(&key, secret, secret_size);
        csn_hmac(&key, item->input, item->input_size, tag);
        csn_wipe(&key, sizeof key);
    }
}

static cse_status make(struct tra_work *work, struct tra_item *item, uint8_t tag[64])
{
    uint8_t derived[32];
    struct tra_version *version = tra_pick(work, item->version);
    if (version == NULL) {
        return CSN_WIRE_STATUS_NOT_FOUND;
    }
    cse_status status = tra_take_use(work, version);
    if (status != CSN_WIRE_STATUS_OK) {
        return status;
    }
    item->version = version->number;
    if ((work->key->is.flags & CSN_WIRE_TRANSIT_KEY_DERIVED) == 0) {
        mac(work, version->secret, version->secret_size, item, tag);
        return CSN_WIRE_STATUS_OK;
    }
    tra_derive(work, version, TRA_USE_MAC, item, derived, sizeof derived);
    mac(work, derived, sizeof derived, item, tag);
    csn_wipe(derived, sizeof derived);
    return CSN_WIRE_STATUS_OK;
}

bool tra_macs_batch(const struct tra_work *work)
{
    return tra_hash_of(work) == CSN_WIRE_TRANSIT_SHA2_256 &&
           (work->key->is.flags & CSN_WIRE_TRANSIT_KEY_DERIVED) == 0;
}

/* The version that an item may use, once. */
static struct tra_version *take(struct tra_work *work, struct tra_item *item)
{
    struct tra_version *version = tra_pick(work, item->version);
    item->status = version != NULL ? tra_take_use(work, version) : CSN_WIRE_STATUS_NOT_FOUND;
    return item->status == CSN_WIRE_STATUS_OK ? version : NULL;
}

void tra_mac_items(struct tra_work *work)
{
    struct csn_hmac_key key;
    struct csn_hmac_item macs[TRA_CHUNK];
    const struct tra_version *of = NULL; /* whose key it is */
    uint32_t count = 0;
    for (uint32_t i = 0; i < work->count; i++) {
        struct tra_item *item = &work->items[i];
        const struct tra_version *version =
            item->status == CSN_WIRE_STATUS_OK ? take(work, item) : NULL;
        if (version == NULL) {
            continue;
        }
        if (version != of || count == TRA_CHUNK) {
            csn_hmac_batch(macs, count);
            count = 0;
        }
        if (version != of) {
            csn_hmac_key_init(&key, version->secret, version->secret_size);
            of = version;
        }
        item->version = version->number;
        item->output_size = 32;
        macs[count++] = (struct csn_hmac_item){&key, item->input, item->input_size, item->output};
    }
    csn_hmac_batch(macs, count);
    csn_wipe(&key, sizeof key);
}

cse_status tra_mac_item(struct tra_work *work, struct tra_item *item)
{
    uint8_t tag[64];
    cse_status status = make(work, item, tag);
    if (status == CSN_WIRE_STATUS_OK) {
        item->output_size = tra_hash_size(work);
        memcpy(item->output, tag, item->output_size);
    }
    csn_wipe(tag, sizeof tag);
    return status;
}

cse_status tra_check_mac_item(struct tra_work *work, struct tra_item *item)
{
    uint8_t tag[64];
    cse_status status = make(work, item, tag);
    if (status == CSN_WIRE_STATUS_OK) {
        const uint32_t size = tra_hash_size(work);
        item->output[0] = item->extra_size == size && csn_equal_ct(item->extra, tag, size);
        item->output_size = 1;
    }
    csn_wipe(tag, sizeof tag);
    return status;
}
