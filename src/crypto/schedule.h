/* SPDX-License-Identifier: Apache-2.0 */
/*
 * schedule.h: the key schedule of sealed records (docs/WIRE.md section 5), one source for both
 * ends.
 *
 * Trust:    pure functions over private memory.
 * Threads:  any.
 */
#ifndef CSN_CRYPTO_SCHEDULE_H
#define CSN_CRYPTO_SCHEDULE_H

#include "aead.h"
#include "aead_suite.h"
#include "sha2.h"
#include <caisson/base.h>
#include <caisson/wire/grant.h>
#include <caisson/wire/message.h>
#include <caisson/wire/record.h>
#include <core/bytes.h>
#include <stdint.h>

/* What a context is bound to; all of it goes into the HPKE info. */
struct csn_binding {
    uint8_t direction;
    uint8_t mode;
    uint8_t reserved[6];
    uint64_t credential;
    uint8_t tenant[32];
    uint8_t key_id[8];
    struct csn_wire_challenge challenge; /* zero but in window mode */
};

/* What HPKE exports for one context. Wipe with csn_wipe(). */
struct csn_record_secrets {
    uint8_t base[32];       /* record keys come from it and a salt */
    uint8_t reply[32];      /* reply keys come from it and a response nonce */
    uint8_t commitment[32]; /* public: travels in each header */
};

struct csn_record_key {
    struct csn_gcm_key key;
    uint8_t iv[CSN_GCM_NONCE_SIZE];
};

void csn_tenant_id(const uint8_t root_key[32], uint8_t id[32]);
void csn_key_id(const uint8_t public_key[32], uint8_t id[8]);

CSN_MUST_USE csn_err csn_record_sender(const struct csn_binding *binding, const uint8_t secret[32],
                                       const uint8_t public_key[32],
                                       const uint8_t ephemeral_secret[32],
                                       uint8_t encapsulation[32],
                                       struct csn_record_secrets *secrets);
CSN_MUST_USE csn_err csn_record_receiver(const struct csn_binding *binding,
                                         const uint8_t secret[32],
                                         const struct csn_wire_recipient *recipient,
                                         const uint8_t encapsulation[32],
                                         struct csn_record_secrets *secrets);

void csn_record_key_from_salt(const uint8_t base[32], const uint8_t salt[16],
                              struct csn_record_key *key);
void csn_reply_key(const uint8_t reply[32], const uint8_t response_nonce[32], uint64_t sequence,
                   struct csn_record_key *key, uint8_t commitment[32]);

/* What the answer to a hello says once for all short answers under its salt. */
struct csn_short_reply {
    uint8_t salt[16];
    uint8_t id[32]; /* csn_short_reply_id() */
    uint64_t grant_version;
    uint8_t grant_digest[32];
};
/* reply->id, from the request's binding and reply->salt: what answers have as associated data. */
void csn_short_reply_id(const struct csn_binding *binding, const uint8_t encapsulation[32],
                        struct csn_short_reply *reply);
/* The key of an epoch: of the counters that have it as their quotient by 2^20. */
void csn_short_reply_key(const uint8_t base[32], const struct csn_short_reply *reply,
                         uint64_t epoch, struct csn_record_key *key);
static inline uint64_t csn_short_reply_epoch(uint64_t counter)
{
    return counter / CSN_WIRE_SALT_RECORDS_MAX;
}

void csn_context_id(const struct csn_binding *binding, const uint8_t encapsulation[32],
                    const uint8_t salt[16], uint8_t id[32]);
/* The part of a record id that is the same for a whole context, hashed once. */
void csn_record_id_begin(const uint8_t tenant[32], uint64_t credential,
                         const uint8_t encapsulation[32], struct csn_sha256 *prefix);
void csn_record_id(const struct csn_sha256 *prefix, uint64_t sequence, uint64_t grant_version,
                   uint8_t id[32]);
void csn_stream_id(const uint8_t encapsulation[32], uint8_t stream[16]);

/* What the signer of a grant and of a delegation signs, and the digest that outputs carry. */
#define CSN_GRANT_SIGNED_SIZE      (26 + offsetof(struct csn_wire_grant, signature) + 32)
#define CSN_DELEGATION_SIGNED_SIZE (21 + 32 + offsetof(struct csn_wire_delegation, signature))
void csn_grant_signed(const struct csn_wire_grant *header, const uint8_t body_digest[32],
                      uint8_t message[CSN_GRANT_SIGNED_SIZE]);
void csn_delegation_signed(const uint8_t root_key[32], const struct csn_wire_delegation *delegation,
                           uint8_t message[CSN_DELEGATION_SIGNED_SIZE]);
void csn_grant_digest(const struct csn_wire_grant *header, const uint8_t body_digest[32],
                      uint8_t digest[32]);

#endif
