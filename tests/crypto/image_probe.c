/* SPDX-License-Identifier: Apache-2.0 */
/*
 * image_probe.c: a freestanding program without a libc that uses all of src/crypto, linked as an
 * image is. It is inspected (check_image.py), never run.
 */
#include <crypto/aead.h>
#include <crypto/cpu.h>
#include <crypto/curve.h>
#include <crypto/ecdsa.h>
#include <crypto/ff1.h>
#include <crypto/gcm_siv.h>
#include <crypto/hpke.h>
#include <crypto/keccak.h>
#include <crypto/key_wrap.h>
#include <crypto/mlkem.h>
#include <crypto/random.h>
#include <crypto/sha2.h>

void probe_start(void);
void __stack_chk_fail(void);
void *memcpy(void *target, const void *source, size_t size);
void *memmove(void *target, const void *source, size_t size);
void *memset(void *target, int value, size_t size);

typedef void (*entry_point)(void);

/* Every entry point, kept by its address. */
static const volatile entry_point used[] = {
    (entry_point)csn_cpu_select,         (entry_point)csn_gcm_seal_batch,
    (entry_point)csn_gcm_open_batch,     (entry_point)csn_ff1_encrypt_batch,
    (entry_point)csn_ff1_decrypt_batch,  (entry_point)csn_x25519,
    (entry_point)csn_x25519_public,      (entry_point)csn_ed25519_verify,
    (entry_point)csn_ed25519_public,     (entry_point)csn_ed25519_sign,
    (entry_point)csn_hpke_sender,        (entry_point)csn_hpke_receiver,
    (entry_point)csn_hpke_seal,          (entry_point)csn_hpke_open,
    (entry_point)csn_hpke_export,        (entry_point)csn_hpke_derive_key_pair,
    (entry_point)csn_random_init,        (entry_point)csn_random_fill,
    (entry_point)csn_random_rdrand,      (entry_point)csn_hkdf,
    (entry_point)csn_sha384_init,        (entry_point)csn_sha384_final,
    (entry_point)csn_sha512_final,       (entry_point)csn_hmac,
    (entry_point)csn_ecdsa_sign,         (entry_point)csn_ecdsa_verify,
    (entry_point)csn_ecdsa_to_der,       (entry_point)csn_ecdsa_from_der,
    (entry_point)csn_ec_generate,        (entry_point)csn_ec_agree,
    (entry_point)csn_ec_public_check,    (entry_point)csn_ecdsa_self_test,
    (entry_point)csn_gcm_siv_seal_batch, (entry_point)csn_gcm_siv_open_batch,
    (entry_point)csn_gcm_siv_self_test,  (entry_point)csn_key_wrap,
    (entry_point)csn_key_unwrap,         (entry_point)csn_key_wrap_self_test,
    (entry_point)csn_mlkem_begin,        (entry_point)csn_mlkem_key_import,
    (entry_point)csn_mlkem_public_init,  (entry_point)csn_shake128_init,
};

void probe_start(void)
{
    for (size_t i = 0; i < sizeof used / sizeof used[0]; i++) {
        if (used[i] == NULL) {
            __builtin_trap();
        }
    }
    for (;;) {
    }
}

void __stack_chk_fail(void)
{
    __builtin_trap();
}

void *memcpy(void *target, const void *source, size_t size)
{
    return memmove(target, source, size);
}

void *memmove(void *target, const void *source, size_t size)
{
    uint8_t *to = target;
    const uint8_t *from = source;
    for (size_t i = 0; i < size; i++) {
        size_t k = to < from ? i : size - 1 - i;
        to[k] = from[k];
    }
    return target;
}

void *memset(void *target, int value, size_t size)
{
    uint8_t *to = target;
    for (size_t i = 0; i < size; i++) {
        to[i] = (uint8_t)value;
    }
    return target;
}
