/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_nitro.c: AWS Nitro documents: published ones, and documents of our own that no enclave
 * would sign. Usage: test_nitro [bits]
 */
#include "cose_rig.h"
#include "table.h"
#include <stdio.h>

#define BEGIN    INT64_C(1700000000)
#define NOW      (BEGIN + 600)
#define HOUR     3600
#define PCR_SIZE 48

/* ---- published documents ---- */

static const char open_policy[] = "version = 1\nformats = [\"nitro\"]\nnonce = \"unchecked\"\n";

static csn_err appraise_file(const char *name, const struct csv_policy *policy, int64_t time,
                             struct csv_verdict **verdict)
{
    char path[256];
    struct csv_input *input;
    assert_int_equal(csv_input_create(&input), CSN_OK);
    snprintf(path, sizeof path, "nitro/%s", name);
    table_add(input, CSV_PART_EVIDENCE, path);
    if (time != 0) {
        csv_input_set_time(input, time);
    }
    csn_err result = csv_appraise(policy, input, CSV_FORMAT_NITRO, verdict);
    csv_input_free(input);
    table_forget();
    return result;
}

/* A policy that lists the first three registers of a row of the table. */
static struct csv_policy *policy_of(const char *fields, const char *more)
{
    char text[2048];
    char values[3][256];
    const char *const names[] = {"pcr0", "pcr1", "pcr2"};
    for (size_t i = 0; i < 3; i++) {
        assert_true(table_field(fields, names[i], values[i], sizeof values[i]));
    }
    snprintf(text, sizeof text,
             "%s[nitro]\npcrs.0 = [\"%s\"]\npcrs.1 = [\"%s\"]\npcrs.2 = [\"%s\"]\n%s", open_policy,
             values[0], values[1], values[2], more);
    return table_policy(text);
}

static bool is_document(const char *name)
{
    const char *dot = strrchr(name, '.');
    return dot != NULL && strcmp(dot, ".cose") == 0;
}

/* Structure and cryptography alone: the fields, at the document's own time. */
static void published_fields(void **state)
{
    (void)state;
    struct table table = table_read("nitro/SOURCES.tsv");
    struct csv_policy *any;
    size_t documents = 0;
    size_t compared = 0;
    assert_int_equal(csv_policy_create_insecure_any(&any), CSN_OK);
    for (size_t row = 0; row < table_rows(&table); row++) {
        const char *name = table_cell(&table, row, "file");
        const char *fields = table_cell(&table, row, "expected_fields");
        struct csv_verdict *verdict = NULL;
        char time[32];
        if (!is_document(name)) {
            continue;
        }
        assert_true(table_field(fields, "timestamp", time, sizeof time));
        csn_err result = appraise_file(name, any, table_time(time), &verdict);
        bool tampered = strncmp(name, "bad/", 4) == 0;
        if ((result == CSN_OK) == tampered) {
            table_explain(verdict);
            fail_msg("%s: %d", name, result);
        }
        assert_int_equal(table_finding(verdict, "nitro.signature", CSV_FAILED) != NULL, tampered);
        compared += table_compare(verdict, fields, NULL);
        documents++;
        csv_verdict_free(verdict);
    }
    printf("# %zu documents, %zu fields\n", documents, compared);
    assert_true(documents >= 7 && compared >= 100);
    csv_policy_free(any);
    table_free(&table);
}

static void expect_file(const char *name, const struct csv_policy *policy, int64_t time,
                        csn_err expected, const char *id, uint32_t outcome)
{
    struct csv_verdict *verdict = NULL;
    csn_err result = appraise_file(name, policy, time, &verdict);
    if (result != expected || (id != NULL && table_finding(verdict, id, outcome) == NULL)) {
        table_explain(verdict);
        fail_msg("%s: %d, expected %d and %s", name, result, expected, id != NULL ? id : "nothing");
    }
    csv_verdict_free(verdict);
}

