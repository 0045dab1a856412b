/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_snp_made.c: SEV-SNP reports that no public sample shows, signed under a test root: what is
 * right passes, and each thing that is wrong is found under its own name.
 */
#include "snp_rig.h"
#include <openssl/pem.h>
#include <stdio.h>

static struct snp_rig rig;

/* The verdict is result, and id came out as outcome (NULL: whatever). Frees the input. */
static void expect(struct csv_input *input, uint32_t result, const char *id, uint32_t outcome)
{
    struct csv_verdict *verdict = snp_rig_appraise(table_any, input);
    if (csv_verdict_result(verdict) != result ||
        (id != NULL && table_finding(verdict, id, outcome) == NULL)) {
        table_explain(verdict);
        fail_msg("result %u, wanted %u with %s", csv_verdict_result(verdict), result,
                 id != NULL ? id : "anything");
    }
    csv_verdict_free(verdict);
}

static void refused(const char *id)
{
    expect(snp_rig_input(&rig), CSV_INVALID, id, CSV_FAILED);
}

static void every_version_and_product(void **state)
{
    (void)state;
    for (uint32_t version = 2; version <= 5; version++) {
        for (unsigned product = SNP_MILAN; product <= SNP_TURIN; product++) {
            for (unsigned vlek = 0; vlek < 2; vlek++) {
                snp_rig_init(&rig, (enum snp_product)product, version, vlek != 0);
                expect(snp_rig_input(&rig), CSV_VALID, "snp.signature", CSV_PASSED);
                snp_rig_free(&rig);
            }
        }
    }
}

/* One byte of a report changed, then signed again: only the claim itself can give it away. */
struct change {
    uint16_t at;
    uint8_t flip;
    const char *id;
};

static void changes(const struct change *list, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        rig.report[list[i].at] ^= list[i].flip;
        snp_rig_sign(&rig);
        refused(list[i].id);
        rig.report[list[i].at] ^= list[i].flip;
    }
    snp_rig_sign(&rig);
    expect(snp_rig_input(&rig), CSV_VALID, NULL, 0);
}

static void signed_but_wrong(void **state)
{
    (void)state;
    static const struct change list[] = {
        {0x000, 5 ^ 6, "snp.version"},       {0x000, 5 ^ 1, "snp.version"},
        {0x000, 5, "snp.version"},           {0x001, 1, "snp.version"},
        {0x003, 0x80, "snp.version"},        {0x00a, 2, "snp.policy-reserved"},
        {0x034, 3, "snp.algorithm"},         {0x035, 1, "snp.algorithm"},
        {0x048, 2, "snp.mask-chip-key"},     {0x048, 7 << 2, "snp.signing-key"},
        {0x048, 2 << 2, "snp.signing-key"},  {0x048, 6 << 2, "snp.signing-key"},
        {0x048, 1 << 2, "snp.vlek"},         {0x048, 1 << 2, "snp.chain-names"},
        {0x048, 1 << 5, "snp.reserved"},     {0x04b, 0x80, "snp.reserved"},
        {0x04c, 1, "snp.reserved"},          {0x04f, 0x80, "snp.reserved"},
        {0x18b, 1, "snp.reserved"},          {0x19f, 1, "snp.reserved"},
        {0x1eb, 1, "snp.reserved"},          {0x1ef, 1, "snp.reserved"},
        {0x208, 1, "snp.reserved"},          {0x29f, 0x80, "snp.reserved"},
        {0x188, 1, "snp.product"},           {0x189, 0x30, "snp.product"},
        {0x188, 0x19 ^ 0x17, "snp.product"}, {0x189, 0xa0, "snp.product"},
        {0x189, 0xa0 ^ 0x01, "snp.product"}, {0x189, 0xa0 ^ 0x01, "snp.chain-names"},
        {0x1a0, 1, "snp.chip-id"},           {0x1df, 1, "snp.chip-id"},
    };
    snp_rig_init(&rig, SNP_GENOA, 5, false);
    changes(list, sizeof list / sizeof list[0]);
    snp_rig_free(&rig);
}

