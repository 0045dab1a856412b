/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_cca.c: Arm CCA tokens: published ones, and tokens of our own, among them those whose two
 * halves verify and do not belong together. Usage: test_cca [published]
 */
#include "cose_rig.h"
#include "table.h"
#include <openssl/core_names.h>
#include <stdio.h>

/* ---- published tokens ---- */

/* key: a file of the folder; NULL: none. */
static csn_err appraise_file(const char *name, const char *key, const struct csv_policy *policy,
                             const uint8_t challenge[64], struct csv_verdict **verdict)
{
    char path[256];
    struct csv_input *input;
    assert_int_equal(csv_input_create(&input), CSN_OK);
    snprintf(path, sizeof path, "cca/%s", name);
    table_add(input, CSV_PART_EVIDENCE, path);
    if (key != NULL) {
        snprintf(path, sizeof path, "cca/%s", key);
        table_add(input, CSV_PART_AK, path);
    }
    assert_int_equal(csv_input_set_nonce(input, challenge, 64), CSN_OK);
    csn_err result = csv_appraise(policy, input, CSV_FORMAT_CCA, verdict);
    csv_input_free(input);
    table_forget();
    return result;
}

static void challenge_of(const char *fields, uint8_t challenge[64])
{
    char text[160];
    assert_true(table_field(fields, "realm_challenge", text, sizeof text));
    for (size_t i = 0; i < 64; i++) {
        unsigned value;
        assert_int_equal(sscanf(text + 2 * i, "%2x", &value), 1);
        challenge[i] = (uint8_t)value;
    }
}

static void expect_file(const char *name, const char *key, const uint8_t challenge[64],
                        csn_err expected, const char *id, uint32_t outcome)
{
    struct csv_policy *any;
    struct csv_verdict *verdict = NULL;
    assert_int_equal(csv_policy_create_insecure_any(&any), CSN_OK);
    csn_err result = appraise_file(name, key, any, challenge, &verdict);
    if (result != expected || (id != NULL && table_finding(verdict, id, outcome) == NULL)) {
        table_explain(verdict);
        fail_msg("%s: %d, expected %d", name, result, expected);
    }
    csv_verdict_free(verdict);
    csv_policy_free(any);
}

static void published(void **state)
{
    (void)state;
    static const char *const ignored[] = {"platform_key", NULL};
    struct table table = table_read("cca/SOURCES.tsv");
    struct csv_policy *any;
    size_t tokens = 0;
    size_t compared = 0;
    assert_int_equal(csv_policy_create_insecure_any(&any), CSN_OK);
    for (size_t row = 0; row < table_rows(&table); row++) {
        const char *name = table_cell(&table, row, "file");
        const char *fields = table_cell(&table, row, "expected_fields");
        struct csv_verdict *verdict = NULL;
        uint8_t challenge[64];
        char key[64];
        if (strstr(name, ".cbor") == NULL) {
            continue;
        }
        assert_true(table_field(fields, "platform_key", key, sizeof key));
        challenge_of(fields, challenge);
        csn_err result = appraise_file(name, key, any, challenge, &verdict);
        if (result != CSN_OK) {
            table_explain(verdict);
            fail_msg("%s: %d", name, result);
        }
        compared += table_compare(verdict, fields, ignored);
        tokens++;
        csv_verdict_free(verdict);
        bool first = strcmp(key, "cpak.pub.pem") == 0;
        expect_file(name, first ? "ta-02.pub.pem" : "cpak.pub.pem", challenge, CSN_ERR_EVIDENCE,
                    "cca.platform-signature", CSV_FAILED);
        expect_file(name, NULL, challenge, CSN_ERR_UNVERIFIED, "cca.platform-key", CSV_MISSING);
        challenge[63] ^= 1;
        expect_file(name, key, challenge, CSN_ERR_EVIDENCE, "nonce.fresh", CSV_FAILED);
    }
    printf("# %zu tokens, %zu fields\n", tokens, compared);
    assert_true(tokens == 3 && compared >= 50);
    csv_policy_free(any);
    table_free(&table);
}

