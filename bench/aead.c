/* SPDX-License-Identifier: Apache-2.0 */
/* aead.c: the rows of AES-256-GCM (aead_rows.c). */
#include "measure.h"
#include "rows.h"

static const char help[] =
    "usage: aead [--json] [--seconds N]\n\n"
    "AES-256-GCM, batches of 32 records, beside libcrypto's EVP with the key set up once and a\n"
    "nonce for each record. What is opened is what libcrypto sealed. Rows of mixed lengths have\n"
    "four keys and 48 bytes of associated data, as short records do. ns are per record.\n\n";

int main(int argc, char **argv)
{
    bench_begin(argc, argv, help);
    bench_aead_rows();
    return 0;
}
