/* SPDX-License-Identifier: Apache-2.0 */
/*
 * http.h: requests over HTTP inside the enclave: from Binary HTTP to a handler and back.
 *
 * Trust:    the bytes are of whoever knows the public key, or, in a record, of a tenant.
 * Threads:  one worker. Memory: the caller's.
 */
#ifndef CSE_ENCLAVE_HTTP_H
#define CSE_ENCLAVE_HTTP_H

#include "../ohttp/bhttp.h"
#include "state.h"

/* ---- problem.c: why a request is not served, as the client sees it ---- */

enum cse_refusal {
    CSE_REFUSAL_NONE = 0,
    CSE_REFUSAL_STATUS_LAST = CSN_WIRE_STATUS_LAST, /* up to here: the handler's status */
    CSE_REFUSAL_MESSAGE,
    CSE_REFUSAL_TWICE,
    CSE_REFUSAL_CREDENTIAL,
    CSE_REFUSAL_WAY,
    CSE_REFUSAL_CONSUMER,
    CSE_REFUSAL_PATH,
    CSE_REFUSAL_METHOD,
    CSE_REFUSAL_TYPE,
    CSE_REFUSAL_PURPOSE,
    CSE_REFUSAL_CHALLENGE,
    CSE_REFUSAL_USED,
    CSE_REFUSAL_COUNT,
};

struct cse_problem {
    enum cse_refusal refusal;
    bool has_offset;
    uint32_t offset;
    struct csn_bhttp_text allow; /* methods, with CSE_REFUSAL_METHOD */
};

/* CSN_ERR_SPACE: it does not fit, and nothing was written. */
CSN_MUST_USE csn_err cse_problem_write(const struct cse_problem *problem, uint8_t *bytes,
                                       uint32_t room, uint32_t *size);

/* ---- http.c ---- */

struct cse_http {
    uint8_t *bytes; /* the request, padding included; changed */
    uint32_t size;
    const uint8_t *encapsulation; /* NULL: it came in a record, whose own proof serves */
    bool joined;                  /* the answer must be one output */
    uint32_t purpose;             /* a record's; a sealed request names its own in a header */
    struct csn_bhttp_message message;
    struct csn_bhttp_text name; /* what the path has for the route's "{}" */
    const char *type;           /* of the answer's content: the route's, or what the handler says */
};

/*
 * Serves it; call has session, shape and its first slot, and for a record tenant and credential.
 * OK: the response, whatever it says, is *size bytes spread over *count outputs from the first on.
 * Otherwise no response fits, and the status says why; or CSE_LATER, and its slots are as they
 * were taken.
 */
enum csn_wire_status cse_http_serve(struct cse_call *call, struct cse_http *http, uint32_t *size,
                                    uint32_t *count);

/* A response's bytes before the length of its content: status 200, its type. */
CSN_MUST_USE csn_err cse_http_head(const char *type, uint8_t *bytes, uint32_t room, uint32_t *size);

/* ---- path.c ---- */

/* True: path is that of the pattern; name: what it has for the pattern's "{}", else nothing. */
bool cse_path_fits(const char *pattern, const struct csn_bhttp_text *path,
                   struct csn_bhttp_text *name);

/* ---- spread.c: one run of bytes over the outputs of a call ---- */

/* Takes all slots of the call: the main output is in the last one, further ones before it. */
void cse_spread_begin(struct cse_call *call);
/* Where the main output's content goes. */
uint8_t *cse_spread_main(const struct cse_call *call);
/*
 * Moves the content of the main output (main_size bytes) behind that of the further ones, and all
 * of them behind the first `begin` bytes of the first, at most call->offset. Returns how many bytes
 * that are.
 */
uint32_t cse_spread_join(struct cse_call *call, uint32_t main_size, uint32_t begin);
/* Gives back all slots but the first count, and wipes what stands in them. */
void cse_spread_end(struct cse_call *call, uint32_t count);

/* ---- challenge.c: what may be used once only ---- */

void cse_challenge_issue(struct cse_session *session, struct csn_wire_challenge *challenge);
/* True: it is of this worker and boot, not older than the tenant's grant, and was not used yet. */
bool cse_challenge_take(struct cse_session *session, const struct cse_tenant *tenant,
                        const struct csn_wire_challenge *challenge);

#endif