/* 32 bytes of base64url behind "NAME": ". */
static void coordinate(const char *json, const char *name, uint8_t *target)
{
    char text[64] = "";
    uint8_t bytes[48];
    char label[16];
    snprintf(label, sizeof label, "\"%s\": \"", name);
    const char *at = strstr(json, label);
    assert_non_null(at);
    memcpy(text, at + strlen(label), 43);
    text[43] = '=';
    for (char *c = text; *c != 0; c++) {
        *c = *c == '-' ? '+' : *c == '_' ? '/' : *c;
    }
    assert_int_equal(EVP_DecodeBlock(bytes, (const uint8_t *)text, 44), 33);
    memcpy(target, bytes, 32);
}

/* The published key whose point is not on P-256, as the PEM that a relying party would give. */
static void key_off_its_curve(void **state)
{
    (void)state;
    static const uint8_t head[] = {0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48,
                                   0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48,
                                   0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00, 0x04};
    uint8_t der[sizeof head + 64];
    char pem[256] = "-----BEGIN PUBLIC KEY-----\n";
    struct table_file file = table_file("cca/ta-02-bad.json");
    assert_non_null(file.bytes);
    memcpy(der, head, sizeof head);
    coordinate((const char *)file.bytes, "x", der + sizeof head);
    coordinate((const char *)file.bytes, "y", der + sizeof head + 32);
    EVP_EncodeBlock((uint8_t *)pem + strlen(pem), der, sizeof der);
    strcat(pem, "\n-----END PUBLIC KEY-----\n");
    struct csv_input *input;
    struct csv_policy *any;
    struct csv_verdict *verdict = NULL;
    assert_int_equal(csv_policy_create_insecure_any(&any), CSN_OK);
    const void *keys[] = {pem, file.bytes}; /* and the file as it is: not a PEM key at all */
    const size_t sizes[] = {strlen(pem), file.size};
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(csv_input_create(&input), CSN_OK);
        table_add(input, CSV_PART_EVIDENCE, "cca/token-02.cbor");
        assert_int_equal(csv_input_add(input, CSV_PART_AK, NULL, keys[i], sizes[i]), CSN_OK);
        assert_int_equal(csv_appraise(any, input, CSV_FORMAT_CCA, &verdict), CSN_ERR_EVIDENCE);
        assert_non_null(table_finding(verdict, "cca.platform-key", CSV_FAILED));
        csv_verdict_free(verdict);
        csv_input_free(input);
        table_forget();
    }
    csv_policy_free(any);
    free(file.bytes);
}

/* ---- tokens of our own ---- */

struct token {
    EVP_PKEY *platform_key;
    EVP_PKEY *realm_key;
    EVP_PKEY *realm_signer; /* NULL: realm_key */
    EVP_PKEY *bound_key;    /* whose digest the platform signs; NULL: realm_key */
    unsigned bound_size;    /* bytes of the digest that the platform signs; 0: all */
    int64_t platform_algorithm;
    bool modern;                  /* the 2023 profile: RAK as a COSE_Key */
    bool mixed;                   /* with the older platform profile */
    const char *platform_profile; /* NULL: the right one */
    const char *rak_hash;
    const char *realm_hash;
    uint64_t lifecycle;
    size_t rak_flip; /* 0: none; else this bit of the RAK, counted from the end */
    size_t rak_cut;  /* bytes left out at the end */
    int64_t rak_curve;
    size_t instance_size;
    uint8_t instance_first;
    size_t challenge_size;
    size_t rem_count;
    uint8_t rem[5];
    uint8_t rpv;
    uint64_t tag;
    bool third; /* another member in the outer map */
    bool no_components;
    const char *unsigned_header; /* of the platform half */
};

static struct token fresh_token;
static EVP_PKEY *other_key;