/* The verdicts of the table, under a policy; the same a day later, and without a clock. */
static void published_verdicts(void **state)
{
    (void)state;
    struct table table = table_read("nitro/SOURCES.tsv");
    size_t counts[2] = {0};
    for (size_t row = 0; row < table_rows(&table); row++) {
        const char *name = table_cell(&table, row, "file");
        const char *fields = table_cell(&table, row, "expected_fields");
        char text[32];
        char debug[8];
        if (!is_document(name) || strncmp(name, "bad/", 4) == 0) {
            continue;
        }
        assert_true(table_field(fields, "timestamp", text, sizeof text));
        assert_true(table_field(fields, "debug", debug, sizeof debug));
        int64_t time = table_time(text);
        bool is_debug = strcmp(debug, "1") == 0;
        struct csv_policy *strict = policy_of(fields, "");
        struct csv_policy *lax = policy_of(fields, "debug = \"any\"\nmax_age = 60\n");
        expect_file(name, strict, time, is_debug ? CSN_ERR_EVIDENCE : CSN_OK, "nitro.debug",
                    is_debug ? CSV_FAILED : CSV_PASSED);
        expect_file(name, lax, time + 60, CSN_OK, NULL, 0);
        expect_file(name, lax, time + 61, CSN_ERR_EVIDENCE, "nitro.age", CSV_FAILED);
        expect_file(name, lax, time - 61, CSN_ERR_EVIDENCE, "nitro.age", CSV_FAILED);
        expect_file(name, lax, time + 24 * HOUR, CSN_ERR_EVIDENCE, "nitro.chain", CSV_FAILED);
        expect_file(name, lax, time - 24 * HOUR, CSN_ERR_EVIDENCE, "nitro.chain", CSV_FAILED);
        expect_file(name, lax, 0, CSN_ERR_UNVERIFIED, "time.given", CSV_MISSING);
        counts[is_debug]++;
        csv_policy_free(strict);
        csv_policy_free(lax);
    }
    printf("# %zu release and %zu debug documents\n", counts[0], counts[1]);
    assert_true(counts[0] == 3 && counts[1] == 3);
    table_free(&table);
}

/* Each bit (or each of a stride) of a document that is accepted. */
static void each_bit_counts(size_t stride)
{
    struct table table = table_read("nitro/SOURCES.tsv");
    const char *name = "nautilus-2025-04-15-weather.cose";
    const char *fields = table_cell(&table, table_find(&table, name), "expected_fields");
    struct csv_policy *policy = policy_of(fields, "");
    struct table_file file = table_file("nitro/nautilus-2025-04-15-weather.cose");
    size_t bits = 0;
    for (size_t bit = 0; bit <= file.size * 8; bit += stride) {
        struct csv_verdict *verdict = NULL;
        struct csv_input *input;
        bool whole = bit == 0;
        size_t at = whole ? 0 : bit - 1;
        assert_int_equal(csv_input_create(&input), CSN_OK);
        csv_input_set_time(input, table_time("2025-04-15T02:25:23Z"));
        file.bytes[at / 8] ^= (uint8_t)(whole ? 0 : 1 << at % 8);
        assert_int_equal(csv_input_add(input, CSV_PART_EVIDENCE, NULL, file.bytes, file.size),
                         CSN_OK);
        csn_err result = csv_appraise(policy, input, CSV_FORMAT_NITRO, &verdict);
        if (result != (whole ? CSN_OK : CSN_ERR_EVIDENCE)) {
            fail_msg("bit %zu of byte %zu: %d", at % 8, at / 8, result);
        }
        file.bytes[at / 8] ^= (uint8_t)(whole ? 0 : 1 << at % 8);
        csv_verdict_free(verdict);
        csv_input_free(input);
        bits += !whole;
    }
    printf("# %zu bits, all refused\n", bits);
    csv_policy_free(policy);
    free(file.bytes);
    table_free(&table);
}

static void all_bits(void **state)
{
    (void)state;
    each_bit_counts(1);
}

