/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_producer_tpm.c: TPM 2.0 quotes from a software TPM (swtpm) of the test's own, from the
 * producer to the verdict on Caisson's evidence around them.
 */
#include "../verify/rig.h"
#include "swtpm.h"
#include <openssl/evp.h>
#include <stdio.h>
#include <tss2/tss2_esys.h>
#include <tss2/tss2_tctildr.h>
#include <unistd.h>

#define AK_HANDLE    0x81010042u
#define PLAIN_HANDLE 0x81010043u
#define CERT_INDEX   0x01c10142u
#define QUOTED       0x00000c07u /* 0, 1, 2, 10, 11 */

static struct swtpm swtpm;
static struct rig rig;
static struct csn_evidence_tpm tpm;
static struct csn_evidence_batch batch;
static uint8_t bundle[65536];
static size_t bundle_size;

/* ---- the TPM ---- */

/* A key of the owner's, kept under a handle; restricted ones without a scheme of their own. */
static void keep_key(ESYS_CONTEXT *esys, uint32_t handle, bool restricted)
{
    static const TPM2B_SENSITIVE_CREATE no_secret = {0};
    static const TPM2B_DATA nothing = {0};
    static const TPML_PCR_SELECTION no_pcrs = {0};
    TPM2B_PUBLIC template = {
        .publicArea = {.type = TPM2_ALG_RSA,
                       .nameAlg = TPM2_ALG_SHA256,
                       .objectAttributes = TPMA_OBJECT_SIGN_ENCRYPT | TPMA_OBJECT_FIXEDTPM |
                                           TPMA_OBJECT_FIXEDPARENT | TPMA_OBJECT_NODA |
                                           TPMA_OBJECT_SENSITIVEDATAORIGIN |
                                           TPMA_OBJECT_USERWITHAUTH,
                       .parameters.rsaDetail = {.symmetric = {.algorithm = TPM2_ALG_NULL},
                                                .scheme = {.scheme = TPM2_ALG_NULL},
                                                .keyBits = 2048}}};
    ESYS_TR key = ESYS_TR_NONE;
    ESYS_TR kept = ESYS_TR_NONE;
    if (restricted) {
        template.publicArea.objectAttributes |= TPMA_OBJECT_RESTRICTED;
        template.publicArea.parameters.rsaDetail.scheme.scheme = TPM2_ALG_RSASSA;
        template.publicArea.parameters.rsaDetail.scheme.details.rsassa.hashAlg = TPM2_ALG_SHA256;
    }
    assert_int_equal(Esys_CreatePrimary(esys, ESYS_TR_RH_OWNER, ESYS_TR_PASSWORD, ESYS_TR_NONE,
                                        ESYS_TR_NONE, &no_secret, &template, &nothing, &no_pcrs,
                                        &key, NULL, NULL, NULL, NULL),
                     TSS2_RC_SUCCESS);
    assert_int_equal(Esys_EvictControl(esys, ESYS_TR_RH_OWNER, key, ESYS_TR_PASSWORD, ESYS_TR_NONE,
                                       ESYS_TR_NONE, handle, &kept),
                     TSS2_RC_SUCCESS);
    Esys_FlushContext(esys, key);
}

/* Bytes where a cloud keeps the certificate of its key. */
static void keep_certificate(ESYS_CONTEXT *esys)
{
    static const TPM2B_AUTH no_password = {0};
    TPM2B_NV_PUBLIC about = {
        .nvPublic = {.nvIndex = CERT_INDEX,
                     .nameAlg = TPM2_ALG_SHA256,
                     .dataSize = 1300,
                     .attributes = TPMA_NV_OWNERWRITE | TPMA_NV_OWNERREAD | TPMA_NV_NO_DA}};
    TPM2B_MAX_NV_BUFFER chunk = {.size = 650};
    ESYS_TR nv = ESYS_TR_NONE;
    assert_int_equal(Esys_NV_DefineSpace(esys, ESYS_TR_RH_OWNER, ESYS_TR_PASSWORD, ESYS_TR_NONE,
                                         ESYS_TR_NONE, &no_password, &about, &nv),
                     TSS2_RC_SUCCESS);
    for (uint16_t at = 0; at < 1300; at = (uint16_t)(at + 650)) {
        memset(chunk.buffer, at == 0 ? 0x11 : 0x22, chunk.size);
        assert_int_equal(Esys_NV_Write(esys, ESYS_TR_RH_OWNER, nv, ESYS_TR_PASSWORD, ESYS_TR_NONE,
                                       ESYS_TR_NONE, &chunk, at),
                         TSS2_RC_SUCCESS);
    }
}