static int make(void **state)
{
    (void)state;
    other_key = made_key("P-384");
    fresh_token = (struct token){.platform_key = made_key("P-384"),
                                 .realm_key = made_key("P-384"),
                                 .platform_algorithm = -35,
                                 .rak_hash = "sha-256",
                                 .realm_hash = "sha-512",
                                 .lifecycle = 0x3003,
                                 .rak_curve = 2,
                                 .instance_size = 33,
                                 .instance_first = 1,
                                 .challenge_size = 64,
                                 .rem_count = 4,
                                 .tag = 399};
    return 0;
}

static int unmake(void **state)
{
    (void)state;
    EVP_PKEY_free(other_key);
    EVP_PKEY_free(fresh_token.platform_key);
    EVP_PKEY_free(fresh_token.realm_key);
    return 0;
}

/* The RAK claim: a point, or a COSE_Key. */
static void make_rak(struct made *rak, const struct token *token, EVP_PKEY *key)
{
    uint8_t point[133];
    size_t size = 0;
    assert_int_equal(
        EVP_PKEY_get_octet_string_param(key, OSSL_PKEY_PARAM_PUB_KEY, point, sizeof point, &size),
        1);
    if (token->modern) {
        size_t half = (size - 1) / 2;
        made_head(rak, MADE_MAP, 4);
        made_int(rak, 1);
        made_int(rak, 2);
        made_int(rak, -1);
        made_int(rak, token->rak_curve);
        made_int(rak, -2);
        made_bytes(rak, point + 1, half);
        made_int(rak, -3);
        made_bytes(rak, point + 1 + half, half);
    } else {
        made_raw(rak, point, size);
    }
    if (token->rak_flip != 0) {
        rak->bytes[rak->size - 1 - token->rak_flip / 8] ^= (uint8_t)(1 << token->rak_flip % 8);
    }
    rak->size -= token->rak_cut;
}

static void add_component(struct made *payload, const char *type)
{
    static const uint8_t measurement[32] = {0xaa};
    static const uint8_t signer[32] = {0xbb};
    made_head(payload, MADE_MAP, 3);
    made_int(payload, 1);
    made_text(payload, type);
    made_int(payload, 2);
    made_bytes(payload, measurement, sizeof measurement);
    made_int(payload, 5);
    made_bytes(payload, signer, sizeof signer);
}

static void make_platform(struct made *message, const struct token *token)
{
    struct made payload = {.size = 0};
    struct made rak = {.size = 0};
    uint8_t digest[64];
    uint8_t bytes[64] = {0};
    unsigned size = 0;
    make_rak(&rak, token, token->bound_key != NULL ? token->bound_key : token->realm_key);
    const EVP_MD *hash = strcmp(token->rak_hash, "sha-512") == 0 ? EVP_sha512() : EVP_sha256();
    assert_int_equal(EVP_Digest(rak.bytes, rak.size, digest, &size, hash, NULL), 1);
    made_head(&payload, MADE_MAP, 8);
    made_int(&payload, 265);
    made_text(&payload, token->platform_profile != NULL  ? token->platform_profile
                        : token->modern && !token->mixed ? "tag:arm.com,2023:cca_platform#1.0.0"
                                                         : "http://arm.com/CCA-SSD/1.0.0");
    made_int(&payload, 10);
    made_bytes(&payload, digest, token->bound_size != 0 ? token->bound_size : size);
    made_int(&payload, 2396);
    bytes[0] = 0x1d;
    made_bytes(&payload, bytes, 32);
    made_int(&payload, 256);
    bytes[0] = token->instance_first;
    made_bytes(&payload, bytes, token->instance_size);
    made_int(&payload, 2401);
    made_bytes(&payload, "\xcf", 1);
    made_int(&payload, 2395);
    made_int(&payload, (int64_t)token->lifecycle);
    made_int(&payload, 2402);
    made_text(&payload, "sha-256");
    made_int(&payload, 2399);
    made_head(&payload, MADE_ARRAY, token->no_components ? 0 : 2);
    if (!token->no_components) {
        add_component(&payload, "BL2");
        add_component(&payload, "RMM");
    }
    const struct sign1 how = {.algorithm = token->platform_algorithm,
                              .key = token->platform_key,
                              .tagged = true,
                              .unprotected = token->unsigned_header};
    made_sign1(message, &how, payload.bytes, payload.size);
}

