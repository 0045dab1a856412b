/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hpke.h: RFC 9180, DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, each of the three AEADs of
 * aead_suite.h; base and PSK modes.
 *
 * Modes auth and auth_psk are not built. PSK: both psk and psk_id given, psk at least 32 bytes.
 */
#ifndef CSN_CRYPTO_HPKE_H
#define CSN_CRYPTO_HPKE_H

#include "aead_suite.h"
#include <caisson/base.h>
#include <stddef.h>
#include <stdint.h>

struct csn_hpke_setup {
    enum csn_aead aead; /* any other number: CSN_ERR_SUITE */
    const uint8_t *info;
    size_t info_size;
    const uint8_t *psk; /* NULL: base mode */
    size_t psk_size;
    const uint8_t *psk_id;
    size_t psk_id_size;
};

struct csn_hpke_context {
    enum csn_aead aead;
    uint8_t key[CSN_AEAD_KEY_SIZE_MAX]; /* as many bytes as the AEAD takes */
    uint8_t base_nonce[12];
    uint8_t exporter_secret[32];
    uint64_t sequence;
};

/*
 * Sender. ephemeral_secret: 32 fresh random bytes (a test vector's skEm goes here too; callers
 * take them from csn_random_fill and wipe them). CSN_ERR_AUTH: a low-order public key.
 */
CSN_MUST_USE csn_err csn_hpke_sender(struct csn_hpke_context *context, uint8_t encapsulation[32],
                                     const uint8_t public_key[32],
                                     const uint8_t ephemeral_secret[32],
                                     const struct csn_hpke_setup *setup);
/* Receiver. public_key is that of secret_key (given, so that it is not computed again). */
CSN_MUST_USE csn_err csn_hpke_receiver(struct csn_hpke_context *context,
                                       const uint8_t encapsulation[32],
                                       const uint8_t secret_key[32], const uint8_t public_key[32],
                                       const struct csn_hpke_setup *setup);
/* Context operations. seal/open advance the sequence; CSN_ERR_LIMIT at its end. */
CSN_MUST_USE csn_err csn_hpke_seal(struct csn_hpke_context *context, const uint8_t *aad,
                                   size_t aad_size, const uint8_t *plain, size_t size,
                                   uint8_t *cipher, uint8_t tag[16]);
CSN_MUST_USE csn_err csn_hpke_open(struct csn_hpke_context *context, const uint8_t *aad,
                                   size_t aad_size, const uint8_t *cipher, size_t size,
                                   const uint8_t tag[16], uint8_t *plain);
CSN_MUST_USE csn_err csn_hpke_export(const struct csn_hpke_context *context, const char *label,
                                     void *output, size_t size);
CSN_MUST_USE csn_err csn_hpke_export_bytes(const struct csn_hpke_context *context,
                                           const uint8_t *label, size_t label_size, void *output,
                                           size_t size);
/* RFC 9180 section 7.1.3 DeriveKeyPair. */
CSN_MUST_USE csn_err csn_hpke_derive_key_pair(uint8_t secret_key[32], uint8_t public_key[32],
                                              const uint8_t *seed, size_t seed_size);

#endif
