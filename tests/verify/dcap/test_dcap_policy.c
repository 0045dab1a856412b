/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_dcap_policy.c: each line of the tdx and sgx sections, left out, changed, alone and in pairs:
 * the verdict, and the finding, are those that the line's kind and silence say.
 * Usage: test_dcap_policy [STEP]: each STEP-th pair (default 1: all of them).
 */
#include "dcap_rig.h"
#include "verify/case.h"
#include "verify/format.h"
#include <stdio.h>

#define RULE_MAX 64

static struct dcap_rig rig;
static const struct csv_format *format;
static struct csv_verdict *genuine; /* under any policy: what the evidence claims */
static size_t appraisals;
static size_t step = 1;
static size_t turn;

/* The lines of a policy that accepts just this evidence, by rule; "" where there is none. */
static char lines[RULE_MAX][512];
static char changed[RULE_MAX][512]; /* the same, each wrong; "" where none can be */

static const struct csv_claim *claim_of(const struct csv_rule *rule)
{
    for (size_t i = 0; i < genuine->claim_count; i++) {
        const struct csv_claim *claim = &genuine->claims[i];
        if (claim->group == NULL && strcmp(claim->name, rule->claim) == 0) {
            return claim;
        }
    }
    return NULL;
}

static void take_lines(const char *text)
{
    memset(lines, 0, sizeof lines);
    for (size_t i = 0; i < format->rule_count; i++) {
        char start[64];
        snprintf(start, sizeof start, "\n%s = ", format->rules[i].key);
        const char *line = strstr(text, start);
        if (line != NULL) {
            size_t size = strcspn(line + 1, "\n");
            assert_true(size < sizeof lines[i]);
            memcpy(lines[i], line + 1, size);
        }
    }
}

/* A value that the claim is not. */
static void change_line(const struct csv_rule *rule, const char *line, char target[512])
{
    const struct csv_claim *claim = claim_of(rule);
    const char *value = claim != NULL ? claim->value : NULL;
    target[0] = 0;
    switch (rule->kind) {
    case CSV_RULE_DENY:
        if (value != NULL) {
            snprintf(target, 512, "%s = [\"00%s\", \"%s\"]", rule->key, value + 2, value);
        }
        break;
    case CSV_RULE_FLAG: {
        bool all = (claim->number & rule->mask) == rule->mask;
        snprintf(target, 512, "%s = \"%s\"", rule->key, all ? "forbidden" : "required");
        break;
    }
    case CSV_RULE_NUMBER:
        if (claim != NULL) {
            snprintf(target, 512, "%s = [%llu]", rule->key, (unsigned long long)claim->number + 1);
        }
        break;
    case CSV_RULE_MINIMUM:
        snprintf(target, 512, "%s = %llu", rule->key, (unsigned long long)claim->number + 1);
        break;
    case CSV_RULE_MAXIMUM:
        if (claim->number != 0) {
            snprintf(target, 512, "%s = %llu", rule->key, (unsigned long long)claim->number - 1);
        }
        break;
    case CSV_RULE_TEXT:
        if (claim->kind != CSV_CLAIM_LIST || claim->size != 0) {
            snprintf(target, 512, "%s = [\"%s\"]", rule->key,
                     strcmp(rule->key, "tcb_statuses") == 0 ? "SWHardeningNeeded" : "another");
        }
        break;
    default:
        if (line[0] != 0) {
            memcpy(target, line, strlen(line) + 1);
            char *digit = strchr(target, '"') + 1;
            *digit = *digit == '0' ? '1' : '0';
        }
    }
}

/* Is the claim refused where its rule has no line? */
static bool silence_refuses(const struct csv_rule *rule)
{
    const struct csv_claim *claim = claim_of(rule);
    if (claim == NULL) {
        return false;
    }
    if (rule->kind == CSV_RULE_FLAG) {
        uint64_t set = claim->number & rule->mask;
        return rule->silence == CSV_SILENCE_REQUIRES ? set != rule->mask : set != 0;
    }
    bool zero = claim->kind == CSV_CLAIM_LIST ? claim->size == 0
                                              : strspn(claim->value, "0") == strlen(claim->value);
    return rule->silence == CSV_SILENCE_REFUSES || (rule->silence == CSV_SILENCE_ZERO && !zero);
}

