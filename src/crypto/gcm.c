/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gcm.c: AES-256-GCM over batches: which kernel, and what becomes of a forgery.
 *
 * The chosen kernel is the only state; it is set once, before the first use.
 */
#include "aead.h"
#include "gcm_kernel.h"
#include <core/bytes.h>

static const struct csn_gcm_kernel *active = &csn_gcm_aesni;

void csn_gcm_use(const struct csn_gcm_kernel *kernel)
{
    active = kernel;
}

void csn_gcm_seal_batch(struct csn_gcm_item *items, uint32_t count)
{
    active->seal(items, count);
}

void csn_gcm_open_batch(struct csn_gcm_item *items, uint32_t count)
{
    active->open(items, count);
    for (uint32_t i = 0; i < count; i++) {
        if (items[i].result != CSN_OK) {
            csn_wipe(items[i].output, items[i].size);
        }
    }
}
