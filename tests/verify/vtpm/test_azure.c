/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_azure.c: Azure's HCL reports with their virtual TPM. Every published set gives the verdict
 * and the fields of its rows; what is crossed, cut or made up is refused under the finding that
 * names it. Reports of our own stand on an SNP report with our own keys (../snp/snp_rig.h).
 * Usage: test_azure [STEP]: flip every STEP-th bit of two published reports (default 211).
 */
#include "../snp/snp_rig.h"
#include "azure_case.h"
#include "verify/input.h"
#include <openssl/bn.h>
#include <openssl/evp.h>
#include <stdio.h>

static char text[32768];
static size_t step = 211;

/* ---- published ---- */

static size_t compare(const struct csv_verdict *verdict, const struct azure_case *one)
{
    bool snp = one->format == CSV_FORMAT_AZURE_SNP;
    size_t compared = table_compare(verdict, azure_fields(one, "hcl-report.bin"), NULL);
    compared += table_compare(verdict, azure_fields(one, "tpm-quote.msg"), NULL);
    return compared +
           table_compare(verdict, azure_fields(one, snp ? "snp-report.bin" : "td-quote.bin"), NULL);
}

static void published(void **state)
{
    (void)state;
    size_t compared = 0;
    for (size_t i = 0; i < AZURE_CASE_COUNT; i++) {
        const struct azure_case *one = &azure_cases[i];
        size_t size = 0;
        struct csv_verdict *verdict =
            vtpm_expect(table_any, azure_input(one, NULL, NULL), one->format, CSV_VALID,
                        "tpm.pcr-digest", CSV_PASSED);
        compared += compare(verdict, one);
        if (one->tcb_status != NULL) {
            assert_string_equal(csv_verdict_tcb_status(verdict), one->tcb_status);
        }
        assert_int_equal(csv_policy_init(verdict, true, text, sizeof text, &size), CSN_OK);
        csv_verdict_free(verdict);
        table_forget();
        /* its own policy accepts it, and no other set */
        struct csv_policy *strict = table_policy(text);
        for (size_t j = 0; j < AZURE_CASE_COUNT; j++) {
            uint32_t result = i == j ? CSV_VALID : CSV_INVALID;
            csv_verdict_free(vtpm_expect(strict, azure_input(&azure_cases[j], NULL, NULL),
                                         i == j ? CSV_FORMAT_AUTO : azure_cases[j].format, result,
                                         NULL, 0));
            table_forget();
        }
        csv_policy_free(strict);
    }
    printf("# %d sets, %zu fields compared\n", AZURE_CASE_COUNT, compared);
}

static void expect_parts(const struct azure_case *one, const struct azure_parts *parts,
                         uint32_t result, const char *id, uint32_t outcome)
{
    csv_verdict_free(
        vtpm_expect(table_any, azure_input(one, parts, NULL), one->format, result, id, outcome));
    table_forget();
}

/* Genuine parts of another machine, or none. */
static void crossed(void **state)
{
    (void)state;
    for (size_t i = 0; i < AZURE_CASE_COUNT; i++) {
        const struct azure_case *one = &azure_cases[i];
        const struct azure_case *other = &azure_cases[(i + 1) % AZURE_CASE_COUNT];
        expect_parts(one, &(struct azure_parts){.quote = other, .pcrs = other, .nonce = other},
                     CSV_INVALID, "tpm.signature", CSV_FAILED);
        expect_parts(one, &(struct azure_parts){.pcrs = other}, CSV_INVALID, "tpm.pcr-digest",
                     CSV_FAILED);
        expect_parts(one, &(struct azure_parts){.ak = one}, CSV_VALID, "hcl.ak-agrees", CSV_PASSED);
        expect_parts(
            one, &(struct azure_parts){.ak = other, .quote = other, .pcrs = other, .nonce = other},
            CSV_INVALID, "hcl.ak-agrees", CSV_FAILED);
        expect_parts(one, &(struct azure_parts){.nonce = &azure_cases[i == 3 ? 1 : 3]}, CSV_INVALID,
                     "nonce.fresh", CSV_FAILED);
        static const struct {
            uint32_t kind;
            const char *id;
        } parts[] = {{CSV_PART_TPM_QUOTE, "tpm.quote"},
                     {CSV_PART_TPM_SIGNATURE, "tpm.signature"},
                     {CSV_PART_PCRS, "tpm.pcr-values"}};
        for (size_t j = 0; j < 3; j++) {
            expect_parts(one, &(struct azure_parts){.without = UINT32_C(1) << parts[j].kind},
                         CSV_UNVERIFIABLE, parts[j].id, CSV_MISSING);
        }
    }
    const struct azure_case *tdx = &azure_cases[5];
    expect_parts(tdx, &(struct azure_parts){.without = UINT32_C(1) << CSV_PART_TD_QUOTE},
                 CSV_UNVERIFIABLE, "hcl.td-quote", CSV_MISSING);
    expect_parts(tdx, &(struct azure_parts){.td_quote = &azure_cases[4]}, CSV_INVALID,
                 "hcl.td-report", CSV_FAILED);
    expect_parts(&azure_cases[0], &(struct azure_parts){.without = UINT32_C(1) << CSV_PART_VEK},
                 CSV_UNVERIFIABLE, NULL, 0);
}

