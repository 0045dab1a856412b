/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_gcs.c: Confidential Space tokens: the published one gives its row's fields inside its
 * window and is refused after it; tokens under a root of our own for what no sample shows.
 * Usage: test_gcs [STEP]: flip every STEP-th bit of the published token (0: none; default 701).
 */
#include "verify/text.h"
#include "vtpm_rig.h"
#include <openssl/evp.h>
#include <stdio.h>

#define SAMPLE "jwt/google-confidential-space-2025-09-05.jwt"
#define ISSUER "https://confidentialcomputing.googleapis.com"

static size_t step = 701;
static char text[32768];

/* ---- the published token ---- */

static struct csv_input *sample_input(const void *token, size_t size, int64_t time)
{
    struct csv_input *input = NULL;
    uint8_t nonce[32];
    assert_true(csv_hex_read("75a91c8dbe289f190d5e70ab1cb70c93cc14d7243f0ef3ff5326a622ead220a6", 64,
                             nonce));
    assert_int_equal(csv_input_create(&input), CSN_OK);
    assert_int_equal(csv_input_add(input, CSV_PART_EVIDENCE, NULL, token, size), CSN_OK);
    assert_int_equal(csv_input_set_nonce(input, nonce, sizeof nonce), CSN_OK);
    csv_input_set_time(input, time);
    return input;
}

static void published(void **state)
{
    (void)state;
    static const struct {
        int64_t time;
        uint32_t result;
    } times[] = {
        {1757060249, CSV_INVALID}, {1757060250, CSV_VALID},   {1757062000, CSV_VALID},
        {1757063849, CSV_VALID},   {1757063850, CSV_INVALID}, {1757063851, CSV_INVALID},
        {1795000000, CSV_INVALID},
    };
    struct table table = table_read("jwt/SOURCES.tsv");
    struct table_file token = table_file(SAMPLE);
    size_t size = 0;
    size_t compared = 0;
    for (size_t i = 0; i < sizeof times / sizeof times[0]; i++) {
        bool good = times[i].result == CSV_VALID;
        struct csv_verdict *verdict = vtpm_expect(
            table_any, sample_input(token.bytes, token.size, times[i].time), CSV_FORMAT_AUTO,
            times[i].result, "gcs.time", good ? CSV_PASSED : CSV_FAILED);
        compared = table_compare(verdict, table_cell(&table, 0, "expected_fields"), NULL);
        if (good) {
            assert_int_equal(csv_policy_init(verdict, true, text, sizeof text, &size), CSN_OK);
        }
        csv_verdict_free(verdict);
    }
    struct csv_policy *strict = table_policy(text);
    csv_verdict_free(vtpm_expect(strict, sample_input(token.bytes, token.size, 1757062000),
                                 CSV_FORMAT_AUTO, CSV_VALID, "gcs.image", CSV_PASSED));
    token.bytes[token.size] = '\n'; /* a line end behind it */
    csv_verdict_free(vtpm_expect(strict, sample_input(token.bytes, token.size + 1, 1757062000),
                                 CSV_FORMAT_GCS_JWT, CSV_VALID, NULL, 0));
    csv_policy_free(strict);
    free(token.bytes);
    table_free(&table);
    printf("# %zu fields compared\n", compared);
}

static void bits(void **state)
{
    (void)state;
    size_t count = 0;
    struct table_file token = table_file(SAMPLE);
    for (size_t bit = 0; step != 0 && bit < token.size * 8; bit += step) {
        struct csv_verdict *verdict = NULL;
        token.bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
        struct csv_input *input = sample_input(token.bytes, token.size, 1757062000);
        /* without the name x5c it could not be verified: that is no acceptance either */
        if (csv_appraise(table_any, input, CSV_FORMAT_GCS_JWT, &verdict) == CSN_OK) {
            fail_msg("bit %zu of byte %zu is under no check", bit % 8, bit / 8);
        }
        csv_verdict_free(verdict);
        csv_input_free(input);
        token.bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
        count++;
    }
    free(token.bytes);
    printf("# %zu bits of the published token\n", count);
}

/* ---- tokens of our own ---- */

