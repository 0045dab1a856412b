/* SPDX-License-Identifier: Apache-2.0 */
/* key_secret.c: see key_secret.h. Copies of the secret are wiped here; libcrypto wipes its own. */
#include "key_secret.h"
#include "cli.h"
#include <caisson/verify.h>
#include <caisson/wire/transit.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <stdlib.h>
#include <string.h>

#define FILE_SIZE_MAX (UINT64_C(16) << 10)

/* group: of libcrypto, for EC; algorithm NULL: there is no PEM of it. */
static const struct kind {
    uint8_t size_min;
    uint8_t size_max;
    const char *algorithm;
    const char *group;
} kinds[CSN_WIRE_TRANSIT_TYPE_LAST + 1] = {
    [CSN_WIRE_TRANSIT_AES_256] = {32, 32, NULL, NULL},
    [CSN_WIRE_TRANSIT_HMAC] = {16, 64, NULL, NULL},
    [CSN_WIRE_TRANSIT_FF1] = {32, 32, NULL, NULL},
    [CSN_WIRE_TRANSIT_ED25519] = {32, 32, "ED25519", NULL},
    [CSN_WIRE_TRANSIT_P256] = {32, 32, "EC", "prime256v1"},
    [CSN_WIRE_TRANSIT_P384] = {48, 48, "EC", "secp384r1"},
    [CSN_WIRE_TRANSIT_X25519] = {32, 32, "X25519", NULL},
    [CSN_WIRE_TRANSIT_ML_KEM_768] = {64, 64, NULL, NULL},
};

uint32_t cli_key_type(const char *name)
{
    for (uint32_t type = 1; type <= CSN_WIRE_TRANSIT_TYPE_LAST; type++) {
        if (strcmp(csv_birth_type_name(type), name) == 0) {
            return type;
        }
    }
    return 0;
}

/* Asking at the terminal would hang who calls this from a script. */
static int no_passphrase(char *text, int size, int writing, void *context)
{
    (void)text;
    (void)size;
    (void)writing;
    (void)context;
    return -1;
}

static EVP_PKEY *parse(const uint8_t *bytes, size_t size)
{
    BIO *memory = BIO_new_mem_buf(bytes, (int)size);
    EVP_PKEY *key =
        memory != NULL ? PEM_read_bio_PrivateKey(memory, NULL, no_passphrase, NULL) : NULL;
    BIO_free(memory);
    return key;
}

static bool is_of_kind(const EVP_PKEY *key, const struct kind *kind)
{
    char group[32] = "";
    if (EVP_PKEY_is_a(key, kind->algorithm) != 1) {
        return false;
    }
    return kind->group == NULL || (EVP_PKEY_get_group_name(key, group, sizeof group, NULL) == 1 &&
                                   strcmp(group, kind->group) == 0);
}

static bool take(const EVP_PKEY *key, const struct kind *kind, struct cli_key_secret *secret)
{
    size_t size = kind->size_max;
    secret->size = kind->size_max;
    if (kind->group == NULL) {
        return EVP_PKEY_get_raw_private_key(key, secret->bytes, &size) == 1 && size == secret->size;
    }
    BIGNUM *scalar = NULL;
    bool good = EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_PRIV_KEY, &scalar) == 1 &&
                BN_bn2binpad(scalar, secret->bytes, (int)secret->size) == (int)secret->size;
    BN_clear_free(scalar);
    return good;
}

static int read_pem(const char *path, const char *type, const struct kind *kind,
                    const uint8_t *bytes, size_t size, struct cli_key_secret *secret)
{
    EVP_PKEY *key = parse(bytes, size);
    int code = CLI_OK;
    if (key == NULL) {
        code = cli_fail(CLI_FAILURE,
                        "%s: neither the %u bytes of %s nor a private key in PEM without a "
                        "passphrase",
                        path, kind->size_max, type);
    } else if (!is_of_kind(key, kind)) {
        code = cli_fail(CLI_FAILURE, "%s: a private key, but not of %s", path, type);
    } else if (!take(key, kind, secret)) {
        code = cli_fail(CLI_FAILURE, "%s: libcrypto does not give out its private half", path);
    }
    EVP_PKEY_free(key);
    return code;
}

int cli_key_secret_read(const char *path, uint32_t type, struct cli_key_secret *secret)
{
    const struct kind *kind = &kinds[type];
    const char *name = csv_birth_type_name(type);
    size_t size = 0;
    int code = CLI_OK;
    uint8_t *bytes = cli_read_secret(path, FILE_SIZE_MAX, &size);
    if (bytes == NULL) {
        return CLI_FAILURE;
    }
    if (size >= kind->size_min && size <= kind->size_max) {
        memcpy(secret->bytes, bytes, size);
        secret->size = (uint32_t)size;
    } else if (kind->algorithm != NULL) {
        code = read_pem(path, name, kind, bytes, size, secret);
    } else {
        code = cli_fail(CLI_FAILURE, "%s: %zu bytes, but a secret of %s has %u to %u, bare", path,
                        size, name, kind->size_min, kind->size_max);
    }
    explicit_bzero(bytes, size);
    free(bytes);
    return code;
}
