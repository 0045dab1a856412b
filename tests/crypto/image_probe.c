/* SPDX-License-Identifier: Apache-2.0 */
/*
 * image_probe.c: a freestanding program without a libc that uses all of src/crypto, linked as an
 * image is. It is inspected (check_image.py), never run.
 */
#include <crypto/aead.h>
#include <crypto/cpu.h>
#include <crypto/curve.h>
#include <crypto/ff1.h>
#include <crypto/hpke.h>
#include <crypto/random.h>
#include <crypto/sha2.h>

void probe_start(void);
void __stack_chk_fail(void);
void *memcpy(void *target, const void *source, size_t size);
void *memmove(void *target, const void *source, size_t size);
void *memset(void *target, int value, size_t size);

/* Every entry point, kept by its address. */
static const void *volatile const used[] = {
    (const void *)csn_cpu_select,        (const void *)csn_gcm_seal_batch,
    (const void *)csn_gcm_open_batch,    (const void *)csn_ff1_encrypt_batch,
    (const void *)csn_ff1_decrypt_batch, (const void *)csn_x25519,
    (const void *)csn_x25519_public,     (const void *)csn_ed25519_verify,
    (const void *)csn_ed25519_public,    (const void *)csn_ed25519_sign,
    (const void *)csn_hpke_sender,       (const void *)csn_hpke_receiver,
    (const void *)csn_hpke_seal,         (const void *)csn_hpke_open,
    (const void *)csn_hpke_export,       (const void *)csn_hpke_derive_key_pair,
    (const void *)csn_random_init,       (const void *)csn_random_fill,
    (const void *)csn_random_rdrand,     (const void *)csn_hkdf,
    (const void *)csn_sha384_init,       (const void *)csn_sha384_final,
    (const void *)csn_sha512_final,      (const void *)csn_hmac,
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
