/* SPDX-License-Identifier: Apache-2.0 */
/* ticker.h: what ticker.c keeps of each stream, for tests that look into it. */
#ifndef TESTS_IMAGES_TICKER_H
#define TESTS_IMAGES_TICKER_H

#include <caisson/enclave.h>

#define TICKER_COUNT    8u /* streams at a time */
#define TICKER_PART_MAX 1100u

struct ticker {
    struct cse_held *held; /* NULL: not in use */
    uint32_t left;         /* parts to come, */
    uint32_t allowed;      /* of them without another word, */
    uint32_t done;         /* and that were sent */
    uint32_t text_size;
    uint8_t tenant[32];
    uint8_t text[1024];
};

struct ticker_state {
    struct ticker tickers[TICKER_COUNT];
    uint32_t drop_count;
};

#endif
