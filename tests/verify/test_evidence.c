/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_evidence.c: evidence that is right verifies; whatever is wrong with it is found, and under
 * the name that the documents give it. Usage: test_evidence [bits]
 */
#include "rig.h"
#include <openssl/evp.h>
#include <stdio.h>

#include <cjson/cJSON.h>

static struct rig rig;
static const uint32_t zero, one = 1;

#define FIELD(name) offsetof(struct csn_wire_evidence, name)

static int fresh(void **state)
{
    (void)state;
    rig_init(&rig);
    return 0;
}

static void round_trip(void **state)
{
    (void)state;
    struct csv_verdict *verdict = NULL;
    assert_int_equal(rig_appraise(&rig, rig.nonce[0], &verdict), CSN_OK);
    assert_int_equal(csv_verdict_result(verdict), CSV_VALID);
    for (size_t i = 0; i < csv_verdict_finding_count(verdict); i++) {
        assert_int_equal(csv_verdict_finding(verdict, i)->outcome, CSV_PASSED);
    }
    assert_null(csv_verdict_finding(verdict, csv_verdict_finding_count(verdict)));
    const struct csv_image *claims = csv_verdict_image(verdict);
    assert_string_equal(csv_verdict_claim(verdict, "type"), "software");
    assert_string_equal(csv_verdict_claim(verdict, "name"), "made-up");
    assert_null(csv_verdict_claim(verdict, "is_software")); /* a fact for rules alone */
    assert_string_equal(claims->name, "made-up");
    assert_int_equal(claims->backend, CSN_WIRE_BACKEND_PROCESS);
    assert_false(claims->debug);
    assert_int_equal(claims->security_version, 7);
    assert_memory_equal(claims->measurement, rig.report.measurement, 48);
    assert_memory_equal(claims->signer_key, rig.signer_key, 32);
    assert_memory_equal(claims->gate_hash, rig.report.gate_hash, 32);
    assert_memory_equal(claims->boot_id, rig.made.boot_id, 16);
    assert_memory_equal(claims->config_digest, rig.made.config_digest, 32);
    const uint8_t *tenant = rig.made.keys[1].tenant;
    const uint8_t nobody[32] = {0x77};
    assert_non_null(csv_verdict_recipient(verdict, tenant, 1));
    assert_ptr_not_equal(csv_verdict_recipient(verdict, tenant, 0),
                         csv_verdict_recipient(verdict, tenant, 1));
    assert_null(csv_verdict_recipient(verdict, tenant, 2));
    assert_null(csv_verdict_recipient(verdict, nobody, 0));
    csv_verdict_free(verdict);
    csv_verdict_free(NULL);
}

/* The platform's signature is over the digest as the text defines it. */
static void report_data_is_as_written(void **state)
{
    (void)state;
    uint8_t signature[64];
    memcpy(signature, rig.bytes + rig.size - 64, 64);
    rig_sign_report(&rig);
    assert_memory_equal(signature, rig.bytes + rig.size - 64, 64);
}

