/* SPDX-License-Identifier: Apache-2.0 */
/*
 * constant_time.c: run under valgrind: secrets are marked undefined, so that memcheck reports every
 * branch and every address that depends on one. "leaky" is the control: it must be reported.
 *
 * valgrind 3.19 knows neither SHA-NI nor VAES nor AVX-512: this covers the portable and the AES-NI
 * kernels. The VAES kernel of GCM is the same source with another register; the others are
 * test_timing.c's.
 * Not covered: the last step of an open and of X25519, which branches on the public verdict; so do
 * ECDSA and ECDH on whether a key or a nonce is in range, and an unwrapped key. Of ML-KEM rho,
 * which is in the public key, and that key and ciphertexts are marked as what they are.
 */
#include <caisson/wire/boot.h>
#include <crypto/aead.h>
#include <crypto/cpu.h>
#include <crypto/curve.h>
#include <crypto/ecdsa_parts.h>
#include <crypto/ff1.h>
#include <crypto/gcm_kernel.h>
#include <crypto/gcm_siv.h>
#include <crypto/keccak.h>
#include <crypto/key_wrap.h>
#include <crypto/mlkem_core.h>
#include <crypto/sha2.h>
#include <stdbool.h>
#include <string.h>
#include <valgrind/memcheck.h>

/* As in src/crypto/curve.c. */
struct crypto_scalarmult_curve25519_implementation {
    int (*mult)(unsigned char *q, const unsigned char *n, const unsigned char *p);
    int (*mult_base)(unsigned char *q, const unsigned char *n);
};
extern struct crypto_scalarmult_curve25519_implementation
    crypto_scalarmult_curve25519_sandy2x_implementation;

/* A batch: tails, chunks and what is both, sealed and opened; the verdicts alone are public. */
static void check_gcm(void)
{
    enum { COUNT = 9, SIZE = 900 };
    static uint8_t secret[32], plain[SIZE], output[COUNT][SIZE], tags[COUNT][16];
    static const uint32_t sizes[COUNT] = {0, 7, 64, 100, 128, 256, 300, 517, 900};
    struct csn_gcm_item items[COUNT];
    struct csn_gcm_key key;
    VALGRIND_MAKE_MEM_UNDEFINED(secret, sizeof secret);
    VALGRIND_MAKE_MEM_UNDEFINED(plain, sizeof plain);
    csn_gcm_key_init(&key, secret);
    for (uint32_t i = 0; i < COUNT; i++) {
        items[i] = (struct csn_gcm_item){.key = &key,
                                         .aad = plain,
                                         .aad_size = 13 * i,
                                         .size = sizes[i],
                                         .input = plain,
                                         .output = output[i],
                                         .tag = tags[i]};
    }
    csn_gcm_seal_batch(items, COUNT);
    for (uint32_t i = 0; i < COUNT; i++) {
        items[i].input = output[i];
    }
    csn_gcm_aesni.open(items, COUNT); /* what csn_gcm_open_batch() adds branches on the verdicts */
}

/* Chunks and a tail; what is left out is the branch of an open on its verdict. */
static void check_gcm_siv(void)
{
    static uint8_t secret[32], text[300], tag[16];
    struct csn_gcm_siv_key key;
    VALGRIND_MAKE_MEM_UNDEFINED(secret, sizeof secret);
    VALGRIND_MAKE_MEM_UNDEFINED(text, sizeof text);
    csn_gcm_siv_key_init(&key, secret);
    VALGRIND_MAKE_MEM_DEFINED(&key.aes.round_count, sizeof key.aes.round_count);
    struct csn_gcm_siv_item item = {.key = &key,
                                    .aad = text,
                                    .aad_size = 33,
                                    .size = sizeof text,
                                    .input = text,
                                    .output = text,
                                    .tag = tag};
    csn_gcm_siv_seal_batch(&item, 1);
    (void)!csn_key_wrap(&key.aes, secret, sizeof secret, text);
}

#define LANES 9

static bool check_ff1(uint32_t radix, uint32_t count, uint32_t lanes)
{
    static uint8_t secret[32];
    static uint16_t input[256], output[LANES][256];
    struct csn_aes_key key;
    VALGRIND_MAKE_MEM_UNDEFINED(secret, sizeof secret);
    (void)!csn_aes_key_init(&key, secret, sizeof secret);
    VALGRIND_MAKE_MEM_DEFINED(&key.round_count, sizeof key.round_count);
    struct csn_ff1_plan plan;
    struct csn_ff1_item items[LANES];
    if (csn_ff1_plan_init(&plan, &key, radix, count, 0) != CSN_OK) {
        return false;
    }
    for (uint32_t i = 0; i < LANES; i++) {
        items[i] = (struct csn_ff1_item){.plan = &plan, .input = input, .output = output[i]};
    }
    csn_ff1_encrypt_batch(items, lanes);
    VALGRIND_MAKE_MEM_DEFINED(output, sizeof output); /* its range check tells nothing */
    for (uint32_t i = 0; i < lanes; i++) {
        items[i].input = output[i];
    }
    csn_ff1_decrypt_batch(items, lanes);
    return true;
}

static void check_hmac(void)
{
    static uint8_t secret[32], message[300], tag[32], tags[5][32];
    struct csn_hmac_key key;
    struct csn_hmac_item items[5];
    VALGRIND_MAKE_MEM_UNDEFINED(secret, sizeof secret);
    VALGRIND_MAKE_MEM_UNDEFINED(message, sizeof message);
    csn_hmac_key_init(&key, secret, sizeof secret);
    csn_hmac(&key, message, sizeof message, tag);
    for (uint32_t i = 0; i < 5; i++) {
        items[i] =
            (struct csn_hmac_item){.key = &key, .bytes = message, .size = 30 * i, .tag = tags[i]};
    }
    csn_hmac_batch(items, 5);
}

