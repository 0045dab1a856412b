/* SPDX-License-Identifier: Apache-2.0 */
/*
 * evidence.c: hostile evidence against the verifier.
 *
 * First byte even: the rest is a bundle as it is. Odd: the rest is a list of edits (offset u16,
 * value u8, xor) of a genuine bundle, and with the second bit set, the last three bytes' offset is
 * the size that is left. Oracle: only the genuine bytes verify, keys come out of no other verdict,
 * and every verdict can be explained.
 */
#include "check.h"
#include <caisson/evidence.h>
#include <caisson/verify.h>
#include <caisson/wire/manifest.h>
#include <caisson/wire/record.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

static const uint8_t signer_seed[32] = {1};
static const uint8_t root_seed[32] = {2};
static const uint8_t nonces[3][32] = {{3}, {4}, {5}};
static struct csn_wire_boot_made made;
static struct csn_evidence_batch batch;
static uint8_t signer_key[32];
static uint8_t root_key[32];
static uint8_t genuine[2048];
static size_t genuine_size;
static struct csv_policy *policy;

static void sign(const uint8_t seed[32], const void *text, size_t size, uint8_t *key, uint8_t *out)
{
    size_t key_size = 32;
    size_t out_size = 64;
    EVP_PKEY *pair = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, seed, 32);
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    CHECK(EVP_PKEY_get_raw_public_key(pair, key, &key_size) == 1);
    CHECK(EVP_DigestSignInit(context, NULL, NULL, NULL, pair) == 1);
    CHECK(EVP_DigestSign(context, out, &out_size, text, size) == 1);
    EVP_MD_CTX_free(context);
    EVP_PKEY_free(pair);
}

static void accept(void)
{
    CHECK(csv_policy_create(&policy) == CSN_OK);
    CHECK(csv_policy_allow(policy, "formats", "caisson") == CSN_OK);
    CHECK(csv_policy_allow(policy, "caisson.platforms", "software") == CSN_OK);
    CHECK(csv_policy_allow(policy, "caisson.insecure_dev", "true") == CSN_OK);
    CHECK(csv_policy_allow_bytes(policy, "caisson.software_roots", root_key, 32) == CSN_OK);
    CHECK(csv_policy_allow_bytes(policy, "caisson.signers", signer_key, 32) == CSN_OK);
}

static void start(void)
{
    static const struct csn_wire_manifest manifest = {
        .abi_version = CSN_WIRE_ABI_VERSION, .name = "fuzz", .security_version = 1};
    static const struct csn_enclave_report report = {.backend_id = CSN_WIRE_BACKEND_KVM};
    uint8_t message[148] = "caisson-signature-v1CSNS";
    uint8_t signature[64];
    const struct csn_evidence_subject subject = {.manifest = &manifest,
                                                 .report = &report,
                                                 .made = &made,
                                                 .signer_key = signer_key,
                                                 .signer_signature = signature};
    sign(root_seed, "", 0, root_key, signature);
    sign(signer_seed, "", 0, signer_key, signature);
    message[24] = 1;
    memcpy(message + 28 + 48, signer_key, 32);
    message[108] = 1;
    memcpy(message + 116, manifest.name, 32);
    sign(signer_seed, message, sizeof message, signer_key, signature);
    made.state = CSN_WIRE_STATE_SERVING;
    made.key_count = 3;
    for (uint32_t i = 0; i < made.key_count; i++) {
        made.keys[i].purpose = i == 0 ? CSN_WIRE_KEY_INSTANCE : CSN_WIRE_KEY_RECIPIENT;
        made.keys[i].suite = CSN_WIRE_SUITE;
    }
    CHECK(csn_evidence_report(&batch, &csn_evidence_software, root_seed, &subject, nonces, 3) ==
          CSN_OK);
    CHECK(csn_evidence_bundle(&batch, 2, genuine, sizeof genuine, &genuine_size) == CSN_OK);
    accept();
}

static void explain(const struct csv_verdict *verdict)
{
    static char text[65536];
    CHECK(csv_verdict_text(verdict, true, text, sizeof text) < sizeof text);
    CHECK(csv_verdict_json(verdict, text, sizeof text) < sizeof text);
}

static void appraise(const uint8_t *bytes, size_t size)
{
    struct csv_verdict *verdict = NULL;
    bool same = size == genuine_size && memcmp(bytes, genuine, size) == 0;
    /* A copy of its own, so that a read past its end is seen. */
    uint8_t *copy = malloc(size != 0 ? size : 1);
    CHECK(copy != NULL);
    memcpy(copy, bytes, size);
    csn_err result = csv_appraise_bundle(policy, copy, size, nonces[2], &verdict);
    CHECK((result == CSN_OK) == same && verdict != NULL);
    CHECK((csv_verdict_instance(verdict) != NULL) == same);
    CHECK((csv_verdict_recipient(verdict, made.keys[1].tenant, 1) != NULL) == same);
    explain(verdict);
    csv_verdict_free(verdict);
    free(copy);
}

static void edited(const uint8_t *data, size_t size)
{
    uint8_t bytes[sizeof genuine];
    size_t left = genuine_size;
    memcpy(bytes, genuine, sizeof bytes);
    for (size_t at = 1; at + 3 <= size; at += 3) {
        size_t offset = (size_t)(data[at] | data[at + 1] << 8) % sizeof bytes;
        bytes[offset] ^= data[at + 2];
        left = (data[0] & 2) != 0 ? offset : left;
    }
    appraise(bytes, left);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static bool started;
    if (!started) {
        start();
        started = true;
    }
    if (size == 0 || size > 70000) {
        return 0;
    }
    if ((data[0] & 1) != 0) {
        edited(data, size);
    } else {
        appraise(data + 1, size - 1);
    }
    return 0;
}