struct token {
    const char *header;  /* %x: the certificates; NULL: the usual one */
    const char *payload; /* NULL: the usual one */
    const char *leaf;    /* kind of the leaf's key; NULL: RSA-2048 */
    bool pss;
    bool foreign;            /* signed by another key */
    bool without_trust;      /* the root is not ours */
    const char *constraints; /* of the issuer */
    int64_t until;           /* of the leaf */
    uint8_t nonce[64];
    size_t nonce_size; /* 0: the usual one, "nonce-of-ours" */
    char bytes[65536];
};

#define TIMES "\"iat\":1760000000,\"nbf\":1760000000,\"exp\":1760003600,"
#define REST                                                                                       \
    "\"aud\":\"me\",\"secboot\":true,\"dbgstat\":\"disabled-since-boot\",\"hwmodel\":"             \
    "\"GCP_INTEL_TDX\",\"swname\":\"CONFIDENTIAL_SPACE\",\"swversion\":[\"250800\"],"              \
    "\"tdx\":{\"gcp_attester_tcb_status\":\"UpToDate\"},"                                          \
    "\"google_service_accounts\":[\"a@b\"],\"submods\":{\"confidential_space\":{"                  \
    "\"support_attributes\":[\"LATEST\",\"STABLE\",\"USABLE\"]},\"container\":{"                   \
    "\"image_digest\":\"sha256:00\",\"image_reference\":\"r\"},\"gce\":{\"project_id\":\"p\","     \
    "\"zone\":\"z\",\"instance_id\":\"7\"}}}"
#define IDENTITY "{\"iss\":\"" ISSUER "\",\"eat_nonce\":\"nonce-of-ours\","
static const char usual_header[] = "{\"alg\":\"RS256\",\"typ\":\"JWT\",\"kid\":\"k\",\"x5c\":[%x]}";
static const char usual_payload[] = IDENTITY TIMES REST;

static char *put_base64(char *target, const void *bytes, size_t size, bool url)
{
    int length = EVP_EncodeBlock((uint8_t *)target, bytes, (int)size);
    for (int i = 0; url && i < length; i++) {
        target[i] = target[i] == '+' ? '-' : target[i] == '/' ? '_' : target[i];
    }
    return target + (url ? strcspn(target, "=") : (size_t)length);
}

static char *put_certificates(char *target, const struct token *token, EVP_PKEY *leaf)
{
    EVP_PKEY *root = made_key("RSA-2048", 5);
    EVP_PKEY *issuer = made_key("RSA-2048", 6);
    const struct made_cert certs[] = {
        {.subject = "leaf",
         .issuer = "issuer",
         .key = leaf,
         .signer = issuer,
         .constraints = "critical,CA:FALSE",
         .until = token->until},
        {.subject = "issuer",
         .issuer = "root",
         .key = issuer,
         .signer = root,
         .constraints = token->constraints != NULL ? token->constraints : "critical,CA:TRUE",
         .usage = "critical,keyCertSign"},
        {.subject = "root",
         .issuer = "root",
         .key = root,
         .signer = root,
         .constraints = "critical,CA:TRUE",
         .usage = "critical,keyCertSign"},
    };
    for (size_t i = 0; i < 3; i++) {
        struct made_der der = made_certificate(&certs[i]);
        target += sprintf(target, "%s\"", i == 0 ? "" : ",");
        target = put_base64(target, der.bytes, der.size, false);
        *target++ = '"';
    }
    return target;
}

static size_t make(struct token *token)
{
    static char header[32768];
    uint8_t signature[600];
    EVP_PKEY *leaf = made_key(token->leaf != NULL ? token->leaf : "RSA-2048", 7);
    const char *from = token->header != NULL ? token->header : usual_header;
    char *at = header;
    for (; *from != 0; from++) {
        if (from[0] == '%' && from[1] == 'x') {
            at = put_certificates(at, token, leaf);
            from++;
        } else {
            *at++ = *from;
        }
    }
    const char *payload = token->payload != NULL ? token->payload : usual_payload;
    char *end = put_base64(token->bytes, header, (size_t)(at - header), true);
    *end++ = '.';
    end = put_base64(end, payload, strlen(payload), true);
    size_t size = made_signature(token->foreign ? made_key("RSA-2048", 8) : leaf, EVP_sha256(),
                                 token->pss, token->bytes, (size_t)(end - token->bytes), signature);
    *end++ = '.';
    end = put_base64(end, signature, size, true);
    *end = 0;
    return (size_t)(end - token->bytes);
}

