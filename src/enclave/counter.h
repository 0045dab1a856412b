/* SPDX-License-Identifier: Apache-2.0 */
/*
 * counter.h: a counter in a TPM's NV memory, over a host that carries bytes and may carry others.
 *
 * The enclave makes the commands and checks the responses. An HMAC session is salted to the pinned
 * endorsement key, so that only the TPM that has it knows the session's key; each command says by
 * its HMAC which index it is for, by the pinned name; each response is the TPM's, of this command
 * and of no other time. What a response without a valid HMAC says (an error) is the host's word.
 *
 * Threads:  one worker. Memory: the caller's.
 */
#ifndef CSE_ENCLAVE_COUNTER_H
#define CSE_ENCLAVE_COUNTER_H

#include "outside.h"

#define CSE_TPM_NONCE_SIZE 32u
#define CSE_TPM_MARK_SIZE  32u

struct cse_counter {
    bool used;
    bool open; /* there is a session */
    struct csn_wire_counter pin;
    uint8_t mark[CSE_TPM_MARK_SIZE]; /* as it was read or made last */
    uint32_t session;                /* its handle */
    uint8_t session_key[32];
    uint8_t nonce[CSE_TPM_NONCE_SIZE]; /* the TPM's last */
};

/* pin: NULL for none. CSN_ERR_POLICY: not one that can be. */
CSN_MUST_USE csn_err cse_counter_begin(struct cse_counter *counter,
                                       const struct csn_wire_counter *pin);
/* Which one it is: a digest of the pin; zeros for none. */
void cse_counter_guard(const struct cse_counter *counter, uint8_t guard[32]);
/*
 * CSN_ERR_AUTH: not the pinned TPM's answer. CSN_ERR_POLICY: the index is not the pinned one, or
 * not a counter. CSN_ERR_SYSTEM: the TPM, or the host, says that it failed.
 */
/* Reads both: the mark goes to counter->mark. */
CSN_MUST_USE csn_err cse_counter_read(struct cse_counter *counter, struct cse_outside *outside,
                                      uint64_t *value);

/* What is counted: the mark before it, what the mark is extended by, and the count behind it. */
struct cse_counter_step {
    uint8_t mark[CSE_TPM_MARK_SIZE];
    uint8_t data[32];
    uint64_t wanted;
};
/* The mark is what this step makes of it. */
bool cse_counter_is_behind(const struct cse_counter *counter, const struct cse_counter_step *step);
/*
 * One up, to step->wanted; the mark is extended first, unless it has been already. CSN_ERR_REPLAY:
 * it is neither before nor behind this step, or the count is another: somebody else counts as well.
 * After any failure it may have moved or not.
 */
CSN_MUST_USE csn_err cse_counter_step(struct cse_counter *counter, struct cse_outside *outside,
                                      const struct cse_counter_step *step);

/* ---- counter_session.c ---- */
/* Bytes that are written or read from the front; more than there are: failed, and zeros. */
struct cse_tpm_bytes {
    uint8_t *bytes;
    uint32_t size; /* room, or what there is */
    uint32_t at;
    bool failed;
};
void cse_tpm_put(struct cse_tpm_bytes *to, const void *bytes, uint32_t size);
void cse_tpm_put_number(struct cse_tpm_bytes *to, uint64_t value, uint32_t size);
const uint8_t *cse_tpm_take(struct cse_tpm_bytes *from, uint32_t size); /* NULL: not there */
uint64_t cse_tpm_take_number(struct cse_tpm_bytes *from, uint32_t size);

/* A command that no session is in, from its code and what follows that. */
CSN_MUST_USE csn_err cse_tpm_plain(struct cse_outside *outside, uint32_t code,
                                   const struct cse_tpm_bytes *body,
                                   struct cse_tpm_bytes *response);
/* A command on one of the two indices; body: what it takes. */
struct cse_tpm_command {
    uint32_t code;
    uint32_t index;
    const uint8_t *name;       /* of the index */
    struct cse_tpm_bytes body; /* changed, if it is */
    bool is_secret;            /* the first thing in body has its length before it: encrypted */
};
/*
 * In the counter's session, which is begun if there is none. parameters: of the response,
 * authentic; they lie in the store's buffer.
 */
CSN_MUST_USE csn_err cse_tpm_ask(struct cse_counter *counter, struct cse_outside *outside,
                                 struct cse_tpm_command *command, struct cse_tpm_bytes *parameters);
/* Ends the session, if there is one. */
void cse_tpm_drop(struct cse_counter *counter, struct cse_outside *outside);

#endif