/* What version 5 added was reserved before, as CPUID was before version 3. */
static void reserved_by_version(void **state)
{
    (void)state;
    static const struct change mit[] = {{0x1f8, 1, "snp.reserved"}, {0x207, 1, "snp.reserved"}};
    static const struct change cpuid[] = {{0x188, 1, "snp.reserved"}, {0x18a, 1, "snp.reserved"}};
    for (uint32_t version = 2; version < 5; version++) {
        snp_rig_init(&rig, SNP_MILAN, version, false);
        changes(mit, 2);
        if (version == 2) {
            changes(cpuid, 2);
        }
        snp_rig_free(&rig);
    }
}

/* Turin: eight bytes of identity, then zeros; its TCB version has other places. */
static void turin_has_its_own_layout(void **state)
{
    (void)state;
    static const struct change list[] = {
        {0x1a0, 1, "snp.chip-id"}, {0x1a7, 1, "snp.chip-id"}, {0x1a8, 1, "snp.chip-id"},
        {0x1df, 1, "snp.chip-id"}, {0x188, 3, "snp.product"}, {0x189, 0x10, "snp.product"},
    };
    snp_rig_init(&rig, SNP_TURIN, 5, false);
    changes(list, sizeof list / sizeof list[0]);
    struct csv_verdict *verdict = snp_rig_appraise(table_any, snp_rig_input(&rig));
    assert_string_equal(csv_verdict_claim(verdict, "reported_spl"),
                        "fmc:3,bl:1,tee:4,snp:2,ucode:200");
    csv_verdict_free(verdict);
    snp_rig_free(&rig);
}

/* Each of the eight components of each TCB version, beyond what the next one allows. */
static void tcb_versions_are_in_order(void **state)
{
    (void)state;
    static const struct {
        uint16_t low;
        uint16_t high;
    } pairs[] = {{0x180, 0x1e0}, {0x1e0, 0x038}, {0x1f0, 0x038}};
    for (unsigned product = SNP_MILAN; product <= SNP_TURIN; product += 2) {
        snp_rig_init(&rig, (enum snp_product)product, 5, false);
        for (size_t pair = 0; pair < 3; pair++) {
            for (size_t i = 0; i < 8; i++) {
                uint8_t *low = rig.report + pairs[pair].low;
                uint8_t kept[3][8];
                memcpy(kept[0], rig.report + 0x038, 8);
                memcpy(kept[1], rig.report + 0x1e0, 8);
                /* everything above is as high as can be, but for this component */
                memset(rig.report + pairs[pair].high, 0xff, 8);
                memset(rig.report + 0x038, 0xff, 8);
                rig.report[pairs[pair].high + i] = low[i];
                snp_rig_sign(&rig);
                expect(snp_rig_input(&rig), CSV_VALID, "snp.tcb-order", CSV_PASSED);
                low[i]++;
                snp_rig_sign(&rig);
                refused("snp.tcb-order");
                low[i]--;
                memcpy(rig.report + 0x038, kept[0], 8);
                memcpy(rig.report + 0x1e0, kept[1], 8);
            }
        }
        snp_rig_free(&rig);
    }
}

/* The certificate must be for REPORTED_TCB; that it fits CURRENT_TCB is nothing. */
static void certificate_is_for_reported(void **state)
{
    (void)state;
    for (unsigned product = SNP_MILAN; product <= SNP_TURIN; product++) {
        snp_rig_init(&rig, (enum snp_product)product, 3, false);
        for (size_t i = 0; i < 8; i++) {
            rig.report[0x038 + i]++;
            rig.text.levels[i]++;
            snp_rig_certify(&rig);
            snp_rig_sign(&rig);
            refused("snp.tcb-vek");
            rig.text.levels[i]--;
        }
        snp_rig_free(&rig);
    }
}

static void certify_refused(const char *id)
{
    snp_rig_certify(&rig);
    snp_rig_sign(&rig);
    refused(id);
}

