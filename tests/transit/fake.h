/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fake.h: a stand-in for the calls of caisson/enclave.h, so that the transit handlers run in tests
 * and fuzzers without sessions: one worker, some tenants, calls that say who asks.
 */
#ifndef TRA_FAKE_H
#define TRA_FAKE_H

#include "../../enclaves/transit/tra_state.h"
#include "../enclave/store_double.h"
#include <caisson/enclave.h>

#define FAKE_OUTPUT_MAX  137216u /* what the largest request's answer has room for */
#define FAKE_TENANTS     4u
#define FAKE_INPUT_MAX   CSN_WIRE_PAYLOAD_MAX
#define FAKE_BOOT        0x77 /* every byte of the first boot id, and so on */
#define FAKE_MEASUREMENT 0x88
#define FAKE_DIGEST      0x99

struct cse_call {
    void *worker;
    void *states[FAKE_TENANTS];
    int boot;        /* every byte of the boot id: FAKE_BOOT at first, then others */
    uint32_t tenant; /* who asks */
    uint32_t rights;
    uint32_t purpose;
    uint64_t field_mask;
    const char *route; /* name in the path, or NULL */
    uint8_t *scratch;
    uint32_t scratch_max;
    uint32_t scratch_used;
    bool failed; /* cse_fail_at() was called */
    uint32_t fail_at;
    uint64_t grant_version;
    uint8_t statement_seed[32];
    bool random_fails;
    struct store_double *store; /* the caller's; NULL: the host has none */
    struct cse_outside *outside;
    void *outside_memory;
    char claim[32];                      /* what the evidence would say of the store */
    uint8_t output[FAKE_OUTPUT_MAX + 1]; /* of the last call, a zero behind it */
    uint32_t output_size;
    uint32_t output_max;
};

/* Tenant 0 asks, has every right, and was granted an empty policy. No store. */
struct cse_call *fake_new(void);
/* The same without a grant, and with a store (or NULL), which outlives the call. */
struct cse_call *fake_boot(struct store_double *store);
void fake_free(struct cse_call *call);
/* Grants to a tenant; policy may be NULL. */
csn_err fake_grant(struct cse_call *call, uint32_t tenant, const void *policy, uint32_t size);

/* An operation in JSON (CSN_WIRE_TRANSIT_*) with the key's name in the path, or NULL. */
cse_status fake_json(struct cse_call *call, uint32_t operation, const char *name, const char *text);
cse_status fake_run(struct cse_call *call, uint16_t operation, const void *input, uint32_t size);
/* A string member of the last answer, decoded from base64, what stands before ':' cut off. */
uint32_t fake_bytes(const struct cse_call *call, const char *member, uint8_t *bytes, uint32_t max);
/* A member as text: a string without its quotes, or the value as it stands. False: none. */
bool fake_text(const struct cse_call *call, const char *member, char *text, uint32_t max);

/* Makes the key from a secret of ours, sealed to the import key. more: members, each with a comma
 * before it. */
cse_status fake_import(struct cse_call *call, const char *name, const char *type,
                       const uint8_t *secret, uint32_t size, const char *more);
/* The sealed secret in base64. */
void fake_sealed(struct cse_call *call, const char *name, uint32_t type, const uint8_t *secret,
                 uint32_t size, char *text);
void fake_base64(const uint8_t *bytes, uint32_t size, char *text);

/* The binary form: fields of the request are the caller's; items have bytes or NULL. */
struct fake_item {
    const void *input;
    uint32_t input_size;
    const void *extra;
    uint32_t extra_size;
    const void *context;
    uint32_t context_size;
};
struct fake_result {
    struct csn_wire_transit_result head;
    const uint8_t *output;
    const uint8_t *second;
};
cse_status fake_binary(struct cse_call *call, struct csn_wire_transit_request *request,
                       const char *name, const struct fake_item *items,
                       struct fake_result *results);

#endif
