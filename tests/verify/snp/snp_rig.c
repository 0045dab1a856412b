/* SPDX-License-Identifier: Apache-2.0 */
/* snp_rig.c: see snp_rig.h. Layouts are written here a second time, from AMD's documents. */
#include "snp_rig.h"
#include "../extend.h"
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <stdio.h>

#define ARC "1.3.6.1.4.1.3704.1."

static const char *const names[] = {"Milan", "Genoa", "Turin"};

static EVP_PKEY *make_key(int group)
{
    EVP_PKEY *key = NULL;
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_id(EVP_PKEY_EC, NULL);
    assert_int_equal(EVP_PKEY_keygen_init(context), 1);
    assert_int_equal(EVP_PKEY_CTX_set_ec_paramgen_curve_nid(context, group), 1);
    assert_int_equal(EVP_PKEY_keygen(context, &key), 1);
    EVP_PKEY_CTX_free(context);
    return key;
}

static void put(uint8_t *at, uint64_t value, unsigned size)
{
    for (unsigned i = 0; i < size; i++) {
        at[i] = (uint8_t)(value >> (8 * i));
    }
}

static void default_text(struct snp_rig *rig, bool vlek)
{
    static char texts[3][2][32];
    static char roots[3][32];
    const char *name = names[rig->product];
    char *issuer = texts[rig->product][vlek];
    snprintf(issuer, 32, "SEV-%s%s", vlek ? "VLEK-" : "", name);
    snprintf(roots[rig->product], 32, "ARK-%s", name);
    rig->text = (struct snp_vek_text){
        .issuer = issuer,
        .root = roots[rig->product],
        .product = rig->product == SNP_MILAN && !vlek ? "Milan-B0" : name,
        .csp = vlek ? "CN=cloud.example" : NULL,
        .struct_version = rig->product == SNP_TURIN,
        .hwid_size = vlek                        ? 0
                     : rig->product == SNP_TURIN ? 8
                                                 : 64,
        .ca = true,
        .group = NID_secp384r1,
    };
}

static void default_report(struct snp_rig *rig, uint32_t version, bool vlek)
{
    static const uint8_t cpuid[3][3] = {{0x19, 0x01, 1}, {0x19, 0xa0, 2}, {0x1a, 0x02, 1}};
    static const uint8_t tcb[3][8] = {
        {4, 1, 0, 0, 0, 0, 24, 219}, {10, 2, 0, 0, 0, 0, 25, 84}, {3, 1, 4, 2, 0, 0, 0, 200}};
    uint8_t *report = rig->report;
    memset(report, 0, SNP_REPORT_SIZE);
    put(report, version, 4);
    put(report + 0x008, 0x30000, 8);
    put(report + 0x034, 1, 4);
    put(report + 0x040, 0x25, 8);
    put(report + 0x048, (uint64_t)vlek << 2, 4);
    memset(report + 0x050, 0x5a, 64);
    memset(report + 0x090, 0x11, 48);
    memset(report + 0x140, 0x22, 32);
    memset(report + 0x160, 0xff, 32);
    for (size_t i = 0; i < rig->text.hwid_size; i++) {
        rig->text.hwid[i] = (uint8_t)(i + 1);
        report[0x1a0 + i] = (uint8_t)(i + 1);
    }
    if (version >= 3) {
        memcpy(report + 0x188, cpuid[rig->product], 3);
    }
    static const uint16_t places[] = {0x038, 0x180, 0x1e0, 0x1f0};
    for (size_t i = 0; i < 4; i++) {
        memcpy(report + places[i], tcb[rig->product], 8);
    }
    for (size_t i = 0; i < 8; i++) {
        rig->text.levels[i] = tcb[rig->product][i];
    }
    memcpy(report + 0x1e8, (uint8_t[3]){29, 55, 1}, 3);
    memcpy(report + 0x1ec, (uint8_t[3]){29, 55, 1}, 3);
}

void snp_rig_init(struct snp_rig *rig, enum snp_product product, uint32_t version, bool vlek)
{
    memset(rig, 0, sizeof *rig);
    rig->product = product;
    default_text(rig, vlek);
    default_report(rig, version, vlek);
    rig->ark_key = make_key(NID_secp384r1);
    rig->ask_key = make_key(NID_secp384r1);
    snp_rig_certify(rig);
    snp_rig_sign(rig);
}