/* Appraises with the genuine lines but for those of two rules. */
static csn_err with(size_t first, const char *first_line, size_t second, const char *second_line,
                    struct csv_verdict **verdict)
{
    static char text[32768];
    struct csv_policy *policy = NULL;
    struct csv_policy_mistake mistake;
    size_t size = (size_t)snprintf(text, sizeof text,
                                   "version = 1\nformats = [\"%s\"]\nnonce = \"unchecked\"\n[%s]\n",
                                   format->name, format->name);
    for (size_t i = 0; i < format->rule_count; i++) {
        const char *line = i == first ? first_line : i == second ? second_line : lines[i];
        size += (size_t)snprintf(text + size, sizeof text - size, "%s\n", line);
    }
    if (csv_policy_parse(text, size, &policy, &mistake) != CSN_OK) {
        fail_msg("line %u: %s", mistake.line, mistake.text);
    }
    csn_err result = dcap_rig_appraise(&rig, policy, verdict);
    csv_policy_free(policy);
    appraisals++;
    return result;
}

static void expect(size_t first, const char *first_line, bool first_fails, size_t second,
                   const char *second_line, bool second_fails)
{
    struct csv_verdict *verdict = NULL;
    csn_err result = with(first, first_line, second, second_line, &verdict);
    const char *a = format->rules[first].finding;
    const char *b = format->rules[second].finding;
    bool good = (result == CSN_OK) == !(first_fails || second_fails) &&
                (!first_fails || table_finding(verdict, a, CSV_FAILED) != NULL) &&
                (!second_fails || table_finding(verdict, b, CSV_FAILED) != NULL);
    if (!good) {
        table_explain(verdict);
        fail_msg("'%s' (%s) and '%s' (%s): result %d", first_line, format->rules[first].key,
                 second_line, format->rules[second].key, result);
    }
    csv_verdict_free(verdict);
}

/* mrenclave and mrsigner stand in for each other: not left out together (csv_policy_fault). */
static bool may_miss(size_t index)
{
    const char *key = format->rules[index].key;
    return format->id != CSV_FORMAT_SGX ||
           (strcmp(key, "mrenclave") != 0 && strcmp(key, "mrsigner") != 0);
}

static void take_genuine(void)
{
    static char text[32768];
    size_t size = 0;
    dcap_rig_make(&rig);
    assert_int_equal(dcap_rig_appraise(&rig, NULL, &genuine), CSN_OK);
    assert_int_equal(csv_policy_init(genuine, true, text, sizeof text, &size), CSN_OK);
    assert_true(size < sizeof text && format->rule_count <= RULE_MAX);
    take_lines(text);
    for (size_t i = 0; i < format->rule_count; i++) {
        change_line(&format->rules[i], lines[i], changed[i]);
    }
}

static void each_line(void)
{
    take_genuine();
    expect(0, lines[0], false, 0, lines[0], false);
    for (size_t i = 0; i < format->rule_count; i++) {
        bool refused = silence_refuses(&format->rules[i]);
        if (may_miss(i)) {
            expect(i, "", refused, i, "", refused);
        }
        if (changed[i][0] != 0) {
            expect(i, changed[i], true, i, changed[i], true);
        }
        if (format->rules[i].kind == CSV_RULE_FLAG) {
            char any[80];
            snprintf(any, sizeof any, "%s = \"any\"", format->rules[i].key);
            expect(i, any, false, i, any, false);
        }
    }
}

static void each_pair(void)
{
    for (size_t i = 0; i < format->rule_count; i++) {
        for (size_t k = 0; k < i; k++) {
            if (turn++ % step != 0) {
                continue;
            }
            bool refused = silence_refuses(&format->rules[k]);
            if (changed[i][0] != 0 && changed[k][0] != 0) {
                expect(i, changed[i], true, k, changed[k], true);
            }
            if (changed[i][0] != 0 && may_miss(k)) {
                expect(i, changed[i], true, k, "", refused);
            }
            if (may_miss(i) && may_miss(k)) {
                expect(i, "", silence_refuses(&format->rules[i]), k, "", refused);
            }
        }
    }
    csv_verdict_free(genuine);
    printf("# %s: %zu policies\n", format->name, appraisals);
}

static void tdx_plain(void **state)
{
    (void)state;
    format = csv_format(CSV_FORMAT_TDX);
    dcap_rig_init(&rig, 4, 2);
    each_line();
    each_pair();
}

