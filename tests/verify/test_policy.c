/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_policy.c: policy files: what is read, where a mistake is said to be, and what no policy may
 * leave open; the small readers beneath it.
 */
#include "rig.h"
#include "verify/arena.h"
#include "verify/format.h"
#include "verify/parse/der.h"
#include "verify/text.h"
#include <stdio.h>

#define KEY32 "1111111111111111111111111111111111111111111111111111111111111111"
#define KEY48                                                                                      \
    "2222222222222222222222222222222222222222222222222222222222222222"                             \
    "22222222222222222222222222222222"

struct sample {
    const char *text;
    uint32_t line; /* 0: not of one line */
    uint32_t column;
    const char *what; /* part of the message; NULL: well formed */
};

static const struct sample samples[] = {
    {"", 0, 0, NULL},
    {"# nothing\n\n  \t# more\r\nversion = 1\n", 0, 0, NULL},
    {"version = 1 # one\nformats = [\n  \"caisson\", # a comment\n\n]\n"
     "[caisson]\nsigners = [\"" KEY32 ":3\", '" KEY32 "']\n",
     0, 0, NULL},
    {"caisson.measurements = [\"" KEY48 "\"]", 0, 0, NULL},
    {"formats = []\n", 0, 0, NULL},
    {"version = 0x1\n", 0, 0, NULL},
    {"version = 2\n", 1, 11, "version 1"},
    {"versions = 1\n", 1, 1, "unknown key"},
    {"[caisson]\n\nbogus = 3\n", 3, 1, "unknown key"},
    {"[nobody]\nx = 3\n", 2, 1, "unknown key"},
    {"version = 1\nversion = 1\n", 2, 11, "before"},
    {"formats = [\"caisson\"]\nformats = [\"caisson\"]\n", 2, 12, "before"},
    {"[caisson]\n[caisson]\n", 2, 9, "opened before"},
    {"[[caisson]]\n", 1, 2, "arrays of tables"},
    {"[caisson\n", 1, 9, "']'"},
    {"version 1\n", 1, 9, "'='"},
    {"version = 1 2\n", 1, 13, "follows"},
    {"version = 1.0\n", 1, 12, "not a value"},
    {"version = 01\n", 1, 11, "leading"},
    {"version = -1\n", 1, 11, "a value"},
    {"version = 99999999999999999999\n", 1, 30, "too large"},
    {"version = \"1\"\n", 1, 11, "integer"},
    {"nonce = \"sometimes\"\n", 1, 9, "required"},
    {"nonce = true\n", 1, 9, "string"},
    {"nonce = []\n", 1, 9, "one value"},
    {"formats = [\"auto\"]\n", 1, 12, "format"},
    {"formats = [\"caisson\" \"caisson\"]\n", 1, 22, "','"},
    {"formats = [\"caisson\"", 1, 21, "','"},
    {"formats = [\"cais\nson\"]", 1, 17, "end"},
    {"formats = [\"cais\x01son\"]", 1, 17, "control"},
    {"formats = [\"cais\\u0073on\"]", 1, 18, "escape"},
    {"[caisson]\nmeasurements = [\"22\"]\n", 2, 17, "length"},
    {"[caisson]\nmeasurements = [\"2\"]\n", 2, 17, "hex"},
    {"[caisson]\nmeasurements = [\"\"]\n", 2, 17, "hex"},
    {"[caisson]\nmeasurements = [22]\n", 2, 17, "string"},
    {"[caisson]\ndebug = \"maybe\"\n", 2, 9, "forbidden"},
    {"[caisson]\ninsecure_dev = \"true\"\n", 2, 16, "true or false"},
    {"[caisson]\nsigners = [\"" KEY32 ":x\"]\n", 2, 12, "HEX"},
    {"[caisson]\nsigners = [\"" KEY32 ":4294967296\"]\n", 2, 12, "HEX"},
    {"[caisson]\nlaunchers = [\"nobody:measurement=00\"]\n", 2, 14, "launch"},
    {"[caisson]\nplatforms = [\"caisson\"]\n", 2, 14, "platform"},
    {"= 1\n", 1, 1, "key"},
    {"caisson.\"debug\" = \"any\"\n", 1, 9, "key"},
    {"\xef\xbb\xbfversion = 1\n", 1, 1, "key"},
};

static void files(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof samples / sizeof samples[0]; i++) {
        const struct sample *sample = &samples[i];
        struct csv_policy *policy = NULL;
        struct csv_policy_mistake mistake;
        csn_err err = csv_policy_parse(sample->text, strlen(sample->text), &policy, &mistake);
        bool semantic = err == CSN_ERR_FORMAT && mistake.line == 0; /* read, but with a gap */
        if (sample->what == NULL ? err != CSN_OK && !semantic
                                 : err != CSN_ERR_FORMAT || mistake.line != sample->line ||
                                       mistake.column != sample->column ||
                                       strstr(mistake.text, sample->what) == NULL) {
            fail_msg("%s\n%u:%u: %s", sample->text, mistake.line, mistake.column, mistake.text);
        }
        csv_policy_free(policy);
    }
}

