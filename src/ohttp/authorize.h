/* SPDX-License-Identifier: Apache-2.0 */
/*
 * authorize.h: who sends a sealed request: a tenant's credential, in its Authorization header.
 *
 * Anyone can seal a request to a public key; it counts only with a credential of the grant. Two
 * ways, and a grant says which of them a credential may use:
 *
 *   Authorization: Caisson T      T proves knowledge of the secret for this one request
 *   Authorization: Bearer T       T is a token for all requests, for clients that can do no better
 *
 * T is base64url without padding of tenant id 32 | credential id u64 | proof 32: 96 characters.
 *
 *   bearer proof  = HMAC-SHA-256(secret, "caisson-bearer-v1" | tenant 32 | credential u64)
 *   request key   = HMAC-SHA-256(secret, "caisson-request-key-v1" | tenant 32 | credential u64)
 *   request proof = HMAC-SHA-256(request key, "caisson-request-v1" | encapsulation 32 |
 *                   text(method) | text(scheme) | text(authority) | text(path) | count u32 |
 *                   for each header and trailer but Authorization: text(name in lower case) |
 *                   text(value) | text(content));  text(x) = size u32 | x
 *
 * The encapsulation is fresh for each request, so a proof is of no use with another; that the same
 * request is not served twice is for the once-only challenge, a header and so under the proof.
 */
#ifndef CSN_OHTTP_AUTHORIZE_H
#define CSN_OHTTP_AUTHORIZE_H

#include "bhttp.h"

#define CSN_AUTHORIZE_TEXT_SIZE 96u
#define CSN_AUTHORIZE_SIZE_MAX  (8u + CSN_AUTHORIZE_TEXT_SIZE) /* of the header's value */

enum csn_authorize_way {
    CSN_AUTHORIZE_REQUEST = 1,
    CSN_AUTHORIZE_BEARER = 2,
};

struct csn_authorization {
    enum csn_authorize_way way;
    uint8_t tenant[32];
    uint64_t credential;
    uint8_t proof[32];
};

/*
 * From the message's one Authorization header. CSN_ERR_UNKNOWN: there is none. CSN_ERR_FORMAT:
 * several, or another scheme or form.
 */
CSN_MUST_USE csn_err csn_authorize_read(const struct csn_bhttp_message *message,
                                        struct csn_authorization *authorization);
/*
 * Is it the secret's proof? encapsulation: of the request, for the way that binds it.
 * CSN_ERR_AUTH: no. Constant time in proof and secret.
 */
CSN_MUST_USE csn_err csn_authorize_check(const struct csn_authorization *authorization,
                                         const struct csn_bhttp_message *message,
                                         const uint8_t encapsulation[32], const uint8_t secret[32]);
/*
 * Client: the value of the header for a message that is otherwise complete; way, tenant and
 * credential are set in authorization. Returns its size, at most CSN_AUTHORIZE_SIZE_MAX.
 */
uint32_t csn_authorize_write(struct csn_authorization *authorization,
                             const struct csn_bhttp_message *message,
                             const uint8_t encapsulation[32], const uint8_t secret[32],
                             char *value);

#endif
