/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ohttp.h: Oblivious HTTP (RFC 9458), and its chunked form as draft-ietf-ohai-chunked-ohttp-08 has
 * it: both ends, bytes in and bytes out.
 *
 * Suites: DHKEM(X25519, HKDF-SHA256) with HKDF-SHA256 and each AEAD of aead_suite.h.
 *
 * Trust:    everything that is received is a stranger's until it authenticated; all of it is
 *           private memory.
 * Threads:  no state but the caller's.
 * Secrets:  wipe exchanges and answers when they are done with.
 *
 * A client:  csn_ohttp_send(), then csn_ohttp_seal() for the request or its chunks; when the answer
 *            comes csn_ohttp_answer() and csn_ohttp_answer_open().
 * A gateway: csn_ohttp_receive(), csn_ohttp_open(); csn_ohttp_answer(), csn_ohttp_answer_seal().
 */
#ifndef CSN_OHTTP_OHTTP_H
#define CSN_OHTTP_OHTTP_H

#include <caisson/base.h>
#include <crypto/hpke.h>
#include <stdbool.h>
#include <stdint.h>

#define CSN_OHTTP_KEM      0x0020u /* DHKEM(X25519, HKDF-SHA256) */
#define CSN_OHTTP_KDF      0x0001u /* HKDF-SHA256 */
#define CSN_OHTTP_TAG_SIZE 16u
/* An encapsulated request: key id u8, KEM u16, KDF u16, AEAD u16 (big-endian), encapsulation 32. */
#define CSN_OHTTP_HEAD_SIZE      39u
#define CSN_OHTTP_NONCE_SIZE_MAX 32u

/* ---- key configurations, section 3 ---- */

#define CSN_OHTTP_CONFIG_SIZE 49u /* ours: one key, all three AEADs */

#define CSN_OHTTP_KEYS_SIZE (2u + CSN_OHTTP_CONFIG_SIZE) /* as application/ohttp-keys */

struct csn_ohttp_key {
    uint8_t key_id;
    uint8_t secret_key[32];
    uint8_t public_key[32];
};
/*
 * From key->secret_key, 32 random bytes: the public key, and the first byte of its SHA-256 as the
 * key id. CSN_ERR_AUTH: a public key of zeros.
 */
CSN_MUST_USE csn_err csn_ohttp_key_make(struct csn_ohttp_key *key);
/* The list of this one key, as application/ohttp-keys. */
void csn_ohttp_keys_write(const struct csn_ohttp_key *key, uint8_t bytes[CSN_OHTTP_KEYS_SIZE]);

struct csn_ohttp_config {
    uint8_t key_id;
    uint8_t public_key[32];
    uint8_t aeads; /* bit n: the AEAD of number n with HKDF-SHA256 */
};

/* The bytes of a configuration (without a length in front) that offers all that we can. */
void csn_ohttp_config_write(uint8_t key_id, const uint8_t public_key[32],
                            uint8_t bytes[CSN_OHTTP_CONFIG_SIZE]);
/*
 * Exactly one configuration. CSN_ERR_FORMAT: it is none; CSN_ERR_SUITE: well formed, but of another
 * KEM, or without a suite of ours.
 */
CSN_MUST_USE csn_err csn_ohttp_config_read(const uint8_t *bytes, uint32_t size,
                                           struct csn_ohttp_config *config);
/*
 * application/ohttp-keys: configurations, each with its length (u16, big-endian) in front. Takes
 * the next one at *offset, and moves *offset behind it. CSN_AGAIN: there is none any more.
 * CSN_ERR_FORMAT: the list is broken here. CSN_ERR_SUITE: skip this one.
 */
CSN_MUST_USE csn_err csn_ohttp_keys_next(const uint8_t *bytes, uint32_t size, uint32_t *offset,
                                         struct csn_ohttp_config *config);

/* ---- requests, section 4.3 ---- */

enum csn_ohttp_form {
    CSN_OHTTP_WHOLE = 0,   /* message/ohttp-req, message/ohttp-res */
    CSN_OHTTP_CHUNKED = 1, /* message/ohttp-chunked-req, message/ohttp-chunked-res */
};

/* One request and its answer. Private; wipe with csn_wipe(). */
struct csn_ohttp_exchange {
    struct csn_hpke_context hpke;
    uint8_t encapsulation[32];
    enum csn_ohttp_form form;
    bool is_ended; /* the request is whole */
};