static void extensions(void **state)
{
    (void)state;
    snp_rig_init(&rig, SNP_MILAN, 3, false);
    struct snp_vek_text kept = rig.text;
    rig.text.hwid_wrapped = true;
    snp_rig_certify(&rig);
    snp_rig_sign(&rig);
    expect(snp_rig_input(&rig), CSV_VALID, "snp.chip-id", CSV_PASSED);
    for (size_t i = 0; i < 8; i++) {
        rig.text = kept;
        rig.text.levels[i] = -1;
        certify_refused("snp.vek-extensions");
        rig.text.levels[i] = rig.report[0x180 + i] + 256;
        certify_refused("snp.vek-extensions");
    }
    rig.text = kept;
    rig.text.struct_version = 2;
    certify_refused("snp.vek-extensions");
    rig.text = kept;
    rig.text.twice = true;
    certify_refused("snp.certificates"); /* no certificate has one twice */
    rig.text = kept;
    rig.text.hwid_size = 63;
    certify_refused("snp.vek-extensions");
    rig.text.hwid_size = 8;
    certify_refused("snp.chip-id");
    rig.text.hwid_size = 0;
    certify_refused("snp.chip-id");
    rig.text = kept;
    rig.text.csp = "CN=cloud.example";
    certify_refused("snp.chip-id");
    rig.text = kept;
    rig.text.product = "Genoa";
    certify_refused("snp.product");
    rig.text.product = "Milano";
    certify_refused("snp.product");
    rig.text = kept;
    rig.text.group = NID_X9_62_prime256v1;
    certify_refused("snp.vek-key");
    snp_rig_free(&rig);
}

/* Version 2 has no CPUID: the certificate says the product, and the chain must agree. */
static void product_of_version_2(void **state)
{
    (void)state;
    snp_rig_init(&rig, SNP_MILAN, 2, false);
    rig.text.product = "Genoa";
    certify_refused("snp.chain-names");
    rig.text.product = "Naples";
    certify_refused("snp.product");
    snp_rig_free(&rig);
}

static void chains(void **state)
{
    (void)state;
    static const struct {
        const char *issuer;
        const char *root;
    } wrong[] = {{"SEV-VLEK-Genoa", "ARK-Genoa"}, {"SEV-Milan", "ARK-Genoa"},
                 {"SEV-Genoa", "ARK-Milan"},      {"SEV-Milan", "ARK-Milan"},
                 {"SEV-Genoa2", "ARK-Genoa"},     {"SEV-Genoa", "ARK-Genoa2"}};
    snp_rig_init(&rig, SNP_GENOA, 3, false);
    struct snp_vek_text kept = rig.text;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        rig.text.issuer = wrong[i].issuer;
        rig.text.root = wrong[i].root;
        certify_refused("snp.chain-names");
    }
    rig.text = kept;
    rig.text.ca = false;
    certify_refused("snp.chain");
    snp_rig_free(&rig);
    snp_rig_init(&rig, SNP_GENOA, 3, true);
    rig.text.issuer = "SEV-Genoa";
    certify_refused("snp.chain-names");
    rig.text.issuer = "SEV-VLEK-Genoa";
    rig.text.csp = NULL;
    certify_refused("snp.vlek");
    rig.text.csp = "CN=cloud.example";
    rig.text.hwid_size = 64;
    certify_refused("snp.vlek");
    snp_rig_free(&rig);
}

/* AMD's names alone are worth nothing: the root is its key. */
static void foreign_root(void **state)
{
    (void)state;
    struct snp_rig other;
    snp_rig_init(&rig, SNP_MILAN, 3, false);
    snp_rig_init(&other, SNP_MILAN, 3, false);
    struct csv_input *input = snp_rig_bare_input(&other); /* trusts other's root */
    struct csv_input *mixed = snp_rig_bare_input(&rig);
    for (size_t i = 0; i < 3; i++) {
        uint32_t kind = i == 2 ? CSV_PART_VEK : CSV_PART_CHAIN;
        assert_int_equal(csv_input_add(mixed, kind, NULL, other.der[i], other.der_size[i]), CSN_OK);
    }
    expect(mixed, CSV_INVALID, "snp.chain", CSV_FAILED);
    csv_input_free(input);
    snp_rig_free(&other);
    snp_rig_free(&rig);
}

