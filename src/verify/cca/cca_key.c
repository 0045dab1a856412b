/* SPDX-License-Identifier: Apache-2.0 */
/* cca_key.c: the keys of a CCA token: CPAK from the relying party, RAK from the realm. */
#include "verify/cca/cca_token.h"
#include "verify/ecdsa.h"
#include "verify/x509/cert.h"
#include "verify/x509/pem.h"

#define COORDINATE_SIZE 48                    /* P-384 */
#define POINT_SIZE      (2 * COORDINATE_SIZE) /* x || y */

enum { KEY_TYPE = 1, KEY_ALGORITHM = 3, KEY_CURVE = -1, KEY_X = -2, KEY_Y = -3 };
enum { KEY_TYPE_EC2 = 2, KEY_CURVE_P384 = 2 };

const EVP_MD *csv_cca_hash(const char *name)
{
    return strcmp(name, "sha-256") == 0   ? EVP_sha256()
           : strcmp(name, "sha-384") == 0 ? EVP_sha384()
           : strcmp(name, "sha-512") == 0 ? EVP_sha512()
                                          : NULL;
}

/* The point is on its curve, of its order, and not the one at infinity. */
static bool is_valid(EVP_PKEY *key)
{
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new(key, NULL);
    bool valid = context != NULL && EVP_PKEY_public_check(context) == 1;
    EVP_PKEY_CTX_free(context);
    return valid;
}

static EVP_PKEY *if_valid(EVP_PKEY *key, const char **why)
{
    if (key != NULL && EVP_PKEY_get_base_id(key) == EVP_PKEY_EC && is_valid(key)) {
        return key;
    }
    EVP_PKEY_free(key);
    *why = "not a public key on its curve";
    return NULL;
}

EVP_PKEY *csv_cca_platform_key(struct csv_bytes pem, struct csv_arena *arena, const char **why)
{
    struct csv_bytes spki;
    csv_pem_skip(&pem);
    bool one = csv_pem_next(&pem, "PUBLIC KEY", arena, &spki) && pem.size == 0;
    return if_valid(one ? csv_key_read(spki, NULL) : NULL, why);
}

static bool has_number(const struct csv_cbor *map, int64_t label, int64_t wanted)
{
    struct csv_cbor value;
    int64_t number;
    return csv_cbor_at(map, label, &value) && csv_cbor_integer(&value, &number) && number == wanted;
}

static bool read_coordinate(const struct csv_cbor *map, int64_t label, uint8_t *target)
{
    struct csv_cbor value;
    if (!csv_cbor_at(map, label, &value) || value.kind != CSV_CBOR_BYTES ||
        value.bytes.size != COORDINATE_SIZE) {
        return false;
    }
    memcpy(target, value.bytes.at, COORDINATE_SIZE);
    return true;
}

/* A COSE_Key of two coordinates on P-384. */
static bool read_cose_key(struct csv_bytes bytes, uint8_t point[POINT_SIZE], const char **why)
{
    struct csv_cbor map;
    struct csv_cbor value;
    if (!csv_cbor_open(bytes, &map, why)) {
        return false;
    }
    *why = "not a COSE_Key of a point on P-384";
    bool algorithm = !csv_cbor_at(&map, KEY_ALGORITHM, &value) ||
                     has_number(&map, KEY_ALGORITHM, CSV_COSE_ES384);
    return algorithm && has_number(&map, KEY_TYPE, KEY_TYPE_EC2) &&
           has_number(&map, KEY_CURVE, KEY_CURVE_P384) && read_coordinate(&map, KEY_X, point) &&
           read_coordinate(&map, KEY_Y, point + COORDINATE_SIZE);
}

EVP_PKEY *csv_cca_realm_key(const struct csv_cca_realm *realm, const char **why)
{
    uint8_t point[POINT_SIZE];
    if (realm->profile != NULL) {
        if (!read_cose_key(realm->rak, point, why)) {
            return NULL;
        }
    } else if (realm->rak.size == 1 + POINT_SIZE && realm->rak.at[0] == 0x04) {
        memcpy(point, realm->rak.at + 1, POINT_SIZE);
    } else {
        *why = "not the 97 bytes of a point on P-384";
        return NULL;
    }
    return if_valid(csv_ecdsa_key(NULL, "P-384", point, COORDINATE_SIZE), why);
}
