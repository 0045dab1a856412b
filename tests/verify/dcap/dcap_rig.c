/* SPDX-License-Identifier: Apache-2.0 */
/* dcap_rig.c: see dcap_rig.h. */
#include "dcap_rig.h"
#include "../extend.h"
#include <openssl/ecdsa.h>
#include <openssl/pem.h>
#include <stdio.h>

static const uint8_t vendor[16] = {0x93, 0x9a, 0x72, 0x33, 0xf7, 0x9c, 0x4c, 0xa9,
                                   0x94, 0x0a, 0x0d, 0xb3, 0x95, 0x7f, 0x06, 0x07};

static const char root_name[] = "Intel SGX Root CA";

static bool is_tdx(const struct dcap_rig *rig)
{
    return rig->body_type != 1;
}

static void put_le(uint8_t *at, uint64_t value, unsigned size)
{
    for (unsigned i = 0; i < size; i++) {
        at[i] = (uint8_t)(value >> (8 * i));
    }
}

/* ---- defaults ---- */

static void default_quote(struct dcap_rig *rig)
{
    put_le(rig->header, rig->version, 2);
    put_le(rig->header + 2, 2, 2);
    put_le(rig->header + 4, is_tdx(rig) ? 0x81 : 0, 4);
    memcpy(rig->header + 12, vendor, sizeof vendor);
    for (size_t i = 0; i < sizeof rig->auth; i++) {
        rig->auth[i] = (uint8_t)i;
    }
    if (is_tdx(rig)) {
        static const uint8_t svn[16] = {6, 1, 3};
        memcpy(rig->body, svn, sizeof svn);
        rig->body[123] = 0x10; /* SEPT_VE_DISABLE */
        memset(rig->body + 136, 0x4d, 48);
        memset(rig->body + 520, 0x77, 64);
        if (rig->body_type >= 3) {
            memcpy(rig->body + 584, svn, sizeof svn);
        }
    } else {
        rig->body[48] = 5; /* INIT, MODE64 */
        rig->body[56] = 3;
        memset(rig->body + 64, 0x4d, 32);
        memset(rig->body + 128, 0x5e, 32);
        memset(rig->body + 320, 0x77, 64);
    }
    memset(rig->qe_report + 128, 0x9a, 32);
    rig->qe_report[48] = 0x11;
    rig->qe_report[256] = 2;
    rig->qe_report[258] = 5;
}

static void default_tcb(struct dcap_rig *rig)
{
    static const uint8_t sgx[16] = {3, 3, 2, 2, 4, 1, 0, 5};
    static const uint8_t older[16] = {2, 3, 2, 2, 4, 1, 0, 4};
    static const uint8_t tdx[16] = {5, 0, 3};
    static const uint8_t older_tdx[16] = {4, 0, 2};
    struct rig_level *levels = rig->levels;
    memcpy(rig->comp, sgx, sizeof sgx);
    rig->pcesvn = 13;
    memcpy(levels[0].sgx, sgx, sizeof sgx);
    memcpy(levels[0].tdx, tdx, sizeof tdx);
    memcpy(levels[1].sgx, older, sizeof older);
    memcpy(levels[1].tdx, older_tdx, sizeof older_tdx);
    levels[0].pcesvn = 13;
    levels[0].status = "UpToDate";
    levels[1].pcesvn = 11;
    levels[1].status = "OutOfDate";
    levels[1].advisories = "\"INTEL-SA-00001\",\"INTEL-SA-00002\"";
    rig->level_count = 2;
}

static void default_collateral(struct dcap_rig *rig)
{
    rig->tcb_version = 3;
    rig->tcb_id = is_tdx(rig) ? "TDX" : "SGX";
    rig->tcb_fmspc = "90C06f000000";
    rig->tcb_pceid = "0000";
    rig->tcb_evaluation = 18;
    rig->tcb_signer = RIG_SIGNER;
    rig->tcb_issued = "2025-12-20T00:00:00Z";
    rig->tcb_next = "2026-01-19T00:00:00Z";
    rig->tcb_extra = "";
    rig->module_id = "TDX_01";
    rig->module_mrsigner = "00";
    rig->module_attributes = "0000000000000000";
    rig->modules[0] = (struct rig_small_level){6, "UpToDate", NULL};
    rig->modules[1] =
        (struct rig_small_level){4, "OutOfDate", "\"INTEL-SA-00002\",\"INTEL-SA-00003\""};
    rig->module_count = 2;
    rig->qe_id = is_tdx(rig) ? "TD_QE" : "QE";
    rig->qe_identity_version = 2;
    rig->qe_evaluation = 17;
    rig->qe_identity_signer = RIG_SIGNER;
    rig->qe_mrsigner = "9a";
    rig->qe_isvprodid = 2;
    rig->qe_levels[0] = (struct rig_small_level){5, "UpToDate", NULL};
    rig->qe_levels[1] = (struct rig_small_level){3, "OutOfDate", "\"INTEL-SA-00004\""};
    rig->qe_level_count = 2;
}

