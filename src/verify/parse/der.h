/* SPDX-License-Identifier: Apache-2.0 */
/*
 * der.h: walking DER (X.690): definite, minimal lengths, low tags. For the vendor extensions in
 * certificates; certificates themselves are parsed by libcrypto.
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

/* The next element: its tag and content. False, and the reader failed, if there is none. */
bool csv_der_next(struct csv_reader *reader, uint8_t *tag, struct csv_bytes *content);
/* The next element if it has this tag. */
bool csv_der_take(struct csv_reader *reader, uint8_t tag, struct csv_bytes *content);
/* Content of a non-negative INTEGER or ENUMERATED that fits, minimally coded. */
bool csv_der_number(struct csv_bytes content, uint64_t *number);
static inline bool csv_bytes_equal(struct csv_bytes bytes, const void *other, size_t size)
{
    return bytes.size == size && (size == 0 || memcmp(bytes.at, other, size) == 0);
}

#endif
