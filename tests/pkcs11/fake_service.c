/* SPDX-License-Identifier: Apache-2.0 */
/* fake_service.c: see fake_service.h. What it makes is what transit makes, by other code. */
#include "fake_service.h"
#include "crypto/curve.h"
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define KEY_MAX 256u

struct fake_key {
    struct p11_key_info info;
    uint8_t secret[32];
    EVP_PKEY *pair; /* of P-256 and P-384 */
    bool is_there;
};

struct p11_service {
    int unused;
};

unsigned fake_uses, fake_lists, fake_forgotten, fake_delay_us;
CK_RV fake_failure;
static struct fake_key keys[KEY_MAX];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

/* ---- keys ---- */

static bool is_pair(uint32_t type)
{
    return type == CSN_WIRE_TRANSIT_P256 || type == CSN_WIRE_TRANSIT_P384;
}

static uint32_t usual_operations(uint32_t type)
{
    static const uint32_t operations[] = {
        [CSN_WIRE_TRANSIT_AES_256] =
            1u << CSN_WIRE_TRANSIT_ENCRYPT | 1u << CSN_WIRE_TRANSIT_DECRYPT,
        [CSN_WIRE_TRANSIT_HMAC] = 1u << CSN_WIRE_TRANSIT_MAC | 1u << CSN_WIRE_TRANSIT_VERIFY,
        [CSN_WIRE_TRANSIT_ED25519] = 1u << CSN_WIRE_TRANSIT_SIGN | 1u << CSN_WIRE_TRANSIT_VERIFY,
        [CSN_WIRE_TRANSIT_P256] = 1u << CSN_WIRE_TRANSIT_SIGN | 1u << CSN_WIRE_TRANSIT_VERIFY,
        [CSN_WIRE_TRANSIT_P384] = 1u << CSN_WIRE_TRANSIT_SIGN | 1u << CSN_WIRE_TRANSIT_VERIFY,
        [CSN_WIRE_TRANSIT_X25519] = 1u << CSN_WIRE_TRANSIT_AGREE,
        [CSN_WIRE_TRANSIT_ML_KEM_768] = 1u << CSN_WIRE_TRANSIT_DECAPSULATE};
    return operations[type];
}

static void make_secret(struct fake_key *key)
{
    struct p11_key_info *info = &key->info;
    size_t size = sizeof info->public_key;
    RAND_bytes(key->secret, sizeof key->secret);
    info->public_size = 0;
    if (info->type == CSN_WIRE_TRANSIT_ED25519) {
        csn_ed25519_public(info->public_key, key->secret);
        info->public_size = 32;
    } else if (info->type == CSN_WIRE_TRANSIT_X25519) {
        csn_x25519_public(info->public_key, key->secret);
        info->public_size = 32;
    } else if (is_pair(info->type)) {
        EVP_PKEY_free(key->pair);
        key->pair = EVP_EC_gen(info->type == CSN_WIRE_TRANSIT_P256 ? "P-256" : "P-384");
        EVP_PKEY_get_octet_string_param(key->pair, OSSL_PKEY_PARAM_PUB_KEY, info->public_key,
                                        sizeof info->public_key, &size);
        info->public_size = (uint32_t)size;
    }
}

static struct fake_key *find(const char *name)
{
    for (uint32_t i = 0; i < KEY_MAX; i++) {
        if (keys[i].is_there && strcmp(keys[i].info.name, name) == 0) {
            return &keys[i];
        }
    }
    return NULL;
}

static struct fake_key *make(const struct p11_key_info *wish)
{
    uint32_t i = 0;
    while (i < KEY_MAX && keys[i].is_there) {
        i++;
    }
    if (i == KEY_MAX) {
        return NULL;
    }
    keys[i] = (struct fake_key){.info = *wish, .is_there = true};
    RAND_bytes(keys[i].info.id, sizeof keys[i].info.id);
    keys[i].info.version = 1;
    if (wish->operations == 0) {
        keys[i].info.operations = usual_operations(wish->type);
    }
    make_secret(&keys[i]);
    return &keys[i];
}

void fake_add(const char *name, uint32_t type, uint32_t operations)
{
    struct p11_key_info wish = {.type = type, .operations = operations};
    strncpy(wish.name, name, sizeof wish.name - 1);
    pthread_mutex_lock(&lock);
    make(&wish);
    pthread_mutex_unlock(&lock);
}

static void drop(struct fake_key *key)
{
    EVP_PKEY_free(key->pair);
    memset(key, 0, sizeof *key);
}

void fake_remove(const char *name)
{
    pthread_mutex_lock(&lock);
    drop(find(name));
    pthread_mutex_unlock(&lock);
}

void fake_rotate(const char *name)
{
    pthread_mutex_lock(&lock);
    find(name)->info.version++;
    make_secret(find(name));
    pthread_mutex_unlock(&lock);
}

uint32_t fake_key_count(void)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < KEY_MAX; i++) {
        count += keys[i].is_there;
    }
    return count;
}

