/* SPDX-License-Identifier: Apache-2.0 */
/*
 * window.h: which numbers of a rising sequence were seen, in constant memory (docs/WIRE.md section
 * 8): of requests in the enclave, of short answers in the client.
 *
 * Trust: only numbers of records that authenticated go in. Memory: the caller's, zero at first.
 */
#ifndef CSN_CORE_WINDOW_H
#define CSN_CORE_WINDOW_H

#include <caisson/wire/record.h>
#include <stdbool.h>
#include <stdint.h>

#define CSN_WINDOW_WORDS (CSN_WIRE_WINDOW_SIZE / 64)

/* The highest, and a bit for each of the 1,024 up to it. */
struct csn_window {
    uint64_t next; /* one more than the highest seen; 0: none yet */
    uint64_t bits[CSN_WINDOW_WORDS];
};

/* True once for each number, false when it was seen or is too old to tell. */
bool csn_window_accept(struct csn_window *window, uint64_t sequence);

#endif
