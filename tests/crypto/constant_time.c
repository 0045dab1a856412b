/* SPDX-License-Identifier: Apache-2.0 */
/*
 * constant_time.c: run under valgrind: secrets are marked undefined, so that memcheck reports every
 * branch and every address that depends on one. "leaky" is the control: it must be reported.
 *
 * valgrind 3.19 knows neither SHA-NI nor VAES: this covers the portable and the AES-NI kernels.
 * Not covered: the last step of an open and of X25519, which branches on the public verdict.
 */
#include <crypto/aead.h>
#include <crypto/cpu.h>
#include <crypto/curve.h>
#include <crypto/ff1.h>
#include <crypto/sha2.h>
#include <string.h>
#include <valgrind/memcheck.h>

static void check_gcm(void)
{
    static uint8_t secret[32], plain[300], output[300], tag[16];
    struct csn_gcm_key key;
    VALGRIND_MAKE_MEM_UNDEFINED(secret, sizeof secret);
    VALGRIND_MAKE_MEM_UNDEFINED(plain, sizeof plain);
    csn_gcm_key_init(&key, secret);
    struct csn_gcm_item item = {
        .key = &key, .size = 300, .input = plain, .output = output, .tag = tag};
    csn_gcm_seal_batch(&item, 1);
}

static void check_ff1(uint32_t radix, uint32_t count)
{
    static uint8_t secret[32];
    static uint16_t input[256], output[256];
    struct csn_aes_key key;
    VALGRIND_MAKE_MEM_UNDEFINED(secret, sizeof secret);
    (void)!csn_aes_key_init(&key, secret, sizeof secret);
    VALGRIND_MAKE_MEM_DEFINED(&key.round_count, sizeof key.round_count);
    struct csn_ff1_item item = {
        .key = &key, .radix = radix, .count = count, .input = input, .output = output};
    csn_ff1_encrypt_batch(&item, 1);
    VALGRIND_MAKE_MEM_DEFINED(output, sizeof output); /* its range check tells nothing */
    item.input = output;
    csn_ff1_decrypt_batch(&item, 1);
}

static void check_hmac(void)
{
    static uint8_t secret[32], message[300], tag[32];
    struct csn_hmac_key key;
    VALGRIND_MAKE_MEM_UNDEFINED(secret, sizeof secret);
    VALGRIND_MAKE_MEM_UNDEFINED(message, sizeof message);
    csn_hmac_key_init(&key, secret, sizeof secret);
    csn_hmac(&key, message, sizeof message, tag);
}

static void check_curve(void)
{
    static uint8_t secret[32], public[32], signature[64];
    VALGRIND_MAKE_MEM_UNDEFINED(secret, sizeof secret);
    csn_x25519_public(public, secret);
    csn_ed25519_sign(signature, public, 0, secret);
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
    check_ff1(10, 16);
    check_ff1(10, 17);
    check_ff1(62, 100);
    check_hmac();
    check_curve();
    return 0;
}