static int provision(void **state)
{
    (void)state;
    TSS2_TCTI_CONTEXT *connection = NULL;
    ESYS_CONTEXT *esys = NULL;
    assert_int_equal(Tss2_TctiLdr_Initialize(swtpm.tcti, &connection), TSS2_RC_SUCCESS);
    assert_int_equal(Esys_Initialize(&esys, connection, NULL), TSS2_RC_SUCCESS);
    keep_key(esys, AK_HANDLE, true);
    keep_key(esys, PLAIN_HANDLE, false);
    keep_certificate(esys);
    Esys_Finalize(&esys);
    Tss2_TctiLdr_Finalize(&connection);
    return 0;
}

/* ---- evidence and verdicts ---- */

static int reset(void **state)
{
    (void)state;
    rig_init(&rig);
    tpm = (struct csn_evidence_tpm){.tcti = swtpm.tcti, .pcrs = QUOTED};
    return 0;
}

static csn_err try_report(void)
{
    return csn_evidence_report(&batch, &csn_evidence_tpm, &tpm, &rig.subject,
                               (const uint8_t(*)[32])rig.nonce, 1);
}

static void make_bundle(void)
{
    csn_err result = try_report();
    if (result != CSN_OK) {
        fail_msg("%s", batch.platform.detail);
    }
    assert_int_equal(csn_evidence_bundle(&batch, 0, bundle, sizeof bundle, &bundle_size), CSN_OK);
}

static struct csv_verdict *appraise(const struct csv_policy *policy, const uint8_t nonce[32])
{
    struct csv_verdict *verdict = NULL;
    csn_err result = csv_appraise_bundle(policy, bundle, bundle_size, nonce, &verdict);
    assert_non_null(verdict);
    assert_int_equal(result == CSN_OK, csv_verdict_result(verdict) == CSV_VALID);
    return verdict;
}

/* The strict policy that `policy init` makes of this bundle. */
static struct csv_policy *policy_of_bundle(void)
{
    static char text[32768];
    static char explained[65536];
    struct csv_policy *any = NULL;
    struct csv_policy *policy = NULL;
    struct csv_policy_mistake mistake = {0};
    size_t size = 0;
    assert_int_equal(csv_policy_create_insecure_any(&any), CSN_OK);
    struct csv_verdict *verdict = appraise(any, rig.nonce[0]);
    csv_verdict_text(verdict, false, explained, sizeof explained);
    if (csv_verdict_result(verdict) != CSV_VALID) {
        fail_msg("%s", explained);
    }
    assert_int_equal(csv_policy_init(verdict, false, text, sizeof text, &size), CSN_OK);
    if (csv_policy_parse(text, size, &policy, &mistake) != CSN_OK) {
        fail_msg("%u:%u: %s\n%s", mistake.line, mistake.column, mistake.text, text);
    }
    assert_non_null(strstr(text, "tpm:sel_alg=0xb,pcr_select=070c00,pcr_digest="));
    csv_verdict_free(verdict);
    csv_policy_free(any);
    return policy;
}

/* Is `id` among the findings that failed, under this policy? */
static void expect_refused(const struct csv_policy *policy, const char *id)
{
    struct csv_verdict *verdict = appraise(policy, rig.nonce[0]);
    assert_int_equal(csv_verdict_result(verdict), CSV_INVALID);
    bool found = false;
    for (size_t i = 0; i < csv_verdict_finding_count(verdict); i++) {
        const struct csv_finding *finding = csv_verdict_finding(verdict, i);
        found = found || (strcmp(finding->id, id) == 0 && finding->outcome == CSV_FAILED);
    }
    if (!found) {
        fail_msg("%s did not fail", id);
    }
    csv_verdict_free(verdict);
}

static void expect_valid(const struct csv_policy *policy)
{
    struct csv_verdict *verdict = appraise(policy, rig.nonce[0]);
    static char explained[65536];
    csv_verdict_text(verdict, false, explained, sizeof explained);
    if (csv_verdict_result(verdict) != CSV_VALID) {
        fail_msg("%s", explained);
    }
    assert_true(csv_verdict_appraised(verdict));
    assert_non_null(csv_verdict_instance(verdict));
    csv_verdict_free(verdict);
}