static void each_bit_counts(void **state)
{
    (void)state;
    for (size_t bit = 0; bit < rig.size * 8; bit++) {
        struct csv_verdict *verdict = NULL;
        rig.bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
        if (rig_appraise(&rig, rig.nonce[0], &verdict) == CSN_OK) {
            fail_msg("bit %zu of byte %zu is under no check", bit % 8, bit / 8);
        }
        assert_null(csv_verdict_instance(verdict));
        csv_verdict_free(verdict);
        rig.bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    rig_expect(&rig, CSV_VALID, NULL, CSV_PASSED);
}

static void each_length_counts(void **state)
{
    (void)state;
    size_t whole = rig.size;
    for (rig.size = 0; rig.size < whole; rig.size++) {
        rig_expect(&rig, CSV_INVALID, "evidence.framing", CSV_FAILED);
    }
    for (rig.size = whole + 1; rig.size < whole + 200; rig.size++) {
        rig_expect(&rig, CSV_INVALID, "evidence.framing", CSV_FAILED);
    }
    rig.size = sizeof rig.bytes;
    rig_expect(&rig, CSV_INVALID, "evidence.framing", CSV_FAILED);
}

static void framing(void **state)
{
    (void)state;
    const uint32_t deep = 17;
    const uint32_t keys = CSN_WIRE_BOOT_KEY_COUNT_MAX + 1;
    const size_t must_be_zero[] = {FIELD(reserved), FIELD(reserved2), FIELD(leaf_index)};
    for (size_t i = 0; i < sizeof must_be_zero / sizeof must_be_zero[0]; i++) {
        rig_init(&rig);
        rig_patch(&rig, must_be_zero[i], &one, 4);
        rig_expect(&rig, CSV_INVALID, "evidence.framing", CSV_FAILED);
    }
    rig_init(&rig);
    rig_patch(&rig, FIELD(debug), &deep, 4);
    rig_expect(&rig, CSV_INVALID, "evidence.framing", CSV_FAILED);
    rig_init(&rig);
    rig_patch(&rig, FIELD(path_depth), &deep, 4);
    rig_expect(&rig, CSV_INVALID, "evidence.framing", CSV_FAILED);
    rig_init(&rig);
    rig_patch(&rig, FIELD(key_count), &keys, 4);
    rig_expect(&rig, CSV_INVALID, "evidence.framing", CSV_FAILED);
    rig_patch(&rig, FIELD(key_count), &zero, 4);
    rig_expect(&rig, CSV_INVALID, "evidence.framing", CSV_FAILED);
    rig_init(&rig);
    rig_patch(&rig, FIELD(name), "Upper", 5);
    rig_expect(&rig, CSV_INVALID, "evidence.framing", CSV_FAILED);
}

static void insert(size_t offset, const void *bytes, size_t size)
{
    assert_true(rig.size + size <= sizeof rig.bytes);
    memmove(rig.bytes + offset + size, rig.bytes + offset, rig.size - offset);
    memcpy(rig.bytes + offset, bytes, size);
    rig.size += size;
}

/* Lengths that add up, and a platform that signs: still too deep, and too many keys. */
static void limits(void **state)
{
    (void)state;
    static const uint8_t path[17][32] = {{0}};
    uint8_t *root = rig.bytes + FIELD(nonce_root);
    const uint32_t deep = 17;
    insert(sizeof(struct csn_wire_evidence), path, sizeof path);
    rig_patch(&rig, FIELD(path_depth), &deep, 4);
    for (int i = 0; i < 17; i++) {
        uint8_t node[65] = {1};
        memcpy(node + 1, root, 32);
        EVP_Digest(node, sizeof node, root, NULL, EVP_sha256(), NULL);
    }
    rig_sign_report(&rig);
    rig_expect(&rig, CSV_INVALID, "evidence.framing", CSV_FAILED);
    rig_init(&rig);
    const uint32_t many = CSN_WIRE_BOOT_KEY_COUNT_MAX + 1;
    rig.made.key_count = CSN_WIRE_BOOT_KEY_COUNT_MAX;
    for (uint32_t i = 1; i < rig.made.key_count; i++) {
        rig.made.keys[i] = rig.made.keys[1];
    }
    rig_bundle(&rig);
    insert(sizeof(struct csn_wire_evidence) + 72, &rig.made.keys[1], 72);
    rig_patch(&rig, FIELD(key_count), &many, 4);
    rig_sign_report(&rig);
    rig_expect(&rig, CSV_INVALID, "evidence.framing", CSV_FAILED);
}

static void wrong_nonce(void **state)
{
    (void)state;
    for (size_t bit = 0; bit < 256; bit++) {
        rig.nonce[0][bit / 8] ^= (uint8_t)(1 << bit % 8);
        rig_expect(&rig, CSV_INVALID, "nonce.fresh", CSV_FAILED);
        rig.nonce[0][bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    /* An old report with the asked-for nonce written over its own. */
    rig_patch(&rig, FIELD(nonce), rig.root_key, 32);
    memcpy(rig.nonce[0], rig.root_key, 32);
    rig_expect(&rig, CSV_INVALID, "nonce.path", CSV_FAILED);
    /* The same with a root to match: then the platform did not sign it. */
    uint8_t leaf[33] = {0};
    memcpy(leaf + 1, rig.nonce[0], 32);
    EVP_Digest(leaf, sizeof leaf, rig.bytes + FIELD(nonce_root), NULL, EVP_sha256(), NULL);
    rig_expect(&rig, CSV_INVALID, "platform.signature", CSV_FAILED);
}

static void evidence_type(void **state)
{
    (void)state;
    const uint32_t unknown = 2;
    rig.policy.accept_software = false;
    rig_expect(&rig, CSV_INVALID, "evidence.type", CSV_FAILED);
    rig.policy.accept_software = true;
    rig_patch(&rig, FIELD(type), &unknown, 4);
    rig_sign_report(&rig);
    rig_expect(&rig, CSV_INVALID, "evidence.type", CSV_FAILED);
}

static void platform_root(void **state)
{
    (void)state;
    memset(rig.root_seed, 0x53, 32);
    rig_bundle(&rig);
    rig_expect(&rig, CSV_INVALID, "platform.root", CSV_FAILED);
    rig.policy.software_root_count = 0;
    rig_expect(&rig, CSV_UNVERIFIABLE, "policy.complete", CSV_MISSING);
    /* The listed key beside another key's signature. */
    rig.policy.software_root_count = 1;
    rig_patch(&rig, rig.size - 96, rig.root_key, 32);
    rig_expect(&rig, CSV_INVALID, "platform.signature", CSV_FAILED);
}

static void debug(void **state)
{
    (void)state;
    rig.manifest.flags |= CSN_WIRE_FLAG_DEBUG;
    rig_sign_image(&rig);
    rig_bundle(&rig);
    rig_expect(&rig, CSV_INVALID, "image.debug", CSV_FAILED);
    rig.policy.accept_debug = true;
    rig_expect(&rig, CSV_VALID, "image.debug", CSV_PASSED);
    /* The launcher says release, the signed flags say debug; and the other way round. */
    rig_patch(&rig, FIELD(debug), &zero, 4);
    rig_sign_report(&rig);
    rig_expect(&rig, CSV_INVALID, "image.debug-agrees", CSV_FAILED);
    rig.policy.accept_debug = false;
    rig_expect(&rig, CSV_INVALID, "image.debug", CSV_FAILED);
    rig_init(&rig);
    rig_patch(&rig, FIELD(debug), &one, 4);
    rig_sign_report(&rig);
    rig_expect(&rig, CSV_INVALID, "image.debug-agrees", CSV_FAILED);
    rig_expect(&rig, CSV_INVALID, "image.debug", CSV_FAILED);
}

static void signer(void **state)
{
    (void)state;
    /* Another signer's good signature. */
    memset(rig.signer_seed, 0x54, 32);
    rig_sign_image(&rig);
    rig_bundle(&rig);
    rig_expect(&rig, CSV_INVALID, "image.signer", CSV_FAILED);
    rig_expect(&rig, CSV_INVALID, "image.signature", CSV_PASSED);
    /* The listed signer's name on another's signature. */
    rig_patch(&rig, FIELD(signer_key), rig.signer.key, 32);
    rig_sign_report(&rig);
    rig_expect(&rig, CSV_INVALID, "image.signature", CSV_FAILED);
    rig_expect(&rig, CSV_INVALID, "image.signer", CSV_PASSED);
    /* The signature counts also where only the measurement is asked for. */
    rig.policy.signer_count = 0;
    rig_expect(&rig, CSV_INVALID, "image.signature", CSV_FAILED);
    /* The listed signer's signature of another image. */
    rig_init(&rig);
    memset(rig.report.measurement, 0x4e, 48);
    rig_bundle(&rig);
    rig_expect(&rig, CSV_INVALID, "image.signature", CSV_FAILED);
}

static void security_version(void **state)
{
    (void)state;
    rig.signer.security_version_min = 8;
    rig_expect(&rig, CSV_INVALID, "image.security-version", CSV_FAILED);
    rig.signer.security_version_min = 6;
    rig_expect(&rig, CSV_VALID, "image.security-version", CSV_PASSED);
    /* A launcher cannot say a higher one than was signed. */
    const uint32_t higher = 9;
    rig_patch(&rig, FIELD(security_version), &higher, 4);
    rig_sign_report(&rig);
    rig_expect(&rig, CSV_INVALID, "image.signature", CSV_FAILED);
}

static void measurement_and_gate(void **state)
{
    (void)state;
    static const uint8_t others[2][48] = {{1}, {2}};
    static const uint8_t gates[2][32] = {{1}, {2}};
    struct rig_policy policy = rig.policy;
    rig.policy.measurements = others;
    rig_expect(&rig, CSV_INVALID, "image.measurement", CSV_FAILED);
    rig.policy.measurement_count = 2;
    rig_expect(&rig, CSV_INVALID, "image.measurement", CSV_FAILED);
    rig.policy = policy;
    rig.policy.gate_hashes = gates;
    rig.policy.gate_hash_count = 2;
    rig_expect(&rig, CSV_INVALID, "backend.gate", CSV_FAILED);
    rig.policy.gate_hash_count = 0;
    rig_expect(&rig, CSV_VALID, NULL, CSV_PASSED);
    /* Either of the two lists is enough. */
    rig.policy.measurement_count = 0;
    rig_expect(&rig, CSV_VALID, "image.signer", CSV_PASSED);
    rig.policy.measurement_count = 1;
    rig.policy.signer_count = 0;
    rig_expect(&rig, CSV_VALID, "image.measurement", CSV_PASSED);
}

static void abi(void **state)
{
    (void)state;
    rig.manifest.abi_version = 2;
    rig_bundle(&rig);
    rig_expect(&rig, CSV_INVALID, "abi.version", CSV_FAILED);
}

static void keys(void **state)
{
    (void)state;
    struct csn_wire_boot_key *list = rig.made.keys;
    struct csn_wire_boot_key first = list[0];
    /* Changed, or in another order, after the platform signed. */
    rig_patch(&rig, sizeof(struct csn_wire_evidence) + 72, &list[2], 72);
    rig_patch(&rig, sizeof(struct csn_wire_evidence) + 144, &list[1], 72);
    rig_expect(&rig, CSV_INVALID, "platform.signature", CSV_FAILED);
    /* Signed, but not what a key list is. */
    list[2].purpose = CSN_WIRE_KEY_INSTANCE;
    rig_bundle(&rig);
    rig_expect(&rig, CSV_INVALID, "keys.instance", CSV_FAILED);
    list[2].purpose = CSN_WIRE_KEY_RECIPIENT;
    list[0] = list[1];
    list[1] = first;
    rig_bundle(&rig);
    rig_expect(&rig, CSV_INVALID, "keys.instance", CSV_FAILED);
    list[1] = list[0];
    rig_bundle(&rig);
    rig_expect(&rig, CSV_INVALID, "keys.instance", CSV_FAILED);
    list[0] = first;
    list[1].suite++;
    rig_bundle(&rig);
    rig_expect(&rig, CSV_INVALID, "keys.suite", CSV_FAILED);
    list[1].suite--;
    list[1].purpose = 6;
    rig_bundle(&rig);
    rig_expect(&rig, CSV_INVALID, "keys.suite", CSV_FAILED);
}

/* The hash of the list of keys for requests: named once, of nobody, and only then handed out. */
static void request_keys(void **state)
{
    (void)state;
    struct csn_wire_boot_key *list = rig.made.keys;
    struct csv_verdict *verdict = NULL;
    char hex[65];
    assert_int_equal(rig_appraise(&rig, rig.nonce[0], &verdict), CSN_OK);
    assert_null(csv_verdict_ohttp(verdict));
    assert_null(csv_verdict_claim(verdict, "ohttp_keys"));
    csv_verdict_free(verdict);
    list[1].purpose = CSN_WIRE_KEY_OHTTP;
    rig_bundle(&rig);
    rig_expect(&rig, CSV_INVALID, "keys.suite", CSV_FAILED); /* a tenant's */
    memset(list[1].tenant, 0, sizeof list[1].tenant);
    rig_bundle(&rig);
    assert_int_equal(rig_appraise(&rig, rig.nonce[0], &verdict), CSN_OK);
    assert_memory_equal(csv_verdict_ohttp(verdict), list[1].public_key, 32);
    for (uint32_t i = 0; i < 32; i++) {
        snprintf(hex + 2 * i, 3, "%02x", list[1].public_key[i]);
    }
    assert_string_equal(csv_verdict_claim(verdict, "ohttp_keys"), hex);
    assert_non_null(csv_verdict_recipient(verdict, list[2].tenant, 0));
    assert_null(csv_verdict_recipient(verdict, list[1].tenant, 0));
    csv_verdict_free(verdict);
    assert_int_not_equal(rig_appraise(&rig, list[1].public_key, &verdict), CSN_OK);
    assert_null(csv_verdict_ohttp(verdict)); /* of a verdict that is not valid */
    csv_verdict_free(verdict);
    list[2] = list[1];
    rig_bundle(&rig);
    rig_expect(&rig, CSV_INVALID, "keys.requests", CSV_FAILED);
}

/* The key for statements: likewise. */
static void statement_key(void **state)
{
    (void)state;
    struct csn_wire_boot_key *list = rig.made.keys;
    struct csv_verdict *verdict = NULL;
    list[1].purpose = CSN_WIRE_KEY_STATEMENT;
    rig_bundle(&rig);
    rig_expect(&rig, CSV_INVALID, "keys.suite", CSV_FAILED); /* a tenant's */
    memset(list[1].tenant, 0, sizeof list[1].tenant);
    rig_bundle(&rig);
    assert_int_equal(rig_appraise(&rig, rig.nonce[0], &verdict), CSN_OK);
    assert_memory_equal(csv_verdict_statement_key(verdict), list[1].public_key, 32);
    assert_int_equal(strlen(csv_verdict_claim(verdict, "statement_key")), 64);
    csv_verdict_free(verdict);
    assert_int_not_equal(rig_appraise(&rig, list[1].public_key, &verdict), CSN_OK);
    assert_null(csv_verdict_statement_key(verdict)); /* of a verdict that is not valid */
    csv_verdict_free(verdict);
    list[2] = list[1];
    rig_bundle(&rig);
    rig_expect(&rig, CSV_INVALID, "keys.statement", CSV_FAILED);
}

/* ---- claims of a service ---- */

static void claim(uint32_t index, uint32_t label, int fill, const char *word)
{
    struct csn_wire_boot_key *key = &rig.made.keys[index];
    *key = (struct csn_wire_boot_key){.purpose = CSN_WIRE_KEY_CLAIM, .suite = label};
    memset(key->tenant, fill, sizeof key->tenant);
    memcpy(key->public_key, word, strlen(word));
}

static void service_claims(void **state)
{
    (void)state;
    struct csv_verdict *verdict = NULL;
    claim(2, CSN_WIRE_CLAIM_STORE, 0x33, "tpm");
    claim(3, 77, 0x33, "with \001 in it");
    rig_bundle(&rig);
    assert_int_equal(rig_appraise(&rig, rig.nonce[0], &verdict), CSN_OK);
    const uint8_t *tenant = rig.made.keys[2].tenant;
    assert_memory_equal(csv_verdict_service_claim(verdict, tenant, CSN_WIRE_CLAIM_STORE),
                        rig.made.keys[2].public_key, 32);
    assert_null(csv_verdict_service_claim(verdict, tenant, CSN_WIRE_CLAIM_MODEL));
    const char *shown = csv_verdict_claim(verdict, "service_claims");
    assert_non_null(strstr(shown, "store:tpm@3333"));
    assert_non_null(strstr(shown, "77:77697468")); /* not a word: its bytes */
    csv_verdict_free(verdict);
    assert_int_not_equal(rig_appraise(&rig, tenant, &verdict), CSN_OK);
    assert_null(csv_verdict_service_claim(verdict, tenant, CSN_WIRE_CLAIM_STORE));
    csv_verdict_free(verdict);
    rig.made.keys[3].suite = CSN_WIRE_CLAIM_STORE;
    rig_bundle(&rig);
    rig_expect(&rig, CSV_INVALID, "service.once", CSV_FAILED);
    rig.made.keys[3].suite = 0;
    rig_bundle(&rig);
    rig_expect(&rig, CSV_INVALID, "keys.suite", CSV_FAILED);
    claim(3, 77, 0, "of nobody");
    rig_bundle(&rig);
    rig_expect(&rig, CSV_INVALID, "keys.suite", CSV_FAILED);
}

#define TENANT_33 "3333333333333333333333333333333333333333333333333333333333333333"
#define TENANT_44 "4444444444444444444444444444444444444444444444444444444444444444"

static void claims_matched(void **state)
{
    (void)state;
    static const struct {
        const char *wishes[3];
        bool holds;
    } cases[] = {
        {{"store:tpm"}, true},
        {{"1:tpm"}, false}, /* of another label */
        {{"store:tpm@" TENANT_33}, true},
        {{"store:tpm@" TENANT_44}, false}, /* that one's is a journal */
        {{"store:journal"}, false},
        {{"store:journal", "store:tpm"}, true},
        {{"store:tpm@" TENANT_33, "store:journal@" TENANT_44}, true},
        {{"store:journal@" TENANT_33, "store:tpm@" TENANT_44}, false},
        {{"2:tpm@" TENANT_33}, true},
        {{"model:" TENANT_33}, false}, /* no such claim */
        {{"store:74706d0000000000000000000000000000000000000000000000000000000000@" TENANT_33},
         true},
    };
    claim(2, CSN_WIRE_CLAIM_STORE, 0x33, "tpm");
    claim(3, CSN_WIRE_CLAIM_STORE, 0x44, "journal");
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        /* The first two lines of the table are about evidence with the one claim alone. */
        rig.made.key_count = i < 2 ? 3 : 4;
        rig_bundle(&rig);
        memcpy(rig.policy.claims, cases[i].wishes, sizeof cases[i].wishes);
        rig_expect(&rig, cases[i].holds ? CSV_VALID : CSV_INVALID, "service.claims",
                   cases[i].holds ? CSV_PASSED : CSV_FAILED);
    }
}

static void claims_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {"store",
                                      "store:",
                                      ":tpm",
                                      "0:tpm",
                                      "4294967296:tpm",
                                      "99999999999999:tpm",
                                      "stores:tpm",
                                      "store:TPM",
                                      "store:tpm@",
                                      "store:tpm@33",
                                      "store:a-word-of-thirty-two-characters-",
                                      "store:g" TENANT_33,
                                      "store:tpm@" TENANT_33 "3"};
    struct csv_policy *policy = NULL;
    assert_int_equal(csv_policy_create(&policy), CSN_OK);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_int_equal(csv_policy_allow(policy, "caisson.claims", bad[i]), CSN_ERR_FORMAT);
    }
    assert_int_equal(csv_policy_allow(policy, "caisson.claims", "4294967295:x"), CSN_OK);
    csv_policy_free(policy);
}

