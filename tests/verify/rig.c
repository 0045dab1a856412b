/* SPDX-License-Identifier: Apache-2.0 */
/* rig.c: see rig.h. */
#include "rig.h"
#include <openssl/evp.h>
#include <stdio.h>

void rig_seed_key(const uint8_t seed[32], uint8_t key[32])
{
    size_t size = 32;
    EVP_PKEY *pair = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, seed, 32);
    assert_non_null(pair);
    assert_int_equal(EVP_PKEY_get_raw_public_key(pair, key, &size), 1);
    EVP_PKEY_free(pair);
}

static void sign(const uint8_t seed[32], const void *message, size_t size, uint8_t signature[64])
{
    size_t signature_size = 64;
    EVP_PKEY *pair = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, seed, 32);
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    assert_int_equal(EVP_DigestSignInit(context, NULL, NULL, NULL, pair), 1);
    assert_int_equal(EVP_DigestSign(context, signature, &signature_size, message, size), 1);
    EVP_MD_CTX_free(context);
    EVP_PKEY_free(pair);
}

static void put_u32(uint8_t **at, uint32_t value)
{
    for (int i = 0; i < 4; i++) {
        *(*at)++ = (uint8_t)(value >> (8 * i));
    }
}

static void put(uint8_t **at, const void *bytes, size_t size)
{
    memcpy(*at, bytes, size);
    *at += size;
}

static void put_sized(uint8_t **at, const void *bytes, uint32_t size)
{
    put_u32(at, size);
    put(at, bytes, size);
}

void rig_sign_image(struct rig *rig)
{
    uint8_t message[256];
    uint8_t *at = message;
    rig_seed_key(rig->signer_seed, rig->signer_key);
    put(&at, "caisson-signature-v1", 20);
    put(&at, "CSNS", 4);
    put_u32(&at, 1);
    put(&at, rig->report.measurement, 48);
    put(&at, rig->signer_key, 32);
    put_u32(&at, rig->manifest.security_version);
    put_u32(&at, rig->manifest.flags);
    put(&at, rig->manifest.name, 32);
    sign(rig->signer_seed, message, (size_t)(at - message), rig->signature);
}

static void fill_keys(struct csn_wire_boot_made *made)
{
    made->state = CSN_WIRE_STATE_SERVING;
    made->key_count = RIG_KEY_COUNT;
    memset(made->boot_id, 0xb0, sizeof made->boot_id);
    memset(made->config_digest, 0xcd, sizeof made->config_digest);
    for (uint32_t i = 0; i < RIG_KEY_COUNT; i++) {
        struct csn_wire_boot_key *key = &made->keys[i];
        key->purpose = i == 0 ? CSN_WIRE_KEY_INSTANCE : CSN_WIRE_KEY_RECIPIENT;
        key->suite = CSN_WIRE_SUITE;
        memset(key->tenant, i == 0 ? 0 : (int)(0x10 + i / 3), sizeof key->tenant);
        memset(key->public_key, (int)(0x20 + i), sizeof key->public_key);
    }
}

void rig_init(struct rig *rig)
{
    memset(rig, 0, sizeof *rig);
    rig->manifest = (struct csn_wire_manifest){.magic = CSN_WIRE_MANIFEST_MAGIC,
                                               .abi_version = CSN_WIRE_ABI_VERSION,
                                               .name = "made-up",
                                               .security_version = 7,
                                               .flags = CSN_WIRE_FLAG_DETERMINISTIC};
    rig->report.backend = "process";
    rig->report.backend_id = CSN_WIRE_BACKEND_PROCESS;
    memset(rig->report.measurement, 0x4d, sizeof rig->report.measurement);
    memset(rig->report.gate_hash, 0x6a, sizeof rig->report.gate_hash);
    fill_keys(&rig->made);
    memset(rig->signer_seed, 0x51, 32);
    memset(rig->root_seed, 0x52, 32);
    rig_seed_key(rig->root_seed, rig->root_key);
    memset(rig->nonce[0], 0xa5, 32);
    rig_sign_image(rig);
    rig->subject = (struct csn_evidence_subject){.manifest = &rig->manifest,
                                                 .report = &rig->report,
                                                 .made = &rig->made,
                                                 .signer_key = rig->signer_key,
                                                 .signer_signature = rig->signature};
    rig->signer.security_version_min = 7;
    memcpy(rig->signer.key, rig->signer_key, 32);
    rig->policy = (struct rig_policy){
        .measurements = (const uint8_t(*)[48]) & rig->report.measurement,
        .measurement_count = 1,
        .signers = &rig->signer,
        .signer_count = 1,
        .gate_hashes = (const uint8_t(*)[32]) & rig->report.gate_hash,
        .gate_hash_count = 1,
        .accept_software = true,
        .software_roots = (const uint8_t(*)[32]) & rig->root_key,
        .software_root_count = 1,
    };
    rig_bundle(rig);
}

void rig_bundle(struct rig *rig)
{
    assert_int_equal(csn_evidence_report(&rig->batch, &csn_evidence_software, rig->root_seed,
                                         &rig->subject, (const uint8_t(*)[32])rig->nonce, 1),
                     CSN_OK);
    assert_int_equal(csn_evidence_bundle(&rig->batch, 0, rig->bytes, sizeof rig->bytes, &rig->size),
                     CSN_OK);
    assert_int_equal(rig->size, csn_evidence_size(&rig->batch));
}

void rig_patch(struct rig *rig, size_t offset, const void *bytes, size_t size)
{
    assert_true(offset + size <= rig->size);
    memcpy(rig->bytes + offset, bytes, size);
}