static void signatures(void **state)
{
    (void)state;
    snp_rig_init(&rig, SNP_MILAN, 5, false);
    uint8_t kept[512];
    memcpy(kept, rig.report + 0x2a0, 512);
    static const uint16_t zeros[] = {0x2a0 + 48, 0x2a0 + 71, 0x2e8 + 48, 0x2e8 + 71, 0x330, 0x49f};
    for (size_t i = 0; i < sizeof zeros / sizeof zeros[0]; i++) {
        rig.report[zeros[i]] = 1;
        refused("snp.reserved");
        memcpy(rig.report + 0x2a0, kept, 512);
    }
    for (size_t half = 0; half < 2; half++) { /* big-endian, as everybody else writes them */
        for (size_t i = 0; i < 48; i++) {
            rig.report[0x2a0 + 72 * half + i] = kept[72 * half + 47 - i];
        }
    }
    refused("snp.signature");
    memset(rig.report + 0x2a0, 0, 512);
    refused("snp.signature");
    memcpy(rig.report + 0x2a0, kept, 512);
    memset(rig.report + 0x2a0, 0, 72);
    refused("snp.signature");
    memcpy(rig.report + 0x2a0, kept, 512);
    memset(rig.report + 0x2e8, 0, 72);
    refused("snp.signature");
    rig.report[0x48] |= 2; /* masked: no signature at all */
    memset(rig.report + 0x2a0, 0, 512);
    refused("snp.mask-chip-key");
    snp_rig_free(&rig);
}

/* Missing is not wrong. */
static void what_is_missing(void **state)
{
    (void)state;
    snp_rig_init(&rig, SNP_MILAN, 2, false);
    expect(snp_rig_bare_input(&rig), CSV_UNVERIFIABLE, "snp.vek", CSV_MISSING);
    for (size_t left_out = 0; left_out < 2; left_out++) {
        struct csv_input *input = snp_rig_bare_input(&rig);
        size_t kept = 1 - left_out;
        assert_int_equal(csv_input_add(input, CSV_PART_VEK, NULL, rig.der[2], rig.der_size[2]),
                         CSN_OK);
        assert_int_equal(
            csv_input_add(input, CSV_PART_CHAIN, NULL, rig.der[kept], rig.der_size[kept]), CSN_OK);
        expect(input, CSV_UNVERIFIABLE, "snp.chain", CSV_MISSING);
    }
    struct csv_input *input = snp_rig_input(&rig);
    csv_input_set_time(input, SNP_TIME + 2 * 86400);
    expect(input, CSV_INVALID, "snp.chain", CSV_FAILED);
    input = snp_rig_input(&rig);
    csv_input_set_time(input, SNP_TIME - 2 * 86400);
    expect(input, CSV_INVALID, "snp.chain", CSV_FAILED);
    snp_rig_free(&rig);
}

static void freshness(void **state)
{
    (void)state;
    uint8_t data[64];
    snp_rig_init(&rig, SNP_MILAN, 3, false);
    for (size_t i = 0; i < 64; i++) {
        struct csv_input *input = snp_rig_input(&rig);
        memcpy(data, rig.report + 0x50, 64);
        data[i] ^= 1;
        assert_int_equal(csv_input_set_report_data(input, data, 64), CSN_OK);
        expect(input, CSV_INVALID, "nonce.fresh", CSV_FAILED);
    }
    snp_rig_free(&rig);
}

static void add_crl(struct csv_input *input, uint8_t *der, size_t size)
{
    assert_int_equal(csv_input_add(input, CSV_PART_CRL, NULL, der, size), CSN_OK);
}

