/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_vouch.c: what an enclave says of itself, from the service's call to the verifier's word:
 * statements, claims, birth certificates. Evidence is the rig's, over what the session listed.
 * Usage: test_vouch [FOLDER]: writes evidence and certificates there, for the command's test.
 */
#include "../../src/crypto/curve.h"
#include "../verify/rig.h"
#include "solo.h"
#include <caisson/vouch.h>
#include <caisson/wire/birth.h>

#define OP_STATE 1u /* a label's size, the label, what is stated: its signature back */
#define OP_CLAIM 2u /* a label's number, 32 bytes; one byte back: the error */
#define OP_SELF  3u /* boot id, measurement, grant digest, grant version */

#define LABEL_OWN UINT32_C(0x10001)

static struct rig rig;
static struct csv_verdict *verdict;

/* ---- the service ---- */

static cse_status state_it(struct cse_call *call, const uint8_t *input, uint32_t input_size,
                           uint8_t *output, uint32_t output_size_max, uint32_t *output_size)
{
    char label[CSE_STATEMENT_LABEL_MAX + 2] = {0};
    uint32_t size = input[0];
    assert_true(size < sizeof label && size + 1 <= input_size && output_size_max >= 64);
    memcpy(label, input + 1, size);
    *output_size = 64;
    return cse_statement_sign(call, label, input + 1 + size, input_size - 1 - size, output) ==
                   CSN_OK
               ? CSN_WIRE_STATUS_OK
               : CSN_WIRE_STATUS_POLICY;
}

static cse_status claim_it(struct cse_call *call, const uint8_t *input, uint32_t input_size,
                           uint8_t *output, uint32_t output_size_max, uint32_t *output_size)
{
    uint32_t label;
    assert_true(input_size == 36 && output_size_max != 0);
    memcpy(&label, input, sizeof label);
    output[0] = (uint8_t)cse_claim_set(call, label, input + 4);
    *output_size = 1;
    return CSN_WIRE_STATUS_OK;
}

static cse_status self(struct cse_call *call, const uint8_t *input, uint32_t input_size,
                       uint8_t *output, uint32_t output_size_max, uint32_t *output_size)
{
    (void)input, (void)input_size;
    assert_true(output_size_max >= 104);
    memcpy(output, cse_boot_id(call), 16);
    memcpy(output + 16, cse_measurement(call), 48);
    memcpy(output + 64, cse_grant_digest(call), 32);
    output[96] = (uint8_t)cse_grant_version(call);
    *output_size = 97;
    return CSN_WIRE_STATUS_OK;
}

/* A policy is a row of claims, 36 bytes each; one that ends in a lone byte is refused after them.
 */
static csn_err take_claims(void *state, const struct cse_grant_view *grant)
{
    (void)state;
    for (uint32_t at = 0; at + 36 <= grant->policy_size; at += 36) {
        uint32_t label;
        memcpy(&label, grant->policy + at, sizeof label);
        CSN_TRY(cse_claim_grant(grant, label, grant->policy + at + 4));
    }
    return grant->policy_size % 36 == 0 ? CSN_OK : CSN_ERR_POLICY;
}

static const struct cse_operation operations[] = {
    {OP_STATE, 4096, 0, state_it}, {OP_CLAIM, 64, 0, claim_it}, {OP_SELF, 0, 0, self}};
static const struct cse_service service = {.operations = operations,
                                           .operation_count = 3,
                                           .grant = take_claims,
                                           .purpose_mask = 3,
                                           .statements = &cse_statements,
                                           .claim_count = 3};

/* ---- both ends ---- */

static uint8_t policy[36 * 4 + 1];

static void put_claim(uint32_t index, uint32_t label, const char *word)
{
    memcpy(policy + 36 * index, &label, sizeof label);
    cse_claim_word(policy + 36 * index + 4, word);
}

