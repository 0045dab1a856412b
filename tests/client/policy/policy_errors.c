/* SPDX-License-Identifier: Apache-2.0 */
/*
 * policy_errors.c: is every fault of a policy file refused, at its line and column?
 *
 * In each row the character ^ marks where the error must point to; it is taken out before the
 * policy is compiled. Rows without ^ must compile: they are the controls.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <caisson/policy.h>
#include <caisson/wire/model.h>
#include <caisson/wire/policy.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const names[] = {"fraud", "registry"};
static const uint8_t weights_key[32] = {1, 2, 3};
static const struct csv_policy_consumers consumers = {
    .names = names, .count = 2, .weights_key = weights_key};

struct row {
    const char *source;
    const char *says; /* part of the error's text, NULL = compiles */
};

static void run_row(const struct row *row)
{
    char text[8192];
    size_t size = 0;
    uint32_t line = 1;
    uint32_t column = 1;
    bool marked = false;
    for (const char *at = row->source; *at != 0; at++) {
        if (*at == '^') {
            marked = true;
            continue;
        }
        text[size++] = *at;
        if (!marked) {
            column = *at == '\n' ? 1 : column + 1;
            line += *at == '\n';
        }
    }
    uint8_t output[CSN_WIRE_POLICY_SIZE_MAX];
    size_t output_size = 4711;
    struct csv_policy_error error = {0};
    csn_err err =
        csv_policy_compile(text, size, &consumers, output, sizeof output, &output_size, &error);
    if (row->says == NULL) {
        if (err != CSN_OK) {
            fail_msg("%s: %u:%u %s", row->source, error.line, error.column, error.text);
        }
        return;
    }
    assert_true(marked);
    if (err != CSN_ERR_FORMAT || strstr(error.text, row->says) == NULL || error.line != line ||
        error.column != column) {
        fail_msg("%s: error %d at %u:%u \"%s\", expected %u:%u \"%s\"", row->source, (int)err,
                 error.line, error.column, error.text, line, column, row->says);
    }
    assert_int_equal(output_size, 4711);
}

#define RUN(rows)                                                                                  \
    for (size_t index = 0; index < sizeof(rows) / sizeof *(rows); index++) {                       \
        run_row(&(rows)[index]);                                                                   \
    }

#define TOP(inside) "{\"version\":1,\n \"domains\":{\"d\":{\"version\":1}}, " inside "}"

static void test_top_level(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {TOP("\"fields\":[]"), NULL},
        {TOP("\"comment\":\"x\",\"default\":\"keep\",\"fields\":[]"), NULL},
        {"^", ""},
        {"^[]", "a policy is a JSON object"},
        {"^{}", "needs \"version\" and \"fields\""},
        {"^{\"version\":1}", "needs \"version\" and \"fields\""},
        {"{\"version\":^2,\"fields\":[]}", "only \"version\" 1"},
        {"{\"version\":^\"1\",\"fields\":[]}", "whole number"},
        {"{\"version\":^1.0,\"fields\":[]}", "whole number"},
        {TOP("\n\n  ^\"field\":[]"), "unknown key \"field\""},
        {TOP("\"fields\":^{}"), "must be an array"},
        {TOP("\"comment\":^1,\"fields\":[]"), "comment must be a string"},
        {TOP("\"default\":^\"mask\",\"fields\":[]"), "drop, redact or keep"},
        {TOP("\"default\":^null,\"fields\":[]"), "drop, redact or keep"},
        {"{\"version\":1,\"fields\":[],\"domains\":^[]}", "must be an object"},
        {"{\"version\":1,\"fields\":[],\"domains\":{^\"D\":{\"version\":1}}}", "domain's name"},
        {"{\"version\":1,\"fields\":[],\"domains\":{^\"\":{\"version\":1}}}", "domain's name"},
        {"{\"version\":1,\"fields\":[],\"domains\":{\"d\":^{}}}", "needs the key \"version\""},
        {"{\"version\":1,\"fields\":[],\"domains\":{\"d\":^1}}", "must be an object"},
        {"{\"version\":1,\"fields\":[],\"domains\":{\"d\":{\"version\":^0}}}", "whole number"},
        {"{\"version\":1,\"fields\":[],\"domains\":{\"d\":{\"version\":^4294967296}}}", "whole"},
        {"{\"version\":1,\"fields\":[],\"domains\":{\"d\":{\"version\":4294967295}}}", NULL},
        {"{\"version\":1,\"fields\":[],\"domains\":{\"d\":{^\"v\":1}}}", "unknown key \"v\""},
    };
    RUN(rows);
}

