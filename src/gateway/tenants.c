/* SPDX-License-Identifier: Apache-2.0 */
/* tenants.c: see tenants.h. */
#include "tenants.h"
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NS_PER_S 1e9
#define DAY_S    UINT64_C(86400)
#define WAYS     8u /* places that an address may have */

/* ---- one bucket ---- */

static enum csn_allowed take(struct csn_bucket *bucket, const struct csn_config_rate *rate,
                             const struct csn_when *when, uint32_t *retry_s)
{
    uint64_t day = when->now_s / DAY_S;
    double burst = rate->burst != 0 ? rate->burst : rate->rate > 1 ? rate->rate : 1;
    if (bucket->day != day) {
        bucket->day = day;
        bucket->used = 0;
    }
    if (bucket->filled_ns == 0) {
        bucket->tokens = burst;
    } else {
        bucket->tokens += (double)(when->now_ns - bucket->filled_ns) / NS_PER_S * rate->rate;
    }
    bucket->filled_ns = when->now_ns;
    bucket->tokens = bucket->tokens < burst ? bucket->tokens : burst;
    if (rate->quota != 0 && bucket->used >= rate->quota) {
        *retry_s = (uint32_t)(DAY_S - when->now_s % DAY_S);
        return CSN_OVER_QUOTA;
    }
    if (rate->rate > 0 && bucket->tokens < 1) {
        double wait = (1 - bucket->tokens) / rate->rate;
        *retry_s = wait < 3600 ? (uint32_t)wait + 1 : 3600;
        return CSN_OVER_RATE;
    }
    bucket->tokens -= rate->rate > 0 ? 1 : 0; /* no debt, should a reload bring a rate */
    bucket->used++;
    return CSN_ALLOWED;
}

/* ---- tenants ---- */

csn_err csn_tenants_set(struct csn_tenants *tenants, const struct csn_config *config)
{
    const struct csn_tenants before = *tenants;
    struct csn_unlabelled *clients = before.clients;
    if (clients == NULL) {
        clients = calloc(CSN_TENANTS_CLIENTS, sizeof *clients);
    }
    if (clients == NULL) {
        return CSN_ERR_MEMORY;
    }
    *tenants = (struct csn_tenants){
        .count = config->tenant_count, .unlabelled = config->unlabelled, .clients = clients};
    for (uint32_t i = 0; i < config->tenant_count; i++) {
        const char *label = config->tenants[i].label;
        uint32_t kept = csn_tenants_find(&before, label, strlen(label));
        if (kept != UINT32_MAX) {
            tenants->tenants[i] = before.tenants[kept];
        } else {
            memcpy(tenants->tenants[i].label, label, strlen(label) + 1);
        }
        tenants->tenants[i].rate = config->tenants[i].rate;
    }
    return CSN_OK;
}

void csn_tenants_free(struct csn_tenants *tenants)
{
    free(tenants->clients);
    tenants->clients = NULL;
}

uint32_t csn_tenants_find(const struct csn_tenants *tenants, const char *label, size_t size)
{
    for (uint32_t i = 0; i < tenants->count; i++) {
        const char *known = tenants->tenants[i].label;
        if (strlen(known) == size && memcmp(known, label, size) == 0) {
            return i;
        }
    }
    return UINT32_MAX;
}

enum csn_allowed csn_tenants_take(struct csn_tenants *tenants, uint32_t tenant,
                                  const struct csn_when *when, uint32_t *retry_s)
{
    struct csn_tenant *found = &tenants->tenants[tenant];
    enum csn_allowed allowed = take(&found->bucket, &found->rate, when, retry_s);
    found->requests++;
    found->refused_rate += allowed == CSN_OVER_RATE ? 1 : 0;
    found->refused_quota += allowed == CSN_OVER_QUOTA ? 1 : 0;
    return allowed;
}

/* ---- clients without a label ---- */

/* What an address counts as. */
static void name_of(const char *address, char name[46])
{
    struct in6_addr ip;
    snprintf(name, 46, "%s", address);
    if (inet_pton(AF_INET6, address, &ip) == 1) {
        memset(ip.s6_addr + 8, 0, 8);
        (void)inet_ntop(AF_INET6, &ip, name, 46);
    }
}

/* Its entry, or that of the client in its places who was away longest. */
static struct csn_unlabelled *client_of(struct csn_tenants *tenants, const char address[46],
                                        uint64_t now_ns)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325); /* FNV-1a */
    for (const char *at = address; *at != 0; at++) {
        hash = (hash ^ (uint8_t)*at) * UINT64_C(0x100000001b3);
    }
    struct csn_unlabelled *set =
        &tenants->clients[(hash ^ hash >> 32) % (CSN_TENANTS_CLIENTS / WAYS) * WAYS];
    struct csn_unlabelled *oldest = set;
    for (uint32_t i = 0; i < WAYS; i++) {
        if (strcmp(set[i].address, address) == 0) {
            set[i].seen_ns = now_ns;
            return &set[i];
        }
        oldest = set[i].seen_ns < oldest->seen_ns ? &set[i] : oldest;
    }
    *oldest = (struct csn_unlabelled){.seen_ns = now_ns};
    memcpy(oldest->address, address, sizeof oldest->address);
    return oldest;
}

enum csn_allowed csn_tenants_take_client(struct csn_tenants *tenants, const char *address,
                                         const struct csn_when *when, uint32_t *retry_s)
{
    const struct csn_config_rate *rate = &tenants->unlabelled;
    if (rate->rate == 0 && rate->quota == 0) {
        return CSN_ALLOWED;
    }
    char name[46];
    name_of(address, name);
    struct csn_unlabelled *client = client_of(tenants, name, when->now_ns);
    return take(&client->bucket, rate, when, retry_s);
}
