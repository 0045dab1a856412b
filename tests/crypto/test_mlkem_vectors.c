/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_mlkem_vectors.c: does every published case of ML-KEM-768 give the published result? All of
 * Wycheproof's four files, and what HPKE's post-quantum vectors hold of ML-KEM-768, alone and in
 * the hybrids X-Wing and MLKEM768-P256 (of the latter the half that is ML-KEM).
 *
 * Each case runs on every kernel that this CPU has.
 */
#include "../skip.h"
#include "mlkem_kernels.h"
#include "vectors.h"
#include <crypto/curve.h>
#include <crypto/keccak.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
/* cmocka.h wants the headers above first */
#include <cmocka.h>

#define ENCAPS "wycheproof/mlkem_768_encaps_test.json"
#define KEYGEN "wycheproof/mlkem_768_keygen_seed_test.json"
#define IMPORT "wycheproof/mlkem_768_semi_expanded_decaps_test.json"
#define DECAPS "wycheproof/mlkem_768_test.json"
#define HPKE   "hpke/hpke-pq.json"

/* The four members of a case that say it all; a member that is not there has no bytes. */
struct exchange {
    struct vector_bytes secret, public, ciphertext, shared;
};

static int unpassable; /* seeds of another size: the interface takes 64 bytes and no other number */

static bool valid(const cJSON *test)
{
    return strcmp(vector_text(test, "result"), "valid") == 0;
}

static bool same(const struct vector_bytes *expected, const void *made, size_t size)
{
    return expected->size == size && memcmp(expected->bytes, made, size) == 0;
}

static bool encaps_case(const cJSON *test, struct exchange *given)
{
    static struct csn_mlkem_public public;
    uint8_t ciphertext[CSN_MLKEM_CIPHERTEXT_SIZE], shared[CSN_MLKEM_SHARED_SIZE];
    csn_err err = csn_mlkem_public_init(&public, given->public.bytes, given->public.size);
    if (!valid(test)) {
        return err ==
               (given->public.size == CSN_MLKEM_PUBLIC_SIZE ? CSN_ERR_ARGUMENT : CSN_ERR_FORMAT);
    }
    csn_mlkem_encapsulate(&public, given->secret.bytes, ciphertext, shared);
    return err == CSN_OK && given->secret.size == 32 &&
           same(&given->ciphertext, ciphertext, sizeof ciphertext) &&
           same(&given->shared, shared, sizeof shared);
}

static bool keygen_case(const cJSON *test, struct exchange *given)
{
    static struct csn_mlkem_key key;
    uint8_t expanded[CSN_MLKEM_EXPANDED_SIZE];
    struct vector_bytes answer = vector_hex(test, "dk");
    bool good = valid(test) && given->secret.size == CSN_MLKEM_SEED_SIZE &&
                csn_mlkem_key_init(&key, given->secret.bytes) == CSN_OK &&
                same(&given->public, key.public.bytes, sizeof key.public.bytes);
    csn_mlkem_key_export(&key, expanded);
    good = good && same(&answer, expanded, sizeof expanded);
    vector_free(&answer);
    return good;
}

static bool decapsulates(const cJSON *test, const struct exchange *given,
                         const struct csn_mlkem_key *key)
{
    uint8_t shared[CSN_MLKEM_SHARED_SIZE];
    csn_err err =
        csn_mlkem_decapsulate(key, given->ciphertext.bytes, given->ciphertext.size, shared);
    if (!valid(test)) {
        return err == CSN_ERR_FORMAT;
    }
    return err == CSN_OK && same(&given->public, key->public.bytes, sizeof key->public.bytes) &&
           same(&given->shared, shared, sizeof shared);
}

static bool import_case(const cJSON *test, struct exchange *given)
{
    static struct csn_mlkem_key key;
    csn_err err = csn_mlkem_key_import(&key, given->secret.bytes, given->secret.size);
    if (err == CSN_OK) {
        return decapsulates(test, given, &key);
    }
    return !valid(test) &&
           err == (given->secret.size == CSN_MLKEM_EXPANDED_SIZE ? CSN_ERR_AUTH : CSN_ERR_FORMAT);
}