static void make_realm(struct made *message, const struct token *token)
{
    struct made payload = {.size = 0};
    struct made rak = {.size = 0};
    uint8_t bytes[65] = {0};
    make_rak(&rak, token, token->realm_key);
    made_head(&payload, MADE_MAP, 7 + token->modern);
    if (token->modern) {
        made_int(&payload, 265);
        made_text(&payload, "tag:arm.com,2023:realm#1.0.0");
    }
    made_int(&payload, 10);
    memcpy(bytes, "challenge", 9);
    made_bytes(&payload, bytes, token->challenge_size);
    memset(bytes, 0, sizeof bytes);
    made_int(&payload, 44235);
    bytes[0] = token->rpv;
    made_bytes(&payload, bytes, 64);
    made_int(&payload, 44236);
    made_text(&payload, token->realm_hash);
    made_int(&payload, 44240);
    made_text(&payload, token->rak_hash);
    made_int(&payload, 44237);
    made_bytes(&payload, rak.bytes, rak.size);
    made_int(&payload, 44238);
    bytes[0] = 0x11;
    made_bytes(&payload, bytes, 64);
    made_int(&payload, 44239);
    made_head(&payload, MADE_ARRAY, token->rem_count);
    for (size_t i = 0; i < token->rem_count; i++) {
        bytes[0] = token->rem[i];
        made_bytes(&payload, bytes, 64);
    }
    EVP_PKEY *signer = token->realm_signer != NULL ? token->realm_signer : token->realm_key;
    const int64_t algorithm = EVP_PKEY_get_bits(signer) == 256 ? -7 : -35;
    const struct sign1 how = {.algorithm = algorithm, .key = signer};
    made_sign1(message, &how, payload.bytes, payload.size);
}

static void make_token(struct made *made, const struct token *token)
{
    struct made platform = {.size = 0};
    struct made realm = {.size = 0};
    make_platform(&platform, token);
    make_realm(&realm, token);
    made->size = 0;
    made_head(made, MADE_TAG, token->tag);
    made_head(made, MADE_MAP, 2 + token->third);
    made_int(made, 44234);
    made_bytes(made, platform.bytes, platform.size);
    made_int(made, 44241);
    made_bytes(made, realm.bytes, realm.size);
    if (token->third) {
        made_int(made, 44242);
        made_bytes(made, "log", 3);
    }
}

#define ZEROS31         "00000000000000000000000000000000000000000000000000000000000000"
#define ZEROS63         ZEROS31 "00" ZEROS31
#define COMPONENT(type) "\"" type ":aa" ZEROS31 ":bb" ZEROS31 "\""
static const char fresh_policy[] =
    "version = 1\nformats = [\"cca\"]\n[cca]\n"
    "implementation_ids = [\"1d" ZEROS31 "\"]\n"
    "config = [\"cf\"]\n"
    "sw_components = [" COMPONENT("BL2") "," COMPONENT("RMM") "]\n"
                                                              "rim = [\"11" ZEROS63 "\"]\n";

static csn_err appraise_made(struct made *made, EVP_PKEY *key, const char *policy_text,
                             struct csv_verdict **verdict)
{
    struct csv_input *input;
    struct csv_policy *policy = table_policy(policy_text);
    char pem[512];
    size_t size = made_public_pem(key, pem, sizeof pem);
    assert_int_equal(csv_input_create(&input), CSN_OK);
    assert_int_equal(csv_input_add(input, CSV_PART_EVIDENCE, NULL, made->bytes, made->size),
                     CSN_OK);
    assert_int_equal(csv_input_add(input, CSV_PART_AK, NULL, pem, size), CSN_OK);
    assert_int_equal(csv_input_set_nonce(input, "challenge", 9), CSN_OK);
    csn_err result = csv_appraise(policy, input, CSV_FORMAT_AUTO, verdict);
    csv_input_free(input);
    csv_policy_free(policy);
    return result;
}