static void drop_certs(struct snp_rig *rig)
{
    X509_free(rig->ark);
    X509_free(rig->ask);
    X509_free(rig->vek);
    EVP_PKEY_free(rig->vek_key);
    for (size_t i = 0; i < 3; i++) {
        OPENSSL_free(rig->der[i]);
        rig->der[i] = NULL;
    }
}

void snp_rig_free(struct snp_rig *rig)
{
    drop_certs(rig);
    EVP_PKEY_free(rig->ark_key);
    EVP_PKEY_free(rig->ask_key);
}

static X509 *make_cert(const char *subject, const char *issuer, EVP_PKEY *key, long serial)
{
    X509 *cert = X509_new();
    X509_set_version(cert, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(cert), serial);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(cert), "CN", MBSTRING_ASC,
                               (const uint8_t *)subject, -1, -1, 0);
    X509_NAME_add_entry_by_txt(X509_get_issuer_name(cert), "CN", MBSTRING_ASC,
                               (const uint8_t *)issuer, -1, -1, 0);
    ASN1_TIME_set(X509_getm_notBefore(cert), SNP_TIME - 86400);
    ASN1_TIME_set(X509_getm_notAfter(cert), SNP_TIME + 86400);
    X509_set_pubkey(cert, key);
    return cert;
}

static void extend_number(X509 *cert, const char *oid, int number)
{
    /* a DER INTEGER is signed: from 128 on it takes another byte */
    uint8_t der[4] = {0x02, 1, (uint8_t)number};
    if (number >= 128) {
        der[1] = 2;
        der[2] = (uint8_t)(number >> 8);
        der[3] = (uint8_t)number;
    }
    extend_bytes(cert, oid, der, 2u + der[1]);
}

static void extend_text(X509 *cert, const char *oid, const char *text)
{
    uint8_t der[64] = {0x16, (uint8_t)strlen(text)};
    memcpy(der + 2, text, strlen(text));
    extend_bytes(cert, oid, der, 2 + strlen(text));
}

static void extend_vek(X509 *cert, const struct snp_vek_text *text)
{
    static const char *const old[] = {ARC "3.1", ARC "3.2", ARC "3.4", ARC "3.5",
                                      ARC "3.6", ARC "3.7", ARC "3.3", ARC "3.8"};
    static const char *const turin[] = {ARC "3.9", ARC "3.1", ARC "3.2", ARC "3.3",
                                        ARC "3.5", ARC "3.6", ARC "3.7", ARC "3.8"};
    extend_number(cert, ARC "1", text->struct_version);
    extend_text(cert, ARC "2", text->product);
    if (text->twice) {
        extend_text(cert, ARC "2", text->product);
    }
    for (size_t i = 0; i < 8; i++) {
        if (text->levels[i] >= 0) {
            extend_number(cert, text->struct_version == 1 ? turin[i] : old[i], text->levels[i]);
        }
    }
    uint8_t hwid[66] = {0x04, (uint8_t)text->hwid_size};
    memcpy(hwid + 2, text->hwid, 64);
    if (text->hwid_size != 0) {
        extend_bytes(cert, ARC "4", text->hwid_wrapped ? hwid : hwid + 2,
                     text->hwid_size + (text->hwid_wrapped ? 2 : 0));
    }
    if (text->csp != NULL) {
        extend_text(cert, ARC "5", text->csp);
    }
}

void snp_rig_certify(struct snp_rig *rig)
{
    const struct snp_vek_text *text = &rig->text;
    drop_certs(rig);
    rig->vek_key = make_key(text->group);
    rig->ark = make_cert(text->root, text->root, rig->ark_key, 1);
    rig->ask = make_cert(text->issuer, text->root, rig->ask_key, 2);
    rig->vek = make_cert("SEV-VEK", text->issuer, rig->vek_key, 0);
    extend_words(rig->ark, NID_basic_constraints, "critical,CA:TRUE");
    if (text->ca) {
        extend_words(rig->ask, NID_basic_constraints, "critical,CA:TRUE");
    }
    extend_vek(rig->vek, text);
    assert_true(X509_sign(rig->ark, rig->ark_key, EVP_sha384()) > 0);
    assert_true(X509_sign(rig->ask, rig->ark_key, EVP_sha384()) > 0);
    assert_true(X509_sign(rig->vek, rig->ask_key, EVP_sha384()) > 0);
    X509 *const certs[] = {rig->ark, rig->ask, rig->vek};
    for (size_t i = 0; i < 3; i++) {
        int size = i2d_X509(certs[i], &rig->der[i]);
        assert_true(size > 0);
        rig->der_size[i] = (size_t)size;
    }
}

