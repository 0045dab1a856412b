/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_launcher.c: Caisson's evidence inside a genuine-looking SEV-SNP report.
 *
 * The reports are signed by certificates of the test's own, trusted for it alone. What an honest
 * attester of another machine can produce is all here: real signatures, an honest image claim, and
 * a launch digest that is not the launcher's.
 */
#include "../verify/rig.h"
#include "../verify/snp/snp_rig.h"
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <stdio.h>

#define NONCE_COUNT 65536u

static struct rig rig;
static struct snp_rig snp;
static struct csn_evidence_batch batch;
static uint8_t bundle[65536];
static size_t bundle_size;

/* ---- a producer: what configfs-tsm gives on such a machine ---- */

/* The host's table of certificates: {GUID, offset, size} each, a row of zeros, then the bytes. */
static size_t make_table(uint8_t *table)
{
    static const uint8_t guids[3][16] = {{0xc0, 0xb4, 0x06, 0xa4, 0xa8, 0x03, 0x49, 0x52, 0x97,
                                          0x43, 0x3f, 0xb6, 0x01, 0x4c, 0xd0, 0xae},
                                         {0x4a, 0xb7, 0xb3, 0x79, 0xbb, 0xac, 0x4f, 0xe4, 0xa0,
                                          0x2f, 0x05, 0xae, 0xf3, 0x27, 0xc7, 0x82},
                                         {0x63, 0xda, 0x75, 0x8d, 0xe6, 0x64, 0x45, 0x64, 0xad,
                                          0xc5, 0xf4, 0xb9, 0x3b, 0xe8, 0xac, 0xcd}};
    size_t at = 4 * 24;
    memset(table, 0, at);
    for (size_t i = 0; i < 3; i++) {
        uint32_t row[2] = {(uint32_t)at, (uint32_t)snp.der_size[i]};
        memcpy(table + i * 24, guids[i], 16);
        memcpy(table + i * 24 + 16, row, 8);
        memcpy(table + at, snp.der[i], snp.der_size[i]);
        at += snp.der_size[i];
    }
    return at;
}

static csn_err prepare(const void *state, struct csn_evidence_platform *platform)
{
    (void)state;
    platform->type = CSN_WIRE_EVIDENCE_SNP;
    return CSN_OK;
}

static csn_err sign(const void *state, const uint8_t report_data[64],
                    struct csn_evidence_platform *platform)
{
    (void)state;
    static uint8_t table[16384];
    memcpy(snp.report + 0x50, report_data, 64);
    snp_rig_sign(&snp);
    assert_int_equal(csn_evidence_part(platform, CSV_PART_EVIDENCE, snp.report, SNP_REPORT_SIZE),
                     CSN_OK);
    assert_int_equal(csn_evidence_part(platform, CSV_PART_CHAIN, table, make_table(table)), CSN_OK);
    return CSN_OK;
}

static const struct csn_evidence_producer machine = {
    .name = "snp", .prepare = prepare, .sign = sign};

static void make_bundles(const uint8_t (*nonces)[32], size_t count)
{
    assert_int_equal(csn_evidence_report(&batch, &machine, NULL, &rig.subject, nonces, count),
                     CSN_OK);
}

static void take_bundle(size_t index)
{
    assert_int_equal(csn_evidence_bundle(&batch, index, bundle, sizeof bundle, &bundle_size),
                     CSN_OK);
}

/* ---- verdicts ---- */

static struct csv_verdict *appraise(const struct csv_policy *policy, const uint8_t nonce[32])
{
    struct csv_input *input = NULL;
    struct csv_verdict *verdict = NULL;
    unsigned char *spki = NULL;
    uint8_t digest[32];
    int size = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(snp.ark), &spki);
    assert_int_equal(EVP_Digest(spki, (size_t)size, digest, NULL, EVP_sha256(), NULL), 1);
    OPENSSL_free(spki);
    assert_int_equal(csv_input_create(&input), CSN_OK);
    assert_int_equal(csv_input_trust_test_root_insecure(input, digest), CSN_OK);
    assert_int_equal(csv_input_add(input, CSV_PART_EVIDENCE, NULL, bundle, bundle_size), CSN_OK);
    assert_int_equal(csv_input_set_nonce(input, nonce, 32), CSN_OK);
    csv_input_set_time(input, SNP_TIME);
    csn_err result = csv_appraise(policy, input, CSV_FORMAT_CAISSON, &verdict);
    assert_non_null(verdict);
    assert_int_equal(result == CSN_OK, csv_verdict_result(verdict) == CSV_VALID);
    csv_input_free(input);
    return verdict;
}

static void expect_valid(const struct csv_policy *policy, const uint8_t nonce[32])
{
    static char explained[65536];
    struct csv_verdict *verdict = appraise(policy, nonce);
    csv_verdict_text(verdict, false, explained, sizeof explained);
    if (csv_verdict_result(verdict) != CSV_VALID) {
        fail_msg("%s", explained);
    }
    csv_verdict_free(verdict);
}

