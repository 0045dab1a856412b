/* SPDX-License-Identifier: Apache-2.0 */
/* verify_bare.c: see verify_bare.h. Knows the two samples' layouts and trusts them. */
#include "bench/verify_bare.h"
#include <openssl/bn.h>
#include <openssl/ecdsa.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct file {
    uint8_t *bytes;
    size_t size;
};

static struct file read_file(const char *folder, const char *name)
{
    char path[2048];
    struct file file = {0};
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *stream = fopen(path, "rb");
    if (stream == NULL) {
        return file;
    }
    file.bytes = malloc(1 << 20);
    file.size = file.bytes != NULL ? fread(file.bytes, 1, 1 << 20, stream) : 0;
    fclose(stream);
    return file;
}

static struct file add(struct bare_case *made, const char *folder, const char *name, uint32_t part)
{
    struct file file = read_file(folder, name);
    const char *slash = strrchr(name, '/');
    if (file.bytes == NULL ||
        csv_input_add(made->input, part, strdup(slash != NULL ? slash + 1 : name) /* kept */,
                      file.bytes, file.size) != CSN_OK) {
        exit(1);
    }
    return file;
}

static X509 *certificate(struct file file, int index)
{
    BIO *bio = BIO_new_mem_buf(file.bytes, (int)file.size);
    X509 *cert = NULL;
    for (int i = 0; i <= index; i++) {
        X509_free(cert);
        cert = file.bytes[0] == 0x30 ? d2i_X509_bio(bio, NULL)
                                     : PEM_read_bio_X509(bio, NULL, NULL, NULL);
    }
    BIO_free(bio);
    return cert;
}

static struct bare_signature *next(struct bare_case *made, EVP_PKEY *key, const char *digest,
                                   const void *message, size_t size)
{
    struct bare_signature *check = &made->checks[made->check_count++];
    *check = (struct bare_signature){
        .key = key, .digest = digest, .message = message, .message_size = size};
    return check;
}

static void set_signature(struct bare_signature *check, const uint8_t *bytes, size_t size)
{
    memcpy(check->signature, bytes, size);
    check->signature_size = size;
}

/* r and s of size bytes each to DER; little: least byte first. */
static void set_raw(struct bare_signature *check, const uint8_t *r, const uint8_t *s, size_t size,
                    bool little)
{
    unsigned char *at = check->signature;
    ECDSA_SIG *pair = ECDSA_SIG_new();
    BIGNUM *(*read)(const unsigned char *, int, BIGNUM *) = little ? BN_lebin2bn : BN_bin2bn;
    ECDSA_SIG_set0(pair, read(r, (int)size, NULL), read(s, (int)size, NULL));
    check->signature_size = (size_t)i2d_ECDSA_SIG(pair, &at);
    ECDSA_SIG_free(pair);
}

/* A certificate (or list) by its issuer's key: what was signed is the DER of its inside. */
static void add_signed(struct bare_case *made, unsigned char *inside, int size,
                       const ASN1_BIT_STRING *signature, X509 *issuer, bool pss)
{
    struct bare_signature *check =
        next(made, X509_get_pubkey(issuer), pss ? "SHA384" : "SHA256", inside, (size_t)size);
    check->pss = pss;
    set_signature(check, ASN1_STRING_get0_data(signature), (size_t)ASN1_STRING_length(signature));
}

static void add_cert(struct bare_case *made, X509 *cert, X509 *issuer, bool pss)
{
    const ASN1_BIT_STRING *signature = NULL;
    unsigned char *inside = NULL;
    int size = i2d_re_X509_tbs(cert, &inside);
    X509_get0_signature(&signature, NULL, cert);
    add_signed(made, inside, size, signature, issuer, pss);
}

static void add_crl(struct bare_case *made, struct file file, X509 *issuer)
{
    const unsigned char *at = file.bytes;
    const ASN1_BIT_STRING *signature = NULL;
    unsigned char *inside = NULL;
    X509_CRL *crl = d2i_X509_CRL(NULL, &at, (long)file.size);
    int size = i2d_re_X509_CRL_tbs(crl, &inside);
    X509_CRL_get0_signature(crl, &signature, NULL);
    add_signed(made, inside, size, signature, issuer, false);
}

static struct bare_case *start(const char *name, uint32_t format, const char *time)
{
    struct bare_case *made = calloc(1, sizeof *made);
    int64_t seconds = 0;
    if (made == NULL || csv_input_create(&made->input) != CSN_OK ||
        csv_policy_create_insecure_any(&made->policy) != CSN_OK ||
        !csv_time_parse(time, &seconds)) {
        exit(1);
    }
    made->name = name;
    made->format = format;
    csv_input_set_time(made->input, seconds);
    return made;
}

struct bare_case *bare_snp(const char *vectors)
{
    if (read_file(vectors, "snp/milan-v2-virtee.report.bin").bytes == NULL) {
        return NULL;
    }
    struct bare_case *made = start("snp", CSV_FORMAT_SNP, "2025-01-01T00:00:00Z");
    struct file report = add(made, vectors, "snp/milan-v2-virtee.report.bin", CSV_PART_EVIDENCE);
    X509 *vek = certificate(add(made, vectors, "snp/milan-v2-virtee.vcek.der", CSV_PART_VEK), 0);
    X509 *ask = certificate(add(made, vectors, "roots/amd-ask-milan.pem", CSV_PART_CHAIN), 0);
    X509 *ark = certificate(add(made, vectors, "roots/amd-ark-milan.pem", CSV_PART_CHAIN), 0);
    struct bare_signature *check = next(made, X509_get_pubkey(vek), "SHA384", report.bytes, 0x2a0);
    set_raw(check, report.bytes + 0x2a0, report.bytes + 0x2e8, 72, true);
    add_cert(made, vek, ask, true);
    add_cert(made, ask, ark, true);
    add_cert(made, ark, ark, true); /* its validity counts, so its signature must */
    return made;
}