/* Everything is set that can be. */
static void tdx_everything(void **state)
{
    (void)state;
    format = csv_format(CSV_FORMAT_TDX);
    dcap_rig_init(&rig, 5, 4);
    memset(rig.body + 120, 0xff, 520 - 120);
    memset(rig.body + 600, 0x35, 885 - 600);
    rig.pcesvn = 11;
    rig.trailing = 7;
    each_line();
    each_pair();
}

static void sgx_plain(void **state)
{
    (void)state;
    format = csv_format(CSV_FORMAT_SGX);
    dcap_rig_init(&rig, 3, 1);
    each_line();
    each_pair();
}

static void sgx_everything(void **state)
{
    (void)state;
    format = csv_format(CSV_FORMAT_SGX);
    dcap_rig_init(&rig, 5, 1);
    memset(rig.body + 16, 0xff, 320 - 16);
    rig.trailing = 7;
    each_line();
    each_pair();
}

/* What needs no line is decided by Intel's collateral; nothing else may join these by accident. */
static void silent_keys(void **state)
{
    (void)state;
    static const char allowed[] =
        " fmspc fmspc_denied ppid ppid_denied piid piid_denied pck_ca qe_svn_min versions trailing "
        "mrseam body_types mrenclave mrsigner isvprodid isvsvn_min ";
    static const char required[] = " sept_ve_disable init mode64 ";
    for (uint32_t id = CSV_FORMAT_TDX; id <= CSV_FORMAT_SGX; id++) {
        const struct csv_format *each = csv_format(id);
        for (size_t i = 0; i < each->rule_count; i++) {
            char key[80];
            snprintf(key, sizeof key, " %s ", each->rules[i].key);
            assert_int_equal(each->rules[i].silence == CSV_SILENCE_ALLOWS,
                             strstr(allowed, key) != NULL);
            assert_int_equal(each->rules[i].silence == CSV_SILENCE_REQUIRES,
                             strstr(required, key) != NULL);
        }
    }
}

/* The bits by their numbers, independent of the tables of rules. */
static const struct {
    unsigned body_type;
    unsigned bit;
    const char *key;
    const char *finding;
} named_bits[] = {
    {2, 0, "debug", "tdx.debug"},
    {2, 1, "hgs_plus_prof", "tdx.attributes"},
    {2, 2, "perf_prof", "tdx.attributes"},
    {2, 3, "pmt_prof", "tdx.attributes"},
    {2, 4, "unknown_attributes", "tdx.attributes"},
    {2, 15, "unknown_attributes", "tdx.attributes"},
    {2, 16, "icssd", "tdx.attributes"},
    {2, 27, "lass", "tdx.attributes"},
    {2, 28, "sept_ve_disable", "tdx.attributes"},
    {2, 29, "migratable", "tdx.attributes"},
    {2, 30, "pks", "tdx.attributes"},
    {2, 31, "kl", "tdx.attributes"},
    {2, 61, "unknown_attributes", "tdx.attributes"},
    {2, 62, "tpa", "tdx.attributes"},
    {2, 63, "perfmon", "tdx.attributes"},
    {1, 0, "init", "sgx.attributes"},
    {1, 1, "debug", "sgx.debug"},
    {1, 2, "mode64", "sgx.attributes"},
    {1, 3, "unknown_attributes", "sgx.attributes"},
    {1, 4, "provision_key", "sgx.attributes"},
    {1, 5, "einittoken_key", "sgx.attributes"},
    {1, 6, "cet", "sgx.attributes"},
    {1, 7, "kss", "sgx.attributes"},
    {1, 10, "aex_notify", "sgx.attributes"},
    {1, 63, "unknown_attributes", "sgx.attributes"},
};

/* Other than usual, alone: refused in silence, and accepted by just its own line. */
static void attribute_bits(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof named_bits / sizeof named_bits[0]; i++) {
        unsigned bit = named_bits[i].bit;
        bool sgx = named_bits[i].body_type == 1;
        format = csv_format(sgx ? CSV_FORMAT_SGX : CSV_FORMAT_TDX);
        dcap_rig_init(&rig, sgx ? 3 : 4, named_bits[i].body_type);
        take_genuine();
        csv_verdict_free(genuine);
        rig.body[(sgx ? 48 : 120) + bit / 8] ^= (uint8_t)(1 << bit % 8);
        dcap_rig_make(&rig);
        for (size_t k = 0; k < format->rule_count; k++) {
            const struct csv_rule *rule = &format->rules[k];
            char any[80];
            struct csv_verdict *verdict = NULL;
            if (rule->kind != CSV_RULE_FLAG) {
                continue;
            }
            snprintf(any, sizeof any, "%s = \"any\"", rule->key);
            bool own = strcmp(rule->key, named_bits[i].key) == 0;
            assert_int_equal(with(k, any, k, any, &verdict), own ? CSN_OK : CSN_ERR_EVIDENCE);
            assert_int_equal(table_finding(verdict, named_bits[i].finding, CSV_FAILED) == NULL,
                             own);
            csv_verdict_free(verdict);
        }
    }
}

