/* SPDX-License-Identifier: Apache-2.0 */
/*
 * config.h: what `caisson serve` is told: its JSON file, read strictly.
 *
 * Trust:    the file is the operator's. A key that is not known, a value out of its range and a
 *           name given twice are refused with their place, because a typing error in a limit must
 *           not become the absence of one.
 * Lifetime: all texts belong to the configuration, until each who holds it has called
 *           csn_config_free().
 * Threads:  one.
 */
#ifndef CSN_GATEWAY_CONFIG_H
#define CSN_GATEWAY_CONFIG_H

#include "front.h"
#include <caisson/host.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CSN_CONFIG_LISTENERS_MAX 8u
#define CSN_CONFIG_SERVICES_MAX  8u
#define CSN_CONFIG_INSTANCES_MAX 4u /* of one service, beside those that come and go */
#define CSN_CONFIG_TENANTS_MAX   64u
#define CSN_CONFIG_NAME_SIZE_MAX 63u
#define CSN_CONFIG_SIZE_MAX      ((size_t)1 << 20)

struct csn_config_listener {
    const char *address;     /* a number, or "localhost" */
    uint32_t port;           /* 0: any that is free */
    const char *certificate; /* NULL: cleartext */
    const char *key;
};

/* Who vouches for a service's enclaves, as the options of `caisson run` say it; NULL: not given. */
struct csn_config_evidence {
    const char *name; /* software, tsm, tpm, nsm */
    const char *root;
    const char *path;
    const char *privlevel;
    const char *tcti;
    const char *ak;
    const char *ak_certificate;
    const char *pcrs;
    const char *extend;
};

/* Where its enclave keeps things outside; NULL: nowhere, no TPM. */
struct csn_config_store {
    const char *folder;
    const char *tpm;
};

struct csn_config_service {
    const char *name;
    const char *image;
    const char *signature;
    const char *backend;
    const char *control; /* socket; that of instance N > 0 has ".N" behind it */
    const char *rings;   /* socket that hands channels to processes of this machine, or NULL */
    uint32_t instances;
    uint32_t require; /* CSN_PROTECT_* */
    uint32_t grants;  /* tenants that must have granted before it is current */
    uint32_t overlap_s;
    uint32_t inflight; /* messages kept for each worker */
    struct csn_config_evidence evidence;
    struct csn_config_store store;
};

/* Requests: so many a second over time, so many at once, so many a day (UTC). 0: no limit. */
struct csn_config_rate {
    double rate;
    uint32_t burst;
    uint64_t quota;
};

struct csn_config_tenant {
    const char *label;
    struct csn_config_rate rate;
};

struct csn_config {
    struct csn_config_listener listeners[CSN_CONFIG_LISTENERS_MAX];
    uint32_t listener_count;
    struct csn_config_listener admin;
    bool has_admin;
    struct csn_config_service services[CSN_CONFIG_SERVICES_MAX];
    uint32_t service_count;
    struct csn_config_tenant tenants[CSN_CONFIG_TENANTS_MAX];
    uint32_t tenant_count;
    struct csn_config_rate unlabelled; /* for each address of a client */
    struct csn_front_limits limits;    /* 0: the front's default */
    uint64_t body_size_max;            /* of a request; 1 MiB */
    uint64_t drain_ns;                 /* 30 s: for what is under way at the end */
    const char *access_log;            /* "-": standard output; NULL: none */
    bool log_clients;                  /* addresses, too */
    uint32_t rotate_s;                 /* 0: by signal alone */
    void *texts;                       /* private */
    uint32_t holds;
};

/*
 * folder: where relative paths begin. CSN_ERR_FORMAT with detail "services[0].port: ...", and
 * nothing to free.
 */
CSN_MUST_USE csn_err csn_config_read(const char *text, size_t size, const char *folder,
                                     struct csn_config **config, struct csn_detail *detail);
/* For one more, who calls csn_config_free() as well. */
struct csn_config *csn_config_hold(struct csn_config *config);
void csn_config_free(struct csn_config *config); /* NULL allowed */

/* Names and labels stand in paths and logs: 1 to 63 of a-z, 0-9, '-', '_' and '.'. */
bool csn_config_is_name(const char *text, size_t size);

#endif