static void expect_policy(const struct token *token, const char *policy, const char *id)
{
    struct csv_verdict *verdict = NULL;
    struct made made;
    make_token(&made, token);
    csn_err result = appraise_made(&made, token->platform_key, policy, &verdict);
    bool as_expected =
        id == NULL ? result == CSN_OK
                   : result == CSN_ERR_EVIDENCE && table_finding(verdict, id, CSV_FAILED) != NULL;
    if (!as_expected) {
        table_explain(verdict);
        fail_msg("%d, expected %s", result, id != NULL ? id : "valid");
    }
    csv_verdict_free(verdict);
}

static void expect(const struct token *token, const char *id)
{
    expect_policy(token, fresh_policy, id);
}

/* Both profiles, each platform algorithm, both RAK hashes. */
static void own_token(void **state)
{
    (void)state;
    static const char *const curves[] = {"P-256", "P-384", "P-521"};
    static const int64_t algorithms[] = {-7, -35, -36};
    for (size_t i = 0; i < 12; i++) {
        struct token token = fresh_token;
        token.modern = (i & 1) != 0;
        token.rak_hash = (i & 2) != 0 ? "sha-512" : "sha-256";
        token.platform_key = made_key(curves[i / 4]);
        token.platform_algorithm = algorithms[i / 4];
        expect(&token, NULL);
        token.mixed = true;
        expect(&token, NULL);
        EVP_PKEY_free(token.platform_key);
    }
}

/* Each half by its own key, both signatures valid: the platform vouches for another realm key. */
static void binding(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct token token = fresh_token;
        struct csv_verdict *verdict = NULL;
        struct made made;
        token.modern = i != 0;
        token.bound_key = other_key;
        make_token(&made, &token);
        assert_int_equal(appraise_made(&made, token.platform_key, fresh_policy, &verdict),
                         CSN_ERR_EVIDENCE);
        assert_non_null(table_finding(verdict, "cca.platform-signature", CSV_PASSED));
        assert_non_null(table_finding(verdict, "cca.realm-signature", CSV_PASSED));
        assert_non_null(table_finding(verdict, "cca.binding", CSV_FAILED));
        csv_verdict_free(verdict);
    }
    struct token token = fresh_token;
    token.rak_hash = "sha-512";
    token.bound_size = 32; /* the start of the right digest */
    expect(&token, "cca.binding");
}

static void realm_key(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct token token = fresh_token;
        token.modern = i != 0;
        token.realm_signer = other_key;
        expect(&token, "cca.realm-signature");
        token.realm_signer = NULL;
        token.rak_flip = 3; /* off the curve */
        expect(&token, "cca.realm-key");
        token.rak_flip = 0;
        token.rak_cut = 1;
        expect(&token, "cca.realm-key");
    }
    struct token token = fresh_token;
    token.rak_flip = 96 * 8 + 1; /* the form of the point */
    expect(&token, "cca.realm-key");
    token = fresh_token;
    token.modern = true;
    token.rak_curve = 1;
    expect(&token, "cca.realm-key");
    token = fresh_token;
    token.realm_key = made_key("P-256"); /* consistent, but not a RAK */
    expect(&token, "cca.realm-key");
    token.modern = true;
    token.rak_curve = 1;
    expect(&token, "cca.realm-key");
    EVP_PKEY_free(token.realm_key);
}

static void lifecycle(void **state)
{
    (void)state;
    static const struct {
        uint64_t value;
        const char *id;
    } cases[] = {{0x3000, NULL},
                 {0x30ff, NULL},
                 {0x2fff, "cca.debug"},
                 {0x3100, "cca.debug"},
                 {0x4000, "cca.debug"},
                 {0, "cca.debug"},
                 {0x13000, "cca.platform-claims"}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct token token = fresh_token;
        token.lifecycle = cases[i].value;
        expect(&token, cases[i].id);
    }
}