static void some_bits(void **state)
{
    (void)state;
    each_bit_counts(61); /* prime: each bit of a byte comes up */
}

/* ---- documents of our own ---- */

struct pki {
    EVP_PKEY *keys[4]; /* root, two between, leaf */
    X509 *certs[4];
};

struct document {
    struct pki *pki;
    size_t order[4]; /* of cabundle, in certs */
    size_t order_count;
    X509 *leaf;
    const char *module_id;
    const char *digest;
    int64_t timestamp_ms;
    uint64_t pcr_mask; /* bit per register; bit 32: a register 32 */
    size_t pcr_size;
    uint8_t pcr[32];   /* first byte of each register */
    const char *nonce; /* NULL: null */
    size_t user_data_size;
    const char *twice; /* a field that comes a second time */
    struct sign1 sign;
};

static struct pki pki;
static struct document fresh_document;

static const char fresh_policy[] =
    "version = 1\nformats = [\"nitro\"]\n[nitro]\n"
    "pcrs.0 = [\"0100000000000000000000000000000000000000000000000000000000000000000000000000000000"
    "00000000000000\"]\n"
    "pcrs.1 = [\"0200000000000000000000000000000000000000000000000000000000000000000000000000000000"
    "00000000000000\"]\n"
    "pcrs.2 = [\"0300000000000000000000000000000000000000000000000000000000000000000000000000000000"
    "00000000000000\"]\n";

static X509 *certify(struct pki *made, size_t index, const char *constraints, const char *usage)
{
    static const char *const names[] = {"root", "region", "instance", "leaf"};
    struct made_cert how = {.name = names[index],
                            .key = made->keys[index],
                            .issuer = index != 0 ? made->certs[index - 1] : NULL,
                            .issuer_key = index != 0 ? made->keys[index - 1] : NULL,
                            .begin = BEGIN - 1000,
                            .end = BEGIN + 3 * HOUR,
                            .constraints = constraints,
                            .usage = usage};
    return made_certificate(&how);
}

static int make(void **state)
{
    (void)state;
    for (size_t i = 0; i < 4; i++) {
        pki.keys[i] = made_key("P-384");
        pki.certs[i] = certify(&pki, i, i < 3 ? "critical,CA:TRUE" : NULL,
                               i < 3 ? "critical,keyCertSign" : "critical,digitalSignature");
    }
    fresh_document = (struct document){.pki = &pki,
                                       .order = {0, 1, 2},
                                       .order_count = 3,
                                       .leaf = pki.certs[3],
                                       .module_id = "i-0123-enc4567",
                                       .digest = "SHA384",
                                       .timestamp_ms = BEGIN * 1000 + 123,
                                       .pcr_mask = 0x11f,
                                       .pcr_size = PCR_SIZE,
                                       .pcr = {1, 2, 3, 4, 5},
                                       .nonce = "a nonce",
                                       .user_data_size = 5,
                                       .sign = {.algorithm = -35, .key = pki.keys[3]}};
    return 0;
}

static int unmake(void **state)
{
    (void)state;
    for (size_t i = 0; i < 4; i++) {
        EVP_PKEY_free(pki.keys[i]);
        X509_free(pki.certs[i]);
    }
    return 0;
}

static void add_pcrs(struct made *made, const struct document *document)
{
    uint8_t value[128] = {0};
    size_t count = 0;
    for (size_t i = 0; i <= 32; i++) {
        count += document->pcr_mask >> i & 1;
    }
    made_text(made, "pcrs");
    made_head(made, MADE_MAP, count);
    for (size_t i = 0; i <= 32; i++) {
        if ((document->pcr_mask >> i & 1) != 0) {
            value[0] = i < 32 ? document->pcr[i] : 0;
            made_int(made, (int64_t)i);
            made_bytes(made, value, document->pcr_size);
        }
    }
}