void snp_rig_sign(struct snp_rig *rig)
{
    uint8_t der[256];
    size_t size = sizeof der;
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    assert_int_equal(EVP_DigestSignInit(context, NULL, EVP_sha384(), NULL, rig->vek_key), 1);
    assert_int_equal(EVP_DigestSign(context, der, &size, rig->report, 0x2a0), 1);
    EVP_MD_CTX_free(context);
    const uint8_t *at = der;
    ECDSA_SIG *signature = d2i_ECDSA_SIG(NULL, &at, (long)size);
    assert_non_null(signature);
    memset(rig->report + 0x2a0, 0, 512);
    assert_int_equal(BN_bn2lebinpad(ECDSA_SIG_get0_r(signature), rig->report + 0x2a0, 72), 72);
    assert_int_equal(BN_bn2lebinpad(ECDSA_SIG_get0_s(signature), rig->report + 0x2e8, 72), 72);
    ECDSA_SIG_free(signature);
}

struct csv_input *snp_rig_bare_input(const struct snp_rig *rig)
{
    struct csv_input *input = NULL;
    uint8_t digest[32];
    unsigned char *spki = NULL;
    int size = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(rig->ark), &spki);
    assert_int_equal(EVP_Digest(spki, (size_t)size, digest, NULL, EVP_sha256(), NULL), 1);
    OPENSSL_free(spki);
    assert_int_equal(csv_input_create(&input), CSN_OK);
    assert_int_equal(csv_input_trust_test_root_insecure(input, digest), CSN_OK);
    assert_int_equal(csv_input_add(input, CSV_PART_EVIDENCE, NULL, rig->report, SNP_REPORT_SIZE),
                     CSN_OK);
    assert_int_equal(csv_input_set_report_data(input, rig->report + 0x50, 64), CSN_OK);
    csv_input_set_time(input, SNP_TIME);
    return input;
}

struct csv_input *snp_rig_input(const struct snp_rig *rig)
{
    struct csv_input *input = snp_rig_bare_input(rig);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(csv_input_add(input, i == 2 ? CSV_PART_VEK : CSV_PART_CHAIN, NULL,
                                       rig->der[i], rig->der_size[i]),
                         CSN_OK);
    }
    return input;
}

struct csv_verdict *snp_rig_appraise(const struct csv_policy *policy, struct csv_input *input)
{
    struct csv_verdict *verdict = NULL;
    csn_err result = csv_appraise(policy, input, CSV_FORMAT_SNP, &verdict);
    assert_non_null(verdict);
    assert_int_equal(result == CSN_OK, csv_verdict_result(verdict) == CSV_VALID);
    csv_input_free(input);
    return verdict;
}

uint8_t *snp_rig_crl(const struct snp_rig *rig, EVP_PKEY *signer, long serial, int64_t until,
                     size_t *size)
{
    X509_CRL *crl = X509_CRL_new();
    ASN1_TIME *time = ASN1_TIME_set(NULL, SNP_TIME - 1000);
    X509_CRL_set_version(crl, 1);
    X509_CRL_set_issuer_name(crl, X509_get_subject_name(rig->ark));
    X509_CRL_set1_lastUpdate(crl, time);
    ASN1_TIME_set(time, until);
    X509_CRL_set1_nextUpdate(crl, time);
    if (serial != 0) {
        X509_REVOKED *entry = X509_REVOKED_new();
        ASN1_INTEGER *number = ASN1_INTEGER_new();
        ASN1_INTEGER_set(number, serial);
        X509_REVOKED_set_serialNumber(entry, number);
        ASN1_TIME_set(time, SNP_TIME - 2000);
        X509_REVOKED_set_revocationDate(entry, time);
        X509_CRL_add0_revoked(crl, entry);
        ASN1_INTEGER_free(number);
    }
    ASN1_TIME_free(time);
    assert_true(X509_CRL_sign(crl, signer, EVP_sha384()) > 0);
    uint8_t *der = NULL;
    int length = i2d_X509_CRL(crl, &der);
    assert_true(length > 0);
    *size = (size_t)length;
    X509_CRL_free(crl);
    return der;
}
