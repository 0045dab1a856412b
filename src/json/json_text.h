/* SPDX-License-Identifier: Apache-2.0 */
/* json_text.h: strings inside a JSON text, shared by the files of this folder. */
#ifndef CSN_JSON_TEXT_H
#define CSN_JSON_TEXT_H

#include "json.h"
#include <string.h>

/*
 * *offset is just after the opening quote; on success just after the closing one, on failure at
 * the fault. *escaped is set if there is an escape.
 */
enum csn_json_reason csn_json_string(const uint8_t *text, uint32_t size, uint32_t *offset,
                                     bool *escaped);
/* The same hash as csn_json_hash() of the decoded bytes; source was accepted before. */
uint32_t csn_json_hash_escaped(uint64_t seed, const uint8_t *source, uint32_t size);
/* Two strings as written, compared decoded. */
bool csn_json_same(const uint8_t *left, uint32_t left_size, const uint8_t *right,
                   uint32_t right_size);

/* ---- hash: eight bytes a step, not cryptographic, seeded ---- */
static inline uint64_t csn_json_hash_step(uint64_t state, uint64_t word)
{
    state = (state ^ word) * UINT64_C(0x9e3779b97f4a7c15);
    return state ^ state >> 29;
}

static inline uint32_t csn_json_hash_end(uint64_t state, uint64_t rest, uint64_t size)
{
    state = csn_json_hash_step(csn_json_hash_step(state, rest), size);
    return (uint32_t)(state >> 32);
}

/* csn_json_hash() of bytes with at least eight more behind them. */
static inline uint32_t csn_json_hash_inside(uint64_t seed, const uint8_t *bytes, uint32_t size)
{
    uint64_t state = seed;
    uint64_t word;
    uint32_t left = size;
    for (; left >= 8; left -= 8, bytes += 8) {
        memcpy(&word, bytes, 8);
        state = csn_json_hash_step(state, word);
    }
    memcpy(&word, bytes, 8);
    return csn_json_hash_end(state, word & ((UINT64_C(1) << 8 * left) - 1), size);
}

#endif