void fake_reset(void)
{
    for (uint32_t i = 0; i < KEY_MAX; i++) {
        if (keys[i].is_there) {
            drop(&keys[i]);
        }
    }
    fake_uses = fake_lists = fake_forgotten = fake_delay_us = 0;
    fake_failure = CKR_OK;
}

/* ---- the service ---- */

CK_RV p11_service_create(const struct p11_settings *settings, struct p11_service **service,
                         const char **why)
{
    (void)settings;
    (void)why;
    *service = calloc(1, sizeof **service);
    return *service != NULL ? CKR_OK : CKR_HOST_MEMORY;
}

void p11_service_destroy(struct p11_service *service)
{
    free(service);
}

void p11_service_forget(struct p11_service *service)
{
    fake_forgotten++;
    free(service);
}

bool p11_service_was_surprised(struct p11_service *service)
{
    (void)service;
    return false;
}

const char *p11_service_why(void)
{
    return "";
}

CK_RV p11_service_list(struct p11_service *service, p11_key_taker take, void *state)
{
    (void)service;
    CK_RV rv = fake_failure;
    __atomic_fetch_add(&fake_lists, 1, __ATOMIC_RELAXED);
    for (uint32_t i = 0; rv == CKR_OK && i < KEY_MAX; i++) {
        pthread_mutex_lock(&lock);
        struct p11_key_info info = keys[i].info;
        bool is_there = keys[i].is_there;
        pthread_mutex_unlock(&lock);
        info.public_size = 0;
        rv = is_there ? take(state, &info) : CKR_OK;
    }
    return rv;
}

CK_RV p11_service_info(struct p11_service *service, struct p11_key_info *info)
{
    (void)service;
    pthread_mutex_lock(&lock);
    const struct fake_key *key = find(info->name);
    if (key != NULL) {
        *info = key->info;
    }
    pthread_mutex_unlock(&lock);
    return key != NULL ? CKR_OK : CKR_KEY_HANDLE_INVALID;
}

CK_RV p11_service_create_key(struct p11_service *service, struct p11_key_info *info)
{
    (void)service;
    pthread_mutex_lock(&lock);
    const struct fake_key *key =
        fake_failure == CKR_OK && find(info->name) == NULL ? make(info) : NULL;
    if (key != NULL) {
        *info = key->info;
    }
    pthread_mutex_unlock(&lock);
    return key != NULL ? CKR_OK : CKR_ACTION_PROHIBITED;
}

CK_RV p11_service_delete_key(struct p11_service *service, const struct p11_key_info *info)
{
    (void)service;
    pthread_mutex_lock(&lock);
    struct fake_key *key = find(info->name);
    CK_RV rv = key == NULL ? CKR_KEY_HANDLE_INVALID : fake_failure;
    if (rv == CKR_OK) {
        drop(key);
    }
    pthread_mutex_unlock(&lock);
    return rv;
}

/* ---- operations ---- */

static CK_RV give(const void *bytes, size_t size, uint8_t *output, size_t *room)
{
    if (size > *room) {
        return CKR_BUFFER_TOO_SMALL;
    }
    memcpy(output, bytes, size);
    *room = size;
    return CKR_OK;
}

static CK_RV sign_pair(const struct fake_key *key, const struct p11_bytes *digest, uint8_t *output,
                       size_t *room)
{
    uint8_t der[160];
    uint8_t raw[96];
    const uint8_t *at = der;
    size_t size = sizeof der;
    int half = key->info.type == CSN_WIRE_TRANSIT_P256 ? 32 : 48;
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new(key->pair, NULL);
    bool good = digest->size == (size_t)half && EVP_PKEY_sign_init(context) == 1 &&
                EVP_PKEY_sign(context, der, &size, digest->bytes, digest->size) == 1;
    EVP_PKEY_CTX_free(context);
    ECDSA_SIG *parts = good ? d2i_ECDSA_SIG(NULL, &at, (long)size) : NULL;
    if (parts == NULL) {
        return CKR_DATA_INVALID;
    }
    BN_bn2binpad(ECDSA_SIG_get0_r(parts), raw, half);
    BN_bn2binpad(ECDSA_SIG_get0_s(parts), raw + half, half);
    ECDSA_SIG_free(parts);
    return give(raw, (size_t)half * 2, output, room);
}

static CK_RV agree_pair(const struct fake_key *key, const struct p11_bytes *point, uint8_t *output,
                        size_t *room)
{
    uint8_t secret[64];
    size_t size = sizeof secret;
    EVP_PKEY *peer = EVP_PKEY_new();
    bool good = EVP_PKEY_copy_parameters(peer, key->pair) == 1 &&
                EVP_PKEY_set1_encoded_public_key(peer, point->bytes, point->size) == 1;
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new(key->pair, NULL);
    good = good && EVP_PKEY_derive_init(context) == 1 &&
           EVP_PKEY_derive_set_peer(context, peer) == 1 &&
           EVP_PKEY_derive(context, secret, &size) == 1;
    EVP_PKEY_CTX_free(context);
    EVP_PKEY_free(peer);
    return good ? give(secret, size, output, room) : CKR_DATA_INVALID;
}

