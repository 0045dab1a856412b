/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vouch.h: what an enclave says of itself and of what it made, so that strangers can check it.
 *
 * Statements: a signature under a key that each instance makes at its start and that its evidence
 * names (`caisson verify`, csv_verdict_statement_key()). Whoever appraised the evidence knows which
 * image said it. Claims: a label and 32 bytes for each tenant, in the evidence itself.
 *
 * Trust:    only the service says what is signed or claimed; it must not sign what a tenant chose.
 * Threads:  as handlers. All workers sign with one key; evidence shows the claims of worker 0.
 * Builds:   freestanding; hosted too. An image that names neither does not carry it.
 */
#ifndef CAISSON_VOUCH_H
#define CAISSON_VOUCH_H

#include <caisson/enclave.h>
#include <caisson/wire/claim.h>

#define CSE_STATEMENT_LABEL_MAX 64u /* characters */

/* For cse_service.statements: without it an instance has no such key. */
struct cse_statements {
    void (*make)(const uint8_t seed[32], uint8_t public_key[32], uint8_t secret_key[64]);
    csn_err (*self_test)(void);
};
extern const struct cse_statements cse_statements;

/*
 * Sign bytes under the instance's key. label: what kind of thing they are, 1 to
 * CSE_STATEMENT_LABEL_MAX printable characters, terminated; a signature under one label is none
 * under another. CSN_ERR_ARGUMENT: no such label, or the service has no `statements`.
 */
CSN_MUST_USE csn_err cse_statement_sign(struct cse_call *call, const char *label, const void *bytes,
                                        size_t size, uint8_t signature[64]);

/* What a birth certificate and the like say of the instance that the call runs in. */
const uint8_t *cse_boot_id(const struct cse_call *call);      /* 16 bytes */
const uint8_t *cse_measurement(const struct cse_call *call);  /* 48 bytes, as grants name it */
uint64_t cse_grant_version(const struct cse_call *call);      /* of the grant in force */
const uint8_t *cse_grant_digest(const struct cse_call *call); /* 32 bytes */

/*
 * A claim of the grant: from its hook, or later from a handler; it goes with the grant. A label
 * that is there already gets the new bytes. CSN_ERR_LIMIT: more than cse_service.claim_count.
 * CSN_ERR_ARGUMENT: label 0.
 */
CSN_MUST_USE csn_err cse_claim_grant(const struct cse_grant_view *grant, uint32_t label,
                                     const uint8_t claim[32]);
CSN_MUST_USE csn_err cse_claim_set(struct cse_call *call, uint32_t label, const uint8_t claim[32]);
/* A word of at most 31 characters as the bytes of a claim. */
void cse_claim_word(uint8_t claim[32], const char *word);

#endif
