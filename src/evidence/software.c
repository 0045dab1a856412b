/* SPDX-License-Identifier: Apache-2.0 */
/* software.c: the insecure development producer: an Ed25519 seed signs the report data. */
#include <caisson/evidence.h>
#include <openssl/evp.h>
#include <string.h>

static csn_err prepare(const void *state, struct csn_evidence_platform *platform)
{
    (void)state;
    platform->type = CSN_WIRE_EVIDENCE_SOFTWARE;
    return CSN_OK;
}

static csn_err sign(const void *state, const uint8_t report_data[64],
                    struct csn_evidence_platform *platform)
{
    static const char label[] = "caisson-software-evidence-v1";
    struct csn_wire_evidence_software part;
    uint8_t message[sizeof label - 1 + 64];
    memcpy(message, label, sizeof label - 1);
    memcpy(message + sizeof label - 1, report_data, 64);
    size_t root_size = sizeof part.root_key;
    size_t signature_size = sizeof part.signature;
    EVP_PKEY *key = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, state, 32);
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    bool good =
        key && context && EVP_PKEY_get_raw_public_key(key, part.root_key, &root_size) == 1 &&
        EVP_DigestSignInit(context, NULL, NULL, NULL, key) == 1 &&
        EVP_DigestSign(context, part.signature, &signature_size, message, sizeof message) == 1;
    EVP_MD_CTX_free(context);
    EVP_PKEY_free(key);
    if (!good) {
        return CSN_ERR_SYSTEM;
    }
    memcpy(platform->bytes, &part, sizeof part);
    platform->size = sizeof part;
    return CSN_OK;
}

const struct csn_evidence_producer csn_evidence_software = {
    .name = "software",
    .prepare = prepare,
    .sign = sign,
};
