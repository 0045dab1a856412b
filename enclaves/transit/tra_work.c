/* SPDX-License-Identifier: Apache-2.0 */
/* tra_work.c: an operation on its items: what each must look like, and who does it. */
#include "crypto/ecdsa.h"
#include "tra_state.h"

#define SIZE_MAX_DERIVED 1024u
#define SIZE_MAX_RANDOM  4096u

/* What an operation reads of an item; 1: may be there, 2: must be. */
struct form {
    uint8_t input;
    uint8_t extra;
    uint8_t context; /* 3: of derived keys, which must have it, and of no others */
    uint8_t flags;   /* of the request, that it knows */
    bool hash;
    uint16_t size_min; /* of `size`; 0: it has none */
    uint16_t size_max;
};

static const struct form forms[CSN_WIRE_TRANSIT_RANDOM + 1] = {
    [CSN_WIRE_TRANSIT_ENCRYPT] = {1, 1, 3, 0, false, 0, 0},
    [CSN_WIRE_TRANSIT_DECRYPT] = {2, 1, 3, 0, false, 0, 0},
    [CSN_WIRE_TRANSIT_REWRAP] = {2, 1, 3, 0, false, 0, 0},
    [CSN_WIRE_TRANSIT_SIGN] = {1, 0, 0, CSN_WIRE_TRANSIT_PREHASHED, true, 0, 0},
    [CSN_WIRE_TRANSIT_VERIFY] = {1, 1, 3, CSN_WIRE_TRANSIT_PREHASHED, true, 0, 0},
    [CSN_WIRE_TRANSIT_MAC] = {1, 0, 3, 0, true, 0, 0},
    [CSN_WIRE_TRANSIT_DERIVE] = {0, 0, 2, 0, false, 1, SIZE_MAX_DERIVED},
    [CSN_WIRE_TRANSIT_AGREE] = {2, 1, 0, CSN_WIRE_TRANSIT_BARE, false, 1, SIZE_MAX_DERIVED},
    [CSN_WIRE_TRANSIT_ENCAPSULATE] = {0, 0, 0, 0, false, 0, 0},
    [CSN_WIRE_TRANSIT_DECAPSULATE] = {2, 0, 0, 0, false, 0, 0},
    [CSN_WIRE_TRANSIT_DATAKEY] = {0, 1, 3, CSN_WIRE_TRANSIT_WRAPPED, false, 16, 64},
    [CSN_WIRE_TRANSIT_DATAKEY_OPEN] = {2, 1, 3, 0, false, 0, 0},
    [CSN_WIRE_TRANSIT_FPE_ENCRYPT] = {2, 1, 2, 0, false, 0, 0},
    [CSN_WIRE_TRANSIT_FPE_DECRYPT] = {2, 1, 2, 0, false, 0, 0},
    [CSN_WIRE_TRANSIT_RANDOM] = {0, 0, 0, 0, false, 1, SIZE_MAX_RANDOM},
};

static bool is_there(uint8_t rule, uint32_t size)
{
    return rule == 0 ? size == 0 : rule == 1 || size != 0;
}

static bool context_fits(const struct tra_work *work, uint8_t rule, uint32_t size)
{
    if (size > TRA_CONTEXT_MAX) {
        return false;
    }
    if (rule != 3) {
        return is_there(rule, size);
    }
    return ((work->key->is.flags & CSN_WIRE_TRANSIT_KEY_DERIVED) != 0) == (size != 0);
}

bool tra_fits(struct tra_work *work)
{
    const struct form *form = &forms[work->operation];
    const bool hashed = work->key != NULL && work->key->is.type != CSN_WIRE_TRANSIT_ED25519;
    const bool whole = work->key != NULL && work->key->is.type == CSN_WIRE_TRANSIT_HMAC;
    const bool bare = (work->flags & CSN_WIRE_TRANSIT_BARE) != 0;
    if ((work->flags & ~(uint32_t)form->flags) != 0 || work->hash > CSN_WIRE_TRANSIT_SHA2_512 ||
        (work->hash != 0 && !(form->hash && hashed)) ||
        ((work->flags & CSN_WIRE_TRANSIT_PREHASHED) != 0 && (!hashed || whole))) {
        return false;
    }
    if (form->size_min == 0 || bare) {
        return work->size == 0;
    }
    work->size = work->size == 0 ? 32 : work->size;
    return work->size >= form->size_min && work->size <= form->size_max;
}

static uint32_t beside(const struct tra_item *item)
{
    return item->input_size >= CSN_WIRE_TRANSIT_SEALED_BESIDE
               ? item->input_size - CSN_WIRE_TRANSIT_SEALED_BESIDE
               : 0;
}

static uint32_t curve_size(const struct tra_work *work)
{
    const uint32_t curve = tra_kind(work->key->is.type)->curve;
    return curve != 0 ? csn_ec_size(curve) : 32;
}