/* a digest of 32 bytes */
#define DIGEST "\"model\":\"00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff\""

#define SCORE(inside) TOP("\"fields\":[],\n\"score\":^{" inside "}")
#define SCORED(inside)                                                                             \
    TOP("\"fields\":[],\n\"score\":{" DIGEST ",\"name\":\"risk\",\"features\":" inside "}")
#define NAMED(inside) TOP("\"fields\":[],\n\"score\":{" DIGEST ",\"features\":[\"a\"]," inside "}")

static void test_score(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {TOP("\"fields\":[],\"score\":^1"), "must be an object"},
        {SCORE(""), "needs the key \"model\""},
        {SCORE(DIGEST), "needs the key \"name\""},
        {SCORE(DIGEST ",\"name\":\"risk\""), "needs the key \"features\""},
        {TOP("\"fields\":[],\"score\":{^\"models\":1}"), "unknown key \"models\""},
        {TOP("\"fields\":[],\"score\":{\"model\":^\"00\",\"name\":1,\"features\":1}"), "64 digits"},
        {NAMED("\"name\":^1"), "1 to 64 of"},
        {NAMED("\"name\":^\"\""), "1 to 64 of"},
        {NAMED("\"name\":^\"a.b\""), "1 to 64 of"},
        {NAMED("\"name\":\"Risk_0-9\",\"output\":1023,\"check\":true,\"comment\":\"x\""), NULL},
        {NAMED("\"name\":\"risk\",\"output\":^1024"), "from 0 to 1023"},
        {NAMED("\"name\":\"risk\",\"output\":^-1"), "from 0 to 1023"},
        {NAMED("\"name\":\"risk\",\"output\":^\"1\""), "from 0 to 1023"},
        {NAMED("\"name\":\"risk\",\"check\":^1"), "true or false"},
        {SCORED(
             "[\"a.b\",{\"path\":\"a.c\",\"categories\":[\"\",\"x\"],\"comment\":\"y\"},\"a.b\"]"),
         NULL},
        {SCORED("^[]"), "and not empty"},
        {SCORED("^{}"), "and not empty"},
        {SCORED("[^1]"), "a feature is a path"},
        {SCORED("[^{\"categories\":[\"x\"]}]"), "a feature is a path"},
        {SCORED("[^\"a[*]\"]"), "has no [*]"},
        {SCORED("[^\"a..b\"]"), "a name is missing"},
        {SCORED("[{\"path\":\"a\",\"categories\":^[]}]"), "an array of strings"},
        {SCORED("[{\"path\":\"a\",\"categories\":[^1]}]"), "a category is a string"},
        {SCORED("[{\"path\":\"a\",\"categories\":[\"x\",^\"x\"]}]"), "was there before"},
        {SCORED(
             "[{\"path\":\"a\",\"categories\":[\"x\"]},{\"path\":\"a\",\"categories\":[\"x\"]}]"),
         NULL},
        {TOP("\"fields\":[{\"path\":\"risk.a\",\"action\":\"keep\"}],\n\"score\":{" DIGEST
             ",\"name\":^\"risk\",\"features\":[\"a\"]}"),
         "the same as, above or below"},
    };
    RUN(rows);
    /* Without a key, a score cannot be compiled: the file is not to blame. */
    const struct csv_policy_consumers keyless = {.names = names, .count = 2};
    const char *text = SCORED("[\"a\"]");
    struct csv_policy_error error = {.line = 7};
    uint8_t output[4096];
    size_t size = 0;
    csn_err err =
        csv_policy_compile(text, strlen(text), &keyless, output, sizeof output, &size, &error);
    assert_int_equal(err, CSN_ERR_FORMAT);
    assert_int_equal(error.line, 0);
    assert_string_equal(error.text, "a score needs the key of its model's weights");
    /* The key and what is said of the model stand where the enclave looks for them. */
    err = csv_policy_compile(text, strlen(text), &consumers, output, sizeof output, &size, &error);
    assert_int_equal(err, CSN_OK);
    const struct csn_wire_score *score =
        (const void *)(output + sizeof(struct csn_wire_policy) + sizeof(struct csn_wire_domain) +
                       sizeof(struct csn_wire_field) + 2 * sizeof(struct csn_wire_step));
    assert_memory_equal(score->model.key, weights_key, 32);
    assert_int_equal(score->model.digest[31], 0xff);
    assert_int_equal(score->model.kind, CSN_WIRE_WEIGHTS_TREES);
}

