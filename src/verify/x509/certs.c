/* SPDX-License-Identifier: Apache-2.0 */
/* certs.c: certificates from parts. See x509.h. */
#include "verify/parse/read.h"
#include "verify/text.h"
#include "verify/x509/pem.h"
#include "verify/x509/x509.h"

#define HEADER_NAME_MAX 64

/* The appraisal's own copy; the one that it has, if these bytes came before. */
static struct csv_cert *keep(struct csv_case *appraisal, const struct csv_cert *read)
{
    struct csv_verdict *verdict = appraisal->verdict;
    for (size_t i = 0; i < verdict->cert_count; i++) {
        struct csv_cert *known = verdict->certs[i];
        if (csv_bytes_same(known->signed_part, read->signed_part) &&
            csv_bytes_same(known->signature, read->signature)) {
            return known;
        }
    }
    struct csv_cert *cert = csv_take(appraisal->arena, 1, sizeof *cert);
    if (cert == NULL || verdict->cert_count == CSV_VERDICT_CERT_COUNT_MAX) {
        return NULL;
    }
    *cert = *read;
    cert->curves = &verdict->curves;
    verdict->certs[verdict->cert_count++] = cert;
    return cert;
}

/* One DER certificate; zero bytes may follow it. */
static bool add(struct csv_certs *certs, struct csv_bytes bytes)
{
    size_t size = 0;
    struct csv_cert read;
    if (certs->count == CSV_CERT_COUNT_MAX || !csv_cert_read(&read, bytes, &size) ||
        !csv_is_zero(bytes.at + size, bytes.size - size)) {
        return false;
    }
    struct csv_cert *cert = keep(certs->appraisal, &read);
    if (cert == NULL) {
        return false;
    }
    certs->at[certs->count++] = cert;
    return true;
}

/* What a header of HTTP says, if bytes are one: "Name: value". */
static struct csv_bytes header_value(struct csv_bytes bytes)
{
    size_t size = bytes.size < HEADER_NAME_MAX ? bytes.size : HEADER_NAME_MAX;
    const uint8_t *colon = bytes.at[0] != '-' ? memchr(bytes.at, ':', size) : NULL;
    if (colon != NULL) {
        bytes.size -= (size_t)(colon + 1 - bytes.at);
        bytes.at = colon + 1;
        csv_pem_skip(&bytes);
    }
    return bytes;
}

/* Percent-encoded PEM, as the PCS puts it into headers; other bytes stay as they are. */
static struct csv_bytes decoded(struct csv_arena *arena, struct csv_bytes bytes)
{
    static const char begin[] = "-----BEGIN%20";
    struct csv_bytes text = header_value(bytes);
    bool encoded = text.size >= sizeof begin && memcmp(text.at, begin, sizeof begin - 1) == 0;
    uint8_t *target = encoded ? csv_take(arena, text.size, 1) : NULL;
    size_t size = 0;
    if (target == NULL) {
        return bytes;
    }
    for (size_t i = 0; i < text.size; i++) {
        target[size] = text.at[i];
        if (text.at[i] == '%' && i + 2 < text.size &&
            csv_hex_read((const char *)text.at + i + 1, 2, &target[size])) {
            i += 2;
        }
        size++;
    }
    return (struct csv_bytes){target, size};
}

bool csv_certs_read(struct csv_certs *certs, struct csv_bytes bytes)
{
    if (bytes.size == 0 || bytes.size > CSV_PART_SIZE_MAX) {
        return false;
    }
    if (bytes.at[0] == 0x30) {
        return add(certs, bytes);
    }
    bytes = decoded(certs->appraisal->arena, bytes);
    do {
        struct csv_bytes content;
        if (!csv_pem_next(&bytes, "CERTIFICATE", certs->appraisal->arena, &content) ||
            !add(certs, content)) {
            return false;
        }
    } while (bytes.size != 0);
    return true;
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

void csv_certs_release(struct csv_verdict *verdict)
{
    for (size_t i = 0; i < verdict->cert_count; i++) {
        EVP_PKEY_free(verdict->certs[i]->key);
    }
    verdict->cert_count = 0;
    csv_curves_release(&verdict->curves);
}