static void add_optional(struct made *made, const struct document *document)
{
    static const uint8_t user_data[2048] = {'h', 'e', 'l', 'l', 'o'};
    made_text(made, "public_key");
    made_bytes(made, "key", 3);
    made_text(made, "user_data");
    made_bytes(made, user_data, document->user_data_size);
    made_text(made, "nonce");
    if (document->nonce != NULL) {
        made_bytes(made, document->nonce, strlen(document->nonce));
    } else {
        made_raw(made, "\xf6", 1);
    }
}

static void make_document(struct made *made, const struct document *document)
{
    struct made payload = {.size = 0};
    made_head(&payload, MADE_MAP, 9 + (document->twice != NULL));
    made_text(&payload, "module_id");
    made_text(&payload, document->module_id);
    made_text(&payload, "digest");
    made_text(&payload, document->digest);
    made_text(&payload, "timestamp");
    made_int(&payload, document->timestamp_ms);
    add_pcrs(&payload, document);
    made_text(&payload, "certificate");
    made_add_certificate(&payload, document->leaf);
    made_text(&payload, "cabundle");
    made_head(&payload, MADE_ARRAY, document->order_count);
    for (size_t i = 0; i < document->order_count; i++) {
        made_add_certificate(&payload, document->pki->certs[document->order[i]]);
    }
    add_optional(&payload, document);
    if (document->twice != NULL) {
        made_text(&payload, document->twice);
        made_text(&payload, "another");
    }
    made->size = 0;
    made_sign1(made, &document->sign, payload.bytes, payload.size);
}

/* policy_text NULL: any. */
static csn_err appraise_at(const struct document *document, const char *policy_text, int64_t time,
                           struct csv_verdict **verdict)
{
    struct made made;
    struct csv_input *input;
    struct csv_policy *policy = NULL;
    if (policy_text != NULL) {
        policy = table_policy(policy_text);
    } else {
        assert_int_equal(csv_policy_create_insecure_any(&policy), CSN_OK);
    }
    make_document(&made, document);
    assert_int_equal(csv_input_create(&input), CSN_OK);
    assert_int_equal(csv_input_add(input, CSV_PART_EVIDENCE, NULL, made.bytes, made.size), CSN_OK);
    assert_int_equal(csv_input_set_nonce(input, "a nonce", 7), CSN_OK);
    csv_input_set_time(input, time);
    made_root(input, document->pki->certs[0]);
    csn_err result = csv_appraise(policy, input, CSV_FORMAT_AUTO, verdict);
    csv_input_free(input);
    csv_policy_free(policy);
    return result;
}

/* Refused under this id, or valid where it is NULL. */
static void expect(const struct document *document, const char *policy, const char *id)
{
    struct csv_verdict *verdict = NULL;
    csn_err result = appraise_at(document, policy, NOW, &verdict);
    bool as_expected =
        id == NULL ? result == CSN_OK
                   : result == CSN_ERR_EVIDENCE && table_finding(verdict, id, CSV_FAILED) != NULL;
    if (!as_expected) {
        table_explain(verdict);
        fail_msg("%d, expected %s", result, id != NULL ? id : "valid");
    }
    csv_verdict_free(verdict);
}

static void own_document(void **state)
{
    (void)state;
    struct document document = fresh_document;
    struct csv_verdict *verdict = NULL;
    expect(&document, fresh_policy, NULL);
    document.sign.tagged = true;
    assert_int_equal(appraise_at(&document, fresh_policy, NOW, &verdict), CSN_OK);
    assert_string_equal(csv_verdict_claim(verdict, "cose_tag"), "18");
    assert_string_equal(csv_verdict_claim(verdict, "timestamp"),
                        "2023-11-14T22:13:20.123000+00:00");
    assert_string_equal(csv_verdict_claim(verdict, "nonce"), "61206e6f6e6365");
    assert_null(csv_verdict_claim(verdict, "nonce_bytes"));
    csv_verdict_free(verdict);
}

