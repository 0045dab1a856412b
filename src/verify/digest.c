/* SPDX-License-Identifier: Apache-2.0 */
/* digest.c: what evidence is made of, hashed and checked with libcrypto. */
#include "verify/digest.h"
#include "image/image.h"
#include <openssl/evp.h>
#include <string.h>

_Static_assert(sizeof("caisson-signature-v1") - 1 == 20, "label");
_Static_assert(offsetof(struct csn_wire_signature, signature) == 128, "signed fields");

bool csv_sha256(const void *bytes, size_t size, uint8_t digest[32])
{
    return EVP_Digest(bytes, size, digest, NULL, EVP_sha256(), NULL) == 1;
}

csn_err csv_ed25519_check(const uint8_t public_key[32], const uint8_t signature[64],
                          const void *message, size_t size)
{
    csn_err result = CSN_ERR_SYSTEM;
    EVP_PKEY *key = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, public_key, 32);
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    if (key && context && EVP_DigestVerifyInit(context, NULL, NULL, NULL, key) == 1) {
        bool good = EVP_DigestVerify(context, signature, 64, message, size) == 1;
        result = good ? CSN_OK : CSN_ERR_AUTH;
    }
    EVP_MD_CTX_free(context);
    EVP_PKEY_free(key);
    return result;
}

static bool add_bytes(EVP_MD_CTX *context, const void *bytes, uint32_t size)
{
    uint8_t prefix[4] = {(uint8_t)size, (uint8_t)(size >> 8), (uint8_t)(size >> 16),
                         (uint8_t)(size >> 24)};
    return EVP_DigestUpdate(context, prefix, sizeof prefix) == 1 &&
           EVP_DigestUpdate(context, bytes, size) == 1;
}

static bool add_u32(EVP_MD_CTX *context, uint32_t value)
{
    uint8_t bytes[4] = {(uint8_t)value, (uint8_t)(value >> 8), (uint8_t)(value >> 16),
                        (uint8_t)(value >> 24)};
    return add_bytes(context, bytes, sizeof bytes);
}

static bool add_claims(EVP_MD_CTX *context, const struct csn_wire_evidence *head,
                       const uint8_t keys_digest[32])
{
    uint8_t backend[36];
    memcpy(backend, &head->backend, 4);
    memcpy(backend + 4, head->gate_hash, 32);
    return add_bytes(context, head->nonce_root, 32) && add_u32(context, head->abi_version) &&
           add_bytes(context, backend, sizeof backend) && add_u32(context, head->type) &&
           add_u32(context, head->debug) && add_bytes(context, head->measurement, 48) &&
           add_bytes(context, head->signer_key, 32) && add_u32(context, head->security_version) &&
           add_bytes(context, head->boot_id, 16) && add_bytes(context, keys_digest, 32) &&
           add_bytes(context, head->config_digest, 32);
}

bool csv_report_data(const struct csn_wire_evidence *head, const uint8_t *keys,
                     uint8_t report_data[64])
{
    static const char label[] = "caisson-evidence-v1";
    uint8_t keys_digest[32];
    size_t keys_size = (size_t)head->key_count * sizeof(struct csn_wire_boot_key);
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    bool good = context && csv_sha256(keys, keys_size, keys_digest) &&
                EVP_DigestInit_ex(context, EVP_sha512(), NULL) == 1 &&
                EVP_DigestUpdate(context, label, sizeof label - 1) == 1 &&
                add_claims(context, head, keys_digest) &&
                EVP_DigestFinal_ex(context, report_data, NULL) == 1;
    EVP_MD_CTX_free(context);
    return good;
}

bool csv_nonce_leaf(const uint8_t nonce[32], uint8_t leaf[32])
{
    uint8_t input[33] = {0x00};
    memcpy(input + 1, nonce, 32);
    return csv_sha256(input, sizeof input, leaf);
}

bool csv_nonce_node(const uint8_t left[32], const uint8_t right[32], uint8_t node[32])
{
    uint8_t input[65] = {0x01};
    memcpy(input + 1, left, 32);
    memcpy(input + 33, right, 32);
    return csv_sha256(input, sizeof input, node);
}

bool csv_nonce_root(const uint8_t nonce[32], uint32_t index, uint32_t depth, const uint8_t *path,
                    uint8_t root[32])
{
    bool good = csv_nonce_leaf(nonce, root);
    for (uint32_t d = 0; good && d < depth; d++) {
        const uint8_t *sibling = path + (size_t)d * 32;
        bool right = (index >> d & 1) != 0;
        good = csv_nonce_node(right ? sibling : root, right ? root : sibling, root);
    }
    return good;
}

void csv_signature_message(const struct csn_wire_evidence *head,
                           uint8_t message[CSV_SIGNATURE_MESSAGE_SIZE])
{
    struct csn_wire_signature fields = {.magic = CSN_WIRE_SIGNATURE_MAGIC,
                                        .version = CSN_WIRE_SIGNATURE_VERSION,
                                        .security_version = head->security_version,
                                        .flags = head->image_flags};
    memcpy(fields.measurement, head->measurement, sizeof fields.measurement);
    memcpy(fields.signer_key, head->signer_key, sizeof fields.signer_key);
    memcpy(fields.name, head->name, sizeof fields.name);
    memcpy(message, "caisson-signature-v1", 20);
    memcpy(message + 20, &fields, 128);
}