void dcap_rig_init(struct dcap_rig *rig, unsigned version, unsigned body_type)
{
    static const uint8_t fmspc[6] = {0x90, 0xc0, 0x6f};
    EVP_PKEY *keys[RIG_KEY_COUNT];
    memcpy(keys, rig->keys, sizeof keys);
    *rig = (struct dcap_rig){.version = version,
                             .body_type = body_type,
                             .cert_type = 5,
                             .quote_signer = RIG_ATTESTATION,
                             .qe_signer = RIG_PCK,
                             .pck_name = "Intel SGX PCK Certificate",
                             .signer_name = "Intel SGX TCB Signing",
                             .signer_issuer = RIG_ROOT,
                             .root_list_signer = RIG_ROOT,
                             .pck_list_signer = RIG_CA};
    memcpy(rig->keys, keys, sizeof keys);
    memcpy(rig->fmspc, fmspc, sizeof fmspc);
    for (int i = 0; i < RIG_KEY_COUNT; i++) {
        if (rig->keys[i] == NULL) {
            rig->keys[i] = EVP_EC_gen("P-256");
            assert_non_null(rig->keys[i]);
        }
    }
    default_quote(rig);
    default_tcb(rig);
    default_collateral(rig);
}

void dcap_rig_free(struct dcap_rig *rig)
{
    for (int i = 0; i < RIG_KEY_COUNT; i++) {
        EVP_PKEY_free(rig->keys[i]);
    }
}

void dcap_rig_sign(const struct dcap_rig *rig, enum rig_key key, const void *bytes, size_t size,
                   uint8_t signature[64])
{
    uint8_t der[80];
    size_t der_size = sizeof der;
    const uint8_t *at = der;
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    assert_int_equal(EVP_DigestSignInit(context, NULL, EVP_sha256(), NULL, rig->keys[key]), 1);
    assert_int_equal(EVP_DigestSign(context, der, &der_size, bytes, size), 1);
    ECDSA_SIG *pair = d2i_ECDSA_SIG(NULL, &at, (long)der_size);
    assert_int_equal(BN_bn2binpad(ECDSA_SIG_get0_r(pair), signature, 32), 32);
    assert_int_equal(BN_bn2binpad(ECDSA_SIG_get0_s(pair), signature + 32, 32), 32);
    ECDSA_SIG_free(pair);
    EVP_MD_CTX_free(context);
}

/* ---- certificates ---- */

/* DER from the inside out: put(text, tag, content). */
struct der {
    uint8_t bytes[2048];
    size_t size;
};

static void der_put(struct der *der, uint8_t tag, const void *content, size_t size)
{
    der->bytes[der->size++] = tag;
    if (size >= 256) {
        der->bytes[der->size++] = 0x82;
        der->bytes[der->size++] = (uint8_t)(size >> 8);
    } else if (size >= 128) {
        der->bytes[der->size++] = 0x81;
    }
    der->bytes[der->size++] = (uint8_t)size;
    memcpy(der->bytes + der->size, content, size);
    der->size += size;
}

static void der_pair(struct der *der, const uint8_t *arc, size_t arc_size, uint8_t tag,
                     const void *content, size_t size)
{
    struct der pair = {.size = 0};
    der_put(&pair, 6, arc, arc_size);
    der_put(&pair, tag, content, size);
    der_put(der, 0x30, pair.bytes, pair.size);
}

static void der_field(struct der *der, unsigned field, uint8_t tag, const void *content,
                      size_t size)
{
    uint8_t arc[10] = {0x2a, 0x86, 0x48, 0x86, 0xf8, 0x4d, 0x01, 0x0d, 0x01, (uint8_t)field};
    der_pair(der, arc, sizeof arc, tag, content, size);
}