/* Room for as many as the layout allows; and no key at all is no evidence. */
static void key_count(void **state)
{
    (void)state;
    rig.made.key_count = CSN_WIRE_BOOT_KEY_COUNT_MAX;
    for (uint32_t i = RIG_KEY_COUNT; i < rig.made.key_count; i++) {
        rig.made.keys[i] = rig.made.keys[1];
    }
    rig_bundle(&rig);
    rig_expect(&rig, CSV_VALID, NULL, CSV_PASSED);
    const uint32_t counts[] = {0, CSN_WIRE_BOOT_KEY_COUNT_MAX + 1};
    for (size_t i = 0; i < 2; i++) {
        rig.made.key_count = counts[i];
        assert_int_equal(csn_evidence_report(&rig.batch, &csn_evidence_software, rig.root_seed,
                                             &rig.subject, (const uint8_t(*)[32])rig.nonce, 1),
                         CSN_ERR_STATE);
    }
}

static void empty_policy(void **state)
{
    (void)state;
    rig.policy.measurement_count = 0;
    rig.policy.signer_count = 0;
    rig_expect(&rig, CSV_UNVERIFIABLE, "policy.complete", CSV_MISSING);
    struct csv_policy *policy = NULL;
    struct csv_verdict *verdict = NULL;
    assert_int_equal(csv_policy_create(&policy), CSN_OK);
    assert_int_equal(csv_appraise_bundle(policy, rig.bytes, rig.size, rig.nonce[0], &verdict),
                     CSN_ERR_UNVERIFIED);
    assert_int_equal(rig_finding(verdict, "policy.allows")->outcome, CSV_MISSING);
    csv_verdict_free(verdict);
    csv_policy_free(policy);
}