/* An enclave must be named by its measurement, or by signer with product and version. */
static void sgx_gaps(void **state)
{
    (void)state;
    static const char signer[] = "mrsigner = [\"5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e"
                                 "5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e\"]\n";
    static const struct {
        const char *more;
        bool good;
    } cases[] = {{"", false},
                 {"isvprodid = [0]\n", false},
                 {"isvsvn_min = 0\n", false},
                 {"isvprodid = [0]\nisvsvn_min = 0\n", true}};
    char text[1024];
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct csv_policy *policy = NULL;
        struct csv_verdict *verdict = NULL;
        snprintf(text, sizeof text,
                 "version = 1\nformats = [\"sgx\"]\nnonce = \"unchecked\"\n[sgx]\n%s%s"
                 "tcb_statuses = [\"UpToDate\"]\ntcb_evaluation_min = 17\n"
                 "xfrm = [\"0300000000000000\"]\n",
                 signer, cases[i].more);
        csn_err read = csv_policy_parse(text, strlen(text), &policy, NULL);
        assert_int_equal(read, cases[i].good ? CSN_OK : CSN_ERR_FORMAT);
        if (cases[i].good) {
            dcap_rig_init(&rig, 3, 1);
            dcap_rig_make(&rig);
            assert_int_equal(dcap_rig_appraise(&rig, policy, &verdict), CSN_OK);
            csv_verdict_free(verdict);
            csv_policy_free(policy);
        }
    }
}

/* No line makes a revoked or unknown level pass. */
static void never_allowed(void **state)
{
    (void)state;
    static const char *const statuses[] = {"Revoked", "NotSupported", "Unknown", "upToDate"};
    struct csv_policy *policy = NULL;
    assert_int_equal(csv_policy_create(&policy), CSN_OK);
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(csv_policy_allow(policy, "tdx.tcb_statuses", statuses[i]), CSN_ERR_FORMAT);
    }
    assert_int_equal(csv_policy_allow(policy, "tdx.tcb_statuses", "TDRelaunchAdvised"), CSN_OK);
    csv_policy_free(policy);
}

/* A nonce stands first in the report data, zeros behind it. */
static void nonces(void **state)
{
    (void)state;
    uint8_t nonce[64];
    memset(nonce, 0x77, sizeof nonce);
    dcap_rig_init(&rig, 5, 3);
    dcap_rig_make(&rig);
    for (size_t size = 1; size <= 64; size++) {
        struct csv_policy *any = NULL;
        struct csv_verdict *verdict = NULL;
        struct csv_input *input = dcap_rig_input(&rig);
        assert_int_equal(csv_policy_create_insecure_any(&any), CSN_OK);
        assert_int_equal(csv_input_set_nonce(input, nonce, size), CSN_OK);
        assert_int_equal(csv_appraise(any, input, CSV_FORMAT_TDX, &verdict),
                         size == 64 ? CSN_OK : CSN_ERR_EVIDENCE);
        csv_verdict_free(verdict);
        csv_policy_free(any);
        csv_input_free(input);
    }
}

static int free_rig(void **state)
{
    (void)state;
    dcap_rig_free(&rig);
    return 0;
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tdx_plain),      cmocka_unit_test(tdx_everything),
        cmocka_unit_test(sgx_plain),      cmocka_unit_test(sgx_everything),
        cmocka_unit_test(silent_keys),    cmocka_unit_test(sgx_gaps),
        cmocka_unit_test(attribute_bits), cmocka_unit_test(never_allowed),
        cmocka_unit_test(nonces),
    };
    step = argc > 1 ? strtoul(argv[1], NULL, 10) : 1;
    return cmocka_run_group_tests(tests, NULL, free_rig);
}