static struct csv_input *made_input(struct token *token)
{
    struct csv_input *input = NULL;
    uint8_t digest[32];
    size_t size = make(token);
    assert_int_equal(csv_input_create(&input), CSN_OK);
    assert_int_equal(csv_input_add(input, CSV_PART_EVIDENCE, NULL, token->bytes, size), CSN_OK);
    made_spki_sha256(made_key("RSA-2048", 5), digest);
    if (!token->without_trust) {
        assert_int_equal(csv_input_trust_test_root_insecure(input, digest), CSN_OK);
    }
    assert_int_equal(
        csv_input_set_nonce(input,
                            token->nonce_size != 0 ? token->nonce : (const void *)"nonce-of-ours",
                            token->nonce_size != 0 ? token->nonce_size : 13),
        CSN_OK);
    csv_input_set_time(input, MADE_TIME);
    return input;
}

static void expect(struct token *token, const struct csv_policy *policy, uint32_t result,
                   const char *id, uint32_t outcome)
{
    csv_verdict_free(vtpm_expect(policy != NULL ? policy : table_any, made_input(token),
                                 CSV_FORMAT_GCS_JWT, result, id, outcome));
}

static void made(void **state)
{
    (void)state;
    static struct token token;
    token = (struct token){0};
    expect(&token, NULL, CSV_VALID, "gcs.signature", CSV_PASSED);
    token = (struct token){.pss = true};
    expect(&token, NULL, CSV_INVALID, "gcs.signature", CSV_FAILED);
    token = (struct token){.foreign = true};
    expect(&token, NULL, CSV_INVALID, "gcs.signature", CSV_FAILED);
    token = (struct token){.leaf = "RSA-1024"};
    expect(&token, NULL, CSV_INVALID, "gcs.signature", CSV_FAILED);
    token = (struct token){.leaf = "P-256"};
    expect(&token, NULL, CSV_INVALID, "gcs.signature", CSV_FAILED);
    token = (struct token){.without_trust = true}; /* the root in x5c is no anchor */
    expect(&token, NULL, CSV_INVALID, "gcs.chain", CSV_FAILED);
    token = (struct token){.constraints = "critical,CA:FALSE"};
    expect(&token, NULL, CSV_INVALID, "gcs.chain", CSV_FAILED);
    token = (struct token){.until = MADE_TIME - 1};
    expect(&token, NULL, CSV_INVALID, "gcs.chain", CSV_FAILED);
}