static void test_not_json(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"{\"version\":1,\n\"fields\":[]^", ""},
        {"{\"version\":1,\n\"fields\":[^}", ""},
        {"{\"version\":1}\n ^x", ""},
        {"{\"version\":1,^}", ""},
    };
    RUN(rows);
    /* A second key of the same name, however it is written. */
    char text[] = "{\"version\":1,\n \"ve\\u0072sion\":1}";
    struct csv_policy_error error = {0};
    uint8_t output[64];
    size_t size = 0;
    assert_int_equal(
        csv_policy_compile(text, strlen(text), &consumers, output, sizeof output, &size, &error),
        CSN_ERR_FORMAT);
    assert_int_equal(error.line, 2);
    assert_in_range(error.column, 2, 3);
}

#define FIELD(inside) TOP("\"fields\":[\n" inside "]")
#define PATH(path)    FIELD("{\"path\":" path ",\"action\":\"keep\"}")

static void test_paths(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {PATH("\"a\""), NULL},
        {PATH("\"a.b[*][*].c\""), NULL},
        {PATH("\"[*]\""), NULL},
        {PATH("\"[*].a\""), NULL},
        {PATH("\"a[\\\"b.c\\\"].d\""), NULL},
        {PATH("\"[\\\"\\\\\\\"]\\\"][*]\""), NULL},
        {PATH("\"1.2.3.4.5.6.7.8.9.10.11.12.13.14.15.16\""), NULL},
        {PATH("^\"1.2.3.4.5.6.7.8.9.10.11.12.13.14.15.16.17\""), "more than 16 steps"},
        {PATH("^\"\""), "1 to 256 bytes"},
        {PATH("^1"), "must be a string"},
        {PATH("^\".a\""), "name is missing at character 1"},
        {PATH("^\"a.\""), "name is missing at character 3"},
        {PATH("^\"a..b\""), "name is missing at character 3"},
        {PATH("^\"a[*]b\""), "a . or [ is missing at character 5"},
        {PATH("^\"a.[*]\""), "no . stands before [*]"},
        {PATH("^\"a[0]\""), "only * or a quoted name"},
        {PATH("^\"a]\""), "a . or [ is missing"},
        {PATH("^\"a[\\\"b\""), "must end with"},
        {PATH("^\"a[\\\"b\\\\q\\\"]\""), "not a JSON string"},
        {FIELD("{\"path\":\"a\",\"action\":\"keep\"},\n^{\"path\":\"a\",\"action\":\"drop\"}"),
         "the same as, above or below"},
        {FIELD("{\"path\":\"a\",\"action\":\"keep\"},\n^{\"path\":\"a.b\",\"action\":\"drop\"}"),
         "the same as, above or below"},
        {FIELD("{\"path\":\"a.b\",\"action\":\"keep\"},\n ^{\"path\":\"a\",\"action\":\"drop\"}"),
         "the same as, above or below"},
        {FIELD("{\"path\":\"a.b\",\"action\":\"keep\"},^{\"path\":\"a[\\\"\\\\u0062\\\"]\","
               "\"action\":\"drop\"}"),
         "the same as, above or below"},
        {FIELD("{\"path\":\"a.b\",\"action\":\"keep\"},{\"path\":\"a[*]\",\"action\":\"drop\"}"),
         NULL},
    };
    RUN(rows);
}