/* One byte of the report, changed. */
static void expect_byte(const struct azure_case *one, size_t offset, uint8_t flip, uint32_t result,
                        const char *id)
{
    char path[128];
    snprintf(path, sizeof path, "azure/%s/hcl-report.bin", one->folder);
    struct table_file file = table_file(path);
    assert_int_equal(file.size, 2600);
    file.bytes[offset] ^= flip;
    struct csv_verdict *verdict =
        vtpm_expect(table_any, azure_input(one, NULL, file.bytes), one->format, result, id,
                    result == CSV_VALID ? CSV_PASSED : CSV_FAILED);
    csv_verdict_free(verdict);
    free(file.bytes);
    table_forget();
}

static void tampered(void **state)
{
    (void)state;
    static const struct {
        uint16_t offset;
        uint8_t flip;
        const char *id;
    } rows[] = {
        {0x000, 1, "hcl.framing"},
        {0x004, 4, "hcl.framing"},
        {0x008, 1, "hcl.framing"},
        {0x00c, 1, "hcl.framing"},
        {0x010, 1, "hcl.framing"},
        {0x01f, 0x80, "hcl.framing"},
        {0x4c0, 1, "hcl.framing"},
        {0x4c4, 2, "hcl.framing"},
        {0x4c8, 6, "hcl.framing"},
        {0x4cc, 4, "hcl.framing"},
        {0x4cc, 1, "hcl.framing"},
        {0x4d0, 1, "hcl.framing"},
        {2599, 1, "hcl.framing"},
        {0x4cc, 3, "report-data.binding"},
        {0x4d4, 0x20, "report-data.binding"},
        {0x5f0, 1, "report-data.binding"},
    };
    for (size_t i = 0; i < AZURE_CASE_COUNT; i++) {
        for (size_t j = 0; j < sizeof rows / sizeof rows[0]; j++) {
            expect_byte(&azure_cases[i], rows[j].offset, rows[j].flip, CSV_INVALID, rows[j].id);
        }
    }
    expect_byte(&azure_cases[0], 0x020 + 0x90, 1, CSV_INVALID, "snp.signature");
    expect_byte(&azure_cases[0], 0x020 + 0x30, 2, CSV_INVALID, "hcl.vmpl");
    /* TDREPORT: measured fields, report data, digests; then what nothing but its MAC covers */
    static const uint16_t bound[] = {0,   32,  80,  128, 191,  264,  280,
                                     512, 520, 528, 720, 1023, 1024, 1183};
    static const uint16_t unbound[] = {16, 31, 192, 224, 255, 495, 511};
    for (size_t i = 0; i < sizeof bound / sizeof bound[0]; i++) {
        expect_byte(&azure_cases[5], 0x20u + bound[i], 1, CSV_INVALID, "hcl.td-report");
    }
    for (size_t i = 0; i < sizeof unbound / sizeof unbound[0]; i++) {
        expect_byte(&azure_cases[5], 0x20u + unbound[i], 1, CSV_VALID, "hcl.td-report");
    }
}

/* TDREPORT behind its type: subtype and reserved bytes, processor SVN, reserved bytes, MAC, and the
 * end of TEE_TCB_INFO's place. Only the machine's own processor could check them. */
static bool is_unbound(const struct azure_case *one, size_t offset)
{
    size_t at = offset - 0x20;
    return one->format == CSV_FORMAT_AZURE_TDX && offset >= 0x20 &&
           ((at >= 1 && at < 32) || (at >= 192 && at < 256) || (at >= 495 && at < 512));
}

