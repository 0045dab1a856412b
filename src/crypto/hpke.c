/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hpke.c: HPKE (RFC 9180) for DHKEM(X25519, HKDF-SHA256), HKDF-SHA256 and the AEAD
 * that the set-up names.
 *
 * Section numbers are those of the RFC. Labels are hashed in pieces, so no buffer bounds inputs.
 */
#include "hpke.h"
#include "curve.h"
#include "sha2.h"
#include <core/bytes.h>

struct bytes {
    const void *start;
    size_t size;
};

/* suite_id: "KEM" | kem, and "HPKE" | kem | kdf | aead */
static const struct bytes kem_suite = {"KEM\x00\x20", 5};

static struct bytes hpke_suite(enum csn_aead aead)
{
    switch (aead) {
    case CSN_AEAD_AES_128_GCM:
        return (struct bytes){"HPKE\x00\x20\x00\x01\x00\x01", 10};
    case CSN_AEAD_CHACHA20_POLY1305:
        return (struct bytes){"HPKE\x00\x20\x00\x01\x00\x03", 10};
    default: /* check_setup() lets no other in */
        return (struct bytes){"HPKE\x00\x20\x00\x01\x00\x02", 10};
    }
}

/* Our labels are short and public; images have no strlen(). */
static struct bytes text(const char *string)
{
    size_t size = 0;
    while (string[size] != 0) {
        size++;
    }
    return (struct bytes){string, size};
}

static void add(struct csn_hmac *mac, struct bytes piece)
{
    csn_hmac_update(mac, piece.start, piece.size);
}

/* Section 4, LabeledExtract. */
static void labeled_extract(struct bytes suite, struct bytes salt, const char *label,
                            struct bytes input, uint8_t prk[32])
{
    struct csn_hmac_key key;
    struct csn_hmac mac;
    csn_hmac_key_init(&key, salt.start, salt.size);
    csn_hmac_init(&mac, &key);
    add(&mac, text("HPKE-v1"));
    add(&mac, suite);
    add(&mac, text(label));
    add(&mac, input);
    csn_hmac_final(&mac, prk);
    csn_wipe(&key, sizeof key);
}

struct expand {
    struct bytes suite;
    struct bytes label;
    struct bytes info[2]; /* info in two pieces */
};

/* Section 4, LabeledExpand. size is at most 255 * 32, checked by the callers that take it. */
static void labeled_expand(const uint8_t prk[32], const struct expand *expand, uint8_t *output,
                           size_t size)
{
    const uint8_t length[2] = {(uint8_t)(size >> 8), (uint8_t)size};
    struct csn_hmac_key key;
    struct csn_hmac mac;
    uint8_t block[32];
    csn_hmac_key_init(&key, prk, 32);
    for (uint8_t counter = 1; size > 0; counter++) {
        size_t part = size < sizeof block ? size : sizeof block;
        csn_hmac_init(&mac, &key);
        csn_hmac_update(&mac, block, counter == 1 ? 0 : sizeof block);
        csn_hmac_update(&mac, length, sizeof length);
        add(&mac, text("HPKE-v1"));
        add(&mac, expand->suite);
        add(&mac, expand->label);
        add(&mac, expand->info[0]);
        add(&mac, expand->info[1]);
        csn_hmac_update(&mac, &counter, 1);
        csn_hmac_final(&mac, block);
        __builtin_memcpy(output, block, part);
        output += part;
        size -= part;
    }
    csn_wipe(&key, sizeof key);
    csn_wipe(block, sizeof block);
}

/* Section 4.1, ExtractAndExpand over dh with kem_context = enc | pkR. */
static void kem_secret(uint8_t dh[32], const uint8_t encapsulation[32],
                       const uint8_t public_key[32], uint8_t secret[32])
{
    uint8_t prk[32];
    labeled_extract(kem_suite, (struct bytes){NULL, 0}, "eae_prk", (struct bytes){dh, 32}, prk);
    const struct expand expand = {
        kem_suite, text("shared_secret"), {{encapsulation, 32}, {public_key, 32}}};
    labeled_expand(prk, &expand, secret, 32);
    csn_wipe(prk, sizeof prk);
    csn_wipe(dh, 32);
}

/* Section 5.1, VerifyPSKInputs; the size floor is the one of section 9.5. */
static csn_err check_setup(const struct csn_hpke_setup *setup)
{
    if (csn_aead_key_size(setup->aead) == 0) {
        return CSN_ERR_SUITE;
    }
    if (setup->psk == NULL) {
        return setup->psk_size == 0 && setup->psk_id_size == 0 ? CSN_OK : CSN_ERR_ARGUMENT;
    }
    return setup->psk_size >= 32 && setup->psk_id != NULL && setup->psk_id_size > 0
               ? CSN_OK
               : CSN_ERR_ARGUMENT;
}

