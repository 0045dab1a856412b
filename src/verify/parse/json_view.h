/* SPDX-License-Identifier: Apache-2.0 */
/*
 * json_view.h: looking things up in strict JSON (src/json) without copying it.
 *
 * A value is an index of a node; 0 is the whole text, CSV_JSON_NONE "not there". Lookups in what is
 * not there, or of another kind, give CSV_JSON_NONE again, so that a path is followed in a row.
 */
#ifndef CSV_VERIFY_JSON_VIEW_H
#define CSV_VERIFY_JSON_VIEW_H

#include "verify/arena.h"
#include "verify/input.h"
#include "json/json.h"

#define CSV_JSON_NONE UINT32_MAX

struct csv_json_view {
    struct csn_json json;
};

/* False: not strict JSON, or no memory; *why (static) says which. */
bool csv_json_open(struct csv_json_view *view, struct csv_bytes text, struct csv_arena *arena,
                   const char **why);
uint32_t csv_json_member(const struct csv_json_view *view, uint32_t object, const char *name);
/* Items of an array or members of an object, in order; CSV_JSON_NONE after the last. */
uint32_t csv_json_first(const struct csv_json_view *view, uint32_t container);
uint32_t csv_json_next(const struct csv_json_view *view, uint32_t item);
bool csv_json_is(const struct csv_json_view *view, uint32_t value, enum csn_json_kind kind);
/* The bytes of a value as they stand in the text. */
struct csv_bytes csv_json_raw(const struct csv_json_view *view, uint32_t value);
/* A string, decoded and terminated, from the arena; NULL: not a string, or one with a NUL in it. */
const char *csv_json_text(const struct csv_json_view *view, uint32_t value,
                          struct csv_arena *arena);
/* A non-negative integer without fraction or exponent. */
bool csv_json_number(const struct csv_json_view *view, uint32_t value, uint64_t *number);
/* A string of exactly 2 * size hex digits. */
bool csv_json_hex(const struct csv_json_view *view, uint32_t value, uint8_t *bytes, size_t size);
/* A string that is this text. */
bool csv_json_says(const struct csv_json_view *view, uint32_t value, const char *text);

#endif