static void framing(void **state)
{
    (void)state;
    struct document document = fresh_document;
    document.sign.unprotected = "signed by nobody";
    expect(&document, fresh_policy, "nitro.framing");
    document = fresh_document;
    document.sign.der = true;
    expect(&document, fresh_policy, "nitro.signature");
    document = fresh_document;
    document.sign.key = pki.keys[2]; /* an issuer's key is not the leaf's */
    expect(&document, fresh_policy, "nitro.signature");
}

/* A leaf on another curve, and its algorithm: consistent, but not what an NSM does. */
static void algorithm(void **state)
{
    (void)state;
    struct document document = fresh_document;
    struct pki other = pki;
    other.keys[3] = made_key("P-256");
    document.leaf = certify(&other, 3, NULL, NULL);
    document.sign = (struct sign1){.algorithm = -7, .key = other.keys[3]};
    struct made made;
    struct csv_verdict *verdict = NULL;
    struct csv_policy *policy = table_policy(fresh_policy);
    struct csv_input *input;
    make_document(&made, &document);
    assert_int_equal(csv_input_create(&input), CSN_OK);
    assert_int_equal(csv_input_add(input, CSV_PART_EVIDENCE, NULL, made.bytes, made.size), CSN_OK);
    assert_int_equal(csv_input_set_nonce(input, "a nonce", 7), CSN_OK);
    csv_input_set_time(input, NOW);
    made_root(input, pki.certs[0]);
    assert_int_equal(csv_appraise(policy, input, CSV_FORMAT_NITRO, &verdict), CSN_ERR_EVIDENCE);
    assert_non_null(table_finding(verdict, "nitro.algorithm", CSV_FAILED));
    assert_non_null(table_finding(verdict, "nitro.signature", CSV_PASSED));
    csv_verdict_free(verdict);
    csv_input_free(input);
    csv_policy_free(policy);
    X509_free(document.leaf);
    EVP_PKEY_free(other.keys[3]);
}

static void payload(void **state)
{
    (void)state;
    static const size_t sizes[] = {0, 32, 47, 49, 64};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        struct document document = fresh_document;
        document.pcr_size = sizes[i];
        expect(&document, fresh_policy, "nitro.document");
    }
    struct document document = fresh_document;
    document.digest = "SHA1";
    expect(&document, fresh_policy, "nitro.document");
    document = fresh_document;
    document.module_id = "";
    expect(&document, fresh_policy, "nitro.document");
    document = fresh_document;
    document.pcr_mask = 0;
    expect(&document, fresh_policy, "nitro.document");
    document = fresh_document;
    document.pcr_mask |= UINT64_C(1) << 32;
    expect(&document, fresh_policy, "nitro.document");
    document = fresh_document;
    document.user_data_size = 1025;
    expect(&document, fresh_policy, "nitro.document");
    document = fresh_document;
    document.order_count = 0;
    expect(&document, fresh_policy, "nitro.document");
    document = fresh_document;
    document.twice = "digest";
    expect(&document, fresh_policy, "nitro.document");
    document.twice = "a field of tomorrow";
    expect(&document, fresh_policy, NULL);
}

static void chain(void **state)
{
    (void)state;
    struct document document = fresh_document;
    document.order[0] = 1; /* the same certificates, the root not first */
    document.order[1] = 0;
    expect(&document, fresh_policy, "nitro.root");
    document = fresh_document;
    document.order_count = 1; /* cut */
    struct csv_verdict *verdict = NULL;
    assert_int_equal(appraise_at(&document, fresh_policy, NOW, &verdict), CSN_ERR_UNVERIFIED);
    assert_non_null(table_finding(verdict, "nitro.chain", CSV_MISSING));
    csv_verdict_free(verdict);
    /* Somebody else's root: its own chain is whole. */
    struct pki other;
    for (size_t i = 0; i < 4; i++) {
        other.keys[i] = made_key("P-384");
        other.certs[i] = certify(&other, i, i < 3 ? "critical,CA:TRUE" : NULL, NULL);
    }
    document = fresh_document;
    document.sign.key = other.keys[3];
    document.leaf = other.certs[3];
    struct pki mixed = other;
    mixed.certs[0] = pki.certs[0]; /* the trusted root in front, for show */
    document.pki = &mixed;
    expect(&document, fresh_policy, "nitro.chain");
    for (size_t i = 0; i < 4; i++) {
        EVP_PKEY_free(other.keys[i]);
        X509_free(other.certs[i]);
    }
}

