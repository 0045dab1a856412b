/* SPDX-License-Identifier: Apache-2.0 */
/*
 * seed.h: the secret key file of `caisson keygen`: 8 bytes "CSNSEED1", then 32 bytes of seed.
 *
 * What the seed is for (signer, owner, producer, consumer) is the user's to remember: the file
 * does not say, so that a stolen file does not either.
 */
#ifndef CSN_CLI_SEED_H
#define CSN_CLI_SEED_H

#include <stdbool.h>
#include <stdint.h>

#define CLI_SEED_SIZE      32u
#define CLI_SEED_FILE_SIZE 40u

/* False with a message printed; seed is wiped then. */
bool cli_seed_read(const char *path, uint8_t seed[CLI_SEED_SIZE]);
/* Mode 0600, from the first byte on; a file that is there already is refused, never replaced. */
bool cli_seed_write(const char *path, const uint8_t seed[CLI_SEED_SIZE]);

#endif