static enum csn_wire_status grant(uint64_t version, uint32_t policy_size)
{
    struct csn_wire_result result;
    struct csn_wire_receipt receipt;
    tenant.policy = policy;
    tenant.policy_size = policy_size;
    fake_grant_build(&fake, &tenant, version);
    const struct fake_answer *answer = fake_one(&fake, tenant.message, tenant.message_size);
    assert_int_equal(csv_receipt_open(&tenant.grant, answer->body, answer->size, &result, &receipt),
                     CSN_OK);
    return (enum csn_wire_status)result.status;
}

static int begin(void **state)
{
    (void)state;
    fake_start(&fake,
               &(struct fake_options){.flags = CSN_WIRE_FLAG_DETERMINISTIC, .service = &service});
    fake_tenant_new(&tenant);
    put_claim(0, CSN_WIRE_CLAIM_STORE, CSN_WIRE_STORE_TPM);
    put_claim(1, LABEL_OWN, "one");
    assert_int_equal(grant(1, 72), CSN_WIRE_STATUS_OK);
    rig_init(&rig);
    return 0;
}

static int end(void **state)
{
    csv_verdict_free(verdict);
    verdict = NULL;
    return solo_stop(state);
}

/* What the session lists now, as evidence, appraised. */
static const struct csv_verdict *appraise(void)
{
    rig.made = *fake.made;
    rig.made.state = CSN_WIRE_STATE_SERVING;
    memcpy(rig.made.boot_id, fake.instance.boot_id, 16);
    memcpy(rig.report.measurement, fake.measurement, 48);
    rig_sign_image(&rig);
    rig_bundle(&rig);
    csv_verdict_free(verdict);
    assert_int_equal(rig_appraise(&rig, rig.nonce[0], &verdict), CSN_OK);
    return verdict;
}

/* A reply of the operation. */
static int ask(uint16_t operation, const void *payload, uint32_t size, uint8_t *answer,
               uint32_t *answer_size)
{
    struct csn_wire_result result;
    struct csv_sealer *sealer = solo_sealer(&tenant, &tenant.replier, NULL);
    const struct fake_answer *sealed =
        fake_one(&fake, record, solo_seal(sealer, operation, payload, size));
    assert_int_equal(sealed->code, CSN_WIRE_DONE);
    assert_int_equal(
        csv_reply_open(sealer, sealed->body, sealed->size, &result, answer, answer_size), CSN_OK);
    csv_sealer_destroy(sealer);
    return result.status;
}

static int state_label(const char *label, const void *bytes, uint32_t size, uint8_t signature[64])
{
    uint8_t payload[4096];
    uint8_t answer[8192];
    uint32_t answer_size;
    uint32_t label_size = (uint32_t)strlen(label);
    payload[0] = (uint8_t)label_size;
    memcpy(payload + 1, label, label_size);
    memcpy(payload + 1 + label_size, bytes, size);
    int status = ask(OP_STATE, payload, 1 + label_size + size, answer, &answer_size);
    memcpy(signature, answer, 64);
    return status;
}

/* ---- statements ---- */