static void null_arguments(void **state)
{
    (void)state;
    struct csv_verdict *verdict = NULL;
    struct csv_policy *policy = NULL;
    const uint8_t *nonce = rig.nonce[0];
    assert_int_equal(csv_policy_create(&policy), CSN_OK);
    assert_int_equal(csv_appraise_bundle(NULL, rig.bytes, rig.size, nonce, &verdict),
                     CSN_ERR_ARGUMENT);
    assert_int_equal(csv_appraise_bundle(policy, NULL, 0, nonce, &verdict), CSN_ERR_ARGUMENT);
    assert_int_equal(csv_appraise_bundle(policy, rig.bytes, rig.size, NULL, &verdict),
                     CSN_ERR_ARGUMENT);
    assert_int_equal(csv_appraise_bundle(policy, rig.bytes, rig.size, nonce, NULL),
                     CSN_ERR_ARGUMENT);
    assert_null(verdict);
    csv_policy_free(policy);
}

static void check_json(const struct csv_verdict *verdict)
{
    static char text[65536];
    size_t size = csv_verdict_json(verdict, text, sizeof text);
    assert_true(size < sizeof text && size == strlen(text));
    cJSON *json = cJSON_ParseWithLength(text, size);
    assert_non_null(json);
    const cJSON *findings = cJSON_GetObjectItemCaseSensitive(json, "findings");
    assert_int_equal(cJSON_GetArraySize(findings), csv_verdict_finding_count(verdict));
    for (size_t i = 0; i < csv_verdict_finding_count(verdict); i++) {
        const struct csv_finding *finding = csv_verdict_finding(verdict, i);
        const cJSON *item = cJSON_GetArrayItem(findings, (int)i);
        const char *const names[] = {"id", "claim", "expected", "got", "why", "todo"};
        const char *const values[] = {finding->id,  finding->claim, finding->expected,
                                      finding->got, finding->why,   finding->todo};
        for (size_t k = 0; k < sizeof names / sizeof names[0]; k++) {
            const cJSON *value = cJSON_GetObjectItemCaseSensitive(item, names[k]);
            assert_string_equal(cJSON_GetStringValue(value), values[k]);
        }
    }
    const cJSON *claims = cJSON_GetObjectItemCaseSensitive(json, "claims");
    assert_string_equal(cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(claims, "name")),
                        csv_verdict_image(verdict)->name);
    const cJSON *eat = cJSON_GetObjectItemCaseSensitive(json, "eat");
    assert_string_equal(cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(eat, "swname")),
                        csv_verdict_image(verdict)->name);
    assert_string_equal(cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(eat, "dbgstat")),
                        "disabled");
    assert_string_equal(cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(eat, "eat_nonce")),
                        "paWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaU");
    cJSON_Delete(json);
}

