/* SPDX-License-Identifier: Apache-2.0 */
/* gcm_kernel.h: what a GCM kernel is: gcm_lanes.c, built for one kind of register. Private. */
#ifndef CSN_CRYPTO_GCM_KERNEL_H
#define CSN_CRYPTO_GCM_KERNEL_H

#include "aead.h"

/*
 * Both set the result of each item. open: CSN_ERR_AUTH leaves a plaintext that is not authentic in
 * the output, for the caller to wipe.
 */
struct csn_gcm_kernel {
    void (*seal)(struct csn_gcm_item *items, uint32_t count);
    void (*open)(struct csn_gcm_item *items, uint32_t count);
};

extern const struct csn_gcm_kernel csn_gcm_aesni;
extern const struct csn_gcm_kernel csn_gcm_vaes;

/* Called by csn_cpu_select() only. */
void csn_gcm_use(const struct csn_gcm_kernel *kernel);

#endif
