/* SPDX-License-Identifier: Apache-2.0 */
/* json_text.h: strings inside a JSON text, shared by the files of this folder. */
#ifndef CSN_JSON_TEXT_H
#define CSN_JSON_TEXT_H

#include "json.h"

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

#endif