static void check_text(const struct csv_verdict *verdict, const char *first)
{
    static char text[65536];
    char small[32];
    size_t size = csv_verdict_text(verdict, true, text, sizeof text);
    assert_true(size < sizeof text && size == strlen(text));
    assert_memory_equal(text, first, strlen(first));
    for (size_t i = 0; i < csv_verdict_finding_count(verdict); i++) {
        const struct csv_finding *finding = csv_verdict_finding(verdict, i);
        assert_non_null(strstr(text, finding->id));
        assert_non_null(strstr(text, finding->why));
        assert_non_null(strstr(text, finding->todo));
    }
    assert_true(csv_verdict_text(verdict, false, text, sizeof text) < size);
    /* A target that is too small is terminated, and the size is the whole one. */
    memset(small, 0x7f, sizeof small);
    assert_int_equal(csv_verdict_text(verdict, true, small, 16), size);
    assert_int_equal(strlen(small), 15);
    assert_int_equal(small[16], 0x7f);
    assert_int_equal(csv_verdict_text(verdict, true, NULL, 0), size);
}

static void explained(void **state)
{
    (void)state;
    struct csv_verdict *verdict = NULL;
    assert_int_equal(rig_appraise(&rig, rig.nonce[0], &verdict), CSN_OK);
    check_json(verdict);
    check_text(verdict, "valid\n");
    csv_verdict_free(verdict);
    rig.policy.accept_software = false;
    assert_int_equal(rig_appraise(&rig, rig.nonce[0], &verdict), CSN_ERR_EVIDENCE);
    check_json(verdict);
    check_text(verdict, "invalid\n");
    csv_verdict_free(verdict);
}