static void der_tcb(struct der *der, unsigned child, unsigned number)
{
    uint8_t arc[11] = {0x2a, 0x86, 0x48, 0x86, 0xf8, 0x4d, 0x01, 0x0d, 0x01, 2, (uint8_t)child};
    uint8_t wide[3] = {0, (uint8_t)(number >> 8), (uint8_t)number};
    size_t skip = number >= 0x8000 ? 0 : number >= 256 || (number & 0x80) != 0 ? 1 : 2;
    der_pair(der, arc, sizeof arc, 2, wide + skip, sizeof wide - skip);
}

static bool has_fault(const struct dcap_rig *rig, const char *fault)
{
    return rig->pck_fault != NULL && strcmp(rig->pck_fault, fault) == 0;
}

static void make_extension(const struct dcap_rig *rig, struct der *whole)
{
    static const uint8_t arc[11] = {0x2a, 0x86, 0x48, 0x86, 0xf8, 0x4d, 0x01, 0x0d, 0x01, 2, 18};
    static const uint8_t ppid[16] = {0xab};
    static const uint8_t piid[16] = {0xcd};
    static const uint8_t type = 1;
    struct der tcb = {.size = 0};
    struct der fields = {.size = 0};
    for (unsigned i = 0; i < 16; i++) {
        der_tcb(&tcb, i + 1, has_fault(rig, "wide") && i == 3 ? 256 : rig->comp[i]);
    }
    der_tcb(&tcb, 17, rig->pcesvn);
    der_pair(&tcb, arc, sizeof arc, 4, rig->comp, 16);
    if (has_fault(rig, "order")) {
        der_field(&fields, 4, 4, rig->fmspc, 6);
    }
    der_field(&fields, 1, 4, ppid, sizeof ppid);
    der_field(&fields, 2, 0x30, tcb.bytes, tcb.size);
    if (!has_fault(rig, "missing")) {
        der_field(&fields, 3, 4, rig->pceid, 2);
    }
    if (!has_fault(rig, "order")) {
        der_field(&fields, 4, 4, rig->fmspc, 6);
    }
    if (has_fault(rig, "twice")) {
        der_field(&fields, 4, 4, ppid, 6);
    }
    der_field(&fields, 5, 10, &type, 1);
    der_field(&fields, 6, 4, piid, sizeof piid);
    der_put(whole, 0x30, fields.bytes, fields.size);
}

static X509 *new_cert(const struct dcap_rig *rig, const char *name, enum rig_key key,
                      const char *issuer, enum rig_key issuer_key, const char *constraints)
{
    X509 *cert = X509_new();
    X509_NAME *subject = X509_get_subject_name(cert);
    X509_set_version(cert, X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(cert), 100 + (long)key);
    X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, (const uint8_t *)name, -1, -1, 0);
    X509_NAME_add_entry_by_txt(X509_get_issuer_name(cert), "CN", MBSTRING_ASC,
                               (const uint8_t *)issuer, -1, -1, 0);
    ASN1_TIME_set(X509_getm_notBefore(cert), (time_t)RIG_NOW - 86400 * 365);
    ASN1_TIME_set(X509_getm_notAfter(cert), (time_t)RIG_NOW + 86400 * 365);
    X509_set_pubkey(cert, rig->keys[key]);
    extend_words(cert, NID_basic_constraints, constraints);
    extend_words(cert, NID_key_usage,
                 strcmp(constraints, "critical,CA:FALSE") == 0 ? "critical,digitalSignature"
                                                               : "critical,keyCertSign,cRLSign");
    if (key == RIG_PCK && !has_fault(rig, "none")) {
        struct der der = {.size = 0};
        make_extension(rig, &der);
        extend_bytes(cert, "1.2.840.113741.1.13.1", der.bytes, der.size);
    }
    assert_true(X509_sign(cert, rig->keys[issuer_key], EVP_sha256()) > 0);
    return cert;
}

static void put_pem(char *target, size_t capacity, X509 *const *certs, size_t count)
{
    BIO *bio = BIO_new(BIO_s_mem());
    char *text = NULL;
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(PEM_write_bio_X509(bio, certs[i]), 1);
    }
    long size = BIO_get_mem_data(bio, &text);
    assert_true(size > 0 && (size_t)size < capacity);
    memcpy(target, text, (size_t)size);
    target[size] = 0;
    BIO_free(bio);
}