static void wrapped_quotes_verify_as_they_come(void **state)
{
    (void)state;
    make_bundle();
    struct csv_policy *policy = policy_of_bundle();
    expect_valid(policy);
    memset(rig.nonce[0], 0x77, 32); /* later, for another nonce: the key and PCRs are the same */
    make_bundle();
    expect_valid(policy);
    csv_policy_free(policy);
}

static void another_key_is_refused(void **state)
{
    (void)state;
    make_bundle();
    struct csv_policy *policy = policy_of_bundle();
    tpm.owner = true;
    make_bundle();
    expect_refused(policy, "tpm.ak-listed");
    csv_policy_free(policy);
}

static void another_selection_is_another_launcher(void **state)
{
    (void)state;
    make_bundle();
    struct csv_policy *policy = policy_of_bundle();
    tpm.pcrs = 0x7;
    make_bundle();
    expect_refused(policy, "platform.launcher");
    csv_policy_free(policy);
}

static void an_extended_register_is_another_launcher(void **state)
{
    (void)state;
    char detail[200];
    make_bundle();
    struct csv_policy *policy = policy_of_bundle();
    assert_int_equal(csn_evidence_extend_tpm(&tpm, 11, rig.report.measurement, detail), CSN_OK);
    make_bundle();
    expect_refused(policy, "platform.launcher");
    expect_refused(policy, "tpm.pcr");
    csv_policy_free(policy);
    policy = policy_of_bundle();
    expect_valid(policy);
    csv_policy_free(policy);
}

static void old_quotes_are_refused(void **state)
{
    (void)state;
    static uint8_t old[65536];
    struct csn_wire_evidence head;
    make_bundle();
    struct csv_policy *policy = policy_of_bundle();
    memcpy(old, bundle, bundle_size);
    size_t old_size = bundle_size;
    memset(rig.nonce[0], 0x55, 32);
    expect_refused(policy, "nonce.fresh"); /* the old bundle for a new nonce */
    make_bundle();
    memcpy(&head, bundle, sizeof head); /* the old quote in the new bundle */
    assert_int_equal(old_size, bundle_size);
    memcpy(bundle + bundle_size - head.platform_size, old + old_size - head.platform_size,
           head.platform_size);
    expect_refused(policy, "report-data.binding");
    csv_policy_free(policy);
}

/* The part of one kind, in the platform's bytes of the batch. */
static const uint8_t *find_part(uint32_t kind, size_t *size)
{
    struct csn_wire_evidence_part head;
    for (size_t at = 0; at < batch.platform.size; at += head.size) {
        memcpy(&head, batch.platform.bytes + at, sizeof head);
        at += sizeof head;
        if (head.kind == kind) {
            *size = head.size;
            return batch.platform.bytes + at;
        }
    }
    fail_msg("no part of kind %u", kind);
    return NULL;
}

static void values_beside_the_quote_cannot_lie(void **state)
{
    (void)state;
    make_bundle();
    struct csv_policy *policy = policy_of_bundle();
    size_t size = 0;
    const uint8_t *text = find_part(CSV_PART_PCRS, &size);
    size_t at = bundle_size - batch.platform.size + (size_t)(text - batch.platform.bytes);
    bundle[at + 10] = bundle[at + 10] == '0' ? '1' : '0';
    expect_refused(policy, "tpm.pcr-digest");
    csv_policy_free(policy);
}

static void an_image_is_told_of_by_a_register(void **state)
{
    (void)state;
    uint8_t both[64] = {0};
    uint8_t made[32];
    char line[80];
    char detail[200];
    size_t size = 0;
    assert_int_equal(csn_evidence_extend_tpm(&tpm, 12, rig.report.measurement, detail), CSN_OK);
    EVP_Digest(rig.report.measurement, 48, both + 32, NULL, EVP_sha256(), NULL);
    EVP_Digest(both, 64, made, NULL, EVP_sha256(), NULL);
    tpm.pcrs = 1 << 12;
    make_bundle();
    int used = snprintf(line, sizeof line, "12: ");
    for (size_t i = 0; i < 32; i++) {
        used += snprintf(line + used, sizeof line - (size_t)used, "%02x", made[i]);
    }
    const uint8_t *text = find_part(CSV_PART_PCRS, &size);
    assert_int_equal(size, used + 1);
    assert_memory_equal(text, line, (size_t)used);
    assert_int_equal(csn_evidence_extend_tpm(&tpm, 24, rig.report.measurement, detail),
                     CSN_ERR_ARGUMENT);
}

