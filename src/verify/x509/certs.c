/* SPDX-License-Identifier: Apache-2.0 */
/* certs.c: reading certificates; what they say. See x509.h. */
#include "verify/parse/read.h"
#include "verify/text.h"
#include "verify/x509/x509.h"
#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/objects.h>
#include <openssl/pem.h>
#include <string.h>

static bool add(struct csv_certs *certs, X509 *cert)
{
    if (cert == NULL || certs->count == CSV_CERT_COUNT_MAX) {
        X509_free(cert);
        return false;
    }
    certs->at[certs->count++] = cert;
    return true;
}

static bool read_der(struct csv_certs *certs, struct csv_bytes bytes)
{
    const unsigned char *at = bytes.at;
    X509 *cert = d2i_X509(NULL, &at, (long)bytes.size);
    return add(certs, cert) && csv_is_zero(at, bytes.size - (size_t)(at - bytes.at));
}

static bool is_space(uint8_t c)
{
    return c == ' ' || c == '\n' || c == '\r' || c == '\t' || c == 0;
}

/* One "-----BEGIN CERTIFICATE-----" block at the start of *bytes; moves behind it. */
static bool read_block(struct csv_certs *certs, struct csv_bytes *bytes)
{
    static const char begin[] = "-----BEGIN CERTIFICATE-----";
    static const char end[] = "-----END CERTIFICATE-----";
    if (bytes->size < sizeof begin || memcmp(bytes->at, begin, sizeof begin - 1) != 0) {
        return false;
    }
    size_t size = sizeof begin - 1;
    while (size + sizeof end - 1 <= bytes->size &&
           memcmp(bytes->at + size, end, sizeof end - 1) != 0) {
        size++;
    }
    size += sizeof end - 1;
    if (size > bytes->size) {
        return false;
    }
    BIO *bio = BIO_new_mem_buf(bytes->at, (int)size);
    X509 *cert = bio != NULL ? PEM_read_bio_X509(bio, NULL, NULL, NULL) : NULL;
    BIO_free(bio);
    bytes->at += size;
    bytes->size -= size;
    return add(certs, cert);
}

bool csv_certs_read(struct csv_certs *certs, struct csv_bytes bytes)
{
    if (bytes.size == 0 || bytes.size > CSV_PART_SIZE_MAX) {
        return false;
    }
    if (bytes.at[0] == 0x30) {
        return read_der(certs, bytes);
    }
    for (;;) {
        while (bytes.size != 0 && is_space(bytes.at[0])) {
            bytes.at++;
            bytes.size--;
        }
        if (bytes.size == 0) {
            return certs->count != 0;
        }
        if (!read_block(certs, &bytes)) {
            return false;
        }
    }
}

bool csv_certs_read_parts(struct csv_certs *certs, const struct csv_input *input, uint32_t kind)
{
    const struct csv_part *part;
    for (size_t i = 0; (part = csv_part(input, kind, i)) != NULL; i++) {
        if (!csv_certs_read(certs, part->bytes)) {
            return false;
        }
    }
    return true;
}

void csv_certs_free(struct csv_certs *certs)
{
    for (size_t i = 0; i < certs->count; i++) {
        X509_free(certs->at[i]);
    }
    certs->count = 0;
}

bool csv_spki_sha256(const X509 *cert, uint8_t digest[32])
{
    unsigned char *der = NULL;
    int size = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(cert), &der);
    bool good = size > 0 && EVP_Digest(der, (size_t)size, digest, NULL, EVP_sha256(), NULL) == 1;
    OPENSSL_free(der);
    return good;
}

bool csv_extension(const X509 *cert, const char *oid, struct csv_bytes *value)
{
    ASN1_OBJECT *object = OBJ_txt2obj(oid, 1);
    int index = object != NULL ? X509_get_ext_by_OBJ(cert, object, -1) : -1;
    bool once = index >= 0 && X509_get_ext_by_OBJ(cert, object, index) < 0;
    if (once) {
        const ASN1_OCTET_STRING *data = X509_EXTENSION_get_data(X509_get_ext(cert, index));
        *value = (struct csv_bytes){ASN1_STRING_get0_data(data), (size_t)ASN1_STRING_length(data)};
    }
    ASN1_OBJECT_free(object);
    return once;
}

const char *csv_common_name(const X509 *cert, struct csv_arena *arena)
{
    char name[256];
    int size =
        X509_NAME_get_text_by_NID(X509_get_subject_name(cert), NID_commonName, name, sizeof name);
    return size > 0 ? csv_text_foreign(arena, (const uint8_t *)name, (size_t)size) : "";
}

bool csv_asn1_time(const ASN1_TIME *time, int64_t *unix_seconds)
{
    struct tm parts;
    if (time == NULL || ASN1_TIME_to_tm(time, &parts) != 1) {
        return false;
    }
    *unix_seconds = csv_seconds_of(parts.tm_year + 1900, parts.tm_mon + 1, parts.tm_mday) +
                    parts.tm_hour * 3600 + parts.tm_min * 60 + parts.tm_sec;
    return true;
}

const char *csv_time_text(struct csv_arena *arena, int64_t unix_seconds)
{
    struct tm parts;
    time_t time = (time_t)unix_seconds;
    if (OPENSSL_gmtime(&time, &parts) == NULL) {
        return "a time out of range";
    }
    return csv_text(arena, "%04d-%02d-%02dT%02d:%02d:%02dZ", parts.tm_year + 1900, parts.tm_mon + 1,
                    parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec);
}