/* Every prefix of a good file is read or refused, and nothing beyond its end is looked at. */
static void prefixes(void **state)
{
    (void)state;
    const char *text = samples[2].text;
    for (size_t size = 0; size <= strlen(text); size++) {
        struct csv_policy *policy = NULL;
        char *copy = malloc(size + 1);
        assert_non_null(copy);
        memcpy(copy, text, size);
        csn_err err = csv_policy_parse(copy, size, &policy, NULL);
        assert_true(err == CSN_OK || err == CSN_ERR_FORMAT);
        csv_policy_free(policy);
        free(copy);
    }
}

#define HEAD "version = 1\nformats = [\"caisson\"]\n[caisson]\n"

static void gaps(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *what; /* NULL: nothing is missing */
    } cases[] = {
        {HEAD "measurements = [\"" KEY48 "\"]\n", NULL},
        {HEAD "signers = [\"" KEY32 "\"]\n", NULL},
        {HEAD "platforms = [\"software\"]\n", "neither"},
        {HEAD "signers = [\"" KEY32 "\"]\nplatforms = [\"software\"]\n", "insecure_dev"},
        {HEAD "signers = [\"" KEY32 "\"]\nplatforms = [\"software\"]\ninsecure_dev = false\n",
         "insecure_dev"},
        {HEAD "signers = [\"" KEY32 "\"]\nplatforms = [\"software\"]\ninsecure_dev = true\n",
         "software_roots"},
        {HEAD "signers = [\"" KEY32 "\"]\nplatforms = [\"software\"]\ninsecure_dev = true\n"
              "software_roots = [\"" KEY32 "\"]\n",
         NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct csv_policy *policy = NULL;
        struct csv_policy_mistake mistake = {0};
        csn_err err = csv_policy_parse(cases[i].text, strlen(cases[i].text), &policy, &mistake);
        if (cases[i].what == NULL ? err != CSN_OK
                                  : err != CSN_ERR_FORMAT || mistake.line != 0 ||
                                        strstr(mistake.text, cases[i].what) == NULL) {
            fail_msg("%s: %s", cases[i].text, mistake.text);
        }
        csv_policy_free(policy);
    }
}

static void values_one_by_one(void **state)
{
    (void)state;
    static const uint8_t bytes[48] = {0};
    struct csv_policy *policy = NULL;
    assert_int_equal(csv_policy_create(&policy), CSN_OK);
    assert_int_equal(csv_policy_allow(policy, "version", "1"), CSN_OK);
    assert_int_equal(csv_policy_allow(policy, "version", "1"), CSN_ERR_STATE);
    assert_int_equal(csv_policy_allow(policy, "caisson.nothing", "1"), CSN_ERR_UNKNOWN);
    assert_int_equal(csv_policy_allow(policy, "nothing", "1"), CSN_ERR_UNKNOWN);
    assert_int_equal(csv_policy_allow(policy, "caisson.insecure_dev", "yes"), CSN_ERR_FORMAT);
    assert_int_equal(csv_policy_allow(policy, "caisson.measurements", "zz"), CSN_ERR_FORMAT);
    assert_int_equal(csv_policy_allow_bytes(policy, "caisson.measurements", bytes, 47),
                     CSN_ERR_FORMAT);
    assert_int_equal(csv_policy_allow_bytes(policy, "caisson.measurements", bytes, 48), CSN_OK);
    assert_int_equal(csv_policy_allow(NULL, "version", "1"), CSN_ERR_ARGUMENT);
    /* More than a policy holds is refused, and the policy stays what it was. */
    csn_err err = CSN_OK;
    uint32_t count = 0;
    for (; err == CSN_OK && count < 100000; count++) {
        err = csv_policy_allow_bytes(policy, "caisson.measurements", bytes, 48);
    }
    assert_int_equal(err, CSN_ERR_LIMIT);
    assert_true(count > 4000);
    csv_policy_free(policy);
}