/* Between the root and the leaf stands one that may not issue. */
static void issuers(void **state)
{
    (void)state;
    static const struct {
        const char *constraints;
        const char *usage;
        bool good;
    } cases[] = {{"critical,CA:TRUE,pathlen:0", "critical,keyCertSign", true},
                 {"critical,CA:TRUE", NULL, true},
                 {"critical,CA:FALSE", "critical,keyCertSign", false},
                 {NULL, "critical,keyCertSign", false},
                 {NULL, NULL, false},
                 {"critical,CA:TRUE", "critical,digitalSignature", false}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct document document = fresh_document;
        struct pki other = pki;
        other.certs[2] = certify(&other, 2, cases[i].constraints, cases[i].usage);
        document.pki = &other;
        expect(&document, fresh_policy, cases[i].good ? NULL : "nitro.chain");
        X509_free(other.certs[2]);
    }
    struct document document = fresh_document;
    struct pki other = pki;
    other.certs[1] = certify(&other, 1, "critical,CA:TRUE,pathlen:0", NULL); /* one too many */
    document.pki = &other;
    expect(&document, fresh_policy, "nitro.chain");
    X509_free(other.certs[1]);
}

static void times(void **state)
{
    (void)state;
    struct document document = fresh_document;
    struct csv_verdict *verdict = NULL;
    document.timestamp_ms = (BEGIN - 1001) * 1000;
    expect(&document, fresh_policy, "nitro.timestamp");
    document.timestamp_ms = (BEGIN + 3 * HOUR + 1) * 1000;
    expect(&document, fresh_policy, "nitro.timestamp");
    document = fresh_document;
    assert_int_equal(appraise_at(&document, fresh_policy, BEGIN + 3 * HOUR + 1, &verdict),
                     CSN_ERR_EVIDENCE);
    assert_non_null(table_finding(verdict, "nitro.chain", CSV_FAILED));
    csv_verdict_free(verdict);
}

static void registers(void **state)
{
    (void)state;
    for (size_t i = 0; i < 3; i++) {
        struct document document = fresh_document;
        document.pcr[i] ^= 0x80;
        expect(&document, fresh_policy, "nitro.pcr");
        document = fresh_document;
        document.pcr_mask &= ~(UINT64_C(1) << i); /* not there, and no line could ask for it */
        expect(&document, NULL, "nitro.pcr");
        expect(&document, fresh_policy, "nitro.pcr");
        document = fresh_document;
        document.pcr[i] = 0;
        expect(&document, fresh_policy, "nitro.debug");
        char text[sizeof fresh_policy];
        memcpy(text, fresh_policy, sizeof text);
        strstr(text, i == 0 ? "pcrs.0" : i == 1 ? "pcrs.1" : "pcrs.2")[0] = '#';
        expect(&fresh_document, text, "nitro.pcr");
    }
    struct document document = fresh_document;
    expect(&document, "version = 1\nformats = [\"nitro\"]\n", "nitro.pcr");
    document.pcr[4] = 9; /* no line: allowed */
    expect(&document, fresh_policy, NULL);
}