static void test_keys(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {FIELD("^5"), "must be an object"},
        {FIELD("^{\"path\":\"a\"}"), "needs \"path\" and \"action\""},
        {FIELD("{\"path\":\"a\",\"action\":^\"erase\"}"), "\"action\" must be"},
        {FIELD("{\"path\":\"a\",\"action\":\"keep\",^\"colour\":1}"), "unknown key \"colour\""},
        {FIELD("{\"path\":\"a\",\"action\":\"keep\",\"comment\":^1}"), "comment must be"},
        {FIELD("{\"path\":\"a\",\"action\":\"keep\",\"comment\":\"x\"}"), NULL},
        {FIELD("{\"path\":\"a\",\"action\":\"redact\",^\"domain\":\"d\"}"), "no meaning for"},
        {FIELD("{\"path\":\"a\",\"action\":\"mask\",^\"bits\":96}"), "no meaning for"},
        {FIELD("^{\"path\":\"a\",\"action\":\"hash\"}"), "needs the key \"domain\""},
        {FIELD("{\"path\":\"a\",\"action\":\"hash\",\"domain\":^\"e\"}"), "must be listed"},
        {FIELD("{\"path\":\"a\",\"action\":\"hash\",\"domain\":^1}"), "must be listed"},
        {FIELD("{\"path\":\"a\",\"action\":\"mask\",\"with\":^\"**\"}"), "one printable"},
        {FIELD("{\"path\":\"a\",\"action\":\"mask\",\"with\":^\"é\"}"), "one printable"},
        {FIELD("{\"path\":\"a\",\"action\":\"mask\",\"keep_first\":^256}"), "from 0 to 255"},
        {FIELD("{\"path\":\"a\",\"action\":\"mask\",\"keep_first\":^-1}"), "from 0 to 255"},
        {FIELD("{\"path\":\"a\",\"action\":\"encrypt\",\"consumer\":^\"nobody\"}"), "consumer in"},
        {FIELD("{\"path\":\"a\",\"action\":\"encrypt\",\"consumer\":\"registry\"}"), NULL},
    };
    RUN(rows);
}

#define TOKEN(inside) FIELD("{\"path\":\"a\",\"action\":\"token\",\"domain\":\"d\"," inside "}")
#define SHIFT(inside) FIELD("{\"path\":\"a\",\"action\":\"shift\",\"domain\":\"d\"," inside "}")
#define SCAN(inside)  FIELD("{\"path\":\"a\",\"action\":\"detect\"," inside "}")