/* What init writes is a policy, and it accepts what it was made from, and no other. */
static void first_policy(void **state)
{
    (void)state;
    static struct rig rig;
    struct csv_verdict *verdict = NULL;
    struct csv_policy *policy = NULL;
    char text[8192];
    size_t size = 0;
    rig_init(&rig);
    assert_int_equal(rig_appraise(&rig, rig.nonce[0], &verdict), CSN_OK);
    assert_int_equal(csv_policy_init(verdict, false, text, sizeof text, &size), CSN_ERR_POLICY);
    assert_int_equal(csv_policy_init(verdict, true, text, sizeof text, &size), CSN_OK);
    assert_int_equal(size, strlen(text));
    csv_verdict_free(verdict);
    assert_int_equal(csv_policy_parse(text, size, &policy, NULL), CSN_OK);
    assert_int_equal(csv_appraise_bundle(policy, rig.bytes, rig.size, rig.nonce[0], &verdict),
                     CSN_OK);
    csv_verdict_free(verdict);
    memset(rig.report.measurement, 0x4e, 48);
    rig_sign_image(&rig);
    rig_bundle(&rig);
    assert_int_equal(csv_appraise_bundle(policy, rig.bytes, rig.size, rig.nonce[0], &verdict),
                     CSN_ERR_EVIDENCE);
    assert_int_equal(csv_policy_init(verdict, true, text, sizeof text, &size), CSN_ERR_POLICY);
    csv_verdict_free(verdict);
    csv_policy_free(policy);
}

/* Without a policy nothing is vouched for: software evidence stays refused, keys stay inside. */
static void any_policy(void **state)
{
    (void)state;
    static struct rig rig;
    struct csv_verdict *verdict = NULL;
    struct csv_policy *policy = NULL;
    rig_init(&rig);
    assert_int_equal(csv_policy_create_insecure_any(&policy), CSN_OK);
    assert_int_equal(csv_appraise_bundle(policy, rig.bytes, rig.size, rig.nonce[0], &verdict),
                     CSN_ERR_EVIDENCE);
    assert_int_equal(rig_finding(verdict, "evidence.type")->outcome, CSV_FAILED);
    assert_int_equal(rig_finding(verdict, "policy.any")->outcome, CSV_WARNED);
    assert_false(csv_verdict_appraised(verdict));
    assert_null(csv_verdict_instance(verdict));
    csv_verdict_free(verdict);
    csv_policy_free(policy);
}

/* Does text name key: whole, or by its part up to the last dot ("pcrs.3", "tcb_min.PRODUCT")? */
static bool is_documented(const char *text, const char *end, const char *key)
{
    char quoted[160];
    const char *dot = strrchr(key, '.');
    snprintf(quoted, sizeof quoted, "`%s`", key);
    const char *found = strstr(text, quoted);
    while (dot != NULL && (found == NULL || found >= end) && dot > key) {
        snprintf(quoted, sizeof quoted, "`%.*s.", (int)(dot - key), key);
        found = strstr(text, quoted);
        do {
            dot--;
        } while (dot > key && *dot != '.');
    }
    return found != NULL && found < end;
}

/* Every key that a policy can have is in its format's section of docs/POLICY.md. */
static void keys_are_documented(void **state)
{
    (void)state;
    static char text[65536];
    char path[1024];
    char heading[64];
    size_t keys = 0;
    snprintf(path, sizeof path, "%s/docs/POLICY.md", getenv("CAISSON_SOURCE"));
    FILE *stream = fopen(path, "rb");
    assert_non_null(stream);
    text[fread(text, 1, sizeof text - 1, stream)] = 0;
    fclose(stream);
    for (uint32_t id = 1; id <= CSV_FORMAT_COUNT; id++) {
        const struct csv_format *format = csv_format(id);
        snprintf(heading, sizeof heading, "[%s]", format->name);
        const char *section = strstr(text, "\n## [");
        while (section != NULL && (strstr(section, heading) == NULL ||
                                   strstr(section, heading) > strchr(section + 1, '\n'))) {
            section = strstr(section + 1, "\n## [");
        }
        assert_non_null(section);
        const char *next = strstr(section + 1, "\n## ");
        const char *end = next != NULL ? next : text + strlen(text);
        bool azure = id == CSV_FORMAT_AZURE_SNP || id == CSV_FORMAT_AZURE_TDX;
        for (size_t i = 0; i < format->rule_count; i++) {
            const char *key = format->rules[i].key;
            /* Azure's quotes are judged by the same lines as bare ones. */
            const char *tpm = azure ? strstr(text, "\n## [tpm]") : NULL;
            if (!is_documented(section, end, key) &&
                !(tpm != NULL && is_documented(tpm, strstr(tpm + 1, "\n## "), key))) {
                fail_msg("[%s] %s is not in docs/POLICY.md", format->name, key);
            }
            keys++;
        }
    }
    assert_true(keys > 200);
    assert_false(is_documented(text, text + strlen(text), "nothing.of_the_kind"));
    printf("# %zu keys\n", keys);
}

