/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tenants.h: how many requests a tenant, or a client without a label, may make: a token bucket, and
 * a quota that begins anew at each midnight (UTC).
 *
 * Trust:   labels in paths and addresses are anybody's word: they bound what is asked of the
 *          gateway, they let nobody in. What lets in is sealed, and checked in the enclave.
 * Memory:  fixed; of clients without a label the one that was away longest is forgotten.
 * Threads: the loop's.
 */
#ifndef CSN_GATEWAY_TENANTS_H
#define CSN_GATEWAY_TENANTS_H

#include "config.h"

#define CSN_TENANTS_CLIENTS 4096u /* addresses that are remembered: a power of two */

struct csn_bucket {
    double tokens;
    uint64_t filled_ns;
    uint64_t day;
    uint64_t used; /* of the day's quota */
};

struct csn_tenant {
    char label[CSN_CONFIG_NAME_SIZE_MAX + 1];
    struct csn_config_rate rate;
    struct csn_bucket bucket;
    uint64_t requests;
    uint64_t refused_rate;
    uint64_t refused_quota;
};

struct csn_unlabelled {
    char address[46]; /* of IPv6 the /64; "": free */
    uint64_t seen_ns;
    struct csn_bucket bucket;
};

struct csn_tenants {
    uint32_t count;
    struct csn_tenant tenants[CSN_CONFIG_TENANTS_MAX];
    struct csn_config_rate unlabelled;
    struct csn_unlabelled *clients; /* CSN_TENANTS_CLIENTS */
};

/* Takes the limits of a configuration; who is in both keeps what it used. CSN_ERR_MEMORY. */
CSN_MUST_USE csn_err csn_tenants_set(struct csn_tenants *tenants, const struct csn_config *config);
void csn_tenants_free(struct csn_tenants *tenants);

/* Index of the tenant of that label, or UINT32_MAX. */
uint32_t csn_tenants_find(const struct csn_tenants *tenants, const char *label, size_t size);

enum csn_allowed { CSN_ALLOWED, CSN_OVER_RATE, CSN_OVER_QUOTA };
struct csn_when {
    uint64_t now_ns; /* CLOCK_MONOTONIC */
    uint64_t now_s;  /* UNIX time */
};
/* One request more? If not, *retry_s says when to try again. */
enum csn_allowed csn_tenants_take(struct csn_tenants *tenants, uint32_t tenant,
                                  const struct csn_when *when, uint32_t *retry_s);
/*
 * The same for a client without a label, by its address as text. An IPv6 client is its /64, since
 * whoever has one address of it has them all.
 */
enum csn_allowed csn_tenants_take_client(struct csn_tenants *tenants, const char *address,
                                         const struct csn_when *when, uint32_t *retry_s);

#endif
