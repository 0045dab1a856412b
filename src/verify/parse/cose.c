/* SPDX-License-Identifier: Apache-2.0 */
/* cose.c: see cose.h. */
#include "verify/parse/cose.h"
#include "verify/ecdsa.h"
#include <openssl/obj_mac.h>

#define LABEL_ALGORITHM 1
#define LABEL_CRITICAL  2

struct algorithm {
    int64_t number;
    const char *name;
    const char *group; /* libcrypto's name of the curve */
    int curve;
    size_t scalar_size;
    const EVP_MD *(*hash)(void);
};

static const struct algorithm algorithms[] = {
    {CSV_COSE_ES256, "ES256", "prime256v1", NID_X9_62_prime256v1, 32, EVP_sha256},
    {CSV_COSE_ES384, "ES384", "secp384r1", NID_secp384r1, 48, EVP_sha384},
    {CSV_COSE_ES512, "ES512", "secp521r1", NID_secp521r1, 66, EVP_sha512},
};

static const struct algorithm *find(int64_t number)
{
    for (size_t i = 0; i < sizeof algorithms / sizeof algorithms[0]; i++) {
        if (algorithms[i].number == number) {
            return &algorithms[i];
        }
    }
    return NULL;
}

const char *csv_cose_algorithm_name(int64_t algorithm)
{
    const struct algorithm *known = find(algorithm);
    return known != NULL ? known->name : "unknown";
}

static const char *header_fault(struct csv_cose *cose)
{
    struct csv_cbor header;
    struct csv_cbor value;
    const char *why;
    if (!csv_cbor_open(cose->protected_header, &header, &why) || header.kind != CSV_CBOR_MAP) {
        return "the protected header is not a map";
    }
    if (!csv_cbor_at(&header, LABEL_ALGORITHM, &value) ||
        !csv_cbor_integer(&value, &cose->algorithm)) {
        return "the protected header names no algorithm";
    }
    if (csv_cbor_at(&header, LABEL_CRITICAL, &value)) {
        return "a critical header that is not understood";
    }
    if (csv_cbor_at(&cose->unprotected, LABEL_ALGORITHM, &value) ||
        csv_cbor_at(&cose->unprotected, LABEL_CRITICAL, &value)) {
        return "an unprotected header that must be protected";
    }
    return NULL;
}

bool csv_cose_open(struct csv_bytes message, struct csv_cose *cose, const char **why)
{
    struct csv_cbor item;
    *cose = (struct csv_cose){0};
    if (!csv_cbor_open(message, &item, why)) {
        return false;
    }
    if (item.kind == CSV_CBOR_TAG && item.number == CSV_COSE_TAG) {
        struct csv_reader inside = csv_cbor_inside(&item);
        cose->tagged = csv_cbor_next(&inside, &item);
    }
    struct csv_reader reader = csv_cbor_inside(&item);
    struct csv_cbor header;
    struct csv_cbor payload;
    struct csv_cbor signature;
    *why = "not a COSE_Sign1 with its payload inside";
    if (item.kind != CSV_CBOR_ARRAY || item.number != 4 || !csv_cbor_next(&reader, &header) ||
        !csv_cbor_next(&reader, &cose->unprotected) || !csv_cbor_next(&reader, &payload) ||
        !csv_cbor_next(&reader, &signature) || header.kind != CSV_CBOR_BYTES ||
        cose->unprotected.kind != CSV_CBOR_MAP || payload.kind != CSV_CBOR_BYTES ||
        signature.kind != CSV_CBOR_BYTES) {
        return false;
    }
    cose->protected_header = header.bytes;
    cose->payload = payload.bytes;
    cose->signature = signature.bytes;
    *why = header_fault(cose);
    return *why == NULL;
}

/* ["Signature1", protected, h'', payload] */
static bool verify(const struct algorithm *known, const struct csv_cose *cose, EVP_PKEY *key)
{
    static const uint8_t start[] = "\x84\x6aSignature1";
    uint8_t heads[2][9];
    const struct csv_bytes pieces[] = {
        {start, sizeof start - 1},
        {heads[0], csv_cbor_head(CSV_CBOR_BYTES, cose->protected_header.size, heads[0])},
        cose->protected_header,
        {(const uint8_t *)"\x40", 1},
        {heads[1], csv_cbor_head(CSV_CBOR_BYTES, cose->payload.size, heads[1])},
        cose->payload,
    };
    return csv_ecdsa_check_pieces(key, known->hash(), cose->signature.at, known->scalar_size,
                                  pieces, sizeof pieces / sizeof pieces[0]);
}

bool csv_cose_check(const struct csv_cose *cose, EVP_PKEY *key, const char **why)
{
    const struct algorithm *known = find(cose->algorithm);
    *why = known == NULL                         ? "an algorithm that is not accepted"
           : !csv_ecdsa_is_on(key, known->group) ? "a key of another kind than the algorithm's"
           : cose->signature.size != 2 * known->scalar_size
               ? "a signature of another size than the algorithm's"
           : !csv_ecdsa_in_range(known->curve, cose->signature.at, known->scalar_size)
               ? "r or s is not in [1, n-1]"
           : !verify(known, cose, key) ? "not by this key over these bytes"
                                       : NULL;
    return *why == NULL;
}
