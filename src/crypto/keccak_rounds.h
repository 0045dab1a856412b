/* SPDX-License-Identifier: Apache-2.0 */
/*
 * keccak_rounds.h: the permutation Keccak-f[1600] on whatever the includer calls LANE: one 64-bit
 * word, or a vector of them for as many states side by side. Private to src/crypto.
 */
#include <stdint.h>

static const uint64_t keccak_constants[24] = {
    UINT64_C(0x0000000000000001), UINT64_C(0x0000000000008082), UINT64_C(0x800000000000808a),
    UINT64_C(0x8000000080008000), UINT64_C(0x000000000000808b), UINT64_C(0x0000000080000001),
    UINT64_C(0x8000000080008081), UINT64_C(0x8000000000008009), UINT64_C(0x000000000000008a),
    UINT64_C(0x0000000000000088), UINT64_C(0x0000000080008009), UINT64_C(0x000000008000000a),
    UINT64_C(0x000000008000808b), UINT64_C(0x800000000000008b), UINT64_C(0x8000000000008089),
    UINT64_C(0x8000000000008003), UINT64_C(0x8000000000008002), UINT64_C(0x8000000000000080),
    UINT64_C(0x000000000000800a), UINT64_C(0x800000008000000a), UINT64_C(0x8000000080008081),
    UINT64_C(0x8000000000008080), UINT64_C(0x0000000080000001), UINT64_C(0x8000000080008008)};

#define TURN(lane, bits) ((lane) << (bits) | (lane) >> (64 - (bits)))

/* Theta, rho and pi: from a to b. */
static inline __attribute__((always_inline)) void keccak_spread(const LANE a[25], LANE b[25])
{
    LANE c[5], d[5];
    for (int x = 0; x < 5; x++) {
        c[x] = a[x] ^ a[x + 5] ^ a[x + 10] ^ a[x + 15] ^ a[x + 20];
    }
    d[0] = c[4] ^ TURN(c[1], 1);
    d[1] = c[0] ^ TURN(c[2], 1);
    d[2] = c[1] ^ TURN(c[3], 1);
    d[3] = c[2] ^ TURN(c[4], 1);
    d[4] = c[3] ^ TURN(c[0], 1);
    b[0] = a[0] ^ d[0];
    b[10] = TURN(a[1] ^ d[1], 1);
    b[20] = TURN(a[2] ^ d[2], 62);
    b[5] = TURN(a[3] ^ d[3], 28);
    b[15] = TURN(a[4] ^ d[4], 27);
    b[16] = TURN(a[5] ^ d[0], 36);
    b[1] = TURN(a[6] ^ d[1], 44);
    b[11] = TURN(a[7] ^ d[2], 6);
    b[21] = TURN(a[8] ^ d[3], 55);
    b[6] = TURN(a[9] ^ d[4], 20);
    b[7] = TURN(a[10] ^ d[0], 3);
    b[17] = TURN(a[11] ^ d[1], 10);
    b[2] = TURN(a[12] ^ d[2], 43);
    b[12] = TURN(a[13] ^ d[3], 25);
    b[22] = TURN(a[14] ^ d[4], 39);
    b[23] = TURN(a[15] ^ d[0], 41);
    b[8] = TURN(a[16] ^ d[1], 45);
    b[18] = TURN(a[17] ^ d[2], 15);
    b[3] = TURN(a[18] ^ d[3], 21);
    b[13] = TURN(a[19] ^ d[4], 8);
    b[14] = TURN(a[20] ^ d[0], 18);
    b[24] = TURN(a[21] ^ d[1], 2);
    b[9] = TURN(a[22] ^ d[2], 61);
    b[19] = TURN(a[23] ^ d[3], 56);
    b[4] = TURN(a[24] ^ d[4], 14);
}

static inline __attribute__((always_inline)) void keccak_rounds(LANE a[25])
{
    LANE b[25];
    for (int round = 0; round < 24; round++) {
        keccak_spread(a, b);
        for (int y = 0; y < 25; y += 5) {
            a[y] = b[y] ^ (~b[y + 1] & b[y + 2]);
            a[y + 1] = b[y + 1] ^ (~b[y + 2] & b[y + 3]);
            a[y + 2] = b[y + 2] ^ (~b[y + 3] & b[y + 4]);
            a[y + 3] = b[y + 3] ^ (~b[y + 4] & b[y]);
            a[y + 4] = b[y + 4] ^ (~b[y] & b[y + 1]);
        }
        a[0] ^= keccak_constants[round];
    }
}
