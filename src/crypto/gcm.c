/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gcm.c: AES-256-GCM: keys, batches and the tag check; the work per item is a kernel's.
 *
 * The chosen kernel is the only state; it is set once, before the first use.
 */
#include "aead.h"
#include "aes.h"
#include "gcm_kernel.h"
#include <core/bytes.h>

static const struct csn_gcm_kernel *active = &csn_gcm_aesni;

void csn_gcm_use(const struct csn_gcm_kernel *kernel)
{
    active = kernel;
}

void csn_gcm_key_init(struct csn_gcm_key *key, const uint8_t secret[CSN_GCM_KEY_SIZE])
{
    struct csn_aes_key schedule;
    /* 32 bytes are always a legal size, so the result carries nothing. */
    (void)!csn_aes_key_init(&schedule, secret, CSN_GCM_KEY_SIZE);
    __builtin_memcpy(key->round_keys, schedule.round_keys, sizeof key->round_keys);
    csn_gcm_hash_powers(key);
    csn_wipe(&schedule, sizeof schedule);
}

void csn_gcm_seal_batch(struct csn_gcm_item *items, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        active->crypt(&items[i], 0, items[i].tag);
        items[i].result = CSN_OK;
    }
}

void csn_gcm_open_batch(struct csn_gcm_item *items, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        struct csn_gcm_item *item = &items[i];
        uint8_t tag[CSN_GCM_TAG_SIZE];
        active->crypt(item, 1, tag);
        item->result = CSN_OK;
        if (!csn_equal_ct(tag, item->tag, sizeof tag)) {
            csn_wipe(item->output, item->size);
            item->result = CSN_ERR_AUTH;
        }
        csn_wipe(tag, sizeof tag); /* the right tag of a forgery is worth as much as the key */
    }
}