static void revocation(void **state)
{
    (void)state;
    struct snp_rig other;
    snp_rig_init(&rig, SNP_MILAN, 3, false);
    snp_rig_init(&other, SNP_GENOA, 3, false);
    const struct {
        const struct snp_rig *of;
        EVP_PKEY *signer;
        long serial;
        int64_t until;
        uint32_t result;
        uint32_t outcome;
    } lists[] = {
        {&rig, rig.ark_key, 0, SNP_TIME + 9, CSV_VALID, CSV_PASSED},
        {&rig, rig.ark_key, 7, SNP_TIME + 9, CSV_VALID, CSV_PASSED},
        {&rig, rig.ark_key, 2, SNP_TIME + 9, CSV_INVALID, CSV_FAILED},
        {&rig, rig.ark_key, 0, SNP_TIME - 9, CSV_INVALID, CSV_FAILED},
        {&rig, rig.ask_key, 0, SNP_TIME + 9, CSV_INVALID, CSV_FAILED},
        {&other, other.ark_key, 2, SNP_TIME + 9, CSV_VALID, CSV_WARNED},
    };
    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++) {
        size_t size;
        struct csv_input *input = snp_rig_input(&rig);
        uint8_t *der =
            snp_rig_crl(lists[i].of, lists[i].signer, lists[i].serial, lists[i].until, &size);
        add_crl(input, der, size);
        expect(input, lists[i].result, "snp.crl", lists[i].outcome);
        OPENSSL_free(der);
    }
    struct csv_input *input = snp_rig_input(&rig);
    add_crl(input, rig.report, SNP_REPORT_SIZE);
    expect(input, CSV_INVALID, "snp.crl", CSV_FAILED);
    snp_rig_free(&other);
    snp_rig_free(&rig);
}

/* Without a list, and no line that waives it, nobody knows whether the key was revoked. */
static void a_list_is_wanted(void **state)
{
    (void)state;
    static char text[16384];
    snp_rig_init(&rig, SNP_MILAN, 3, false);
    struct csv_verdict *verdict = snp_rig_appraise(table_any, snp_rig_input(&rig));
    snp_policy_text(verdict, text, sizeof text);
    csv_verdict_free(verdict);
    char *line = strstr(text, "crl = \"any\"\n");
    assert_non_null(line);
    for (unsigned i = 0; i < 3; i++) {
        struct csv_policy *policy = table_policy(text);
        verdict = snp_rig_appraise(policy, snp_rig_input(&rig));
        assert_int_equal(csv_verdict_result(verdict), i == 0 ? CSV_VALID : CSV_UNVERIFIABLE);
        assert_non_null(table_finding(verdict, "snp.crl", i == 0 ? CSV_WARNED : CSV_MISSING));
        csv_verdict_free(verdict);
        csv_policy_free(policy);
        if (i == 0) {
            memset(line, ' ', strlen("crl = \"any\""));
        } else {
            strcat(text, "crl = \"required\"\n");
        }
    }
    snp_rig_free(&rig);
}

static const uint8_t *table_row(uint8_t *table, size_t row, uint8_t mark, size_t at, size_t size)
{
    uint8_t *entry = table + 24 * row;
    memset(entry, mark, 16);
    for (unsigned i = 0; i < 4; i++) {
        entry[16 + i] = (uint8_t)(at >> (8 * i));
        entry[20 + i] = (uint8_t)(size >> (8 * i));
    }
    return table;
}