static void framing(void **state)
{
    (void)state;
    struct token token = fresh_token;
    token.unsigned_header = "signed by nobody";
    expect(&token, "cca.framing");
    token = fresh_token;
    token.third = true;
    expect(&token, "cca.framing");
    struct made made;
    struct csv_verdict *verdict = NULL;
    struct csv_input *input;
    struct csv_policy *policy = table_policy(fresh_policy);
    token = fresh_token;
    token.tag = 398;
    make_token(&made, &token);
    assert_int_equal(csv_input_create(&input), CSN_OK);
    assert_int_equal(csv_input_add(input, CSV_PART_EVIDENCE, NULL, made.bytes, made.size), CSN_OK);
    assert_int_equal(csv_appraise(policy, input, CSV_FORMAT_CCA, &verdict), CSN_ERR_EVIDENCE);
    assert_non_null(table_finding(verdict, "cca.framing", CSV_FAILED));
    csv_verdict_free(verdict);
    csv_policy_free(policy);
    csv_input_free(input);
}

static void claims(void **state)
{
    (void)state;
    struct token token = fresh_token;
    token.platform_profile = "http://arm.com/CCA-SSD/2.0.0";
    expect(&token, "cca.platform-claims");
    token = fresh_token;
    token.instance_size = 32;
    expect(&token, "cca.platform-claims");
    token = fresh_token;
    token.instance_first = 2;
    expect(&token, "cca.platform-claims");
    token = fresh_token;
    token.no_components = true;
    expect(&token, "cca.platform-claims");
    token = fresh_token;
    token.challenge_size = 63;
    expect(&token, "cca.realm-claims");
    token = fresh_token;
    token.realm_hash = "sha-1";
    expect(&token, "cca.realm-claims");
    token = fresh_token;
    token.rem_count = 3;
    expect(&token, "cca.realm-claims");
    token.rem_count = 5;
    expect(&token, "cca.realm-claims");
}

/* Every bit of the token, one in a prime number of them: none may be under no check. */
static void bits(void **state)
{
    (void)state;
    struct made made;
    make_token(&made, &fresh_token);
    for (size_t bit = 0; bit < made.size * 8; bit += 41) {
        struct csv_verdict *verdict = NULL;
        made.bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
        csn_err result = appraise_made(&made, fresh_token.platform_key, fresh_policy, &verdict);
        if (result == CSN_OK) {
            fail_msg("bit %zu of byte %zu is under no check", bit % 8, bit / 8);
        }
        made.bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
        csv_verdict_free(verdict);
    }
    for (size_t size = 0; size < made.size; size += 17) {
        struct csv_verdict *verdict = NULL;
        struct made cut = made;
        cut.size = size;
        assert_int_not_equal(appraise_made(&cut, fresh_token.platform_key, fresh_policy, &verdict),
                             CSN_OK);
        csv_verdict_free(verdict);
    }
}