static void all_registers_take_more_than_one_reading(void **state)
{
    (void)state;
    size_t size = 0;
    tpm.pcrs = 0xffffff;
    make_bundle();
    find_part(CSV_PART_PCRS, &size);
    assert_int_equal(size, 10 * (3 + 64 + 1) + 14 * (4 + 64 + 1));
    struct csv_policy *any = NULL;
    assert_int_equal(csv_policy_create_insecure_any(&any), CSN_OK);
    struct csv_verdict *verdict = appraise(any, rig.nonce[0]);
    assert_int_equal(csv_verdict_result(verdict), CSV_VALID);
    csv_verdict_free(verdict);
    csv_policy_free(any);
}

static void kept_keys_serve_if_they_are_restricted(void **state)
{
    (void)state;
    tpm.ak_handle = AK_HANDLE;
    make_bundle();
    struct csv_policy *policy = policy_of_bundle();
    expect_valid(policy);
    csv_policy_free(policy);
    tpm.ak_handle = PLAIN_HANDLE;
    assert_int_equal(try_report(), CSN_ERR_FORMAT);
    assert_non_null(strstr(batch.platform.detail, "restricted"));
    tpm.ak_handle = 0x81010099;
    assert_int_equal(try_report(), CSN_ERR_SYSTEM);
}

static void the_certificate_comes_from_the_tpm(void **state)
{
    (void)state;
    size_t size = 0;
    tpm.ak_certificate = CERT_INDEX;
    make_bundle();
    const uint8_t *bytes = find_part(CSV_PART_AK, &size);
    assert_int_equal(size, 1300);
    assert_int_equal(bytes[649], 0x11);
    assert_int_equal(bytes[650], 0x22);
    tpm.ak_certificate = CERT_INDEX + 1;
    assert_int_equal(try_report(), CSN_ERR_SYSTEM);
}

static void what_cannot_be_is_told(void **state)
{
    (void)state;
    static const uint32_t pcrs[] = {0, 1u << 24, UINT32_MAX};
    for (size_t i = 0; i < 3; i++) {
        tpm.pcrs = pcrs[i];
        assert_int_equal(csn_evidence_tpm.prepare(&tpm, &batch.platform), CSN_ERR_ARGUMENT);
    }
    tpm.pcrs = 1;
    tpm.tcti = "swtpm:host=127.0.0.1,port=1";
    assert_int_equal(csn_evidence_tpm.prepare(&tpm, &batch.platform), CSN_ERR_MISSING);
    assert_non_null(strstr(batch.platform.detail, "connect"));
}

/* With an argument it runs as a control, whose exit code alone counts: 77 is a skip. */
int main(int count, char **arguments)
{
#define TPM_TEST(name) cmocka_unit_test_setup(name, reset)
    const struct CMUnitTest tests[] = {
        TPM_TEST(wrapped_quotes_verify_as_they_come),
        TPM_TEST(another_key_is_refused),
        TPM_TEST(another_selection_is_another_launcher),
        TPM_TEST(an_extended_register_is_another_launcher),
        TPM_TEST(old_quotes_are_refused),
        TPM_TEST(values_beside_the_quote_cannot_lie),
        TPM_TEST(an_image_is_told_of_by_a_register),
        TPM_TEST(all_registers_take_more_than_one_reading),
        TPM_TEST(kept_keys_serve_if_they_are_restricted),
        TPM_TEST(the_certificate_comes_from_the_tpm),
        TPM_TEST(what_cannot_be_is_told),
    };
    (void)arguments;
    setenv("TSS2_LOG", "all+NONE", 0); /* refusals are expected here */
    if (!swtpm_start(&swtpm)) {
        puts("1..0 # SKIP swtpm does not run: apt-get install swtpm");
        return count > 1 ? 77 : 0;
    }
    int failed = cmocka_run_group_tests_name("tpm", tests, provision, NULL);
    swtpm_stop(&swtpm);
    return failed;
}