/* Each key of the policy, with a value that fits and with one that does not. */
static void policy_keys(void **state)
{
    (void)state;
#define ZEROS                                                                                      \
    "00000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000" \
    "00"
    static const struct {
        const char *good;
        const char *bad;
        const char *id;
    } keys[] = {
        {"pcrs.3 = [\"04" ZEROS "\"]\n", "pcrs.3 = [\"05" ZEROS "\"]\n", "nitro.pcr"},
        {"pcrs.8 = [\"00" ZEROS "\", \"01\"]\n", "pcrs.31 = [\"00" ZEROS "\"]\n", "nitro.pcr"},
        {"debug = \"forbidden\"\n", "debug = \"required\"\n", "nitro.debug"},
        {"max_age = 600\n", "max_age = 599\n", "nitro.age"},
        {"module_ids = [\"i-0123-enc4567\"]\n", "module_ids = [\"i-0123\"]\n", "nitro.module-id"},
        {"digests = [\"SHA384\"]\n", "digests = [\"SHA512\"]\n", "nitro.digest"},
        {"public_keys = [\"6b6579\"]\n", "public_keys = [\"6b65\"]\n", "nitro.public-key"},
        {"user_data = [\"68656c6c6f\"]\n", "user_data = [\"68656c6c00\"]\n", "nitro.user-data"},
        {"nonces = [\"61206e6f6e6365\"]\n", "nonces = [\"61\"]\n", "nitro.nonce"},
    };
    const size_t count = sizeof keys / sizeof keys[0];
    char text[4096];
    for (size_t i = 0; i < count; i++) {
        for (size_t k = 0; k < count; k++) {
            snprintf(text, sizeof text, "%s%s%s", fresh_policy, keys[i].good,
                     i != k ? keys[k].good : "");
            expect(&fresh_document, text, NULL);
            snprintf(text, sizeof text, "%s%s%s", fresh_policy, keys[i].bad,
                     i != k ? keys[k].good : "");
            expect(&fresh_document, text, keys[i].id);
            snprintf(text, sizeof text, "%s%s%s", fresh_policy, keys[i].bad,
                     i != k ? keys[k].bad : "");
            expect(&fresh_document, text, keys[k].id);
        }
    }
}

static void nonces(void **state)
{
    (void)state;
    struct document document = fresh_document;
    document.nonce = "a nonce.";
    expect(&document, fresh_policy, "nonce.fresh");
    document.nonce = "a nonc";
    expect(&document, fresh_policy, "nonce.fresh");
    document.nonce = NULL;
    expect(&document, fresh_policy, "nonce.fresh");
}

/* `policy init` writes what accepts this document and no other. */
static void policy_init(void **state)
{
    (void)state;
    char text[8192];
    size_t size = 0;
    struct csv_verdict *verdict = NULL;
    assert_int_equal(appraise_at(&fresh_document, fresh_policy, NOW, &verdict), CSN_OK);
    assert_int_equal(csv_policy_init(verdict, false, text, sizeof text, &size), CSN_OK);
    assert_true(size < sizeof text);
    csv_verdict_free(verdict);
    expect(&fresh_document, text, NULL);
    struct document document = fresh_document;
    document.pcr[4] = 7;
    expect(&document, text, "nitro.pcr");
}

int main(int count, char **arguments)
{
    const struct CMUnitTest bits[] = {cmocka_unit_test(all_bits)};
    const struct CMUnitTest published[] = {cmocka_unit_test(published_fields),
                                           cmocka_unit_test(published_verdicts),
                                           cmocka_unit_test(some_bits)};
    const struct CMUnitTest own[] = {
        cmocka_unit_test(own_document), cmocka_unit_test(framing),    cmocka_unit_test(algorithm),
        cmocka_unit_test(payload),      cmocka_unit_test(chain),      cmocka_unit_test(issuers),
        cmocka_unit_test(times),        cmocka_unit_test(registers),  cmocka_unit_test(policy_keys),
        cmocka_unit_test(nonces),       cmocka_unit_test(policy_init)};
    const char *part = count == 2 ? arguments[1] : "own";
    if (strcmp(part, "own") == 0) {
        return cmocka_run_group_tests_name("Nitro documents of our own", own, make, unmake);
    }
    if (table_skip()) {
        return 0;
    }
    return strcmp(part, "bits") == 0
               ? cmocka_run_group_tests_name("each bit of a Nitro document", bits, NULL, NULL)
               : cmocka_run_group_tests_name("published Nitro documents", published, NULL, NULL);
}