/* A head of 40 bytes, of which 12 are the nonce; text; tag. */
static CK_RV seal(const struct fake_key *key, const struct p11_use *use, uint8_t *output,
                  size_t *room)
{
    int length = 0;
    size_t size = use->input.size + P11_SEALED_BESIDE;
    EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
    if (size > *room) {
        EVP_CIPHER_CTX_free(context);
        return CKR_BUFFER_TOO_SMALL;
    }
    *room = size;
    RAND_bytes(output, 40);
    EVP_EncryptInit_ex(context, EVP_aes_256_gcm(), NULL, key->secret, output);
    EVP_EncryptUpdate(context, NULL, &length, output, 40);
    EVP_EncryptUpdate(context, NULL, &length, use->extra.bytes, (int)use->extra.size);
    EVP_EncryptUpdate(context, output + 40, &length, use->input.bytes, (int)use->input.size);
    EVP_EncryptFinal_ex(context, output + 40, &length);
    EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_GCM_GET_TAG, 16, output + size - 16);
    EVP_CIPHER_CTX_free(context);
    return CKR_OK;
}

static CK_RV open_sealed(const struct fake_key *key, const struct p11_use *use, uint8_t *output,
                         size_t *room)
{
    int length = 0;
    uint8_t tag[16];
    const uint8_t *bytes = use->input.bytes;
    size_t size = use->input.size - P11_SEALED_BESIDE;
    uint8_t *plain = malloc(size + 1);
    EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
    memcpy(tag, bytes + use->input.size - 16, 16);
    EVP_DecryptInit_ex(context, EVP_aes_256_gcm(), NULL, key->secret, bytes);
    EVP_DecryptUpdate(context, NULL, &length, bytes, 40);
    EVP_DecryptUpdate(context, NULL, &length, use->extra.bytes, (int)use->extra.size);
    EVP_DecryptUpdate(context, plain, &length, bytes + 40, (int)size);
    EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_GCM_SET_TAG, 16, tag);
    CK_RV rv = EVP_DecryptFinal_ex(context, plain, &length) == 1 ? give(plain, size, output, room)
                                                                 : CKR_ENCRYPTED_DATA_INVALID;
    EVP_CIPHER_CTX_free(context);
    free(plain);
    return rv;
}

static CK_RV mac(const struct fake_key *key, const struct p11_use *use, uint8_t *output,
                 size_t *room)
{
    const EVP_MD *hash = use->hash == CSN_WIRE_TRANSIT_SHA2_384   ? EVP_sha384()
                         : use->hash == CSN_WIRE_TRANSIT_SHA2_512 ? EVP_sha512()
                                                                  : EVP_sha256();
    uint8_t tag[64];
    uint8_t valid;
    unsigned size = 0;
    HMAC(hash, key->secret, 32, use->input.bytes, use->input.size, tag, &size);
    if (use->operation == CSN_WIRE_TRANSIT_MAC) {
        return give(tag, size, output, room);
    }
    valid = use->extra.size == size && memcmp(tag, use->extra.bytes, size) == 0;
    return give(&valid, 1, output, room);
}

static CK_RV use_key(const struct fake_key *key, const struct p11_use *use, uint8_t *output,
                     size_t *room)
{
    uint8_t made[64];
    if ((key->info.operations >> use->operation & 1) == 0) {
        return CKR_KEY_FUNCTION_NOT_PERMITTED;
    }
    switch (use->operation) {
    case CSN_WIRE_TRANSIT_SIGN:
        if (is_pair(key->info.type)) {
            return sign_pair(key, &use->input, output, room);
        }
        csn_ed25519_sign(made, use->input.bytes, use->input.size, key->secret);
        return give(made, 64, output, room);
    case CSN_WIRE_TRANSIT_AGREE:
        if (is_pair(key->info.type)) {
            return agree_pair(key, &use->input, output, room);
        }
        return csn_x25519(made, key->secret, use->input.bytes) == CSN_OK
                   ? give(made, 32, output, room)
                   : CKR_DATA_INVALID;
    case CSN_WIRE_TRANSIT_MAC:
    case CSN_WIRE_TRANSIT_VERIFY:
        return mac(key, use, output, room);
    case CSN_WIRE_TRANSIT_ENCRYPT:
        return seal(key, use, output, room);
    case CSN_WIRE_TRANSIT_DECRYPT:
        return open_sealed(key, use, output, room);
    default:
        return CKR_FUNCTION_FAILED;
    }
}

CK_RV p11_service_use(struct p11_service *service, const struct p11_key_info *info,
                      const struct p11_use *use, uint8_t *output, size_t *size)
{
    (void)service;
    __atomic_fetch_add(&fake_uses, 1, __ATOMIC_RELAXED);
    usleep(fake_delay_us);
    if (fake_failure != CKR_OK) {
        return fake_failure;
    }
    if (info == NULL) {
        RAND_bytes(output, (int)use->output_size);
        *size = use->output_size;
        return CKR_OK;
    }
    pthread_mutex_lock(&lock);
    const struct fake_key *key = find(info->name);
    CK_RV rv = key != NULL ? use_key(key, use, output, size) : CKR_KEY_HANDLE_INVALID;
    pthread_mutex_unlock(&lock);
    return rv;
}