void rig_report_data(const struct rig *rig, uint8_t report_data[64])
{
    struct csn_wire_evidence head;
    uint8_t message[1024];
    uint8_t backend[36];
    uint8_t keys[32];
    uint8_t word[4];
    uint8_t *at = message;
    memcpy(&head, rig->bytes, sizeof head);
    const uint8_t *list = rig->bytes + sizeof head + (size_t)head.path_depth * 32;
    EVP_Digest(list, (size_t)head.key_count * 72, keys, NULL, EVP_sha256(), NULL);
    uint8_t *part = backend;
    put_u32(&part, head.backend);
    put(&part, head.gate_hash, 32);
    put(&at, "caisson-evidence-v1", 19);
    put_sized(&at, head.nonce_root, 32);
    const uint32_t words[] = {head.abi_version, head.type, head.debug, head.security_version};
    for (size_t i = 0; i < 3; i++) {
        part = word;
        put_u32(&part, words[i]);
        put_sized(&at, word, 4);
        if (i == 0) {
            put_sized(&at, backend, sizeof backend);
        }
    }
    put_sized(&at, head.measurement, 48);
    put_sized(&at, head.signer_key, 32);
    part = word;
    put_u32(&part, words[3]);
    put_sized(&at, word, 4);
    put_sized(&at, head.boot_id, 16);
    put_sized(&at, keys, 32);
    put_sized(&at, head.config_digest, 32);
    EVP_Digest(message, (size_t)(at - message), report_data, NULL, EVP_sha512(), NULL);
}

void rig_sign_report(struct rig *rig)
{
    uint8_t message[28 + 64] = "caisson-software-evidence-v1";
    rig_report_data(rig, message + 28);
    sign(rig->root_seed, message, sizeof message, rig->bytes + rig->size - 64);
}

const struct csv_finding *rig_finding(const struct csv_verdict *verdict, const char *id)
{
    for (size_t i = 0; i < csv_verdict_finding_count(verdict); i++) {
        if (strcmp(csv_verdict_finding(verdict, i)->id, id) == 0) {
            return csv_verdict_finding(verdict, i);
        }
    }
    return NULL;
}

static void allow(struct csv_policy *policy, const char *key, const void *bytes, size_t size)
{
    assert_int_equal(csv_policy_allow_bytes(policy, key, bytes, size), CSN_OK);
}

static struct csv_policy *make_policy(const struct rig_policy *wish)
{
    struct csv_policy *policy = NULL;
    char text[80];
    assert_int_equal(csv_policy_create(&policy), CSN_OK);
    assert_int_equal(csv_policy_allow(policy, "formats", "caisson"), CSN_OK);
    for (size_t i = 0; i < wish->measurement_count; i++) {
        allow(policy, "caisson.measurements", wish->measurements[i], 48);
    }
    for (size_t i = 0; i < wish->gate_hash_count; i++) {
        allow(policy, "caisson.gates", wish->gate_hashes[i], 32);
    }
    for (size_t i = 0; i < wish->signer_count; i++) {
        for (size_t k = 0; k < 32; k++) {
            snprintf(text + 2 * k, 3, "%02x", wish->signers[i].key[k]);
        }
        snprintf(text + 64, 16, ":%u", wish->signers[i].security_version_min);
        assert_int_equal(csv_policy_allow(policy, "caisson.signers", text), CSN_OK);
    }
    for (size_t i = 0; i < wish->software_root_count; i++) {
        allow(policy, "caisson.software_roots", wish->software_roots[i], 32);
    }
    if (wish->accept_software) {
        assert_int_equal(csv_policy_allow(policy, "caisson.platforms", "software"), CSN_OK);
        assert_int_equal(csv_policy_allow(policy, "caisson.insecure_dev", "true"), CSN_OK);
    }
    for (size_t i = 0; i < 3 && wish->claims[i] != NULL; i++) {
        assert_int_equal(csv_policy_allow(policy, "caisson.claims", wish->claims[i]), CSN_OK);
    }
    if (wish->accept_debug) {
        assert_int_equal(csv_policy_allow(policy, "caisson.debug", "any"), CSN_OK);
    }
    return policy;
}

csn_err rig_appraise(const struct rig *rig, const uint8_t nonce[32], struct csv_verdict **verdict)
{
    struct csv_policy *policy = make_policy(&rig->policy);
    csn_err err = csv_appraise_bundle(policy, rig->bytes, rig->size, nonce, verdict);
    csv_policy_free(policy);
    return err;
}

void rig_expect(const struct rig *rig, enum csv_result result, const char *id,
                enum csv_outcome outcome)
{
    static const csn_err errors[] = {CSN_OK, CSN_ERR_EVIDENCE, CSN_ERR_UNVERIFIED};
    struct csv_verdict *verdict = NULL;
    csn_err err = rig_appraise(rig, rig->nonce[0], &verdict);
    assert_int_equal(err, errors[result]);
    assert_non_null(verdict);
    assert_int_equal(csv_verdict_result(verdict), result);
    bool verified = result == CSV_VALID;
    assert_int_equal(csv_verdict_instance(verdict) != NULL, verified);
    assert_int_equal(csv_verdict_recipient(verdict, rig->made.keys[1].tenant, 0) != NULL, verified);
    if (id != NULL) {
        const struct csv_finding *finding = rig_finding(verdict, id);
        if (finding == NULL) {
            fail_msg("no finding %s", id);
        }
        if (finding->outcome != outcome) {
            fail_msg("%s: outcome %d", id, (int)finding->outcome);
        }
    }
    csv_verdict_free(verdict);
}