/* Section 5.1, KeySchedule. Wipes the shared secret. */
static void key_schedule(struct csn_hpke_context *context, uint8_t shared[32],
                         const struct csn_hpke_setup *setup)
{
    const struct bytes none = {NULL, 0};
    const struct bytes psk = {setup->psk, setup->psk_size};
    const struct bytes suite = hpke_suite(setup->aead);
    uint8_t schedule[65];
    uint8_t secret[32];
    schedule[0] = setup->psk != NULL ? 1 : 0;
    labeled_extract(suite, none, "psk_id_hash", (struct bytes){setup->psk_id, setup->psk_id_size},
                    schedule + 1);
    labeled_extract(suite, none, "info_hash", (struct bytes){setup->info, setup->info_size},
                    schedule + 33);
    labeled_extract(suite, (struct bytes){shared, 32}, "secret", psk, secret);
    struct expand expand = {suite, text("key"), {{schedule, sizeof schedule}, none}};
    labeled_expand(secret, &expand, context->key, csn_aead_key_size(setup->aead));
    expand.label = text("base_nonce");
    labeled_expand(secret, &expand, context->base_nonce, sizeof context->base_nonce);
    expand.label = text("exp");
    labeled_expand(secret, &expand, context->exporter_secret, sizeof context->exporter_secret);
    context->aead = setup->aead;
    context->sequence = 0;
    csn_wipe(secret, sizeof secret);
    csn_wipe(shared, 32);
}

csn_err csn_hpke_sender(struct csn_hpke_context *context, uint8_t encapsulation[32],
                        const uint8_t public_key[32], const uint8_t ephemeral_secret[32],
                        const struct csn_hpke_setup *setup)
{
    uint8_t dh[32];
    uint8_t shared[32];
    CSN_TRY(check_setup(setup));
    CSN_TRY(csn_x25519(dh, ephemeral_secret, public_key));
    csn_x25519_public(encapsulation, ephemeral_secret);
    kem_secret(dh, encapsulation, public_key, shared);
    key_schedule(context, shared, setup);
    return CSN_OK;
}

csn_err csn_hpke_receiver(struct csn_hpke_context *context, const uint8_t encapsulation[32],
                          const uint8_t secret_key[32], const uint8_t public_key[32],
                          const struct csn_hpke_setup *setup)
{
    uint8_t dh[32];
    uint8_t shared[32];
    CSN_TRY(check_setup(setup));
    CSN_TRY(csn_x25519(dh, secret_key, encapsulation));
    kem_secret(dh, encapsulation, public_key, shared);
    key_schedule(context, shared, setup);
    return CSN_OK;
}

/* Section 5.2: the next nonce. The last sequence number is never used. */
static csn_err next_nonce(const struct csn_hpke_context *context, size_t aad_size, size_t size,
                          uint8_t nonce[12])
{
    if (aad_size > UINT32_MAX || size > UINT32_MAX) {
        return CSN_ERR_ARGUMENT;
    }
    if (context->sequence == UINT64_MAX) {
        return CSN_ERR_LIMIT;
    }
    csn_aead_nonce(context->base_nonce, context->sequence, nonce);
    return CSN_OK;
}

csn_err csn_hpke_seal(struct csn_hpke_context *context, const uint8_t *aad, size_t aad_size,
                      const uint8_t *plain, size_t size, uint8_t *cipher, uint8_t tag[16])
{
    uint8_t nonce[12];
    CSN_TRY(next_nonce(context, aad_size, size, nonce));
    const struct csn_aead_text text = {.key = context->key,
                                       .nonce = nonce,
                                       .aad = aad,
                                       .aad_size = (uint32_t)aad_size,
                                       .size = (uint32_t)size,
                                       .input = plain,
                                       .output = cipher};
    CSN_TRY(csn_aead_seal(context->aead, &text, tag));
    context->sequence++;
    return CSN_OK;
}

csn_err csn_hpke_open(struct csn_hpke_context *context, const uint8_t *aad, size_t aad_size,
                      const uint8_t *cipher, size_t size, const uint8_t tag[16], uint8_t *plain)
{
    uint8_t nonce[12];
    CSN_TRY(next_nonce(context, aad_size, size, nonce));
    const struct csn_aead_text text = {.key = context->key,
                                       .nonce = nonce,
                                       .aad = aad,
                                       .aad_size = (uint32_t)aad_size,
                                       .size = (uint32_t)size,
                                       .input = cipher,
                                       .output = plain};
    CSN_TRY(csn_aead_open(context->aead, &text, tag));
    context->sequence++; /* only for what authenticated */
    return CSN_OK;
}

csn_err csn_hpke_export_bytes(const struct csn_hpke_context *context, const uint8_t *label,
                              size_t label_size, void *output, size_t size)
{
    if (size > 255 * 32) {
        return CSN_ERR_ARGUMENT;
    }
    const struct expand expand = {
        hpke_suite(context->aead), text("sec"), {{label, label_size}, {NULL, 0}}};
    labeled_expand(context->exporter_secret, &expand, output, size);
    return CSN_OK;
}

csn_err csn_hpke_export(const struct csn_hpke_context *context, const char *label, void *output,
                        size_t size)
{
    return csn_hpke_export_bytes(context, (const uint8_t *)label, text(label).size, output, size);
}

csn_err csn_hpke_derive_key_pair(uint8_t secret_key[32], uint8_t public_key[32],
                                 const uint8_t *seed, size_t seed_size)
{
    uint8_t prk[32];
    if (seed_size < 32) {
        return CSN_ERR_ARGUMENT;
    }
    labeled_extract(kem_suite, (struct bytes){NULL, 0}, "dkp_prk", (struct bytes){seed, seed_size},
                    prk);
    const struct expand expand = {kem_suite, text("sk"), {{NULL, 0}, {NULL, 0}}};
    labeled_expand(prk, &expand, secret_key, 32);
    csn_x25519_public(public_key, secret_key);
    csn_wipe(prk, sizeof prk);
    return CSN_OK;
}