static void headers(void **state)
{
    (void)state;
    static const struct {
        const char *header;
        uint32_t result;
        const char *id;
    } rows[] = {
        {"{\"alg\":\"RS256\",\"x5c\":[%x]}", CSV_VALID, "gcs.header"},
        {"{\"alg\":\"RS256\",\"jwk\":{},\"jku\":\"u\",\"x5c\":[%x]}", CSV_VALID, "gcs.header"},
        {"{\"alg\":\"none\",\"x5c\":[%x]}", CSV_INVALID, "gcs.header"},
        {"{\"alg\":\"rs256\",\"x5c\":[%x]}", CSV_INVALID, "gcs.header"},
        {"{\"alg\":\"HS256\",\"x5c\":[%x]}", CSV_INVALID, "gcs.header"},
        {"{\"alg\":\"PS256\",\"x5c\":[%x]}", CSV_INVALID, "gcs.header"},
        {"{\"alg\":\"RS512\",\"x5c\":[%x]}", CSV_INVALID, "gcs.header"},
        {"{\"alg\":[\"RS256\"],\"x5c\":[%x]}", CSV_INVALID, "gcs.header"},
        {"{\"x5c\":[%x]}", CSV_INVALID, "gcs.header"},
        {"{\"alg\":\"RS256\",\"alg\":\"RS256\",\"x5c\":[%x]}", CSV_INVALID, "gcs.header"},
        {"{\"alg\":\"RS256\",\"crit\":[\"exp\"],\"x5c\":[%x]}", CSV_INVALID, "gcs.header"},
        {"{\"alg\":\"RS256\",\"crit\":[],\"x5c\":[%x]}", CSV_INVALID, "gcs.header"},
        {"{\"alg\":\"RS256\",\"typ\":\"at+jwt\",\"x5c\":[%x]}", CSV_INVALID, "gcs.header"},
        {"[\"RS256\"]", CSV_INVALID, "gcs.header"},
        {"{\"alg\":\"RS256\"}", CSV_UNVERIFIABLE, "gcs.chain"},
        {"{\"alg\":\"RS256\",\"x5c\":[]}", CSV_INVALID, "gcs.chain"},
        {"{\"alg\":\"RS256\",\"x5c\":\"MII\"}", CSV_INVALID, "gcs.chain"},
        {"{\"alg\":\"RS256\",\"x5c\":[%x,7]}", CSV_INVALID, "gcs.chain"},
        {"{\"alg\":\"RS256\",\"x5c\":[\"MII=\",%x]}", CSV_INVALID, "gcs.chain"},
        {"{\"alg\":\"RS256\",\"x5c\":[%x,%x,%x]}", CSV_INVALID, "gcs.chain"},
    };
    static struct token token;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        uint32_t outcome = rows[i].result == CSV_VALID     ? CSV_PASSED
                           : rows[i].result == CSV_INVALID ? CSV_FAILED
                                                           : CSV_MISSING;
        token = (struct token){.header = rows[i].header};
        expect(&token, NULL, rows[i].result, rows[i].id, outcome);
    }
}

static void forms(void **state)
{
    (void)state;
    static struct token token;
    token = (struct token){0};
    size_t size = make(&token);
    static const char *const tails[] = {"=", ".", ".x", " ", "\n\n", "\r", "+", "A"};
    for (size_t i = 0; i < sizeof tails / sizeof tails[0]; i++) {
        strcpy(token.bytes + size, tails[i]);
        struct csv_input *input = sample_input(token.bytes, strlen(token.bytes), MADE_TIME);
        bool stray = strcmp(tails[i], "\r") == 0; /* half a line end */
        csv_verdict_free(vtpm_expect(table_any, input, CSV_FORMAT_GCS_JWT, CSV_INVALID,
                                     stray    ? NULL
                                     : i == 7 ? "gcs.signature"
                                              : "gcs.framing",
                                     CSV_FAILED));
    }
    token.bytes[size] = 0;
    for (size_t i = 0; i < 64; i++) {
        struct csv_input *input = sample_input(token.bytes, i * size / 64, MADE_TIME);
        csv_verdict_free(vtpm_expect(table_any, input, CSV_FORMAT_GCS_JWT, CSV_INVALID, NULL, 0));
    }
}