static void test_values(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {TOKEN("\"bits\":80"), NULL},
        {TOKEN("\"bits\":^72"), "from 80 to 256"},
        {TOKEN("\"bits\":^84"), "multiple of 8"},
        {TOKEN("\"bits\":^264"), "from 80 to 256"},
        {TOKEN("\"keep_last\":^9"), "from 0 to 8"},
        {TOKEN("\"prefix\":^\"\""), "letters a to z"},
        {TOKEN("\"prefix\":^\"Tok\""), "letters a to z"},
        {TOKEN("\"prefix\":^\"abcdefghijklmnopq\""), "letters a to z"},
        {TOKEN("\"prefix\":^3"), "must be a string"},
        {SHIFT("\"days\":^179,\"subject\":\"id\""), "from 180 to 3650"},
        {SHIFT("\"days\":^3651,\"subject\":\"id\""), "from 180 to 3650"},
        {SHIFT("\"days\":180,\"subject\":^\"id[*]\""), "no [*]"},
        {SHIFT("\"days\":180,\"subject\":^\"\""), "1 to 256 bytes"},
        {SHIFT("\"days\":180,\"subject\":\"p.id\""), NULL},
        {SCAN("\"kinds\":^[],\"then\":\"mask\""), "at least one"},
        {SCAN("\"kinds\":^\"card\",\"then\":\"mask\""), "at least one"},
        {SCAN("\"kinds\":[\"card\",^\"cards\"],\"then\":\"mask\""), "must be card"},
        {SCAN("\"kinds\":[\"card\",^\"card\"],\"then\":\"mask\""), "listed twice"},
        {SCAN("\"kinds\":[\"card\"],\"then\":^\"drop\""), "redact, mask or token"},
        {SCAN("\"kinds\":[\"card\"],\"then\":\"mask\",^\"domain\":\"d\""), "of use only"},
        {FIELD("^{\"path\":\"a\",\"action\":\"detect\",\"kinds\":[\"id\"],\"then\":\"token\"}"),
         "needs a \"domain\""},
        {SCAN("\"kinds\":[\"card\"],\"then\":\"token\",\"domain\":\"d\""), NULL},
    };
    RUN(rows);
}

#define FPE(inside)    FIELD("{\"path\":\"a\",\"action\":\"fpe\",\"domain\":\"d\"," inside "}")
#define FPE_AT(inside) FIELD("{\"path\":\"a\",\"action\":^\"fpe\",\"domain\":\"d\"," inside "}")

static void test_fpe_domains(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {FPE("\"alphabet\":\"digits\",\"luhn\":true"), NULL},
        {FPE("\"alphabet\":\"digits\",\"luhn\":true,\"keep_first\":6,\"keep_last\":3"), NULL},
        /* First six and last four of a card: 10^5, whatever the author wishes. */
        {FPE_AT("\"alphabet\":\"digits\",\"luhn\":true,\"keep_first\":6,\"keep_last\":4"),
         "10^5 = 100000 values and at least 1000000"},
        {FPE("\"alphabet\":\"digits\",\"luhn\":true,\"keep_first\":6,\"keep_last\":4,"
             "\"length\":^16"),
         "10^5 = 100000 values"},
        {FPE("\"alphabet\":\"digits\",\"luhn\":true,\"keep_first\":6,\"keep_last\":4,"
             "\"length\":17"),
         NULL},
        {FPE("\"alphabet\":\"digits\",\"length\":^5"), "10^5 = 100000"},
        {FPE("\"alphabet\":\"digits\",\"length\":6"), NULL},
        {FPE("\"alphabet\":\"hex\",\"length\":^4"), "16^4 = 65536"},
        {FPE("\"alphabet\":\"=01\",\"length\":^19"), "2^19 = 524288"},
        {FPE("\"alphabet\":\"=01\",\"length\":20"), NULL},
        {FPE("\"alphabet\":\"digits\",\"keep_first\":9,\"length\":^8"), "10^0 = 1 values"},
        {FPE("\"alphabet\":\"digits\",\"length\":^257"), "from 1 to 256"},
        {FPE("\"alphabet\":\"digits\",\"luhn\":^1"), "true or false"},
        {FPE("\"alphabet\":\"hex\",\"luhn\":^true"), "needs the alphabet digits"},
        {FPE("\"alphabet\":^\"letters\""), "\"alphabet\" must be"},
        {FPE("\"alphabet\":^\"=a\""), "2 to 94 distinct"},
        {FPE("\"alphabet\":^\"=aba\""), "2 to 94 distinct"},
        {FPE("\"alphabet\":^\"=aé\""), "2 to 94 distinct"},
        {FPE("\"alphabet\":\"digits\",\"short\":^\"keep\""), "redact, token, mask or drop"},
        {FPE("\"alphabet\":\"digits\",\"tweak\":^1"), "must be a string"},
        {FPE("\"alphabet\":\"digits\",\"tweak\":\"eu\",\"short\":\"token\""), NULL},
    };
    RUN(rows);
}

