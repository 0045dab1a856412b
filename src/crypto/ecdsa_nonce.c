/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ecdsa_nonce.c: nonces from the secret key and the digest (RFC 6979 section 3.2), by HMAC-SHA-256
 * on P-256 and HMAC-SHA-384 on P-384: the tag is as long as a nonce, so one tag is one candidate.
 */
#include "ecdsa_parts.h"
#include "sha2.h"
#include <core/bytes.h>

/* What K is renewed from: V, a byte and, at first, the secret key, the digest and the hedge. */
struct input {
    uint8_t bytes[3 * CSN_EC_SIZE_MAX + 1 + CSN_ECDSA_HEDGE_SIZE];
    uint32_t size;
};

/* tag = HMAC(K, bytes); it may be the key. */
static void mac(const struct csn_ec *ec, const uint8_t *key, const uint8_t *bytes, uint32_t size,
                uint8_t *tag)
{
    if (ec->size == 48) {
        csn_hmac_384(key, 48, bytes, size, tag);
    } else {
        struct csn_hmac_key schedule;
        csn_hmac_key_init(&schedule, key, 32);
        csn_hmac(&schedule, bytes, size, tag);
        csn_wipe(&schedule, sizeof schedule);
    }
}

/* K = HMAC(K, V | mark | rest), V = HMAC(K, V); input has room for V and the mark in front. */
static void renew(const struct csn_ec *ec, struct csn_ecdsa_nonces *nonces, uint8_t mark,
                  struct input *input)
{
    __builtin_memcpy(input->bytes, nonces->value, ec->size);
    input->bytes[ec->size] = mark;
    mac(ec, nonces->key, input->bytes, input->size, nonces->key);
    mac(ec, nonces->key, nonces->value, ec->size, nonces->value);
}

void csn_ecdsa_nonces_init(const struct csn_ec *ec, const struct csn_ecdsa_request *request,
                           struct csn_ecdsa_nonces *nonces)
{
    struct input input;
    struct csn_scalar digest;
    uint8_t *next = input.bytes + ec->size + 1;
    __builtin_memcpy(next, request->secret, ec->size);
    csn_ecdsa_digest(ec, request->digest, request->digest_size, &digest);
    csn_scalar_store(ec->order, &digest, next + ec->size);
    next += 2 * ec->size;
    if (request->hedge != NULL) {
        __builtin_memcpy(next, request->hedge, CSN_ECDSA_HEDGE_SIZE);
        next += CSN_ECDSA_HEDGE_SIZE;
    }
    input.size = (uint32_t)(next - input.bytes);
    nonces->asked = false;
    __builtin_memset(nonces->key, 0, sizeof nonces->key);
    __builtin_memset(nonces->value, 1, sizeof nonces->value);
    renew(ec, nonces, 0, &input);
    renew(ec, nonces, 1, &input);
    csn_wipe(&input, sizeof input);
}

/* K and V are renewed between one candidate and the next, which is hardly ever asked for. */
void csn_ecdsa_nonces_next(const struct csn_ec *ec, struct csn_ecdsa_nonces *nonces, uint8_t *nonce)
{
    if (nonces->asked) {
        struct input input = {.size = ec->size + 1};
        renew(ec, nonces, 0, &input);
        csn_wipe(&input, sizeof input);
    }
    nonces->asked = true;
    mac(ec, nonces->key, nonces->value, ec->size, nonces->value);
    __builtin_memcpy(nonce, nonces->value, ec->size);
}