static size_t make_list(const struct dcap_rig *rig, X509 *issuer, enum rig_key signer,
                        unsigned keys, uint8_t *target, size_t capacity)
{
    X509_CRL *list = X509_CRL_new();
    ASN1_TIME *time = ASN1_TIME_new();
    X509_CRL_set_version(list, X509_CRL_VERSION_2);
    X509_CRL_set_issuer_name(list, X509_get_subject_name(issuer));
    X509_CRL_set1_lastUpdate(list, ASN1_TIME_set(time, RIG_NOW - 86400 + rig->list_shift));
    X509_CRL_set1_nextUpdate(list, ASN1_TIME_set(time, RIG_NOW + 86400 + rig->list_shift));
    for (int i = 0; i < RIG_KEY_COUNT; i++) {
        if ((keys >> i & 1) != 0) {
            X509_REVOKED *entry = X509_REVOKED_new();
            ASN1_INTEGER *serial = ASN1_INTEGER_new();
            ASN1_INTEGER_set(serial, 100 + i);
            X509_REVOKED_set_serialNumber(entry, serial);
            X509_REVOKED_set_revocationDate(entry, ASN1_TIME_set(time, RIG_NOW - 90000));
            X509_CRL_add0_revoked(list, entry);
            ASN1_INTEGER_free(serial);
        }
    }
    assert_true(X509_CRL_sign(list, rig->keys[signer], EVP_sha256()) > 0);
    int size = i2d_X509_CRL(list, NULL);
    assert_true(size > 0 && (size_t)size <= capacity);
    i2d_X509_CRL(list, &target);
    ASN1_TIME_free(time);
    X509_CRL_free(list);
    return (size_t)size;
}

static void digest_spki(X509 *cert, uint8_t digest[32])
{
    uint8_t *der = NULL;
    int size = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(cert), &der);
    assert_int_equal(EVP_Digest(der, (size_t)size, digest, NULL, EVP_sha256(), NULL), 1);
    OPENSSL_free(der);
}

static X509 *new_root(const struct dcap_rig *rig, enum rig_key key)
{
    return new_cert(rig, root_name, key, root_name, key, "critical,CA:TRUE,pathlen:1");
}

static void make_certificates(struct dcap_rig *rig)
{
    static const char ca_name[] = "Intel SGX PCK Platform CA";
    enum rig_key issuer = rig->two_roots ? RIG_OTHER : rig->signer_issuer;
    X509 *root = new_root(rig, RIG_ROOT);
    X509 *other = new_root(rig, RIG_OTHER);
    X509 *ca = new_cert(rig, ca_name, RIG_CA, root_name, RIG_ROOT, "critical,CA:TRUE,pathlen:0");
    X509 *pck = new_cert(rig, rig->pck_name, RIG_PCK, ca_name, RIG_CA, "critical,CA:FALSE");
    X509 *signer = new_cert(rig, rig->signer_name, RIG_SIGNER,
                            issuer == RIG_CA ? ca_name : root_name, issuer, "critical,CA:FALSE");
    X509 *path[] = {pck, ca, root};
    X509 *signers[] = {signer, ca, rig->two_roots ? other : root};
    put_pem(rig->pck_chain, sizeof rig->pck_chain, path, 3);
    put_pem(rig->signer_chain, sizeof rig->signer_chain, signers, 3);
    rig->root_list_size = make_list(rig, root, rig->root_list_signer, rig->revoked, rig->root_list,
                                    sizeof rig->root_list);
    rig->pck_list_size = make_list(rig, rig->lists_crossed ? root : ca, rig->pck_list_signer,
                                   rig->revoked, rig->pck_list, sizeof rig->pck_list);
    digest_spki(root, rig->root_spki);
    digest_spki(other, rig->other_spki);
    X509_free(root);
    X509_free(other);
    X509_free(ca);
    X509_free(pck);
    X509_free(signer);
}

/* ---- collateral ---- */

struct text {
    char *at;
    size_t left;
};