static void statements(void **state)
{
    (void)state;
    uint8_t signature[64];
    char longest[CSE_STATEMENT_LABEL_MAX + 2];
    memset(longest, 'l', sizeof longest);
    longest[CSE_STATEMENT_LABEL_MAX + 1] = 0;
    const struct csv_verdict *seen = appraise();
    assert_memory_equal(csv_verdict_statement_key(seen), fake.instance.statement_public, 32);
    assert_int_equal(state_label("test-v1", "hello", 5, signature), CSN_WIRE_STATUS_OK);
    assert_int_equal(csv_verdict_statement_check(seen, "test-v1", "hello", 5, signature), CSN_OK);
    /* Other bytes, another label, and the same characters cut elsewhere. */
    assert_int_equal(csv_verdict_statement_check(seen, "test-v1", "hellO", 5, signature),
                     CSN_ERR_AUTH);
    assert_int_equal(csv_verdict_statement_check(seen, "test-v2", "hello", 5, signature),
                     CSN_ERR_AUTH);
    assert_int_equal(csv_verdict_statement_check(seen, "test-v", "1hello", 6, signature),
                     CSN_ERR_AUTH);
    for (uint32_t bit = 0; bit < 512; bit++) {
        signature[bit / 8] ^= (uint8_t)(1 << bit % 8);
        assert_int_equal(csv_verdict_statement_check(seen, "test-v1", "hello", 5, signature),
                         CSN_ERR_AUTH);
        signature[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    /* What is no label, on both sides. */
    assert_int_equal(state_label("", "hello", 5, signature), CSN_WIRE_STATUS_POLICY);
    assert_int_equal(state_label("a b", "hello", 5, signature), CSN_WIRE_STATUS_POLICY);
    assert_int_equal(state_label(longest, "hello", 5, signature), CSN_WIRE_STATUS_POLICY);
    assert_int_equal(csv_verdict_statement_check(seen, "", "hello", 5, signature),
                     CSN_ERR_ARGUMENT);
    assert_int_equal(csv_verdict_statement_check(seen, longest, "hello", 5, signature),
                     CSN_ERR_ARGUMENT);
    longest[CSE_STATEMENT_LABEL_MAX] = 0;
    assert_int_equal(state_label(longest, NULL, 0, signature), CSN_WIRE_STATUS_OK);
    assert_int_equal(csv_verdict_statement_check(seen, longest, NULL, 0, signature), CSN_OK);
}

/* An instance of another boot has another key; without a key in the evidence there is no check. */
static void other_instances(void **state)
{
    (void)state;
    uint8_t signature[64];
    uint8_t answer[8192];
    uint32_t size;
    assert_int_equal(state_label("test-v1", "hello", 5, signature), CSN_WIRE_STATUS_OK);
    end(NULL);
    begin(NULL);
    assert_int_equal(csv_verdict_statement_check(appraise(), "test-v1", "hello", 5, signature),
                     CSN_ERR_AUTH);
    end(NULL);
    struct cse_service mute = service;
    mute.statements = NULL;
    fake_start(&fake,
               &(struct fake_options){.flags = CSN_WIRE_FLAG_DETERMINISTIC, .service = &mute});
    assert_int_equal(grant(1, 72), CSN_WIRE_STATUS_OK);
    assert_null(csv_verdict_statement_key(appraise()));
    assert_int_equal(csv_verdict_statement_check(verdict, "test-v1", "hello", 5, signature),
                     CSN_ERR_STATE);
    assert_int_equal(ask(OP_STATE, "\1ahello", 7, answer, &size), CSN_WIRE_STATUS_POLICY);
}

static void self_known(void **state)
{
    (void)state;
    uint8_t answer[8192];
    uint32_t size;
    assert_int_equal(ask(OP_SELF, NULL, 0, answer, &size), CSN_WIRE_STATUS_OK);
    assert_int_equal(size, 97);
    assert_memory_equal(answer, fake.instance.boot_id, 16);
    assert_memory_equal(answer + 16, fake.measurement, 48);
    assert_memory_equal(answer + 64, tenant.grant.digest, 32);
    assert_int_equal(answer[96], 1);
}

/* ---- claims ---- */

static void expect_claim(uint32_t label, const char *word)
{
    uint8_t bytes[32];
    const uint8_t *claim = csv_verdict_service_claim(appraise(), tenant.tenant.id, label);
    if (word == NULL) {
        assert_null(claim);
        return;
    }
    cse_claim_word(bytes, word);
    assert_non_null(claim);
    assert_memory_equal(claim, bytes, 32);
}

static void claims(void **state)
{
    (void)state;
    uint8_t other[32] = {7};
    expect_claim(CSN_WIRE_CLAIM_STORE, CSN_WIRE_STORE_TPM);
    expect_claim(LABEL_OWN, "one");
    expect_claim(CSN_WIRE_CLAIM_MODEL, NULL);
    assert_null(csv_verdict_service_claim(verdict, other, LABEL_OWN));
    assert_int_equal(fake.made->key_count, 1 + 1 + tenant.tenant.recipient_count + 2);
    /* A grant begins with its own claims; one that is refused leaves those that are there. */
    put_claim(0, LABEL_OWN, "two");
    assert_int_equal(grant(2, 37), CSN_WIRE_STATUS_POLICY);
    expect_claim(LABEL_OWN, "one");
    assert_int_equal(grant(3, 36), CSN_WIRE_STATUS_OK);
    expect_claim(LABEL_OWN, "two");
    expect_claim(CSN_WIRE_CLAIM_STORE, NULL);
    /* As many as the service said, none without a label; the last word for a label counts. */
    put_claim(1, 1, "a");
    put_claim(2, 2, "b");
    put_claim(3, 3, "c");
    assert_int_equal(grant(4, 144), CSN_WIRE_STATUS_POLICY);
    put_claim(3, 2, "c");
    assert_int_equal(grant(5, 144), CSN_WIRE_STATUS_OK);
    expect_claim(2, "c");
    put_claim(0, 0, "two");
    assert_int_equal(grant(6, 36), CSN_WIRE_STATUS_POLICY);
}

static void claims_later(void **state)
{
    (void)state;
    uint8_t answer[8192];
    uint32_t size;
    put_claim(0, LABEL_OWN, "later");
    assert_int_equal(ask(OP_CLAIM, policy, 36, answer, &size), CSN_WIRE_STATUS_OK);
    assert_int_equal(answer[0], CSN_OK);
    expect_claim(LABEL_OWN, "later");
    expect_claim(CSN_WIRE_CLAIM_STORE, CSN_WIRE_STORE_TPM);
    put_claim(0, 77, "third");
    assert_int_equal(ask(OP_CLAIM, policy, 36, answer, &size), CSN_WIRE_STATUS_OK);
    assert_int_equal(answer[0], CSN_OK);
    expect_claim(77, "third");
    put_claim(0, 78, "fourth");
    assert_int_equal(ask(OP_CLAIM, policy, 36, answer, &size), CSN_WIRE_STATUS_OK);
    assert_int_equal(answer[0], (uint8_t)CSN_ERR_LIMIT);
    expect_claim(78, NULL);
}

/* Room for all claims of all tenants is kept in the list of keys. */
static void full_list(void **state)
{
    (void)state;
    const uint32_t each = CSN_WIRE_RECIPIENT_COUNT_MAX + service.claim_count;
    const uint32_t count = (CSN_WIRE_BOOT_KEY_COUNT_MAX - 2) / each;
    end(NULL);
    fake_start(&fake, &(struct fake_options){.flags = CSN_WIRE_FLAG_DETERMINISTIC,
                                             .service = &service,
                                             .tenant_count_max = count + 1,
                                             .context_count_max = 4});
    for (uint32_t i = 0; i <= count; i++) {
        fake_tenant_new(&tenant);
        for (uint32_t k = 1; k < CSN_WIRE_RECIPIENT_COUNT_MAX; k++) {
            struct csn_wire_recipient *more = &tenant.tenant.recipients[k];
            memset(more->secret_key, (int)k, 32);
            csn_x25519_public(more->public_key, more->secret_key);
        }
        tenant.tenant.recipient_count = CSN_WIRE_RECIPIENT_COUNT_MAX;
        uint32_t left = CSN_WIRE_BOOT_KEY_COUNT_MAX - 2 - i * each;
        if (i == count && left > service.claim_count) {
            /* One recipient more than there is room for, claims counted. */
            tenant.tenant.recipient_count = left - service.claim_count + 1;
        }
        assert_int_equal(grant(1, 0), i == count ? CSN_WIRE_STATUS_LIMIT : CSN_WIRE_STATUS_OK);
    }
    struct cse_service wide = service;
    wide.claim_count = CSN_WIRE_CLAIM_COUNT_MAX + 1;
    struct cse_session_options options = {.manifest = &fake.manifest, .service = &wide};
    struct cse_session *session;
    assert_int_equal(cse_session_init(&session, &fake.pool, &options), CSN_ERR_ARGUMENT);
}

/* ---- birth certificates ---- */

static uint8_t certificate[CSN_WIRE_BIRTH_SIZE_MAX];

/* A certificate as a service of keys would make it. */
static uint32_t make_birth(struct csn_wire_birth *birth)
{
    uint32_t size = (uint32_t)sizeof *birth + birth->public_size;
    birth->size = size + 64;
    memcpy(certificate, birth, sizeof *birth);
    memset(certificate + sizeof *birth, 0x70, birth->public_size);
    assert_int_equal(state_label(CSN_WIRE_BIRTH_LABEL, certificate, size, certificate + size),
                     CSN_WIRE_STATUS_OK);
    return birth->size;
}

static struct csn_wire_birth some_birth(void)
{
    struct csn_wire_birth birth = {.magic = CSN_WIRE_BIRTH_MAGIC,
                                   .version = CSN_WIRE_BIRTH_VERSION,
                                   .key_type = CSN_WIRE_KEY_TYPE_ED25519,
                                   .key_version = 2,
                                   .origin = CSN_WIRE_BIRTH_GENERATED,
                                   .operations = CSN_WIRE_OPERATION_SIGN,
                                   .grant_version = 1,
                                   .change = 9,
                                   .records_max = 1000,
                                   .name = "payments.v-1_A",
                                   .public_size = 32};
    memcpy(birth.tenant, tenant.tenant.id, 32);
    memcpy(birth.boot_id, fake.instance.boot_id, 16);
    memcpy(birth.measurement, fake.measurement, 48);
    memcpy(birth.grant_digest, tenant.grant.digest, 32);
    return birth;
}

static void births(void **state)
{
    (void)state;
    struct csn_wire_birth wire = some_birth();
    struct csv_birth birth;
    uint32_t size = make_birth(&wire);
    appraise();
    assert_int_equal(csv_birth_check(verdict, certificate, size, &birth), CSN_OK);
    assert_true(birth.own_boot);
    assert_string_equal(birth.name, wire.name);
    assert_string_equal(csv_birth_type_name(birth.key_type), "ed25519");
    assert_int_equal(birth.key_version, 2);
    assert_int_equal(birth.change, 9);
    assert_int_equal(birth.records_max, 1000);
    assert_int_equal(birth.operations, CSN_WIRE_OPERATION_SIGN);
    assert_ptr_equal(birth.public_key, certificate + sizeof wire);
    assert_memory_equal(birth.tenant, tenant.tenant.id, 32);
    /* Each bit counts. */
    for (uint32_t bit = 0; bit < size * 8; bit++) {
        certificate[bit / 8] ^= (uint8_t)(1 << bit % 8);
        assert_int_not_equal(csv_birth_check(verdict, certificate, size, &birth), CSN_OK);
        certificate[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    for (uint32_t cut = 0; cut < size; cut++) {
        assert_int_equal(csv_birth_check(verdict, certificate, cut, &birth), CSN_ERR_FORMAT);
    }
    /* A key of an earlier boot, of another image maybe; but no image changes under its boot. */
    wire.boot_id[0] ^= 1;
    wire.measurement[0] ^= 1;
    size = make_birth(&wire);
    assert_int_equal(csv_birth_check(verdict, certificate, size, &birth), CSN_OK);
    assert_false(birth.own_boot);
    wire.boot_id[0] ^= 1;
    size = make_birth(&wire);
    assert_int_equal(csv_birth_check(verdict, certificate, size, &birth), CSN_ERR_AUTH);
    /* A statement under another label is no certificate. */
    wire = some_birth();
    size = make_birth(&wire);
    assert_int_equal(state_label("other", certificate, size - 64, certificate + size - 64),
                     CSN_WIRE_STATUS_OK);
    assert_int_equal(csv_birth_check(verdict, certificate, size, &birth), CSN_ERR_AUTH);
}

/* Signed, but not what a certificate is. */
static void births_malformed(void **state)
{
    (void)state;
    struct csn_wire_birth good = some_birth();
    struct csv_birth birth;
    appraise();
    for (uint32_t i = 0; i < 15; i++) {
        struct csn_wire_birth bad = good;
        bad.version += i == 0;
        bad.magic += i == 1;
        bad.key_type = i == 2 ? 0 : i == 3 ? CSN_WIRE_KEY_TYPE_LAST + 1 : bad.key_type;
        bad.key_type = i == 4 ? CSN_WIRE_KEY_TYPE_AES_256 : bad.key_type;
        bad.key_version = i == 5 ? 0 : bad.key_version;
        bad.origin = i == 6 ? 0 : i == 7 ? 3 : bad.origin;
        bad.operations |= i == 8 ? CSN_WIRE_OPERATIONS_ALL + 1 : 0;
        bad.flags = i == 9 ? 2 : 0;
        bad.reserved = i == 10;
        bad.reserved2 = i == 11;
        bad.name[0] = i == 12 ? 0 : i == 13 ? '/' : bad.name[0];
        if (i == 14) {
            memset(bad.name, 'n', sizeof bad.name);
        }
        uint32_t size = make_birth(&bad);
        assert_int_equal(csv_birth_check(verdict, certificate, size, &birth), CSN_ERR_FORMAT);
    }
    good.name[60] = 'x'; /* behind the end */
    uint32_t size = make_birth(&good);
    assert_int_equal(csv_birth_check(verdict, certificate, size, &birth), CSN_ERR_FORMAT);
    good = some_birth();
    size = make_birth(&good);
    certificate[8] ^= 1; /* its size */
    assert_int_equal(csv_birth_read(certificate, size, &birth), CSN_ERR_FORMAT);
    const struct {
        uint32_t type, public_size;
    } kinds[] = {{CSN_WIRE_KEY_TYPE_AES_256, 0},      {CSN_WIRE_KEY_TYPE_HMAC, 0},
                 {CSN_WIRE_KEY_TYPE_FF1, 0},          {CSN_WIRE_KEY_TYPE_P256, 65},
                 {CSN_WIRE_KEY_TYPE_P384, 97},        {CSN_WIRE_KEY_TYPE_X25519, 32},
                 {CSN_WIRE_KEY_TYPE_ML_KEM_768, 1184}};
    for (uint32_t i = 0; i < 7; i++) {
        good.key_type = kinds[i].type;
        good.public_size = kinds[i].public_size;
        size = make_birth(&good);
        assert_int_equal(csv_birth_check(verdict, certificate, size, &birth), CSN_OK);
        assert_int_equal(birth.public_size, kinds[i].public_size);
    }
}

/* ---- for the command ---- */

static void write_file(const char *folder, const char *name, const void *bytes, size_t size)
{
    char path[512];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "wb");
    if (file == NULL || fwrite(bytes, 1, size, file) != size || fclose(file) != 0) {
        abort();
    }
}

static int write_all(const char *folder)
{
    struct csn_wire_birth birth;
    begin(NULL);
    appraise();
    birth = some_birth();
    write_file(folder, "own.birth", certificate, make_birth(&birth));
    birth.boot_id[0] ^= 1;
    birth.origin = CSN_WIRE_BIRTH_IMPORTED;
    write_file(folder, "earlier.birth", certificate, make_birth(&birth));
    certificate[birth.size - 1] ^= 1;
    write_file(folder, "forged.birth", certificate, birth.size);
    write_file(folder, "evidence", rig.bytes, rig.size);
    write_file(folder, "root", rig.root_key, sizeof rig.root_key);
    write_file(folder, "nonce", rig.nonce[0], sizeof rig.nonce[0]);
    write_file(folder, "tenant", tenant.tenant.id, sizeof tenant.tenant.id);
    return end(NULL);
}

int main(int count, char **arguments)
{
    if (count == 2) {
        return write_all(arguments[1]);
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(statements, begin, end),
        cmocka_unit_test_setup_teardown(other_instances, begin, end),
        cmocka_unit_test_setup_teardown(self_known, begin, end),
        cmocka_unit_test_setup_teardown(claims, begin, end),
        cmocka_unit_test_setup_teardown(claims_later, begin, end),
        cmocka_unit_test_setup_teardown(full_list, begin, end),
        cmocka_unit_test_setup_teardown(births, begin, end),
        cmocka_unit_test_setup_teardown(births_malformed, begin, end),
    };
    return cmocka_run_group_tests_name("statements, claims and births", tests, NULL, NULL);
}
