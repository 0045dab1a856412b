/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cmw.h: the RATS conceptual message wrapper (RFC 9999): what form it has, and what is in it.
 *
 *   record      ["media type", base64url, ind]  or  [media type or content format, bytes, ind]
 *   tag         TN(content format) over bytes (RFC 9277)
 *   collection  an object or map of such, with an optional "__cmwc_t"
 *
 * One level is opened: collections in collections and tunnels between JSON and CBOR are refused.
 * Nothing of a wrapper is signed, so nothing of it is believed: a type says which bytes to look at,
 * and what they are is found out from themselves.
 */
#ifndef CSV_VERIFY_CMW_H
#define CSV_VERIFY_CMW_H

#include "verify/case.h"

#define CSV_CMW_ITEM_COUNT_MAX 16
#define CSV_CMW_TAG_FIRST      UINT64_C(1668546817) /* TN(0) */
#define CSV_CMW_TAG_LAST       UINT64_C(1668612095)

/* The bit of `ind` that says so. */
#define CSV_CMW_EVIDENCE 4u

struct csv_cmw_item {
    const char *type; /* media type, from the arena; NULL: only a number */
    uint64_t number;  /* CoAP content format, where type is NULL */
    struct csv_bytes value;
    uint64_t indicator; /* 0: not given */
};

struct csv_cmw {
    bool collection;
    size_t count;
    struct csv_cmw_item items[CSV_CMW_ITEM_COUNT_MAX];
};

/* By its first bytes. No format of evidence starts like one. */
bool csv_cmw_recognise(struct csv_bytes bytes);
/* False with *why (static). */
bool csv_cmw_read(struct csv_bytes bytes, struct csv_arena *arena, struct csv_cmw *cmw,
                  const char **why);

/* What a type is of: the part kind, and for evidence the format that it names (0: any). */
struct csv_cmw_kind {
    uint32_t part; /* CSV_PART_EVIDENCE, _CHAIN, _CRL; 0: not known */
    uint32_t format;
};
struct csv_cmw_kind csv_cmw_kind(const struct csv_cmw_item *item);
/* The type that csv_cmw_wrap() writes for a format, and its content format (0: none). */
const char *csv_cmw_type(uint32_t format, uint64_t *number);

/*
 * Opens evidence that is wrapped: *evidence is what was in it, and certificates and lists beside it
 * become parts of the case's input. Notes evidence.cmw. named: the caller asked for a format; then
 * a type that is not known is no fault, and bytes that are no wrapper are left to that format.
 */
bool csv_cmw_unwrap(struct csv_case *appraisal, bool named, struct csv_bytes *evidence);

#endif