static bool decaps_case(const cJSON *test, struct exchange *given)
{
    static struct csn_mlkem_key key;
    if (given->secret.size != CSN_MLKEM_SEED_SIZE) {
        unpassable++;
        return !valid(test);
    }
    return csn_mlkem_key_init(&key, given->secret.bytes) == CSN_OK &&
           decapsulates(test, given, &key);
}

static void run_file(const char *name, const char *secret,
                     bool (*judge)(const cJSON *test, struct exchange *given), int expected)
{
    const struct csn_mlkem_kernel *kernels[2];
    uint32_t kernel_count = mlkem_kernels(kernels);
    cJSON *root = vector_load(name);
    int run = 0, wrong = 0;
    assert_non_null(root);
    for (uint32_t k = 0; k < kernel_count; k++) {
        const cJSON *group, *test;
        csn_mlkem_use(kernels[k]);
        run = 0;
        cJSON_ArrayForEach(group, cJSON_GetObjectItemCaseSensitive(root, "testGroups"))
        {
            cJSON_ArrayForEach(test, cJSON_GetObjectItemCaseSensitive(group, "tests"))
            {
                struct exchange given = {vector_hex(test, secret), vector_hex(test, "ek"),
                                         vector_hex(test, "c"), vector_hex(test, "K")};
                run++;
                wrong += !judge(test, &given);
                vector_free(&given.secret), vector_free(&given.public);
                vector_free(&given.ciphertext), vector_free(&given.shared);
            }
        }
    }
    printf("# %s: %d run, none out of scope, of %d, on %u kernels, %d wrong\n", name, run,
           vector_number(root, "numberOfTests"), kernel_count, wrong);
    assert_int_equal(wrong, 0);
    assert_int_equal(run, vector_number(root, "numberOfTests"));
    assert_int_equal(run, expected);
    cJSON_Delete(root);
}

static void test_decaps(void **state)
{
    (void)state;
    const struct csn_mlkem_kernel *kernels[2];
    unpassable = 0;
    run_file(DECAPS, "seed", decaps_case, 193);
    printf("# refused by the interface, which takes seeds of 64 bytes: %d\n", unpassable);
    assert_int_equal(unpassable, 20 * (int)mlkem_kernels(kernels));
}

static void test_encaps(void **state)
{
    (void)state;
    run_file(ENCAPS, "m", encaps_case, 265);
}

static void test_keygen(void **state)
{
    (void)state;
    run_file(KEYGEN, "seed", keygen_case, 100);
}

static void test_import(void **state)
{
    (void)state;
    run_file(IMPORT, "dk", import_case, 9);
}

/* ---- HPKE's vectors: skRm, pkRm, ikmE and enc begin with what is ML-KEM's ---- */
static struct {
    struct csn_mlkem_key key;
    uint8_t ciphertext[CSN_MLKEM_CIPHERTEXT_SIZE], shared[CSN_MLKEM_SHARED_SIZE];
} h;

/* Makes the key and sends to it; true if public key and encapsulation begin as published. */
static bool exchange(const struct exchange *given, const uint8_t seed[CSN_MLKEM_SEED_SIZE],
                     const uint8_t *randomness)
{
    uint8_t opened[CSN_MLKEM_SHARED_SIZE];
    if (csn_mlkem_key_init(&h.key, seed) != CSN_OK) {
        return false;
    }
    csn_mlkem_encapsulate(&h.key.public, randomness, h.ciphertext, h.shared);
    return csn_mlkem_decapsulate(&h.key, h.ciphertext, sizeof h.ciphertext, opened) == CSN_OK &&
           memcmp(opened, h.shared, sizeof opened) == 0 &&
           given->public.size >= CSN_MLKEM_PUBLIC_SIZE &&
           memcmp(given->public.bytes, h.key.public.bytes, CSN_MLKEM_PUBLIC_SIZE) == 0 &&
           given->ciphertext.size >= sizeof h.ciphertext &&
           memcmp(given->ciphertext.bytes, h.ciphertext, sizeof h.ciphertext) == 0;
}

static bool alone(const struct exchange *given, const struct vector_bytes *randomness)
{
    return given->secret.size == CSN_MLKEM_SEED_SIZE && randomness->size == 32 &&
           exchange(given, given->secret.bytes, randomness->bytes) &&
           same(&given->shared, h.shared, sizeof h.shared);
}