static void payloads(void **state)
{
    (void)state;
    static const struct {
        const char *payload;
        const char *id; /* NULL: valid */
    } rows[] = {
        {usual_payload, NULL},
        {"{\"iss\":\"" ISSUER "/\",\"eat_nonce\":\"nonce-of-ours\"," TIMES REST, "gcs.issuer"},
        {"{\"eat_nonce\":\"nonce-of-ours\"," TIMES REST, "gcs.issuer"},
        {"{\"iss\":\"" ISSUER "\"," TIMES REST, "nonce.fresh"},
        {"{\"iss\":\"" ISSUER "\",\"eat_nonce\":\"nonce-of-Ours\"," TIMES REST, "nonce.fresh"},
        {"{\"iss\":\"" ISSUER "\",\"eat_nonce\":[]," TIMES REST, "nonce.fresh"},
        {"{\"iss\":\"" ISSUER "\",\"eat_nonce\":[\"x\",\"nonce-of-ours\"]," TIMES REST, NULL},
        {"{\"iss\":\"" ISSUER "\",\"eat_nonce\":[\"nonce-of\",\"-ours\"]," TIMES REST,
         "nonce.fresh"},
        {"{\"iss\":\"" ISSUER "\",\"eat_nonce\":\"6e6f6e63652D6f662d6f757273\"," TIMES REST, NULL},
        {"{\"iss\":\"" ISSUER "\",\"eat_nonce\":\"6e6f6e63652d6f662d6f757274\"," TIMES REST,
         "nonce.fresh"},
        {"{\"iss\":\"" ISSUER "\",\"eat_nonce\":\"6e6f6e63652d6f662d6f7572\"," TIMES REST,
         "nonce.fresh"},
        {"{\"iss\":\"" ISSUER "\",\"eat_nonce\":7," TIMES REST, "gcs.claims"},
        {IDENTITY "\"iat\":1760000001,\"nbf\":1760000000,\"exp\":1760003600," REST, "gcs.time"},
        {IDENTITY "\"iat\":1760000000,\"nbf\":1760000001,\"exp\":1760003600," REST, "gcs.time"},
        {IDENTITY "\"iat\":1760000000,\"nbf\":1760000000,\"exp\":1760000000," REST, "gcs.time"},
        {IDENTITY "\"iat\":1760000000,\"nbf\":1760000000,\"exp\":1760000001," REST, NULL},
        {IDENTITY "\"iat\":1760000000,\"nbf\":1760000000," REST, "gcs.time"},
        {IDENTITY "\"iat\":1760000000,\"exp\":1760003600," REST, "gcs.time"},
        {IDENTITY "\"nbf\":1760000000,\"exp\":1760003600," REST, "gcs.time"},
        {IDENTITY "\"iat\":1760000000,\"nbf\":1760000000,\"exp\":\"1760003600\"," REST, "gcs.time"},
        {IDENTITY "\"iat\":1760000000,\"nbf\":1760000000,\"exp\":1.8e9," REST, "gcs.time"},
        {IDENTITY "\"iat\":-1,\"nbf\":1760000000,\"exp\":1760003600," REST, "gcs.time"},
        {IDENTITY "\"iat\":1760000000,\"nbf\":1760000000,\"exp\":18446744073709551615," REST,
         "gcs.time"},
        {IDENTITY TIMES "\"swname\":1," REST, "gcs.framing"}, /* a name twice */
        {IDENTITY TIMES "\"attester_tcb\":\"INTEL\"," REST, "gcs.claims"},
        {"[]", "gcs.framing"},
        {"{}", "gcs.issuer"},
    };
    static struct token token;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        token = (struct token){.payload = rows[i].payload};
        expect(&token, NULL, rows[i].id == NULL ? CSV_VALID : CSV_INVALID,
               rows[i].id == NULL ? "gcs.claims" : rows[i].id,
               rows[i].id == NULL ? CSV_PASSED : CSV_FAILED);
    }
    printf("# %zu payloads\n", sizeof rows / sizeof rows[0]);
}

/* ---- policy ---- */

#define LINES                                                                                      \
    "audiences = [\"me\"]\nimage_digests = [\"sha256:00\"]\nhwmodels = [\"GCP_INTEL_TDX\"]\n"      \
    "tcb_statuses = [\"UpToDate\"]\nswnames = [\"CONFIDENTIAL_SPACE\"]\n"                          \
    "minimum_swversion = 250800\n"

static void expect_lines(const char *lines, const char *payload, const char *id)
{
    static struct token token;
    static char whole[8192];
    snprintf(whole, sizeof whole, "formats = [\"gcs-jwt\"]\n[gcs-jwt]\n%s", lines);
    struct csv_policy *policy = table_policy(whole);
    token = (struct token){.payload = payload};
    expect(&token, policy, id == NULL ? CSV_VALID : CSV_INVALID, id == NULL ? "gcs.image" : id,
           id == NULL ? CSV_PASSED : CSV_FAILED);
    csv_policy_free(policy);
}

/* Without any one of the lines that a policy must have, or with another value, nothing passes. */
static void needed_lines(void **state)
{
    (void)state;
    static const char *const ids[] = {"gcs.audience",   "gcs.image",  "gcs.hwmodel",
                                      "gcs.tcb-status", "gcs.swname", "gcs.swversion"};
    expect_lines(LINES, NULL, NULL);
    for (size_t i = 0; i < 6; i++) {
        char lines[] = LINES;
        char *line = lines;
        for (size_t j = 0; j < i; j++) {
            line = strchr(line, '\n') + 1;
        }
        char *end = strchr(line, '\n');
        end[-3] ^= 1; /* of the value */
        if (i == 5) {
            memcpy(end - 6, "250801", 6);
        }
        expect_lines(lines, NULL, ids[i]);
        memset(line, ' ', (size_t)(end - line));
        expect_lines(lines, NULL, ids[i]);
    }
}

