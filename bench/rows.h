/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rows.h: what is measured in this process alone, for the programs of bench/ and `caisson bench`.
 *
 * Each call sets up its two sides, measures its rows (measure.h) and prints them. It ends the
 * program where a side does not work, for then no figure is worth anything. One call a process and
 * subject, from one thread; the kernels are chosen anew (crypto/cpu.h).
 */
#ifndef CSN_BENCH_ROWS_H
#define CSN_BENCH_ROWS_H

#include <stdbool.h>
#include <stddef.h>

#define BENCH_AEAD_ROWS     26u
#define BENCH_FF1_ROWS      5u
#define BENCH_HMAC_ROWS     2u
#define BENCH_TOKENIZE_ROWS 3u /* without the peer's */

/* aead_rows.c: AES-256-GCM of both kernels beside EVP. */
void bench_aead_rows(void);
/* crypto_rows.c: FF1 beside a textbook one on libcrypto, HMAC beside EVP_MAC. */
void bench_ff1_rows(void);
void bench_hmac_rows(void);

/* Another scanner of JSON texts; a text has 64 bytes behind it that may be read. */
struct bench_json_peer {
    const char *name;
    bool (*scan)(const char *text, size_t size);
};
/*
 * tokenize_rows.c: card records through the session and the tokenize handlers, beside the sum of
 * the parts and a loop with OpenSSL and cJSON. policy: the text of one for card records.
 */
void bench_tokenize_rows(const char *policy, size_t policy_size,
                         const struct bench_json_peer *peer);

#endif