/*
 * Client. aead: one that config offers, else CSN_ERR_SUITE. ephemeral_secret: 32 fresh random bytes
 * that the caller wipes. CSN_ERR_AUTH: the configuration has a low-order public key.
 */
CSN_MUST_USE csn_err csn_ohttp_send(struct csn_ohttp_exchange *exchange,
                                    const struct csn_ohttp_config *config, enum csn_aead aead,
                                    enum csn_ohttp_form form, const uint8_t ephemeral_secret[32],
                                    uint8_t head[CSN_OHTTP_HEAD_SIZE]);
/*
 * Gateway. CSN_ERR_UNKNOWN: the key id is another's: section 5.3 has an answer for that;
 * CSN_ERR_SUITE: algorithms that are not ours; CSN_ERR_AUTH: a low-order encapsulation.
 */
CSN_MUST_USE csn_err csn_ohttp_receive(struct csn_ohttp_exchange *exchange,
                                       const struct csn_ohttp_key *key, enum csn_ohttp_form form,
                                       const uint8_t head[CSN_OHTTP_HEAD_SIZE]);

/*
 * What follows the head: all of a request, or one chunk after the other (without its length), the
 * last of them with `final`; a whole request is always final. Sealed bytes are plain bytes and
 * CSN_OHTTP_TAG_SIZE. In place is allowed.
 * Both: CSN_ERR_STATE after the final one.
 * open: CSN_ERR_FORMAT: shorter than a tag; CSN_ERR_AUTH: not authentic, out of order, or final
 * where the client did not say so.
 */
CSN_MUST_USE csn_err csn_ohttp_seal(struct csn_ohttp_exchange *exchange, bool final,
                                    const uint8_t *plain, uint32_t size, uint8_t *sealed);
CSN_MUST_USE csn_err csn_ohttp_open(struct csn_ohttp_exchange *exchange, bool final,
                                    const uint8_t *sealed, uint32_t sealed_size, uint8_t *plain);

/* ---- answers, section 4.4 ---- */

struct csn_ohttp_answer {
    enum csn_aead aead;
    enum csn_ohttp_form form;
    uint8_t key[CSN_AEAD_KEY_SIZE_MAX];
    uint8_t nonce[CSN_AEAD_NONCE_SIZE];
    uint64_t counter; /* of chunks */
    bool is_ended;
};

/* The answer begins with so many bytes of response nonce: 16 or 32. */
uint32_t csn_ohttp_nonce_size(const struct csn_ohttp_exchange *exchange);
/* nonce: fresh random bytes at the gateway, the first bytes of the answer at the client. */
void csn_ohttp_answer(const struct csn_ohttp_exchange *exchange, const uint8_t *nonce,
                      struct csn_ohttp_answer *answer);
/* As csn_ohttp_seal() and csn_ohttp_open(). */
CSN_MUST_USE csn_err csn_ohttp_answer_seal(struct csn_ohttp_answer *answer, bool final,
                                           const uint8_t *plain, uint32_t size, uint8_t *sealed);
CSN_MUST_USE csn_err csn_ohttp_answer_open(struct csn_ohttp_answer *answer, bool final,
                                           const uint8_t *sealed, uint32_t sealed_size,
                                           uint8_t *plain);

/* ---- chunks, section 3 of the draft ---- */

struct csn_ohttp_chunk {
    uint32_t offset; /* of its sealed bytes, from the start of what was given */
    uint32_t size;
    uint32_t end; /* where the next one begins */
    bool final;
};

/*
 * Finds the chunk at `offset`: a length and so many bytes; or 0, and all bytes to the end of the
 * body, which are the final one. is_whole: nothing follows these bytes. CSN_AGAIN: more is needed.
 * CSN_ERR_FORMAT: shorter than a tag; or the body ends without a final chunk. CSN_ERR_LIMIT: longer
 * than size_max.
 */
CSN_MUST_USE csn_err csn_ohttp_chunk_find(const uint8_t *bytes, uint32_t size, uint32_t offset,
                                          bool is_whole, uint32_t size_max,
                                          struct csn_ohttp_chunk *chunk);
/* What goes before a chunk of so many sealed bytes; returns 1 to 8 bytes. */
uint32_t csn_ohttp_chunk_head(uint32_t sealed_size, bool final, uint8_t bytes[8]);

#endif
