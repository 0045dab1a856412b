/* SPDX-License-Identifier: Apache-2.0 */
/* kem.c: ML-KEM-768 beside X25519, the exchange that it may one day stand next to. */
#include "measure.h"
#include <crypto/cpu.h>
#include <crypto/curve.h>
#include <crypto/mlkem_core.h>
#include <string.h>

static const char help[] =
    "usage: kem [--json] [--seconds N]\n\n"
    "ML-KEM-768 beside one X25519, both of the crypto library: key pairs, encapsulation to a key\n"
    "that is known and to one that is new, decapsulation; last, the kernel without AVX2. A whole\n"
    "exchange of X25519 is two of it on either side. Nothing here has a goal.\n\n";

#define ROUND 8u

static struct {
    struct csn_mlkem_key key;
    struct csn_mlkem_public public;
    uint8_t seed[CSN_MLKEM_SEED_SIZE];
    uint8_t randomness[32];
    uint8_t ciphertext[CSN_MLKEM_CIPHERTEXT_SIZE];
    uint8_t shared[CSN_MLKEM_SHARED_SIZE];
    uint8_t scalar[32], point[32], agreed[32];
} setup;

static void require(bool done)
{
    bench_require(done, "kem: an exchange failed");
}

/* ---- what is measured: each call does ROUND of them ---- */
static uint64_t key_pairs(void *state)
{
    (void)state;
    for (uint32_t i = 0; i < ROUND; i++) {
        require(csn_mlkem_key_init(&setup.key, setup.seed) == CSN_OK);
    }
    return ROUND;
}

static uint64_t encapsulations(void *state)
{
    (void)state;
    for (uint32_t i = 0; i < ROUND; i++) {
        csn_mlkem_encapsulate(&setup.public, setup.randomness, setup.ciphertext, setup.shared);
    }
    return ROUND;
}

static uint64_t encapsulations_to_new(void *state)
{
    for (uint32_t i = 0; i < ROUND; i++) {
        require(csn_mlkem_public_init(&setup.public, setup.key.public.bytes,
                                      sizeof setup.key.public.bytes) == CSN_OK);
    }
    return encapsulations(state);
}

static uint64_t decapsulations(void *state)
{
    (void)state;
    for (uint32_t i = 0; i < ROUND; i++) {
        require(csn_mlkem_decapsulate(&setup.key, setup.ciphertext, sizeof setup.ciphertext,
                                      setup.shared) == CSN_OK);
    }
    return ROUND;
}

static uint64_t agreements(void *state)
{
    (void)state;
    for (uint32_t i = 0; i < ROUND; i++) {
        require(csn_x25519(setup.agreed, setup.scalar, setup.point) == CSN_OK);
    }
    return ROUND;
}

static void set_up(void)
{
    uint8_t shared[CSN_MLKEM_SHARED_SIZE];
    uint64_t features = 0;
    require(csn_cpu_features(&features) == CSN_OK && csn_cpu_select(features) == CSN_OK &&
            csn_mlkem_begin(features) == CSN_OK);
    setup.scalar[0] = 7;
    csn_x25519_public(setup.point, setup.scalar);
    setup.scalar[0] = 77;
    key_pairs(NULL);
    encapsulations_to_new(NULL);
    memcpy(shared, setup.shared, sizeof shared);
    decapsulations(NULL);
    require(memcmp(shared, setup.shared, sizeof shared) == 0);
}

int main(int argc, char **argv)
{
    static const struct {
        struct bench_row row;
        bench_side *ours;
    } rows[] = {
        {{0, "ML-KEM key pair", "from its seeds", "X25519", BENCH_FASTER, 0}, key_pairs},
        {{0, "ML-KEM encapsulate, key known", "expanded", "X25519", BENCH_FASTER, 0},
         encapsulations},
        {{0, "ML-KEM encapsulate, new key", "from bytes", "X25519", BENCH_FASTER, 0},
         encapsulations_to_new},
        {{0, "ML-KEM decapsulate", "expanded", "X25519", BENCH_FASTER, 0}, decapsulations},
        {{0, "ML-KEM decapsulate, no AVX2", "expanded", "X25519", BENCH_FASTER, 0}, decapsulations},
    };
    const size_t count = sizeof rows / sizeof rows[0];
    bench_begin(argc, argv, help);
    set_up();
    for (size_t i = 0; i < count; i++) {
        if (i == count - 1) {
            csn_mlkem_use(&csn_mlkem_sse2);
        }
        bench_pair(&rows[i].row, rows[i].ours, agreements, NULL);
    }
    return 0;
}