int main(int count, char **arguments)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(round_trip, fresh),
        cmocka_unit_test_setup(report_data_is_as_written, fresh),
        cmocka_unit_test_setup(each_length_counts, fresh),
        cmocka_unit_test_setup(framing, fresh),
        cmocka_unit_test_setup(limits, fresh),
        cmocka_unit_test_setup(wrong_nonce, fresh),
        cmocka_unit_test_setup(evidence_type, fresh),
        cmocka_unit_test_setup(platform_root, fresh),
        cmocka_unit_test_setup(debug, fresh),
        cmocka_unit_test_setup(signer, fresh),
        cmocka_unit_test_setup(security_version, fresh),
        cmocka_unit_test_setup(measurement_and_gate, fresh),
        cmocka_unit_test_setup(abi, fresh),
        cmocka_unit_test_setup(keys, fresh),
        cmocka_unit_test_setup(request_keys, fresh),
        cmocka_unit_test_setup(statement_key, fresh),
        cmocka_unit_test_setup(service_claims, fresh),
        cmocka_unit_test_setup(claims_matched, fresh),
        cmocka_unit_test_setup(claims_refused, fresh),
        cmocka_unit_test_setup(key_count, fresh),
        cmocka_unit_test_setup(empty_policy, fresh),
        cmocka_unit_test_setup(null_arguments, fresh),
        cmocka_unit_test_setup(explained, fresh),
    };
    const struct CMUnitTest bits[] = {cmocka_unit_test_setup(each_bit_counts, fresh)};
    if (count == 2 && strcmp(arguments[1], "bits") == 0) {
        return cmocka_run_group_tests_name("each bit of evidence", bits, NULL, NULL);
    }
    return cmocka_run_group_tests_name("evidence", tests, NULL, NULL);
}