__attribute__((format(printf, 2, 3))) static void say(struct text *text, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int size = vsnprintf(text->at, text->left, format, arguments);
    va_end(arguments);
    assert_true(size >= 0 && (size_t)size < text->left);
    text->at += size;
    text->left -= (size_t)size;
}

static void say_advisories(struct text *text, const char *advisories)
{
    if (advisories != NULL) {
        say(text, ",\"advisoryIDs\":[%s]", advisories);
    }
}

static void say_components(struct text *text, const char *name, const uint8_t svn[16])
{
    say(text, "\"%s\":[", name);
    for (int i = 0; i < 16; i++) {
        say(text, "%s{\"svn\":%u}", i == 0 ? "" : ",", svn[i]);
    }
    say(text, "]");
}

static void say_level(struct text *text, const struct dcap_rig *rig, const struct rig_level *level)
{
    say(text, "{\"tcb\":{");
    if (rig->tcb_version == 2) {
        for (int i = 0; i < 16; i++) {
            say(text, "\"sgxtcbcomp%02dsvn\":%u,", i + 1, level->sgx[i]);
        }
    } else {
        say_components(text, "sgxtcbcomponents", level->sgx);
        say(text, ",");
    }
    say(text, "\"pcesvn\":%u", level->pcesvn);
    if (is_tdx(rig)) {
        say(text, ",");
        say_components(text, "tdxtcbcomponents", level->tdx);
    }
    say(text, "},\"tcbDate\":\"2025-01-01T00:00:00Z\",\"tcbStatus\":\"%s\"", level->status);
    say_advisories(text, level->advisories);
    say(text, "}");
}

static void say_small_levels(struct text *text, const struct rig_small_level *levels, size_t count)
{
    say(text, "\"tcbLevels\":[");
    for (size_t i = 0; i < count; i++) {
        say(text,
            "%s{\"tcb\":{\"isvsvn\":%u},\"tcbDate\":\"2025-01-01T00:00:00Z\",\"tcbStatus\":\"%s\"",
            i == 0 ? "" : ",", levels[i].isvsvn, levels[i].status);
        say_advisories(text, levels[i].advisories);
        say(text, "}");
    }
    say(text, "]");
}

static void say_repeated(struct text *text, const char *name, const char *pair, int count)
{
    say(text, "\"%s\":\"", name);
    for (int i = 0; i < count; i++) {
        say(text, "%s", pair);
    }
    say(text, "\"");
}

static void say_module(struct text *text, const struct dcap_rig *rig)
{
    say_repeated(text, "mrsigner", rig->module_mrsigner, 48);
    say(text, ",\"attributes\":\"%s\",\"attributesMask\":\"FFFFFFFFFFFFFFFF\"",
        rig->module_attributes);
}

/* {"MEMBER":BODY,"signature":"…"} */
static void say_signed(struct text *text, const struct dcap_rig *rig, const char *member,
                       const char *body, enum rig_key key)
{
    uint8_t signature[64];
    dcap_rig_sign(rig, key, body, strlen(body), signature);
    say(text, "{\"%s\":%s,\"signature\":\"", member, body);
    for (size_t i = 0; i < sizeof signature; i++) {
        say(text, "%02x", signature[i]);
    }
    say(text, "\"}");
}

static void make_tcb_info(struct dcap_rig *rig)
{
    static char body[12288];
    struct text text = {body, sizeof body};
    say(&text, "{%s", rig->tcb_extra);
    if (rig->tcb_version != 2) {
        say(&text, "\"id\":\"%s\",", rig->tcb_id);
    }
    say(&text,
        "\"version\":%u,\"issueDate\":\"%s\",\"nextUpdate\":\"%s\",\"fmspc\":\"%s\","
        "\"pceId\":\"%s\",\"tcbType\":0,\"tcbEvaluationDataNumber\":%u,",
        rig->tcb_version, rig->tcb_issued, rig->tcb_next, rig->tcb_fmspc, rig->tcb_pceid,
        rig->tcb_evaluation);
    if (is_tdx(rig)) {
        say(&text, "\"tdxModule\":{");
        say_module(&text, rig);
        say(&text, "},");
    }
    if (is_tdx(rig) && rig->module_id != NULL) {
        say(&text, "\"tdxModuleIdentities\":[{\"id\":\"%s\",", rig->module_id);
        say_module(&text, rig);
        say(&text, ",");
        say_small_levels(&text, rig->modules, rig->module_count);
        say(&text, "}],");
    }
    say(&text, "\"tcbLevels\":[");
    for (size_t i = 0; i < rig->level_count; i++) {
        say(&text, "%s", i == 0 ? "" : ",");
        say_level(&text, rig, &rig->levels[i]);
    }
    say(&text, "]}");
    say_signed(&(struct text){rig->tcb_info, sizeof rig->tcb_info}, rig, "tcbInfo", body,
               rig->tcb_signer);
}

