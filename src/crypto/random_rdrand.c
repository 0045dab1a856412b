/* SPDX-License-Identifier: Apache-2.0 */
/* random_rdrand.c: the CPU's generator, 64-bit form only (the short forms fail on some CPUs). */
#include "random.h"
#include <immintrin.h>

#define TRIES 10u /* Intel's advice: ten failures in a row mean that the generator is broken */

bool csn_random_rdrand(void *state, uint64_t *word)
{
    (void)state;
    for (uint32_t i = 0; i < TRIES; i++) {
        unsigned long long value = 0;
        if (_rdrand64_step(&value) == 1) {
            *word = value;
            return true;
        }
    }
    return false;
}
