/* SPDX-License-Identifier: Apache-2.0 */
/* cert.c: see cert.h. */
#include "verify/x509/cert.h"
#include "verify/parse/der.h"
#include "verify/text.h"
#include <openssl/crypto.h>

bool csv_bytes_same(struct csv_bytes a, struct csv_bytes b)
{
    return csv_bytes_equal(a, b.at, b.size);
}

static bool read_validity(struct csv_reader *body, struct csv_cert *cert)
{
    struct csv_bytes content;
    if (!csv_der_take(body, CSV_DER_SEQUENCE, &content)) {
        return false;
    }
    struct csv_reader times = csv_read(content);
    return csv_der_time(&times, &cert->not_before) && csv_der_time(&times, &cert->not_after) &&
           times.left == 0;
}

/* Unique ids, which nobody uses, are passed over; then the extensions, if any. */
static bool read_extensions(struct csv_reader *body, struct csv_cert *cert, bool version_3)
{
    struct csv_bytes content;
    bool there = false;
    if (!csv_der_optional(body, 0x81, &content, &there) ||
        !csv_der_optional(body, 0x82, &content, &there) ||
        !csv_der_optional(body, CSV_DER_CONTEXT(3), &content, &there) || body->left != 0) {
        return false;
    }
    if (!there) {
        return true;
    }
    struct csv_reader outer = csv_read(content);
    return version_3 && csv_der_take(&outer, CSV_DER_SEQUENCE, &cert->extensions) &&
           outer.left == 0;
}

static bool read_version(struct csv_reader *body, bool *version_3)
{
    struct csv_bytes content;
    uint64_t version = 0;
    bool there = false;
    if (!csv_der_optional(body, CSV_DER_CONTEXT(0), &content, &there)) {
        return false;
    }
    if (there) {
        struct csv_reader inner = csv_read(content);
        if (!csv_der_take(&inner, CSV_DER_INTEGER, &content) || inner.left != 0 ||
            !csv_der_number(content, &version) || version > 2) {
            return false;
        }
    }
    *version_3 = version == 2;
    return true;
}

/* tbsCertificate; *inner: the algorithm that it names. */
static bool read_body(struct csv_bytes content, struct csv_cert *cert, struct csv_bytes *inner)
{
    struct csv_reader body = csv_read(content);
    bool version_3 = false;
    return read_version(&body, &version_3) && csv_der_take(&body, CSV_DER_INTEGER, &cert->serial) &&
           cert->serial.size != 0 && csv_der_take(&body, CSV_DER_SEQUENCE, inner) &&
           csv_der_take_whole(&body, CSV_DER_SEQUENCE, &cert->issuer) &&
           read_validity(&body, cert) &&
           csv_der_take_whole(&body, CSV_DER_SEQUENCE, &cert->subject) &&
           csv_der_take_whole(&body, CSV_DER_SEQUENCE, &cert->spki) &&
           read_extensions(&body, cert, version_3);
}

/* One extension at *reader. */
static bool next_extension(struct csv_reader *reader, struct csv_bytes *oid, bool *critical,
                           struct csv_bytes *value)
{
    struct csv_bytes content;
    struct csv_bytes flag;
    if (!csv_der_take(reader, CSV_DER_SEQUENCE, &content)) {
        return false;
    }
    struct csv_reader inner = csv_read(content);
    bool there = false;
    bool good = csv_der_take(&inner, CSV_DER_OID, oid) &&
                csv_der_optional(&inner, CSV_DER_BOOLEAN, &flag, &there) &&
                csv_der_take(&inner, CSV_DER_OCTET_STRING, value) && inner.left == 0;
    *critical = good && there && flag.size == 1 && flag.at[0] != 0;
    return good && (!there || flag.size == 1);
}

static bool read_basic(struct csv_cert *cert, struct csv_bytes value)
{
    struct csv_reader outer = csv_read(value);
    struct csv_bytes content;
    bool there = false;
    if (!csv_der_take(&outer, CSV_DER_SEQUENCE, &content) || outer.left != 0) {
        return false;
    }
    struct csv_reader inner = csv_read(content);
    cert->has_basic = true;
    cert->path_length = UINT64_MAX;
    if (!csv_der_optional(&inner, CSV_DER_BOOLEAN, &content, &there)) {
        return false;
    }
    cert->is_ca = there && content.size == 1 && content.at[0] != 0;
    if (!csv_der_optional(&inner, CSV_DER_INTEGER, &content, &there) || inner.left != 0) {
        return false;
    }
    return !there || csv_der_number(content, &cert->path_length);
}

static bool read_usage(struct csv_cert *cert, struct csv_bytes value)
{
    struct csv_reader outer = csv_read(value);
    struct csv_bytes bits;
    if (!csv_der_take(&outer, CSV_DER_BIT_STRING, &bits) || outer.left != 0 || bits.size < 2 ||
        bits.size > 3 || bits.at[0] > 7) {
        return false;
    }
    cert->has_usage = true;
    for (unsigned bit = 0; bit < 9 && bit / 8 + 1 < bits.size; bit++) {
        bool set = (bits.at[1 + bit / 8] >> (7 - bit % 8) & 1) != 0;
        cert->usage |= (uint16_t)(set << bit);
    }
    return true;
}

