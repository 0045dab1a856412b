/* SPDX-License-Identifier: Apache-2.0 */
/*
 * der.h: walking DER (X.690): definite, minimal lengths, low tags. For certificates, revocation
 * lists and the vendors' extensions in them.
 */
#ifndef CSV_VERIFY_DER_H
#define CSV_VERIFY_DER_H

#include "verify/parse/read.h"

#define CSV_DER_INTEGER      0x02
#define CSV_DER_OCTET_STRING 0x04
#define CSV_DER_OID          0x06
#define CSV_DER_ENUMERATED   0x0a
#define CSV_DER_IA5_STRING   0x16
#define CSV_DER_SEQUENCE     0x30
#define CSV_DER_BOOLEAN      0x01
#define CSV_DER_BIT_STRING   0x03
#define CSV_DER_NULL         0x05
#define CSV_DER_UTC_TIME     0x17
#define CSV_DER_GENERAL_TIME 0x18
#define CSV_DER_SET          0x31
#define CSV_DER_CONTEXT(n)   (0xa0 | (n)) /* constructed */

/* The next element: its tag and content. False, and the reader failed, if there is none. */
bool csv_der_next(struct csv_reader *reader, uint8_t *tag, struct csv_bytes *content);
/* The next element if it has this tag. */
bool csv_der_take(struct csv_reader *reader, uint8_t tag, struct csv_bytes *content);
/* The same with its tag and length in front: what is signed or hashed. */
bool csv_der_take_whole(struct csv_reader *reader, uint8_t tag, struct csv_bytes *whole);
/* If the next element has this tag, its content; true also if it has another, or there is none. */
bool csv_der_optional(struct csv_reader *reader, uint8_t tag, struct csv_bytes *content,
                      bool *there);
/* Content of a BIT STRING of whole bytes. */
bool csv_der_bits(struct csv_reader *reader, struct csv_bytes *bits);
/* A UTCTime or GeneralizedTime of RFC 5280 to seconds since 1970. */
bool csv_der_time(struct csv_reader *reader, int64_t *unix_seconds);
/* Content of a non-negative INTEGER or ENUMERATED that fits, minimally coded. */
bool csv_der_number(struct csv_bytes content, uint64_t *number);
static inline bool csv_bytes_equal(struct csv_bytes bytes, const void *other, size_t size)
{
    return bytes.size == size && (size == 0 || memcmp(bytes.at, other, size) == 0);
}

#endif