static void bits(void **state)
{
    (void)state;
    size_t count = 0;
    size_t free_bits = 0;
    for (size_t i = 0; i < AZURE_CASE_COUNT; i += 5) {
        const struct azure_case *one = &azure_cases[i];
        struct csv_input *input = azure_input(one, NULL, NULL);
        uint8_t *bytes = (uint8_t *)(uintptr_t)csv_part(input, CSV_PART_EVIDENCE, 0)->bytes.at;
        for (size_t bit = i; bit < 2600 * 8; bit += step) {
            struct csv_verdict *verdict = NULL;
            bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
            csn_err err = csv_appraise(table_any, input, one->format, &verdict);
            bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
            if ((err == CSN_OK) != is_unbound(one, bit / 8)) {
                fail_msg("%s: bit %zu of byte %zu", one->folder, bit % 8, bit / 8);
            }
            free_bits += err == CSN_OK;
            csv_verdict_free(verdict);
            count++;
        }
        csv_input_free(input);
        table_forget();
    }
    printf("# %zu bits, %zu of them in TDREPORT fields that no signature covers\n", count,
           free_bits);
}

/* ---- made ---- */

static struct snp_rig snp;
static struct vtpm_rig vtpm;

struct made_hcl {
    const char *json; /* %n, %e: the key's, in base64url; NULL: the usual one */
    uint32_t hash_type;
    uint32_t vmpl;
    const char *n; /* NULL: the key's */
    const char *e;
    uint8_t bytes[8192];
    size_t size;
};

#define KEY(kid, ops) "{\"kid\":\"" kid "\",\"key_ops\":[\"" ops "\"],\"kty\":\"RSA\","
static const char usual[] = "{\"keys\":[" KEY(
    "HCLAkPub",
    "sign") "\"e\":\"%e\",\"n\":\"%n\"}],\"vm-configuration\":"
            "{\"console-enabled\":true,\"secure-boot\":true,\"tpm-enabled\":true,\"vmUniqueId\":"
            "\"ID\"},"
            "\"user-data\":\"0101010101010101010101010101010101010101010101010101010101010101"
            "0101010101010101010101010101010101010101010101010101010101010101\"}";

static void put_le(uint8_t *at, size_t value)
{
    for (unsigned i = 0; i < 4; i++) {
        at[i] = (uint8_t)(value >> (8 * i));
    }
}

static void base64url(const uint8_t *bytes, size_t size, char *target)
{
    int length = EVP_EncodeBlock((uint8_t *)target, bytes, (int)size);
    for (int i = 0; i < length; i++) {
        target[i] = target[i] == '+' ? '-' : target[i] == '/' ? '_' : target[i];
    }
    target[strcspn(target, "=")] = 0;
}

static void fill(struct made_hcl *hcl, char *target)
{
    char numbers[2][1024];
    static const char *const names[] = {"e", "n"};
    for (size_t i = 0; i < 2; i++) {
        uint8_t bytes[600];
        BIGNUM *number = NULL;
        assert_int_equal(EVP_PKEY_get_bn_param(vtpm.key, names[i], &number), 1);
        base64url(bytes, (size_t)BN_bn2bin(number, bytes), numbers[i]);
        BN_free(number);
    }
    const char *json = hcl->json != NULL ? hcl->json : usual;
    for (; *json != 0; json++) {
        if (json[0] == '%' && (json[1] == 'n' || json[1] == 'e')) {
            const char *given = json[1] == 'n' ? hcl->n : hcl->e;
            target += sprintf(target, "%s", given != NULL ? given : numbers[json[1] == 'n']);
            json++;
        } else {
            *target++ = *json;
        }
    }
    *target = 0;
}

/* The report's bytes, and the SNP report signed over them. */
static void make(struct made_hcl *hcl)
{
    char *json = (char *)hcl->bytes + 0x4d4;
    uint32_t hash = hcl->hash_type != 0 ? hcl->hash_type : 1;
    fill(hcl, json);
    size_t size = strlen(json);
    memset(snp.report + 0x50, 0, 64);
    EVP_Digest(json, size, snp.report + 0x50, NULL,
               hash == 1   ? EVP_sha256()
               : hash == 2 ? EVP_sha384()
                           : EVP_sha512(),
               NULL);
    put_le(snp.report + 0x30, hcl->vmpl);
    snp_rig_sign(&snp);
    memcpy(hcl->bytes, "HCLA", 4);
    put_le(hcl->bytes + 4, 2);
    put_le(hcl->bytes + 8, 0x4d4 + size);
    put_le(hcl->bytes + 12, 2);
    memcpy(hcl->bytes + 0x20, snp.report, SNP_REPORT_SIZE);
    const size_t fields[] = {20 + size, 1, 2, hash, size};
    for (size_t i = 0; i < 5; i++) {
        put_le(hcl->bytes + 0x4c0 + 4 * i, fields[i]);
    }
    hcl->size = 0x4d4 + size;
}