/* What an appraisal needs to know of; and whether something critical stays unknown. */
static bool scan_extensions(struct csv_cert *cert)
{
    struct csv_reader reader = csv_read(cert->extensions);
    while (reader.left != 0) {
        struct csv_bytes oid;
        struct csv_bytes value;
        struct csv_bytes first;
        bool critical = false;
        const uint8_t *before = reader.at;
        if (!next_extension(&reader, &oid, &critical, &value)) {
            return false;
        }
        struct csv_reader earlier = csv_read(
            (struct csv_bytes){cert->extensions.at, (size_t)(before - cert->extensions.at)});
        while (earlier.left != 0) {
            bool unused = false;
            struct csv_bytes other;
            if (!next_extension(&earlier, &first, &unused, &other) || csv_bytes_same(first, oid)) {
                return false; /* there twice */
            }
        }
        bool basic = csv_oid_is(oid, "2.5.29.19");
        bool usage = csv_oid_is(oid, "2.5.29.15");
        if ((basic && !read_basic(cert, value)) || (usage && !read_usage(cert, value))) {
            return false;
        }
        /* Extended key usage narrows what TLS and the like may do; no evidence is signed by it. */
        bool known = basic || usage || csv_oid_is(oid, "2.5.29.37");
        cert->unknown_critical |= critical && !known;
    }
    return true;
}

bool csv_cert_read(struct csv_cert *cert, struct csv_bytes bytes, size_t *size)
{
    struct csv_reader reader = csv_read(bytes);
    struct csv_bytes content;
    struct csv_bytes inner;
    struct csv_bytes outer;
    *cert = (struct csv_cert){.path_length = UINT64_MAX};
    if (!csv_der_take(&reader, CSV_DER_SEQUENCE, &content)) {
        return false;
    }
    *size = bytes.size - reader.left;
    struct csv_reader parts = csv_read(content);
    if (!csv_der_take_whole(&parts, CSV_DER_SEQUENCE, &cert->signed_part) ||
        !csv_der_take(&parts, CSV_DER_SEQUENCE, &outer) ||
        !csv_der_bits(&parts, &cert->signature) || parts.left != 0) {
        return false;
    }
    struct csv_reader body = csv_read(cert->signed_part);
    return csv_der_take(&body, CSV_DER_SEQUENCE, &content) && read_body(content, cert, &inner) &&
           csv_bytes_same(inner, outer) && csv_algorithm_read(outer, &cert->algorithm) &&
           scan_extensions(cert);
}

EVP_PKEY *csv_cert_key(struct csv_cert *cert)
{
    if (cert->key == NULL) {
        cert->key = csv_key_read(cert->spki, cert->curves);
    }
    return cert->key;
}

bool csv_spki_sha256(const struct csv_cert *cert, uint8_t digest[32])
{
    return EVP_Digest(cert->spki.at, cert->spki.size, digest, NULL, EVP_sha256(), NULL) == 1;
}

bool csv_extension(const struct csv_cert *cert, const char *oid, struct csv_bytes *value)
{
    struct csv_reader reader = csv_read(cert->extensions);
    while (reader.left != 0) {
        struct csv_bytes found;
        struct csv_bytes content;
        bool critical = false;
        if (!next_extension(&reader, &found, &critical, &content)) {
            return false;
        }
        if (csv_oid_is(found, oid)) {
            *value = content;
            return true;
        }
    }
    return false;
}

bool csv_oid_is(struct csv_bytes content, const char *dotted)
{
    uint8_t coded[32];
    size_t size = 0;
    uint64_t arc = 0;
    unsigned index = 0;
    uint64_t first = 0;
    for (const char *at = dotted;; at++) {
        if (*at >= '0' && *at <= '9') {
            arc = arc * 10 + (uint64_t)(*at - '0');
            continue;
        }
        if (index == 0) {
            first = arc;
        } else {
            uint64_t value = index == 1 ? first * 40 + arc : arc;
            unsigned groups = 1;
            while (groups < 9 && value >> (7 * groups) != 0) {
                groups++;
            }
            for (unsigned i = groups; i-- > 0 && size < sizeof coded;) {
                coded[size++] = (uint8_t)((value >> (7 * i) & 0x7f) | (i != 0 ? 0x80 : 0));
            }
        }
        index++;
        arc = 0;
        if (*at == 0) {
            return csv_bytes_equal(content, coded, size);
        }
    }
}

/* A Name is a list of sets of (OID, text): the last common name is the most specific one. */
const char *csv_name_common(struct csv_bytes name, struct csv_arena *arena)
{
    struct csv_reader outer = csv_read(name);
    struct csv_bytes content;
    const char *found = "";
    if (!csv_der_take(&outer, CSV_DER_SEQUENCE, &content)) {
        return found;
    }
    struct csv_reader sets = csv_read(content);
    while (sets.left != 0 && csv_der_take(&sets, CSV_DER_SET, &content)) {
        struct csv_reader set = csv_read(content);
        struct csv_bytes pair;
        struct csv_bytes oid;
        struct csv_bytes text;
        uint8_t tag = 0;
        while (set.left != 0 && csv_der_take(&set, CSV_DER_SEQUENCE, &pair)) {
            struct csv_reader parts = csv_read(pair);
            if (csv_der_take(&parts, CSV_DER_OID, &oid) && csv_der_next(&parts, &tag, &text) &&
                csv_oid_is(oid, "2.5.4.3")) {
                found = csv_text_foreign(arena, text.at, text.size);
            }
        }
    }
    return found;
}

const char *csv_common_name(const struct csv_cert *cert, struct csv_arena *arena)
{
    return csv_name_common(cert->subject, arena);
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