static void other_lines(void **state)
{
    (void)state;
    static const struct {
        const char *line;
        const char *id;
    } rows[] = {
        {"debug = \"forbidden\"\n", NULL},
        {"debug = \"required\"\n", "gcs.debug"},
        {"secboot = \"forbidden\"\n", "gcs.secboot"},
        {"support_stable = \"forbidden\"\n", "gcs.support"},
        {"support_usable = \"forbidden\"\n", "gcs.support"},
        {"support_latest = \"required\"\n", NULL},
        {"support_latest = \"forbidden\"\n", "gcs.support"},
        {"support_other = \"required\"\n", "gcs.support"},
        {"service_accounts = [\"a@b\", \"c@d\"]\n", NULL},
        {"service_accounts = [\"c@d\"]\n", "gcs.service-account"},
        {"project_ids = [\"p\"]\nzones = [\"z\"]\ninstance_ids = [\"7\"]\n", NULL},
        {"project_ids = [\"q\"]\n", "gcs.machine"},
        {"zones = [\"y\"]\n", "gcs.machine"},
        {"instance_ids = [\"8\"]\n", "gcs.machine"},
        {"image_references = [\"r\"]\n", NULL},
        {"image_references = [\"s\"]\n", "gcs.image"},
        {"cmd_overrides = [\"x\"]\nenv_overrides = [\"A=b\"]\n", NULL},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char lines[1024];
        snprintf(lines, sizeof lines, LINES "%s", rows[i].line);
        expect_lines(lines, NULL, rows[i].id);
        for (size_t j = i + 1; j < sizeof rows / sizeof rows[0]; j++) {
            char key[24];
            snprintf(key, sizeof key, "%.*s", (int)strcspn(rows[j].line, " "), rows[j].line);
            if (strstr(rows[i].line, key) == NULL) { /* not the same key twice */
                snprintf(lines, sizeof lines, LINES "%s%s", rows[i].line, rows[j].line);
                expect_lines(lines, NULL, rows[i].id != NULL ? rows[i].id : rows[j].id);
            }
        }
    }
}

/* Machines that a policy's silence refuses. */
static void bad_machines(void **state)
{
    (void)state;
    static const struct {
        const char *find;
        const char *replace;
        const char *id;
    } rows[] = {
        {"disabled-since-boot", "enabled", "gcs.debug"},
        {"\"dbgstat\":\"disabled-since-boot\",", "", "gcs.debug"},
        {"\"secboot\":true", "\"secboot\":false", "gcs.secboot"},
        {"\"secboot\":true", "\"secboot\":\"true\"", "gcs.secboot"},
        {"\"secboot\":true,", "", "gcs.secboot"},
        {"\"hwmodel\":\"GCP_INTEL_TDX\",", "", "gcs.hwmodel"},
        {"GCP_INTEL_TDX", "GCP_SHIELDED_VM", "gcs.hwmodel"},
        {"UpToDate", "OutOfDate", "gcs.tcb-status"},
        {"\"swname\":\"CONFIDENTIAL_SPACE\",", "", "gcs.swname"},
        {"\"swversion\":[\"250800\"],", "", "gcs.swversion"},
        {"[\"250800\"]", "[\"1\",\"250800\"]", "gcs.swversion"},
        {"[\"250800\"]", "[\"new\"]", "gcs.swversion"},
        {"[\"250800\"]", "[]", "gcs.swversion"},
        {"\"STABLE\",", "", "gcs.support"},
        {",\"USABLE\"", "", "gcs.support"},
        {"\"LATEST\"", "\"EXPERIMENTAL\"", "gcs.support"},
        {"\"LATEST\",", "", NULL},
        {"\"image_digest\":\"sha256:00\",", "", "gcs.image"},
        {"sha256:00", "sha256:01", "gcs.image"},
        {"\"aud\":\"me\"", "\"aud\":[\"me\"]", NULL},
        {"\"aud\":\"me\"", "\"aud\":[\"me\",\"you\"]", "gcs.audience"},
        {"\"aud\":\"me\",", "", "gcs.audience"},
        {"\"image_reference\":\"r\"", "\"cmd_override\":[\"--x\"]", "gcs.override"},
        {"\"image_reference\":\"r\"", "\"cmd_override\":[]", NULL},
        {"\"image_reference\":\"r\"", "\"env_override\":{\"A\":\"b\"}", "gcs.override"},
    };
    static char payload[8192];
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const char *found = strstr(usual_payload, rows[i].find);
        assert_non_null(found);
        snprintf(payload, sizeof payload, "%.*s%s%s", (int)(found - usual_payload), usual_payload,
                 rows[i].replace, found + strlen(rows[i].find));
        expect_lines(LINES, payload, rows[i].id);
    }
    /* what the operator overrode, listed */
    const char *found = strstr(usual_payload, "\"image_reference\"");
    snprintf(payload, sizeof payload, "%.*s\"env_override\":{\"A\":\"b\\n\"},%s",
             (int)(found - usual_payload), usual_payload, found);
    expect_lines(LINES "env_overrides = ['A=b\\x0a']\n", payload, NULL);
}