/* Both secrets come from 32 bytes by SHAKE256; one hash makes of both exchanges the shared one. */
static bool x_wing(const struct exchange *given, const struct vector_bytes *randomness)
{
    static const uint8_t label[6] = {0x5c, 0x2e, 0x2f, 0x2f, 0x5e, 0x5c};
    uint8_t secrets[CSN_MLKEM_SEED_SIZE + 32], made[32], point[32], public_key[32], curve[32];
    struct csn_keccak hash;
    csn_shake256(given->secret.bytes, given->secret.size, secrets, sizeof secrets);
    if (randomness->size != 64 || !exchange(given, secrets, randomness->bytes)) {
        return false;
    }
    csn_x25519_public(public_key, secrets + CSN_MLKEM_SEED_SIZE);
    csn_x25519_public(point, randomness->bytes + 32);
    if (csn_x25519(curve, secrets + CSN_MLKEM_SEED_SIZE, point) != CSN_OK) {
        return false;
    }
    csn_sha3_256_init(&hash);
    csn_keccak_absorb(&hash, h.shared, sizeof h.shared);
    csn_keccak_absorb(&hash, curve, sizeof curve);
    csn_keccak_absorb(&hash, point, sizeof point);
    csn_keccak_absorb(&hash, public_key, sizeof public_key);
    csn_keccak_absorb(&hash, label, sizeof label);
    csn_keccak_finish(&hash);
    csn_keccak_squeeze(&hash, made, sizeof made);
    return same(&given->shared, made, sizeof made) &&
           memcmp(given->public.bytes + CSN_MLKEM_PUBLIC_SIZE, public_key, 32) == 0 &&
           memcmp(given->ciphertext.bytes + CSN_MLKEM_CIPHERTEXT_SIZE, point, 32) == 0;
}

/* The same expansion; the curve's half needs P-256 and is not looked at. */
static bool with_p256(const struct exchange *given, const struct vector_bytes *randomness)
{
    uint8_t secrets[CSN_MLKEM_SEED_SIZE];
    csn_shake256(given->secret.bytes, given->secret.size, secrets, sizeof secrets);
    return exchange(given, secrets, randomness->bytes);
}

static void test_hpke(void **state)
{
    (void)state;
    const struct csn_mlkem_kernel *kernels[2];
    uint32_t kernel_count = mlkem_kernels(kernels);
    cJSON *root = vector_load(HPKE);
    int run = 0, skipped = 0;
    assert_non_null(root);
    for (uint32_t k = 0; k < kernel_count; k++) {
        const cJSON *test;
        csn_mlkem_use(kernels[k]);
        cJSON_ArrayForEach(test, root)
        {
            struct exchange given = {vector_hex(test, "skRm"), vector_hex(test, "pkRm"),
                                     vector_hex(test, "enc"), vector_hex(test, "shared_secret")};
            struct vector_bytes randomness = vector_hex(test, "ikmE");
            int kem = vector_number(test, "kem_id");
            bool ours = kem == 0x41 || kem == 0x647a || kem == 0x50;
            if (ours) {
                assert_true(kem == 0x41     ? alone(&given, &randomness)
                            : kem == 0x647a ? x_wing(&given, &randomness)
                                            : with_p256(&given, &randomness));
            }
            run += ours;
            skipped += !ours;
            vector_free(&given.secret), vector_free(&given.public), vector_free(&randomness);
            vector_free(&given.ciphertext), vector_free(&given.shared);
        }
    }
    printf("# HPKE: %d exchanges with ML-KEM-768 on %u kernels, %d out of scope: no ML-KEM-768\n",
           run, kernel_count, skipped);
    assert_int_equal(run, 5 * (int)kernel_count);
    assert_int_equal(skipped, 8 * (int)kernel_count);
    cJSON_Delete(root);
}

int main(void)
{
    static const char *const names[] = {ENCAPS, KEYGEN, IMPORT, DECAPS, HPKE};
    for (uint32_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        cJSON *root = vector_load(names[i]);
        if (root == NULL) {
            printf("# %s is not there\n", names[i]);
            return test_skip("vectors are missing (CAISSON_SHARED)");
        }
        cJSON_Delete(root);
    }
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_import), cmocka_unit_test(test_decaps),
                                       cmocka_unit_test(test_encaps), cmocka_unit_test(test_keygen),
                                       cmocka_unit_test(test_hpke)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