bool tra_rooms(const struct tra_work *work, const struct tra_item *item, uint32_t *output,
               uint32_t *second)
{
    const struct form *form = &forms[work->operation];
    *output = work->size;
    *second = 0;
    if (!is_there(form->input, item->input_size) || !is_there(form->extra, item->extra_size) ||
        !context_fits(work, form->context, item->context_size)) {
        *output = 0;
        return false;
    }
    switch (work->operation) {
    case CSN_WIRE_TRANSIT_ENCRYPT:
        *output = item->input_size + CSN_WIRE_TRANSIT_SEALED_BESIDE;
        return true;
    case CSN_WIRE_TRANSIT_DECRYPT:
    case CSN_WIRE_TRANSIT_DATAKEY_OPEN:
        *output = beside(item);
        return true;
    case CSN_WIRE_TRANSIT_REWRAP:
    case CSN_WIRE_TRANSIT_FPE_ENCRYPT:
    case CSN_WIRE_TRANSIT_FPE_DECRYPT:
        *output = item->input_size;
        return true;
    case CSN_WIRE_TRANSIT_SIGN:
        *output = 2 * curve_size(work);
        return true;
    case CSN_WIRE_TRANSIT_VERIFY:
        *output = 1;
        return true;
    case CSN_WIRE_TRANSIT_MAC:
        *output = tra_hash_size(work);
        return true;
    case CSN_WIRE_TRANSIT_AGREE:
        *output = (work->flags & CSN_WIRE_TRANSIT_BARE) != 0 ? curve_size(work) : work->size;
        return true;
    case CSN_WIRE_TRANSIT_ENCAPSULATE:
        *output = CSN_MLKEM_SHARED_SIZE;
        *second = CSN_MLKEM_CIPHERTEXT_SIZE;
        return true;
    case CSN_WIRE_TRANSIT_DECAPSULATE:
        *output = CSN_MLKEM_SHARED_SIZE;
        return true;
    case CSN_WIRE_TRANSIT_DATAKEY:
        *output = work->size + CSN_WIRE_TRANSIT_SEALED_BESIDE;
        *second = (work->flags & CSN_WIRE_TRANSIT_WRAPPED) != 0 ? 0 : work->size;
        return true;
    default: /* derive, random */
        return true;
    }
}

static cse_status derive_item(struct tra_work *work, struct tra_item *item)
{
    struct tra_version *version = tra_pick(work, item->version);
    if (version == NULL) {
        return CSN_WIRE_STATUS_NOT_FOUND;
    }
    cse_status status = tra_take_use(work, version);
    if (status == CSN_WIRE_STATUS_OK) {
        tra_derive(work, version, TRA_USE_DERIVE, item, item->output, work->size);
        item->output_size = work->size;
        item->version = version->number;
    }
    return status;
}

static cse_status random_item(struct tra_work *work, struct tra_item *item)
{
    item->output_size = work->size;
    return cse_random(work->call, item->output, work->size) ? CSN_WIRE_STATUS_OK
                                                            : CSN_WIRE_STATUS_INTERNAL;
}

static cse_status one(struct tra_work *work, struct tra_item *item)
{
    switch (work->operation) {
    case CSN_WIRE_TRANSIT_SIGN:
        return tra_sign_item(work, item);
    case CSN_WIRE_TRANSIT_VERIFY:
        return work->key->is.type == CSN_WIRE_TRANSIT_HMAC ? tra_check_mac_item(work, item)
                                                           : tra_verify_item(work, item);
    case CSN_WIRE_TRANSIT_MAC:
        return tra_mac_item(work, item);
    case CSN_WIRE_TRANSIT_DERIVE:
        return derive_item(work, item);
    case CSN_WIRE_TRANSIT_AGREE:
        return tra_agree_item(work, item);
    case CSN_WIRE_TRANSIT_ENCAPSULATE:
        return tra_encapsulate_item(work, item);
    case CSN_WIRE_TRANSIT_DECAPSULATE:
        return tra_decapsulate_item(work, item);
    case CSN_WIRE_TRANSIT_FPE_ENCRYPT:
    case CSN_WIRE_TRANSIT_FPE_DECRYPT:
        return tra_fpe_item(work, item);
    default:
        return random_item(work, item);
    }
}

static void wipe_failed(const struct tra_work *work)
{
    for (uint32_t i = 0; i < work->count; i++) {
        struct tra_item *item = &work->items[i];
        uint32_t output, second;
        if (item->status != CSN_WIRE_STATUS_OK && item->output != NULL &&
            tra_rooms(work, item, &output, &second)) {
            csn_wipe(item->output, output);
            csn_wipe(item->second, second);
        }
        if (item->status != CSN_WIRE_STATUS_OK) {
            item->output_size = item->second_size = 0;
        }
    }
}

static void one_by_one(struct tra_work *work)
{
    for (uint32_t i = 0; i < work->count; i++) {
        struct tra_item *item = &work->items[i];
        if (item->status == CSN_WIRE_STATUS_OK) {
            item->status = one(work, item);
        }
    }
}

void tra_work(struct tra_work *work)
{
    switch (work->operation) {
    case CSN_WIRE_TRANSIT_ENCRYPT:
    case CSN_WIRE_TRANSIT_DATAKEY:
        tra_seal_items(work);
        break;
    case CSN_WIRE_TRANSIT_DECRYPT:
    case CSN_WIRE_TRANSIT_DATAKEY_OPEN:
        tra_open_items(work);
        break;
    case CSN_WIRE_TRANSIT_REWRAP:
        tra_rewrap_items(work);
        break;
    case CSN_WIRE_TRANSIT_MAC:
        (tra_macs_batch(work) ? tra_mac_items : one_by_one)(work);
        break;
    default:
        one_by_one(work);
    }
    wipe_failed(work);
}