/* A claim that is not there must not slip past a policy that says nothing of it. */
static void absent_and_silent(void **state)
{
    (void)state;
    static const struct {
        const char *claim;
        const char *line;
        const char *id;
    } rows[] = {
        {"\"aud\":\"me\",", "audiences", "gcs.audience"},
        {"\"hwmodel\":\"GCP_INTEL_TDX\",", "hwmodels", "gcs.hwmodel"},
        {"\"swname\":\"CONFIDENTIAL_SPACE\",", "swnames", "gcs.swname"},
        {"\"swversion\":[\"250800\"],", "minimum_swversion", "gcs.swversion"},
        {"\"image_digest\":\"sha256:00\",", "image_digests", "gcs.image"},
    };
    static char payload[8192];
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char lines[] = LINES;
        const char *found = strstr(usual_payload, rows[i].claim);
        snprintf(payload, sizeof payload, "%.*s%s", (int)(found - usual_payload), usual_payload,
                 found + strlen(rows[i].claim));
        *strstr(lines, rows[i].line) = '#';
        expect_lines(lines, payload, rows[i].id);
    }
}

/* Texts of whoever made the token cannot add lines to the policy that is written from it. */
static void hostile_texts(void **state)
{
    (void)state;
    static struct token token;
    static char payload[8192];
    size_t size = 0;
    const char *found = strstr(usual_payload, "sha256:00");
    snprintf(payload, sizeof payload, "%.*s\\\"]\\ndebug = \\\"any\\\" \\\\ \\u00e9%s",
             (int)(found - usual_payload), usual_payload, found + 9);
    token = (struct token){.payload = payload};
    struct csv_verdict *verdict =
        vtpm_expect(table_any, made_input(&token), CSV_FORMAT_GCS_JWT, CSV_VALID, NULL, 0);
    assert_string_equal(csv_verdict_claim(verdict, "image_digest"),
                        "\"]\\x0adebug = \"any\" \\ \\xc3\\xa9");
    assert_int_equal(csv_policy_init(verdict, true, text, sizeof text, &size), CSN_OK);
    csv_verdict_free(verdict);
    struct csv_policy *policy = table_policy(text);
    expect(&token, policy, CSV_VALID, "gcs.image", CSV_PASSED);
    csv_policy_free(policy);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(published),
        cmocka_unit_test(bits),
        cmocka_unit_test(made),
        cmocka_unit_test(headers),
        cmocka_unit_test(forms),
        cmocka_unit_test(payloads),
        cmocka_unit_test(needed_lines),
        cmocka_unit_test(other_lines),
        cmocka_unit_test(bad_machines),
        cmocka_unit_test(hostile_texts),
        cmocka_unit_test(absent_and_silent),
    };
    step = argc > 1 ? strtoul(argv[1], NULL, 10) : step;
    if (table_skip()) {
        return 0;
    }
    return cmocka_run_group_tests(tests, table_start, vtpm_rig_stop);
}
