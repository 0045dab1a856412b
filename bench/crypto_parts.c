/* SPDX-License-Identifier: Apache-2.0 */
/* crypto_parts.c: the rows of FF1 and HMAC (crypto_rows.c). */
#include "measure.h"
#include "rows.h"

static const char help[] =
    "usage: crypto_parts [--json] [--seconds N]\n\n"
    "FF1 (16 digits, AES-256, a tweak of 8 bytes) and HMAC-SHA-256 (32 bytes under one key) of "
    "the\n"
    "tokenize enclave beside what libcrypto users write: textbook FF1 on EVP and BIGNUM, the same\n"
    "tuned (printed only), EVP_MAC. Batches of 64.\n\n";

int main(int argc, char **argv)
{
    bench_begin(argc, argv, help);
    bench_ff1_rows();
    bench_hmac_rows();
    return 0;
}
