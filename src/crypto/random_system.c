/* SPDX-License-Identifier: Apache-2.0 */
/* random_system.c: the kernel's generator, for hosts only. */
#include "random.h"
#include <sys/random.h>

bool csn_random_system(void *state, uint64_t *word)
{
    (void)state;
    /* Up to 256 bytes never come short and are never interrupted once the kernel is seeded. */
    return getrandom(word, sizeof *word, 0) == (ssize_t)sizeof *word;
}