static void check_curve(void)
{
    static uint8_t secret[32], public[32], signature[64];
    VALGRIND_MAKE_MEM_UNDEFINED(secret, sizeof secret);
    csn_x25519_public(public, secret);
    csn_ed25519_sign(signature, public, 0, secret);
}

static bool has(uint64_t wanted)
{
    uint64_t features = 0;
    return csn_cpu_features(&features) == CSN_OK && (features & wanted) == wanted;
}

/* The AVX ladder, which csn_x25519() would follow by a look at the result. */
static void check_curve_avx(void)
{
    static const uint8_t point[32] = {9};
    static uint8_t secret[32], shared[32];
    VALGRIND_MAKE_MEM_UNDEFINED(secret, sizeof secret);
    (void)crypto_scalarmult_curve25519_sandy2x_implementation.mult(shared, secret, point);
    (void)crypto_scalarmult_curve25519_sandy2x_implementation.mult_base(shared, secret);
}

/* Secret key, hedge, nonce and, of a shared secret, the multiplier of a point. */
static void check_ecdsa(const struct csn_ec_kernel *const kernels[2])
{
    for (uint32_t curve = CSN_EC_P256; curve <= CSN_EC_P384; curve++) {
        static uint8_t secret[48], hedge[32], nonce[48], digest[32], signature[96], point[97];
        struct csn_ec with_kernel = *csn_ec_find(curve);
        const struct csn_ec *ec = &with_kernel;
        with_kernel.points = kernels[curve - CSN_EC_P256];
        struct csn_ecdsa_request request = {curve, secret, digest, sizeof digest, hedge};
        struct csn_ecdsa_nonces nonces;
        secret[47] = secret[31] = 3;
        csn_ec_base(ec, secret, point);
        VALGRIND_MAKE_MEM_UNDEFINED(secret, sizeof secret);
        VALGRIND_MAKE_MEM_UNDEFINED(hedge, sizeof hedge);
        csn_ecdsa_nonces_init(ec, &request, &nonces);
        csn_ecdsa_nonces_next(ec, &nonces, nonce);
        (void)csn_ecdsa_sign_with(ec, &request, nonce, signature);
        ec->points->multiply(secret, point + 1, signature);
        csn_ec_base(ec, secret, point);
    }
}

/*
 * Key generation, import, encapsulation, and decapsulation of what is genuine and of what is not:
 * the comparison and the choice between the two secrets are inside.
 */
static void check_mlkem(const struct csn_mlkem_kernel *kernel)
{
    static struct csn_mlkem_key key;
    static uint8_t secret[33], z[32], randomness[32], seeds[64], expanded[CSN_MLKEM_EXPANDED_SIZE];
    uint8_t ciphertext[CSN_MLKEM_CIPHERTEXT_SIZE], shared[CSN_MLKEM_SHARED_SIZE];
    csn_mlkem_use(kernel);
    VALGRIND_MAKE_MEM_UNDEFINED(secret, sizeof secret);
    VALGRIND_MAKE_MEM_UNDEFINED(z, sizeof z);
    VALGRIND_MAKE_MEM_UNDEFINED(randomness, sizeof randomness);
    csn_sha3_512(secret, sizeof secret, seeds); /* as csn_mlkem_key_init() does */
    VALGRIND_MAKE_MEM_DEFINED(seeds, 32);
    (void)!csn_mlkem_key_grow(&key, seeds, seeds + 32, z);
    VALGRIND_MAKE_MEM_DEFINED(&key.public, sizeof key.public);
    csn_mlkem_encapsulate(&key.public, randomness, ciphertext, shared);
    VALGRIND_MAKE_MEM_DEFINED(ciphertext, sizeof ciphertext);
    csn_mlkem_key_export(&key, expanded);
    (void)!csn_mlkem_key_import(&key, expanded, sizeof expanded);
    (void)!csn_mlkem_decapsulate(&key, ciphertext, sizeof ciphertext, shared);
    ciphertext[7] ^= 1;
    (void)!csn_mlkem_decapsulate(&key, ciphertext, sizeof ciphertext, shared);
}

static int leak(void)
{
    static uint8_t secret[32];
    VALGRIND_MAKE_MEM_UNDEFINED(secret, sizeof secret);
    for (size_t i = 0; i < sizeof secret; i++) {
        if (secret[i] != 0) {
            return (int)i;
        }
    }
    return 0;
}

int main(int count, char **arguments)
{
    if (csn_cpu_select(0) != CSN_OK) {
        return 77;
    }
    if (count > 1 && strcmp(arguments[1], "leaky") == 0) {
        return leak();
    }
    check_gcm();
    check_gcm_siv();
    if (!check_ff1(10, 16, 1) || !check_ff1(10, 16, LANES) || !check_ff1(10, 17, LANES) ||
        !check_ff1(10, 30, 1) || !check_ff1(10, 30, LANES) || !check_ff1(62, 100, 1)) {
        return 77;
    }
    check_hmac();
    check_curve();
    check_ecdsa((const struct csn_ec_kernel *const[]){&csn_ec_kernel_p256, &csn_ec_kernel_p384});
    if (has(CSN_WIRE_FEATURE_BMI2 | CSN_WIRE_FEATURE_ADX)) {
        check_ecdsa((const struct csn_ec_kernel *const[]){&csn_ec_kernel_p256_adx,
                                                          &csn_ec_kernel_p384_adx});
    }
    check_mlkem(&csn_mlkem_sse2);
    if (has(CSN_WIRE_FEATURE_AVX2)) {
        check_curve_avx();
        check_mlkem(&csn_mlkem_avx2);
    }
    return 0;
}
