/* SPDX-License-Identifier: Apache-2.0 */
/* nitro_document.h: the payload of an AWS Nitro attestation document, as the NSM writes it. */
#ifndef CSV_VERIFY_NITRO_DOCUMENT_H
#define CSV_VERIFY_NITRO_DOCUMENT_H

#include "verify/arena.h"
#include "verify/parse/cbor.h"

#define CSV_NITRO_PCR_COUNT        32
#define CSV_NITRO_BUNDLE_COUNT_MAX 16
#define CSV_NITRO_FIELD_SIZE_MAX   1024

/* Borrowed from the payload, apart from texts. */
struct csv_nitro {
    const char *module_id;
    const char *digest;                         /* "SHA384", … */
    uint64_t timestamp;                         /* milliseconds since 1970 */
    struct csv_bytes pcrs[CSV_NITRO_PCR_COUNT]; /* at NULL: not in the document */
    size_t pcr_count;
    struct csv_bytes certificate;
    struct csv_bytes bundle[CSV_NITRO_BUNDLE_COUNT_MAX]; /* root first */
    size_t bundle_count;
    struct csv_bytes public_key; /* these three: at NULL if absent or null */
    struct csv_bytes user_data;
    struct csv_bytes nonce;
    const char *keys; /* names of the fields, in their order, with commas */
};

/* False with *why (static): not such a payload. */
bool csv_nitro_read(struct csv_bytes payload, struct csv_arena *arena, struct csv_nitro *document,
                    const char **why);

#endif