/* snp_rig's input, with the HCL report in the place of the SNP report. */
static struct csv_input *made_input(const struct made_hcl *hcl)
{
    struct csv_input *input = NULL;
    struct csv_input *model = snp_rig_input(&snp);
    uint8_t digest[32];
    uint8_t nonce[32];
    csv_input_free(model);
    assert_int_equal(csv_input_create(&input), CSN_OK);
    assert_int_equal(csv_input_add(input, CSV_PART_EVIDENCE, NULL, hcl->bytes, hcl->size), CSN_OK);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(csv_input_add(input, i == 2 ? CSV_PART_VEK : CSV_PART_CHAIN, NULL,
                                       snp.der[i], snp.der_size[i]),
                         CSN_OK);
    }
    made_spki_sha256(snp.ark_key, digest);
    assert_int_equal(csv_input_trust_test_root_insecure(input, digest), CSN_OK);
    assert_int_equal(csv_input_add(input, CSV_PART_TPM_QUOTE, NULL, vtpm.quote, vtpm.quote_size),
                     CSN_OK);
    vtpm_rig_parts(&vtpm, input);
    memset(nonce, 0xa5, sizeof nonce);
    assert_int_equal(csv_input_set_nonce(input, nonce, sizeof nonce), CSN_OK);
    csv_input_set_time(input, SNP_TIME);
    return input;
}

static void made_fresh(const char *kind)
{
    vtpm_rig_init(&vtpm, made_key(kind, 0));
    vtpm.without_ak = true;
}

static void expect_made(struct made_hcl *hcl, const struct csv_policy *policy, uint32_t result,
                        const char *id, uint32_t outcome)
{
    make(hcl);
    csv_verdict_free(vtpm_expect(policy != NULL ? policy : table_any, made_input(hcl),
                                 CSV_FORMAT_AZURE_SNP, result, id, outcome));
}

static void made(void **state)
{
    (void)state;
    snp_rig_init(&snp, SNP_MILAN, 3, false);
    made_fresh("RSA-2048");
    for (uint32_t hash = 1; hash <= 3; hash++) {
        expect_made(&(struct made_hcl){.hash_type = hash}, NULL, CSV_VALID, "report-data.binding",
                    CSV_PASSED);
    }
    /* a guest's own report, genuine and over JSON of its choice */
    for (uint32_t vmpl = 1; vmpl < 4; vmpl++) {
        expect_made(&(struct made_hcl){.vmpl = vmpl}, NULL, CSV_INVALID, "hcl.vmpl", CSV_FAILED);
    }
    made_fresh("RSA-3072");
    expect_made(&(struct made_hcl){0}, NULL, CSV_VALID, "hcl.ak", CSV_PASSED);
    made_fresh("RSA-1024");
    expect_made(&(struct made_hcl){0}, NULL, CSV_INVALID, "hcl.ak", CSV_FAILED);
    made_fresh("RSA-3");
    expect_made(&(struct made_hcl){0}, NULL, CSV_INVALID, "hcl.ak", CSV_FAILED);
    snp_rig_free(&snp);
}

#define AK KEY("HCLAkPub", "sign") "\"e\":\"%e\",\"n\":\"%n\"}"

