/* SPDX-License-Identifier: Apache-2.0 */
/* nitro_document.c: see nitro_document.h. Unknown fields are left alone: they are signed, too. */
#include "verify/nitro/nitro_document.h"

/* The size of a PCR under a digest; 0: not a digest that the NSM knows. */
static size_t digest_size(const char *name)
{
    return strcmp(name, "SHA384") == 0   ? 48
           : strcmp(name, "SHA256") == 0 ? 32
           : strcmp(name, "SHA512") == 0 ? 64
                                         : 0;
}

static const char *texts_fault(const struct csv_cbor *map, struct csv_arena *arena,
                               struct csv_nitro *document)
{
    struct csv_cbor value;
    if (!csv_cbor_named(map, "module_id", &value) || value.kind != CSV_CBOR_TEXT ||
        value.bytes.size == 0 || value.bytes.size > CSV_NITRO_FIELD_SIZE_MAX) {
        return "module_id is not a text";
    }
    document->module_id = csv_text_foreign(arena, value.bytes.at, value.bytes.size);
    if (!csv_cbor_named(map, "digest", &value) || value.kind != CSV_CBOR_TEXT) {
        return "digest is not a text";
    }
    document->digest = csv_text_foreign(arena, value.bytes.at, value.bytes.size);
    if (digest_size(document->digest) == 0) {
        return "digest is none of SHA256, SHA384 and SHA512";
    }
    if (!csv_cbor_named(map, "timestamp", &value) || value.kind != CSV_CBOR_UINT ||
        value.number == 0 || value.number > INT64_MAX) {
        return "timestamp is not a time";
    }
    document->timestamp = value.number;
    return NULL;
}

static const char *pcrs_fault(const struct csv_cbor *map, struct csv_nitro *document)
{
    struct csv_cbor pcrs;
    if (!csv_cbor_named(map, "pcrs", &pcrs) || pcrs.kind != CSV_CBOR_MAP || pcrs.number == 0 ||
        pcrs.number > CSV_NITRO_PCR_COUNT) {
        return "pcrs is not a map of 1 to 32 registers";
    }
    struct csv_reader reader = csv_cbor_inside(&pcrs);
    size_t size = digest_size(document->digest);
    for (uint64_t i = 0; i < pcrs.number; i++) {
        struct csv_cbor key;
        struct csv_cbor value;
        if (!csv_cbor_next(&reader, &key) || !csv_cbor_next(&reader, &value) ||
            key.kind != CSV_CBOR_UINT || key.number >= CSV_NITRO_PCR_COUNT) {
            return "a register that is not one of 0 to 31";
        }
        if (value.kind != CSV_CBOR_BYTES || value.bytes.size != size) {
            return "a register of another size than the digest's";
        }
        document->pcrs[key.number] = value.bytes;
    }
    document->pcr_count = pcrs.number;
    return NULL;
}

static bool is_certificate(const struct csv_cbor *value)
{
    return value->kind == CSV_CBOR_BYTES && value->bytes.size != 0 &&
           value->bytes.size <= CSV_NITRO_FIELD_SIZE_MAX;
}

static const char *certificates_fault(const struct csv_cbor *map, struct csv_nitro *document)
{
    struct csv_cbor value;
    if (!csv_cbor_named(map, "certificate", &value) || !is_certificate(&value)) {
        return "certificate is not one of 1 to 1024 bytes";
    }
    document->certificate = value.bytes;
    if (!csv_cbor_named(map, "cabundle", &value) || value.kind != CSV_CBOR_ARRAY ||
        value.number == 0 || value.number > CSV_NITRO_BUNDLE_COUNT_MAX) {
        return "cabundle is not a list of 1 to 16 certificates";
    }
    struct csv_reader reader = csv_cbor_inside(&value);
    for (uint64_t i = 0; i < value.number; i++) {
        struct csv_cbor item;
        if (!csv_cbor_next(&reader, &item) || !is_certificate(&item)) {
            return "a certificate of cabundle is not one of 1 to 1024 bytes";
        }
        document->bundle[document->bundle_count++] = item.bytes;
    }
    return NULL;
}

/* Absent, null, or a string of bytes. */
static bool read_optional(const struct csv_cbor *map, const char *name, struct csv_bytes *bytes)
{
    struct csv_cbor value;
    if (!csv_cbor_named(map, name, &value) || csv_cbor_is_null(&value)) {
        return true;
    }
    *bytes = value.bytes;
    return value.kind == CSV_CBOR_BYTES && value.bytes.size <= CSV_NITRO_FIELD_SIZE_MAX;
}

static const char *read_keys(const struct csv_cbor *map, struct csv_arena *arena, const char **keys)
{
    struct csv_reader reader = csv_cbor_inside(map);
    *keys = "";
    for (uint64_t i = 0; i < map->number; i++) {
        struct csv_cbor key;
        struct csv_cbor value;
        if (!csv_cbor_next(&reader, &key) || !csv_cbor_next(&reader, &value) ||
            key.kind != CSV_CBOR_TEXT || key.bytes.size > CSV_NITRO_FIELD_SIZE_MAX) {
            return "a field whose name is not a short text";
        }
        *keys = csv_text(arena, "%s%s%s", *keys, i == 0 ? "" : ",",
                         csv_text_foreign(arena, key.bytes.at, key.bytes.size));
    }
    return NULL;
}

bool csv_nitro_read(struct csv_bytes payload, struct csv_arena *arena, struct csv_nitro *document,
                    const char **why)
{
    struct csv_cbor map;
    *document = (struct csv_nitro){0};
    if (!csv_cbor_open(payload, &map, why)) {
        return false;
    }
    *why = map.kind != CSV_CBOR_MAP ? "the payload is not a map"
                                    : read_keys(&map, arena, &document->keys);
    *why = *why == NULL ? texts_fault(&map, arena, document) : *why;
    *why = *why == NULL ? pcrs_fault(&map, document) : *why;
    *why = *why == NULL ? certificates_fault(&map, document) : *why;
    if (*why == NULL && (!read_optional(&map, "public_key", &document->public_key) ||
                         !read_optional(&map, "user_data", &document->user_data) ||
                         !read_optional(&map, "nonce", &document->nonce))) {
        *why = "public_key, user_data or nonce is not a string of at most 1024 bytes";
    }
    return *why == NULL;
}