/* The value of "name" in text as it stands, up to the matching brace. */
static struct file json_object(struct file text, const char *name)
{
    const char *at = strstr((const char *)text.bytes, name);
    const char *begin = strchr(at, '{');
    int depth = 0;
    const char *end = begin;
    do {
        depth += (*end == '{') - (*end == '}');
        end++;
    } while (depth != 0);
    return (struct file){(uint8_t *)(uintptr_t)begin, (size_t)(end - begin)};
}

static void add_json(struct bare_case *made, struct file text, const char *name, X509 *signer)
{
    struct file object = json_object(text, name);
    const char *hex = strstr((const char *)text.bytes, "\"signature\"");
    uint8_t raw[64];
    hex = strchr(hex + 11, '"') + 1;
    for (size_t i = 0; i < 64; i++) {
        unsigned value = 0;
        sscanf(hex + 2 * i, "%2x", &value);
        raw[i] = (uint8_t)value;
    }
    struct bare_signature *check =
        next(made, X509_get_pubkey(signer), "SHA256", object.bytes, object.size);
    set_raw(check, raw, raw + 32, 32, false);
}

static EVP_PKEY *p256_key(const uint8_t point[64])
{
    uint8_t der[91] = {0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48,
                       0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48,
                       0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00, 0x04};
    const unsigned char *at = der;
    memcpy(der + 27, point, 64);
    return d2i_PUBKEY(NULL, &at, sizeof der);
}

struct bare_case *bare_tdx(const char *vectors)
{
    static const char folder[] = "dcap-collateral/tdx-b0c06f000000-2025-06/";
    static const char *const names[] = {
        "tcb_info.json", "qe_identity.json",         "tcb_signing_chain.pem",
        "pck_crl.der",   "pck_crl_issuer_chain.pem", "root_ca_crl.der"};
    struct file files[6];
    if (read_file(vectors, "tdx/v4-phala-b0c06f000000.quote.bin").bytes == NULL) {
        return NULL;
    }
    struct bare_case *made = start("tdx", CSV_FORMAT_TDX, "2025-07-01T00:00:00Z");
    struct file quote =
        add(made, vectors, "tdx/v4-phala-b0c06f000000.quote.bin", CSV_PART_EVIDENCE);
    for (size_t i = 0; i < 6; i++) {
        char path[256];
        snprintf(path, sizeof path, "%s%s", folder, names[i]);
        files[i] = add(made, vectors, path, CSV_PART_COLLATERAL);
        files[i].bytes[files[i].size] = 0;
    }
    const uint8_t *tail = quote.bytes + 636; /* signature, key, then the QE's certification */
    const uint8_t *qe = tail + 128 + 6;
    size_t auth = (size_t)(qe[448] | qe[449] << 8);
    struct file pem = {(uint8_t *)(uintptr_t)(qe + 450 + auth + 6), 0};
    pem.size = strlen((const char *)pem.bytes);
    X509 *pck = certificate(pem, 0);
    X509 *ca = certificate(pem, 1);
    X509 *root = certificate(pem, 2);
    X509 *signer = certificate(files[2], 0);
    struct bare_signature *check = next(made, p256_key(tail + 64), "SHA256", quote.bytes, 632);
    set_raw(check, tail, tail + 32, 32, false);
    check = next(made, X509_get_pubkey(pck), "SHA256", qe, 384);
    set_raw(check, qe + 384, qe + 416, 32, false);
    add_cert(made, pck, ca, false);
    add_cert(made, ca, root, false);
    add_cert(made, root, root, false);
    add_cert(made, signer, root, false);
    add_json(made, files[0], "\"tcbInfo\"", signer);
    add_json(made, files[1], "\"enclaveIdentity\"", signer);
    add_crl(made, files[3], ca);
    add_crl(made, files[5], root);
    return made;
}

static bool check_one(const struct bare_signature *check)
{
    EVP_PKEY_CTX *options = NULL;
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    bool good = context != NULL && EVP_DigestVerifyInit_ex(context, &options, check->digest, NULL,
                                                           NULL, check->key, NULL) == 1;
    if (good && check->pss) {
        good = EVP_PKEY_CTX_set_rsa_padding(options, RSA_PKCS1_PSS_PADDING) == 1 &&
               EVP_PKEY_CTX_set_rsa_pss_saltlen(options, 48) == 1;
    }
    good = good && EVP_DigestVerify(context, check->signature, check->signature_size,
                                    check->message, check->message_size) == 1;
    EVP_MD_CTX_free(context);
    return good;
}

bool bare_check(const struct bare_case *subject)
{
    bool good = true;
    for (size_t i = 0; i < subject->check_count; i++) {
        good = check_one(&subject->checks[i]) && good;
    }
    return good;
}

bool bare_appraise(const struct bare_case *subject)
{
    struct csv_verdict *verdict = NULL;
    bool good = csv_appraise(subject->policy, subject->input, subject->format, &verdict) == CSN_OK;
    csv_verdict_free(verdict);
    return good;
}