static void json_of_all_kinds(void **state)
{
    (void)state;
    static const struct {
        const char *json;
        const char *id; /* NULL: valid */
    } rows[] = {
        {"{\"keys\":[" AK "]}", NULL},
        {"{\"keys\":[{\"kid\":\"HCLEkPub\"}," AK ",7,null]}", NULL},
        {"{\"keys\":[" AK "," AK "]}", "hcl.ak"},
        {"{\"keys\":[]}", "hcl.ak"},
        {"{\"keys\":" AK "}", "hcl.ak"},
        {"{}", "hcl.ak"},
        {"{\"keys\":[" KEY("HCLEkPub", "sign") "\"e\":\"%e\",\"n\":\"%n\"}]}", "hcl.ak"},
        {"{\"keys\":[" KEY("HCLAkPub", "encrypt") "\"e\":\"%e\",\"n\":\"%n\"}]}", "hcl.ak"},
        {"{\"keys\":[" KEY("HCLAkPub", "sign") "\"e\":\"%e\"}]}", "hcl.ak"},
        {"{\"keys\":[" KEY("HCLAkPub", "sign") "\"e\":\"%e\",\"n\":\"\"}]}", "hcl.ak"},
        {"{\"keys\":[" KEY("HCLAkPub", "sign") "\"e\":65537,\"n\":\"%n\"}]}", "hcl.ak"},
        {"{\"keys\":[" KEY("HCLAkPub", "sign") "\"e\":\"%e\",\"n\":\"%n==\"}]}", "hcl.ak"},
        {"{\"keys\":[" KEY("HCLAkPub", "sign") "\"e\":\"AAEAAQ\",\"n\":\"%n\"}]}", "hcl.ak"},
        {"{\"keys\":[" KEY("HCLAkPub", "sign") "\"e\":\"AQAC\",\"n\":\"%n\"}]}", "hcl.ak"},
        {"{\"keys\":[" KEY("HCLAkPub", "sign") "\"e\":\"AQ\",\"n\":\"%n\"}]}", "hcl.ak"},
        {"{\"keys\":[{\"kid\":\"HCLAkPub\",\"key_ops\":[\"sign\"],\"kty\":\"EC\",\"e\":\"%e\","
         "\"n\":\"%n\"}]}",
         "hcl.ak"},
        {"{\"keys\":[" AK "],\"keys\":[" AK "]}", "hcl.json"},
        {"{\"keys\":[" KEY("HCLAkPub", "sign") "\"e\":\"%e\",\"n\":\"%n\",\"n\":\"%n\"}]}",
         "hcl.json"},
        {"{\"keys\":[" AK "],\"k\\u0065ys\":[]}", "hcl.json"},
        {"[" AK "]", "hcl.json"},
        {"{\"keys\":[" AK "]},", "hcl.json"},
        {"{\"keys\":[" AK "]", "hcl.json"},
        {"", "hcl.json"},
    };
    snp_rig_init(&snp, SNP_MILAN, 3, false);
    made_fresh("RSA-2048");
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        expect_made(&(struct made_hcl){.json = rows[i].json}, NULL,
                    rows[i].id == NULL ? CSV_VALID : CSV_INVALID,
                    rows[i].id == NULL ? "hcl.ak" : rows[i].id,
                    rows[i].id == NULL ? CSV_PASSED : CSV_FAILED);
    }
    snp_rig_free(&snp);
    printf("# %zu texts\n", sizeof rows / sizeof rows[0]);
}

/* The strict policy of a report of our own, into text. */
static void write_policy(void)
{
    size_t size = 0;
    struct made_hcl hcl = {0};
    snp_rig_init(&snp, SNP_MILAN, 3, false);
    made_fresh("RSA-2048");
    make(&hcl);
    struct csv_verdict *verdict =
        vtpm_expect(table_any, made_input(&hcl), CSV_FORMAT_AZURE_SNP, CSV_VALID, NULL, 0);
    assert_int_equal(csv_policy_init(verdict, true, text, sizeof text, &size), CSN_OK);
    csv_verdict_free(verdict);
}

/* Each line of [azure-snp] alone and with another. */
static void policy_lines(void **state)
{
    (void)state;
    static const struct {
        const char *line;
        bool good;
    } lines[] = {
        {"secure_boot = \"required\"\n", true},
        {"secure_boot = \"forbidden\"\n", false},
        {"console = \"any\"\n", true},
        {"console = \"forbidden\"\n", false},
        {"vm_ids = [\"ID\", \"ID2\"]\n", true},
        {"vm_ids = [\"id\"]\n", false},
        {"reset_counts = [7]\n", true},
        {"reset_counts = [8]\n", false},
        {"firmware = [0x2020031200120003]\n", true},
        {"firmware = [1]\n", false},
        {"minimum_clock = 123456\n", true},
        {"minimum_clock = 999999\n", false},
        {"pcrs.23 = [\"5757575757575757575757575757575757575757575757575757575757575757\"]\n",
         true},
        {"pcrs.23 = [\"0057575757575757575757575757575757575757575757575757575757575757\"]\n",
         false},
    };
    enum { COUNT = sizeof lines / sizeof lines[0] };
    struct made_hcl hcl = {0};
    size_t pairs = 0;
    write_policy();
    make(&hcl);
    char *section = strstr(text, "[azure-snp]\n");
    assert_non_null(section);
    *section = 0; /* what stands there is written anew */
    for (size_t i = 0; i < COUNT; i++) {
        for (size_t j = i; j < COUNT; j++) {
            if (i / 2 == j / 2 && i != j) {
                continue; /* the same key twice */
            }
            static char whole[40000];
            snprintf(whole, sizeof whole, "%s[azure-snp]\nany_pcrs = [0,1,2,3,4,5,6,7%s]\n%s%s%s",
                     text, i >= 12 || j >= 12 ? "" : ",23",
                     i / 2 == 1 || j / 2 == 1 ? "" : "console = \"any\"\n", lines[i].line,
                     i == j ? "" : lines[j].line);
            struct csv_policy *policy = table_policy(whole);
            csv_verdict_free(vtpm_expect(policy, made_input(&hcl), CSV_FORMAT_AZURE_SNP,
                                         lines[i].good && lines[j].good ? CSV_VALID : CSV_INVALID,
                                         NULL, 0));
            csv_policy_free(policy);
            pairs++;
        }
    }
    snp_rig_free(&snp);
    printf("# %zu policies\n", pairs);
}