static void make_qe_identity(struct dcap_rig *rig)
{
    static char body[3072];
    struct text text = {body, sizeof body};
    say(&text,
        "{\"id\":\"%s\",\"version\":%u,\"issueDate\":\"2025-12-20T00:00:00Z\","
        "\"nextUpdate\":\"2026-01-19T00:00:00Z\",\"tcbEvaluationDataNumber\":%u,"
        "\"miscselect\":\"00000000\",\"miscselectMask\":\"FFFFFFFF\","
        "\"attributes\":\"11000000000000000000000000000000\","
        "\"attributesMask\":\"FBFFFFFFFFFFFFFF0000000000000000\",",
        rig->qe_id, rig->qe_identity_version, rig->qe_evaluation);
    say_repeated(&text, "mrsigner", rig->qe_mrsigner, 32);
    say(&text, ",\"isvprodid\":%u,", rig->qe_isvprodid);
    say_small_levels(&text, rig->qe_levels, rig->qe_level_count);
    say(&text, "}");
    say_signed(&(struct text){rig->qe_identity, sizeof rig->qe_identity}, rig, "enclaveIdentity",
               body, rig->qe_identity_signer);
}

/* ---- the quote ---- */

static void add(struct dcap_rig *rig, const void *bytes, size_t size)
{
    assert_true(rig->quote_size + size <= sizeof rig->quote);
    memcpy(rig->quote + rig->quote_size, bytes, size);
    rig->quote_size += size;
}

static void add_number(struct dcap_rig *rig, uint64_t value, unsigned size)
{
    uint8_t bytes[8];
    put_le(bytes, value, size);
    add(rig, bytes, size);
}

static void add_qe(struct dcap_rig *rig, const uint8_t key[64], const void *cert, size_t cert_size)
{
    uint8_t signature[64];
    if (!rig->keep_qe_data) {
        uint8_t text[64 + sizeof rig->auth];
        memcpy(text, key, 64);
        memcpy(text + 64, rig->auth, sizeof rig->auth);
        EVP_Digest(text, sizeof text, rig->qe_report + 320, NULL, EVP_sha256(), NULL);
    }
    dcap_rig_sign(rig, rig->qe_signer, rig->qe_report, sizeof rig->qe_report, signature);
    add(rig, rig->qe_report, sizeof rig->qe_report);
    add(rig, signature, sizeof signature);
    add_number(rig, sizeof rig->auth, 2);
    add(rig, rig->auth, sizeof rig->auth);
    add_number(rig, rig->cert_type, 2);
    add_number(rig, cert_size, 4);
    add(rig, cert, cert_size);
}

static void make_quote(struct dcap_rig *rig)
{
    static const size_t sizes[] = {0, 384, 584, 648, 885};
    static const uint8_t ppid[404] = {0};
    uint8_t point[65];
    size_t point_size;
    uint8_t signature[64];
    const char *cert = rig->cert_type < 4 ? (const char *)ppid : rig->pck_chain;
    size_t cert_size = rig->cert_type < 4 ? sizeof ppid : strlen(cert) + 1;
    if (rig->cert_type == 4 && !rig->leaf_with_chain) {
        cert_size = (size_t)(strstr(cert, "-----END CERTIFICATE-----") - cert) + 26;
    }
    size_t qe_size = 384 + 64 + 2 + sizeof rig->auth + 2 + 4 + cert_size;
    rig->quote_size = 0;
    add(rig, rig->header, sizeof rig->header);
    if (rig->version == 5) {
        add_number(rig, rig->body_type, 2);
        add_number(rig, sizes[rig->body_type], 4);
    }
    add(rig, rig->body, sizes[rig->body_type]);
    dcap_rig_sign(rig, rig->quote_signer, rig->quote, rig->quote_size, signature);
    assert_int_equal(EVP_PKEY_get_octet_string_param(rig->keys[RIG_ATTESTATION], "pub", point,
                                                     sizeof point, &point_size),
                     1);
    assert_int_equal(point_size, 65);
    add_number(rig, 128 + (rig->version == 3 ? 0 : 6) + qe_size, 4);
    add(rig, signature, sizeof signature);
    add(rig, point + 1, 64);
    if (rig->version != 3) {
        add_number(rig, 6, 2);
        add_number(rig, qe_size, 4);
    }
    add_qe(rig, point + 1, cert, cert_size);
    memset(rig->quote + rig->quote_size, 0, rig->trailing);
    rig->quote_size += rig->trailing;
}