static void times(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t seconds; /* -1: refused */
    } cases[] = {
        {"1970-01-01T00:00:00Z", 0},          {"2000-02-29T12:34:56Z", 951827696},
        {"2026-11-27T20:34:35Z", 1795811675}, {"1969-12-31T23:59:58Z", -2},
        {"2100-03-01T00:00:00Z", 4107542400}, {"2100-02-29T00:00:00Z", -1},
        {"2026-13-01T00:00:00Z", -1},         {"2026-00-01T00:00:00Z", -1},
        {"2026-01-32T00:00:00Z", -1},         {"2026-01-01T24:00:00Z", -1},
        {"2026-01-01T00:00:60Z", -1},         {"2026-01-01T00:00:00", -1},
        {"2026-01-01T00:00:00.5Z", -1},       {"2026-01-01 00:00:00Z", -1},
        {"2026-1-01T00:00:00ZZ", -1},         {"", -1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int64_t seconds = -1;
        bool read = csv_time_parse(cases[i].text, &seconds);
        if (read != (cases[i].seconds != -1) || seconds != cases[i].seconds) {
            fail_msg("%s: %lld", cases[i].text, (long long)seconds);
        }
    }
}

static void base64(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *bytes; /* NULL: refused */
        bool url;
    } cases[] = {
        {"", "", true},
        {"Zg", "f", true},
        {"Zm8", "fo", true},
        {"Zm9v", "foo", true},
        {"Zm9vYg==", "foob", false},
        {"Zm9vYmE=", "fooba", false},
        {"Zg==", NULL, true},
        {"Zg", NULL, false},
        {"Z", NULL, true},
        {"Zh", NULL, true},
        {"Zm9=", NULL, false},
        {"-_-_", "\xfb\xff\xbf", true},
        {"-_-_", NULL, false},
        {"+/+/", "\xfb\xff\xbf", false},
        {"+/+/", NULL, true},
        {"Zm 9v", NULL, true},
        {"====", NULL, false},
        {"Zg==Zg==", NULL, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint8_t bytes[16];
        size_t size = 0;
        const uint8_t *text = (const uint8_t *)cases[i].text;
        bool read = cases[i].url ? csv_base64url_read(text, strlen(cases[i].text), bytes, &size)
                                 : csv_base64_read(text, strlen(cases[i].text), bytes, &size);
        if (read != (cases[i].bytes != NULL) ||
            (read &&
             (size != strlen(cases[i].bytes) || memcmp(bytes, cases[i].bytes, size) != 0))) {
            fail_msg("%s", cases[i].text);
        }
    }
}

/* What is written is what is read. */
static void base64_written(void **state)
{
    (void)state;
    uint8_t bytes[64];
    uint8_t memory[256] = {0};
    uint8_t again[64];
    for (size_t size = 0; size <= sizeof bytes; size++) {
        struct csv_arena arena = {.base = memory, .size = sizeof memory};
        size_t read = 0;
        for (size_t i = 0; i < size; i++) {
            bytes[i] = (uint8_t)(i * 37 + size);
        }
        const char *text = csv_text_base64url(&arena, bytes, size);
        assert_true(csv_base64url_read((const uint8_t *)text, strlen(text), again, &read));
        assert_int_equal(read, size);
        assert_memory_equal(again, bytes, size);
        csv_give_back(&arena, 0);
    }
}

static void der(void **state)
{
    (void)state;
    static const struct {
        uint8_t bytes[12];
        uint8_t size;
        bool good;
    } cases[] = {
        {{0x02, 0x01, 0x05}, 3, true},
        {{0x02, 0x02, 0x00, 0xdb}, 4, true},
        {{0x02, 0x81, 0x01, 0x05}, 4, false}, /* not the shortest length */
        {{0x02, 0x80, 0x05, 0x00, 0x00}, 5, false},
        {{0x02, 0x02, 0x05}, 3, false},
        {{0x02, 0x85, 0, 0, 0, 0, 1, 5}, 8, false},
        {{0x1f, 0x01, 0x05}, 3, false},
        {{0x02}, 1, false},
        {{0x02, 0x01, 0xff}, 3, false},       /* negative */
        {{0x02, 0x02, 0x00, 0x05}, 4, false}, /* not the shortest number */
        {{0x02, 0x00}, 2, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct csv_reader reader = csv_read((struct csv_bytes){cases[i].bytes, cases[i].size});
        struct csv_bytes content;
        uint64_t number = 0;
        bool good =
            csv_der_take(&reader, CSV_DER_INTEGER, &content) && csv_der_number(content, &number);
        if (good != cases[i].good || (good && number != cases[i].bytes[cases[i].size - 1])) {
            fail_msg("case %zu", i);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(files),          cmocka_unit_test(prefixes),
        cmocka_unit_test(gaps),           cmocka_unit_test(values_one_by_one),
        cmocka_unit_test(first_policy),   cmocka_unit_test(any_policy),
        cmocka_unit_test(times),          cmocka_unit_test(keys_are_documented),
        cmocka_unit_test(base64),         cmocka_unit_test(der),
        cmocka_unit_test(base64_written),
    };
    return cmocka_run_group_tests_name("appraisal policy", tests, NULL, NULL);
}