/* What the JSON leaves out is not taken for the best. */
static void silence(void **state)
{
    (void)state;
    write_policy();
    *strstr(text, "[azure-snp]\n") = 0;
    strcat(text, "[azure-snp]\nany_pcrs = [0,1,2,3,4,5,6,7,23]\n");
    struct csv_policy *policy = table_policy(text);
    expect_made(&(struct made_hcl){0}, policy, CSV_INVALID, "hcl.console", CSV_FAILED);
    expect_made(&(struct made_hcl){.json = "{\"keys\":[" AK "],\"vm-configuration\":"
                                           "{\"console-enabled\":false,\"secure-boot\":true}}"},
                policy, CSV_VALID, "hcl.console", CSV_PASSED);
    expect_made(&(struct made_hcl){.json = "{\"keys\":[" AK "],\"vm-configuration\":"
                                           "{\"secure-boot\":true}}"},
                policy, CSV_INVALID, "hcl.console", CSV_FAILED);
    csv_policy_free(policy);
    strcat(text, "console = \"any\"\n");
    policy = table_policy(text);
    expect_made(&(struct made_hcl){0}, policy, CSV_VALID, "hcl.secure-boot", CSV_PASSED);
    expect_made(&(struct made_hcl){.json = "{\"keys\":[" AK "]}"}, policy, CSV_INVALID,
                "hcl.secure-boot", CSV_FAILED);
    csv_policy_free(policy);
    strcat(text, "vm_ids = [\"ID\"]\nsecure_boot = \"any\"\n");
    policy = table_policy(text);
    expect_made(&(struct made_hcl){.json = "{\"keys\":[" AK "]}"}, policy, CSV_INVALID, "hcl.vm-id",
                CSV_FAILED);
    csv_policy_free(policy);
    /* no line about PCRs: refused */
    *strstr(text, "any_pcrs") = '#';
    policy = table_policy(text);
    expect_made(&(struct made_hcl){0}, policy, CSV_INVALID, "tpm.pcr", CSV_FAILED);
    csv_policy_free(policy);
    snp_rig_free(&snp);
}

/* The report inside is held to its own section, whoever wrapped it: debug, and another VMPL's
 * measurement (pitfall 9). */
static void inner_policy(void **state)
{
    (void)state;
    write_policy();
    struct csv_policy *policy = table_policy(text);
    expect_made(&(struct made_hcl){0}, policy, CSV_VALID, "snp.policy-debug", CSV_PASSED);
    snp.report[0x0a] ^= 8; /* DEBUG */
    expect_made(&(struct made_hcl){0}, policy, CSV_INVALID, "snp.policy-debug", CSV_FAILED);
    snp.report[0x0a] ^= 8;
    snp.report[0x90] ^= 1;
    expect_made(&(struct made_hcl){0}, policy, CSV_INVALID, "snp.measurement", CSV_FAILED);
    csv_policy_free(policy);
    snp_rig_free(&snp);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(published),
        cmocka_unit_test(crossed),
        cmocka_unit_test(tampered),
        cmocka_unit_test(made),
        cmocka_unit_test(json_of_all_kinds),
        cmocka_unit_test(policy_lines),
        cmocka_unit_test(silence),
        cmocka_unit_test(inner_policy),
        cmocka_unit_test(bits),
    };
    step = argc > 1 ? strtoul(argv[1], NULL, 10) : step;
    if (table_skip()) {
        return 0;
    }
    return cmocka_run_group_tests(tests, table_start, vtpm_rig_stop);
}