void dcap_rig_make(struct dcap_rig *rig)
{
    make_certificates(rig);
    make_tcb_info(rig);
    make_qe_identity(rig);
    make_quote(rig);
}

/* ---- appraising ---- */

static void add_part(struct csv_input *input, uint32_t kind, const char *name, const void *bytes,
                     size_t size)
{
    if (size != 0) {
        assert_int_equal(csv_input_add(input, kind, name, bytes, size), CSN_OK);
    }
}

struct csv_input *dcap_rig_input(const struct dcap_rig *rig)
{
    struct csv_input *input = NULL;
    const uint32_t kind = CSV_PART_COLLATERAL;
    assert_int_equal(csv_input_create(&input), CSN_OK);
    add_part(input, CSV_PART_EVIDENCE, NULL, rig->quote, rig->quote_size);
    add_part(input, kind, "tcb_info.json", rig->tcb_info, strlen(rig->tcb_info));
    add_part(input, kind, "qe_identity.json", rig->qe_identity, strlen(rig->qe_identity));
    add_part(input, kind, "tcb_signing_chain.pem", rig->signer_chain, strlen(rig->signer_chain));
    add_part(input, kind, "root_ca_crl.der", rig->root_list, rig->root_list_size);
    add_part(input, kind, "pck_crl.der", rig->pck_list, rig->pck_list_size);
    if (rig->cert_type != 5) {
        add_part(input, kind, "pck_chain.pem", rig->pck_chain, strlen(rig->pck_chain));
    }
    csv_input_set_time(input, RIG_NOW);
    assert_int_equal(csv_input_trust_test_root_insecure(input, rig->root_spki), CSN_OK);
    if (rig->two_roots) {
        assert_int_equal(csv_input_trust_test_root_insecure(input, rig->other_spki), CSN_OK);
    }
    return input;
}

csn_err dcap_rig_appraise(const struct dcap_rig *rig, const struct csv_policy *policy,
                          struct csv_verdict **verdict)
{
    struct csv_policy *any = NULL;
    struct csv_input *input = dcap_rig_input(rig);
    assert_int_equal(csv_policy_create_insecure_any(&any), CSN_OK);
    csn_err result = csv_appraise(policy != NULL ? policy : any, input,
                                  rig->body_type == 1 ? CSV_FORMAT_SGX : CSV_FORMAT_TDX, verdict);
    csv_policy_free(any);
    csv_input_free(input);
    return result;
}

void dcap_rig_expect(struct dcap_rig *rig, csn_err result, const char *id, uint32_t outcome)
{
    struct csv_verdict *verdict = NULL;
    dcap_rig_make(rig);
    csn_err got = dcap_rig_appraise(rig, NULL, &verdict);
    if (got != result || (id != NULL && table_finding(verdict, id, outcome) == NULL)) {
        table_explain(verdict);
        fail_msg("result %d, expected %d with %s", got, result, id != NULL ? id : "-");
    }
    csv_verdict_free(verdict);
}

void dcap_rig_expect_status(struct dcap_rig *rig, const char *status)
{
    struct csv_verdict *verdict = NULL;
    bool refused = strcmp(status, "Revoked") == 0 || strcmp(status, "NotSupported") == 0;
    dcap_rig_make(rig);
    csn_err got = dcap_rig_appraise(rig, NULL, &verdict);
    const char *is = csv_verdict_tcb_status(verdict);
    if (is == NULL || strcmp(is, status) != 0 || (got == CSN_ERR_EVIDENCE) != refused) {
        table_explain(verdict);
        fail_msg("status %s, expected %s; result %d", is != NULL ? is : "(none)", status, got);
    }
    csv_verdict_free(verdict);
}
