/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mlkem_sample.c: polynomials from seeds, four at a time: those of the public matrix by rejection
 * (FIPS 203, algorithm 7), small ones by counting bits (algorithm 8).
 */
#include "keccak.h"
#include "mlkem_core.h"
#include <core/bytes.h>

#define SUFFIX     0x1fu /* SHAKE */
#define MATRIX     (CSN_MLKEM_RANK * CSN_MLKEM_RANK)
#define BLOCKS_MAX 5u /* 280 draws of three bytes: FIPS 203, appendix B; missed once in 2^261 */

/* Four times SHAKE of 32 bytes and up to three more, which are in tails[] with the suffix. */
static void begin(uint64_t states[25][CSN_MLKEM_LANES], const uint8_t seed[32],
                  const uint64_t tails[CSN_MLKEM_LANES], uint32_t rate)
{
    __builtin_memset(states, 0, 25 * sizeof states[0]);
    for (uint32_t lane = 0; lane < CSN_MLKEM_LANES; lane++) {
        for (uint32_t i = 0; i < 4; i++) {
            states[i][lane] = csn_load_u64(seed + 8 * i);
        }
        states[4][lane] = tails[lane];
        states[rate / 8 - 1][lane] ^= UINT64_C(1) << 63;
    }
}

static void take(uint64_t states[25][CSN_MLKEM_LANES], uint32_t lane, uint8_t *bytes, uint32_t size)
{
    for (uint32_t i = 0; i < size / 8; i++) {
        csn_store_u64(bytes + 8 * i, states[i][lane]);
    }
}

/* Numbers of 12 bits, those below q; which are left out is public as rho is. The new count. */
static uint32_t accept(struct csn_mlkem_poly *poly, uint32_t count,
                       const uint8_t bytes[CSN_SHAKE128_RATE])
{
    for (uint32_t i = 0; i < CSN_SHAKE128_RATE; i += 3) {
        uint32_t pair = bytes[i] | (uint32_t)bytes[i + 1] << 8 | (uint32_t)bytes[i + 2] << 16;
        uint32_t first = pair & 0xfff;
        uint32_t second = pair >> 12;
        if (first < CSN_MLKEM_Q && count < CSN_MLKEM_N) {
            poly->at[csn_mlkem_place(count++)] = (int16_t)first;
        }
        if (second < CSN_MLKEM_Q && count < CSN_MLKEM_N) {
            poly->at[csn_mlkem_place(count++)] = (int16_t)second;
        }
    }
    return count;
}

/* Polynomials first, first + 1 … of the matrix, at most four. */
static bool matrix_part(const struct csn_mlkem_kernel *kernel, const uint8_t rho[32],
                        struct csn_mlkem_poly *polys, uint32_t first, uint32_t count)
{
    uint64_t states[25][CSN_MLKEM_LANES];
    uint64_t tails[CSN_MLKEM_LANES];
    uint8_t bytes[CSN_SHAKE128_RATE];
    uint32_t numbers[CSN_MLKEM_LANES] = {0};
    bool full = false;
    for (uint32_t lane = 0; lane < CSN_MLKEM_LANES; lane++) {
        uint32_t row = (first + lane) / CSN_MLKEM_RANK;
        uint32_t column = (first + lane) % CSN_MLKEM_RANK;
        tails[lane] = row | column << 8 | SUFFIX << 16;
    }
    begin(states, rho, tails, CSN_SHAKE128_RATE);
    for (uint32_t block = 0; block < BLOCKS_MAX && !full; block++) {
        kernel->permute(states);
        full = true;
        for (uint32_t lane = 0; lane < count; lane++) {
            take(states, lane, bytes, sizeof bytes);
            numbers[lane] = accept(&polys[first + lane], numbers[lane], bytes);
            full = full && numbers[lane] == CSN_MLKEM_N;
        }
    }
    return full;
}

bool csn_mlkem_matrix(const struct csn_mlkem_kernel *kernel, const uint8_t rho[32],
                      struct csn_mlkem_poly matrix[CSN_MLKEM_RANK][CSN_MLKEM_RANK])
{
    bool full = true;
    for (uint32_t first = 0; first < MATRIX; first += CSN_MLKEM_LANES) {
        uint32_t left = MATRIX - first;
        full = matrix_part(kernel, rho, matrix[0], first,
                           left < CSN_MLKEM_LANES ? left : CSN_MLKEM_LANES) &&
               full;
    }
    return full;
}

/* Sixteen numbers from eight bytes: of each four bits two less the other two. */
static void count_bits(int16_t *numbers, uint64_t bits)
{
    const uint64_t mask = UINT64_C(0x5555555555555555);
    uint64_t sums = (bits & mask) + (bits >> 1 & mask);
    for (uint32_t i = 0; i < 16; i++) {
        numbers[i] = (int16_t)((int)(sums >> 4 * i & 3) - (int)(sums >> (4 * i + 2) & 3));
    }
}

void csn_mlkem_noise(const struct csn_mlkem_kernel *kernel, const uint8_t seed[32], uint32_t first,
                     struct csn_mlkem_poly *polys, uint32_t count)
{
    uint64_t states[25][CSN_MLKEM_LANES];
    uint64_t tails[CSN_MLKEM_LANES];
    for (uint32_t lane = 0; lane < CSN_MLKEM_LANES; lane++) {
        tails[lane] = (first + lane) | SUFFIX << 8;
    }
    begin(states, seed, tails, CSN_SHAKE256_RATE);
    kernel->permute(states);
    for (uint32_t lane = 0; lane < count; lane++) {
        for (uint32_t i = 0; i < CSN_MLKEM_N / 16; i++) {
            count_bits(polys[lane].at + 16 * i, states[i][lane]);
        }
    }
    csn_wipe(states, sizeof states);
}