static void test_limits(void **state)
{
    (void)state;
    static char text[CSV_POLICY_TEXT_SIZE_MAX + 1];
    uint8_t output[CSN_WIRE_POLICY_SIZE_MAX];
    struct csv_policy_error error = {0};
    size_t size = 0;
    for (unsigned count = 64; count <= 65; count++) {
        int at = snprintf(text, sizeof text, "{\"version\":1,\"fields\":[");
        for (unsigned index = 0; index < count; index++) {
            at +=
                snprintf(text + at, sizeof text - (size_t)at,
                         "%s\n{\"path\":\"f%u\",\"action\":\"keep\"}", index > 0 ? "," : "", index);
        }
        at += snprintf(text + at, sizeof text - (size_t)at, "]}");
        csn_err err =
            csv_policy_compile(text, (size_t)at, &consumers, output, sizeof output, &size, &error);
        assert_int_equal(err, count == 64 ? CSN_OK : CSN_ERR_FORMAT);
    }
    assert_string_equal(error.text, "more than 64 fields");
    assert_int_equal(error.line, 66);
    memset(text, ' ', sizeof text);
    assert_int_equal(
        csv_policy_compile(text, sizeof text, &consumers, output, sizeof output, &size, &error),
        CSN_ERR_FORMAT);
    assert_int_equal(error.line, 0);
}

/* Every file under examples/policies compiles; the binary has what the header says. */
static void test_examples(void **state)
{
    (void)state;
    static const char *const files[] = {"card", "fhir-patient", "fhir-encounter", "pii-sentences"};
    const char *root = getenv("CAISSON_SOURCE");
    for (unsigned index = 0; index < 4; index++) {
        char path[512];
        static char text[CSV_POLICY_TEXT_SIZE_MAX];
        snprintf(path, sizeof path, "%s/examples/policies/%s.json", root == NULL ? "." : root,
                 files[index]);
        FILE *file = fopen(path, "rb");
        assert_non_null(file);
        size_t size = fread(text, 1, sizeof text, file);
        fclose(file);
        uint8_t output[CSN_WIRE_POLICY_SIZE_MAX];
        struct csv_policy_error error = {0};
        size_t need = 0;
        size_t again = 0;
        csn_err err =
            csv_policy_compile(text, size, &consumers, output, sizeof output, &need, &error);
        if (err != CSN_OK) {
            fail_msg("%s: %u:%u %s", path, error.line, error.column, error.text);
        }
        struct csn_wire_policy header;
        memcpy(&header, output, sizeof header);
        assert_int_equal(header.magic, CSN_WIRE_POLICY_MAGIC);
        assert_int_equal(need, sizeof header + header.domain_count * 16 + header.field_count * 64 +
                                   header.step_count * 16 + header.text_size);
        assert_int_equal(
            csv_policy_compile(text, size, &consumers, output, need - 1, &again, &error),
            CSN_ERR_SPACE);
        assert_int_equal(again, need);
    }
}

static void test_field_index(void **state)
{
    (void)state;
    static const char text[] = FIELD("{\"path\":\"a\",\"action\":\"keep\"},"
                                     "{\"path\":\"b[*]\",\"action\":\"drop\"}");
    struct csv_policy_error error = {0};
    uint32_t index = 77;
    assert_int_equal(
        csv_policy_field_index(text, sizeof text - 1, &consumers, "b[*]", &index, &error), CSN_OK);
    assert_int_equal(index, 1);
    assert_int_equal(csv_policy_field_index(text, sizeof text - 1, &consumers, "b", &index, &error),
                     CSN_ERR_UNKNOWN);
    assert_int_equal(index, 1);
}