/* The host's cert_table in the place of the chain: the VEK is found in it by what it is. */
static void cert_table(void **state)
{
    (void)state;
    static uint8_t table[16384];
    snp_rig_init(&rig, SNP_GENOA, 3, true);
    size_t at = 1024;
    memset(table, 0, sizeof table);
    for (size_t i = 0; i < 3; i++) {
        memcpy(table + at, rig.der[i], rig.der_size[i]);
        table_row(table, i, (uint8_t)(0xa0 + i), at, rig.der_size[i]);
        at += rig.der_size[i];
    }
    table_row(table, 3, 0xb0, 2000, 300); /* something else: passed over */
    struct csv_input *input = snp_rig_bare_input(&rig);
    assert_int_equal(csv_input_add(input, CSV_PART_CHAIN, NULL, table, at), CSN_OK);
    expect(input, CSV_VALID, "snp.vek", CSV_PASSED);
    input = snp_rig_bare_input(&rig); /* the last certificate is cut */
    assert_int_equal(csv_input_add(input, CSV_PART_CHAIN, NULL, table, at - 1), CSN_OK);
    expect(input, CSV_INVALID, "snp.certificates", CSV_FAILED);
    table_row(table, 3, 0xb0, 0xffffffff, 2); /* wraps where 32 bits are too few */
    input = snp_rig_bare_input(&rig);
    assert_int_equal(csv_input_add(input, CSV_PART_CHAIN, NULL, table, at), CSN_OK);
    expect(input, CSV_INVALID, "snp.certificates", CSV_FAILED);
    for (size_t row = 0; row < 4; row++) {
        table_row(table, row, 0xb0, 0, 0);
    }
    input = snp_rig_bare_input(&rig); /* no end */
    assert_int_equal(csv_input_add(input, CSV_PART_CHAIN, NULL, table, 71), CSN_OK);
    expect(input, CSV_INVALID, "snp.certificates", CSV_FAILED);
    memset(table, 0, 24);
    input = snp_rig_bare_input(&rig); /* a host without certificates */
    assert_int_equal(csv_input_add(input, CSV_PART_CHAIN, NULL, table, at), CSN_OK);
    assert_int_equal(csv_input_add(input, CSV_PART_CHAIN, NULL, table, 0), CSN_OK);
    expect(input, CSV_UNVERIFIABLE, "snp.vek", CSV_MISSING);
    snp_rig_free(&rig);
}

/* All three in one PEM file, as clouds hand them out, and whatever is none. */
static void pem_bundle(void **state)
{
    (void)state;
    snp_rig_init(&rig, SNP_MILAN, 3, false);
    BIO *bio = BIO_new(BIO_s_mem());
    char *pem;
    assert_int_equal(PEM_write_bio_X509(bio, rig.vek), 1);
    assert_int_equal(PEM_write_bio_X509(bio, rig.ask), 1);
    assert_int_equal(PEM_write_bio_X509(bio, rig.ark), 1);
    size_t size = (size_t)BIO_get_mem_data(bio, &pem);
    for (uint32_t kind = CSV_PART_VEK; kind <= CSV_PART_CHAIN; kind++) {
        struct csv_input *input = snp_rig_bare_input(&rig);
        assert_int_equal(csv_input_add(input, kind, NULL, pem, size), CSN_OK);
        expect(input, CSV_VALID, NULL, 0);
        input = snp_rig_bare_input(&rig);
        assert_int_equal(csv_input_add(input, kind, NULL, pem, size - 8), CSN_OK);
        expect(input, CSV_INVALID, "snp.certificates", CSV_FAILED);
    }
    BIO_free(bio);
    snp_rig_free(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_version_and_product),
        cmocka_unit_test(signed_but_wrong),
        cmocka_unit_test(reserved_by_version),
        cmocka_unit_test(turin_has_its_own_layout),
        cmocka_unit_test(tcb_versions_are_in_order),
        cmocka_unit_test(certificate_is_for_reported),
        cmocka_unit_test(extensions),
        cmocka_unit_test(product_of_version_2),
        cmocka_unit_test(chains),
        cmocka_unit_test(foreign_root),
        cmocka_unit_test(signatures),
        cmocka_unit_test(what_is_missing),
        cmocka_unit_test(freshness),
        cmocka_unit_test(revocation),
        cmocka_unit_test(a_list_is_wanted),
        cmocka_unit_test(cert_table),
        cmocka_unit_test(pem_bundle),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, table_start, table_stop);
}
