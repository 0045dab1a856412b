/* SPDX-License-Identifier: Apache-2.0 */
/*
 * seed.h: files of secrets: Ed25519 seeds, keys of weights, and writing secrets without losing
 * older ones.
 *
 * A seed file is 40 bytes: 8 of magic that say what the key is for, then the seed.
 */
#ifndef CSN_CLI_SEED_H
#define CSN_CLI_SEED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CLI_SEED_SIGNER  "CSNSIGN1" /* signs images */
#define CLI_SEED_ROOT    "CSNROOT1" /* signs insecure development evidence */
#define CLI_SEED_WEIGHTS "CSNWKEY1" /* seals models */

/* False with a message: no such file, or a key for something else. */
bool cli_seed_read(const char *path, const char *magic, uint8_t seed[32]);
/* Fresh seed; an existing file is an error unless force. False with a message. */
bool cli_seed_create(const char *path, const char *magic, bool force, uint8_t seed[32]);
/*
 * A secret file, 0600 whatever was there before. Without force an existing file is an error; with
 * it, the old file is replaced as a whole, so that a failure leaves one of the two.
 */
bool cli_secret_write(const char *path, const void *bytes, size_t size, bool force);

#endif
