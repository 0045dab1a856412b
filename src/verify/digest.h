/* SPDX-License-Identifier: Apache-2.0 */
/*
 * digest.h: hashes, signatures and the definitions of evidence, on libcrypto alone.
 *
 * Also used by the producers of evidence: report data and the nonce tree are defined once.
 */
#ifndef CSV_VERIFY_DIGEST_H
#define CSV_VERIFY_DIGEST_H

#include <caisson/base.h>
#include <caisson/wire/evidence.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* False only if libcrypto failed. */
bool csv_sha256(const void *bytes, size_t size, uint8_t digest[32]);
/* CSN_OK, CSN_ERR_AUTH, or CSN_ERR_SYSTEM if libcrypto failed. */
CSN_MUST_USE csn_err csv_ed25519_check(const uint8_t public_key[32], const uint8_t signature[64],
                                       const void *message, size_t size);

/* The 64 bytes that the platform signs; keys: head->key_count entries. */
bool csv_report_data(const struct csn_wire_evidence *head, const uint8_t *keys,
                     uint8_t report_data[64]);
bool csv_nonce_leaf(const uint8_t nonce[32], uint8_t leaf[32]);
bool csv_nonce_node(const uint8_t left[32], const uint8_t right[32], uint8_t node[32]);
/* Root from a leaf up along depth siblings. */
bool csv_nonce_root(const uint8_t nonce[32], uint32_t index, uint32_t depth, const uint8_t *path,
                    uint8_t root[32]);
/* The message that an image's signer signs (struct csn_wire_signature up to its signature). */
#define CSV_SIGNATURE_MESSAGE_SIZE (20 + 128)
void csv_signature_message(const struct csn_wire_evidence *head,
                           uint8_t message[CSV_SIGNATURE_MESSAGE_SIZE]);

#endif