/* Invalid, and `id` is the only check that failed. */
static void expect_only(const struct csv_policy *policy, const uint8_t nonce[32], const char *id)
{
    struct csv_verdict *verdict = appraise(policy, nonce);
    size_t failed = 0;
    assert_int_equal(csv_verdict_result(verdict), CSV_INVALID);
    assert_null(csv_verdict_instance(verdict));
    for (size_t i = 0; i < csv_verdict_finding_count(verdict); i++) {
        const struct csv_finding *finding = csv_verdict_finding(verdict, i);
        if (finding->outcome == CSV_FAILED) {
            assert_string_equal(finding->id, id);
            failed++;
        }
    }
    assert_int_equal(failed, 1);
    csv_verdict_free(verdict);
}

/* The strict policy that `policy init` makes of the bundle. */
static struct csv_policy *policy_of_bundle(void)
{
    static char text[32768];
    struct csv_policy *any = NULL;
    struct csv_policy *policy = NULL;
    struct csv_policy_mistake mistake = {0};
    size_t size = 0;
    assert_int_equal(csv_policy_create_insecure_any(&any), CSN_OK);
    expect_valid(any, rig.nonce[0]);
    struct csv_verdict *verdict = appraise(any, rig.nonce[0]);
    assert_int_equal(csv_policy_init(verdict, false, text, sizeof text, &size), CSN_OK);
    if (csv_policy_parse(text, size, &policy, &mistake) != CSN_OK) {
        fail_msg("%u:%u: %s\n%s", mistake.line, mistake.column, mistake.text, text);
    }
    csv_verdict_free(verdict);
    csv_policy_free(any);
    return policy;
}

static int reset(void **state)
{
    (void)state;
    rig_init(&rig);
    snp_rig_free(&snp);
    snp_rig_init(&snp, SNP_MILAN, 3, false);
    return 0;
}

static void one_bundle(void)
{
    make_bundles((const uint8_t(*)[32])rig.nonce, 1);
    take_bundle(0);
}

static void the_hosts_certificates_are_enough(void **state)
{
    (void)state;
    one_bundle();
    struct csv_policy *policy = policy_of_bundle();
    expect_valid(policy, rig.nonce[0]);
    csv_policy_free(policy);
}

static void an_honest_claim_of_a_foreign_launcher_is_invalid(void **state)
{
    (void)state;
    uint8_t foreign[48];
    one_bundle();
    struct csv_policy *policy = policy_of_bundle();
    /* The same kind of machine, the same chip even, and the policy for machines has it listed: but
     * its code is no launcher. */
    memset(foreign, 0x12, sizeof foreign);
    memcpy(snp.report + 0x90, foreign, sizeof foreign);
    assert_int_equal(csv_policy_allow_bytes(policy, "snp.measurements", foreign, sizeof foreign),
                     CSN_OK);
    one_bundle();
    expect_only(policy, rig.nonce[0], "platform.launcher");
    char launcher[128];
    int used = snprintf(launcher, sizeof launcher, "snp:measurement=");
    for (size_t i = 0; i < sizeof foreign; i++) {
        used += snprintf(launcher + used, sizeof launcher - (size_t)used, "%02x", foreign[i]);
    }
    assert_int_equal(csv_policy_allow(policy, "caisson.launchers", launcher), CSN_OK);
    expect_valid(policy, rig.nonce[0]); /* the control: nothing else was wrong with it */
    csv_policy_free(policy);
}

static void a_report_of_another_bundle_is_invalid(void **state)
{
    (void)state;
    one_bundle();
    struct csv_policy *policy = policy_of_bundle();
    static struct csn_evidence_batch honest;
    honest = batch;
    rig.made.boot_id[0] ^= 1; /* another instance of the same image on the same machine */
    one_bundle();
    memcpy(bundle + bundle_size - batch.platform.size, honest.platform.bytes, batch.platform.size);
    expect_only(policy, rig.nonce[0], "report-data.binding");
    csv_policy_free(policy);
}

static void one_report_serves_65536_nonces(void **state)
{
    (void)state;
    static uint8_t nonces[NONCE_COUNT][32];
    static const size_t places[] = {0, 1, 40000, NONCE_COUNT - 1};
    one_bundle();
    struct csv_policy *policy = policy_of_bundle();
    for (size_t i = 0; i < NONCE_COUNT; i++) {
        memcpy(nonces[i], &i, sizeof i);
        nonces[i][31] = 0x80;
    }
    make_bundles((const uint8_t(*)[32])nonces, NONCE_COUNT);
    assert_int_equal(batch.head.path_depth, 16);
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        take_bundle(places[i]);
        expect_valid(policy, nonces[places[i]]);
        expect_only(policy, nonces[2], "nonce.fresh");
        bundle[sizeof batch.head + 15 * 32] ^= 1; /* the topmost sibling */
        expect_only(policy, nonces[places[i]], "nonce.path");
    }
    csv_policy_free(policy);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(the_hosts_certificates_are_enough, reset),
        cmocka_unit_test_setup(an_honest_claim_of_a_foreign_launcher_is_invalid, reset),
        cmocka_unit_test_setup(a_report_of_another_bundle_is_invalid, reset),
        cmocka_unit_test_setup(one_report_serves_65536_nonces, reset),
    };
    int failed = cmocka_run_group_tests_name("launcher", tests, NULL, NULL);
    snp_rig_free(&snp);
    return failed;
}