/* A policy of the model enclave; MODEL_DIGEST stands for a digest. */
#define MODEL_DIGEST "0123456789abcdef0123456789ABCDEF0123456789abcdef0123456789abcdef"
#define MODEL        "{\"version\": 1, \"service\": \"model\", "
static const struct row model_rows[] = {
    {MODEL "\"language\": {\"model\": \"" MODEL_DIGEST "\"}}", NULL},
    {MODEL "\"trees\": {\"model\": \"" MODEL_DIGEST "\", \"check\": true, \"share\": true},"
           "\"sessions\": 16, \"tokens\": 1, \"comment\": \"x\"}",
     NULL},
    {"^" MODEL "\"sessions\": 1}", "needs \"language\" or \"trees\""},
    {"^{\"service\": \"model\", \"language\": {\"model\": \"" MODEL_DIGEST "\"}}",
     "needs \"version\""},
    {MODEL "\"language\": ^1}", "must be an object"},
    {MODEL "\"language\": ^{}}", "needs \"model\""},
    {MODEL "\"language\": {\"model\": ^\"12\"}}", "digest"},
    {MODEL "\"language\": {\"model\": \"" MODEL_DIGEST "\", \"share\": ^1}}", "true or false"},
    {MODEL "\"language\": {\"model\": \"" MODEL_DIGEST "\", ^\"key\": 1}}", "unknown key"},
    {MODEL "\"sessions\": ^0}", "from 1 to 16"},
    {MODEL "\"sessions\": ^17}", "from 1 to 16"},
    {MODEL "\"tokens\": ^-1}", "whole number"},
    {MODEL "^\"session\": 1}", "unknown key"},
    {"{\"version\": ^2, \"service\": \"model\"}", "from 1 to 1"},
    {"{\"version\": 1, \"service\": ^\"mode\"}", "\"transit\" or \"model\""},
};

static void test_model(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof model_rows / sizeof model_rows[0]; i++) {
        run_row(&model_rows[i]);
    }
}

static csn_err compile_model(const char *text, const struct csv_policy_consumers *from,
                             struct csn_wire_model_policy *policy)
{
    struct csv_policy_error error = {0};
    size_t size = 0;
    const csn_err err = csv_policy_compile(text, strlen(text), from, (uint8_t *)policy,
                                           sizeof *policy, &size, &error);
    assert_true(err != CSN_OK || size == sizeof *policy);
    return err;
}

/* With the key and without. */
static void test_model_key(void **state)
{
    (void)state;
    static const char shared[] =
        MODEL "\"language\": {\"model\": \"" MODEL_DIGEST "\", \"share\": true}}";
    static const char used[] =
        MODEL "\"language\": {\"model\": \"" MODEL_DIGEST "\"}, \"tokens\": 9}";
    const struct csv_policy_consumers keyless = {.names = names, .count = 2};
    struct csn_wire_model_policy policy;
    assert_int_equal(compile_model(shared, &consumers, &policy), CSN_OK);
    assert_int_equal(policy.flags, CSN_WIRE_MODEL_LANGUAGE | CSN_WIRE_MODEL_LANGUAGE_KEY |
                                       CSN_WIRE_MODEL_LANGUAGE_SHARE);
    assert_memory_equal(policy.language.key, weights_key, 32);
    assert_int_equal(policy.language.digest[31], 0xef);
    assert_int_equal(policy.language.kind, CSN_WIRE_WEIGHTS_GGUF);
    assert_int_equal(compile_model(shared, &keyless, &policy), CSN_ERR_FORMAT);
    assert_int_equal(compile_model(used, &keyless, &policy), CSN_OK);
    assert_int_equal(policy.flags, CSN_WIRE_MODEL_LANGUAGE);
    assert_int_equal(policy.language.key[0], 0);
    assert_int_equal(policy.token_max, 9);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_top_level),   cmocka_unit_test(test_score),
        cmocka_unit_test(test_not_json),    cmocka_unit_test(test_paths),
        cmocka_unit_test(test_keys),        cmocka_unit_test(test_values),
        cmocka_unit_test(test_fpe_domains), cmocka_unit_test(test_limits),
        cmocka_unit_test(test_examples),    cmocka_unit_test(test_field_index),
        cmocka_unit_test(test_model),       cmocka_unit_test(test_model_key),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