/* Keys beside the four that must be there. */
static void policy_keys(void **state)
{
    (void)state;
    static const struct {
        const char *good;
        const char *bad;
        const char *id;
    } keys[] = {
        {"instance_ids = [\"01" ZEROS31 "00\"]\n", "instance_ids = [\"01" ZEROS31 "01\"]\n",
         "cca.instance-id"},
        {"lifecycles = [1, 0x3003]\n", "lifecycles = [0x3000]\n", "cca.lifecycle"},
        {"debug = \"forbidden\"\n", "debug = \"required\"\n", "cca.debug"},
        {"rem0 = [\"00" ZEROS63 "\"]\n", "rem0 = [\"01" ZEROS63 "\"]\n", "cca.rem"},
        {"rem1 = [\"00" ZEROS63 "\"]\n", "rem1 = [\"01" ZEROS63 "\"]\n", "cca.rem"},
        {"rem2 = [\"00" ZEROS63 "\"]\n", "rem2 = [\"01" ZEROS63 "\"]\n", "cca.rem"},
        {"rem3 = [\"00" ZEROS63 "\"]\n", "rem3 = [\"01" ZEROS63 "\"]\n", "cca.rem"},
        {"rpv = [\"00" ZEROS63 "\"]\n", "rpv = [\"01" ZEROS63 "\"]\n", "cca.rpv"},
        {"platform_hashes = [\"sha-256\"]\n", "platform_hashes = [\"sha-512\"]\n", "cca.hash"},
        {"realm_hashes = [\"sha-512\"]\n", "realm_hashes = [\"sha-256\"]\n", "cca.hash"},
        {"rak_hashes = [\"sha-256\"]\n", "rak_hashes = [\"sha-512\"]\n", "cca.hash"},
        {"profiles = [\"http://arm.com/CCA-SSD/1.0.0\"]\n",
         "profiles = [\"tag:arm.com,2023:cca_platform#1.0.0\"]\n", "cca.profile"},
        {"realm_profiles = [\"absent\"]\n", "realm_profiles = [\"tag:arm.com,2023:realm#1.0.0\"]\n",
         "cca.profile"},
    };
    const size_t count = sizeof keys / sizeof keys[0];
    char text[4096];
    for (size_t i = 0; i < count; i++) {
        for (size_t k = 0; k < count; k++) {
            snprintf(text, sizeof text, "%s%s%s", fresh_policy, keys[i].good,
                     i != k ? keys[k].good : "");
            expect_policy(&fresh_token, text, NULL);
            snprintf(text, sizeof text, "%s%s%s", fresh_policy, keys[i].bad,
                     i != k ? keys[k].good : "");
            expect_policy(&fresh_token, text, keys[i].id);
        }
    }
}

/* What a policy must say, and what silence refuses. */
static void silence(void **state)
{
    (void)state;
    static const char *const lines[][2] = {{"implementation_ids", "cca.implementation-id"},
                                           {"config", "cca.config"},
                                           {"sw_components", "cca.sw-components"},
                                           {"rim", "cca.rim"}};
    for (size_t i = 0; i < 4; i++) {
        char text[2048];
        snprintf(text, sizeof text, "%s", fresh_policy);
        char *line = strstr(text, lines[i][0]);
        assert_non_null(line);
        line[0] = '#'; /* a comment now */
        expect_policy(&fresh_token, text, lines[i][1]);
    }
    for (size_t i = 0; i < 4; i++) {
        struct token token = fresh_token;
        token.rem[i] = 1;
        expect(&token, "cca.rem");
    }
    struct token token = fresh_token;
    token.rpv = 1;
    expect(&token, "cca.rpv");
}

static void policy_init(void **state)
{
    (void)state;
    struct csv_verdict *verdict = NULL;
    struct made made;
    char text[8192];
    size_t size = 0;
    make_token(&made, &fresh_token);
    assert_int_equal(appraise_made(&made, fresh_token.platform_key, fresh_policy, &verdict),
                     CSN_OK);
    assert_string_equal(csv_verdict_claim(verdict, "sw_components"), "2");
    assert_int_equal(csv_policy_init(verdict, false, text, sizeof text, &size), CSN_OK);
    assert_true(size < sizeof text);
    csv_verdict_free(verdict);
    expect_policy(&fresh_token, text, NULL);
}

int main(int count, char **arguments)
{
    const struct CMUnitTest files[] = {cmocka_unit_test(published),
                                       cmocka_unit_test(key_off_its_curve)};
    const struct CMUnitTest own[] = {
        cmocka_unit_test(own_token),   cmocka_unit_test(binding), cmocka_unit_test(realm_key),
        cmocka_unit_test(lifecycle),   cmocka_unit_test(framing), cmocka_unit_test(claims),
        cmocka_unit_test(bits),        cmocka_unit_test(silence), cmocka_unit_test(policy_keys),
        cmocka_unit_test(policy_init),
    };
    if (count == 1) {
        return cmocka_run_group_tests_name("CCA tokens of our own", own, make, unmake);
    }
    return strcmp(arguments[1], "published") != 0 ? 2
           : table_skip()                         ? 0
                          : cmocka_run_group_tests_name("published CCA tokens", files, NULL, NULL);
}
