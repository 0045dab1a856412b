/* SPDX-License-Identifier: Apache-2.0 */
/* cmw.c: evidence out of a wrapper, and into one. See cmw.h and verify.h. */
#include "verify/cmw.h"
#include "verify/format.h"
#include "verify/parse/cbor.h"
#include "verify/text.h"
#include <stdlib.h>

/* ---- opening ---- */

/* Is this the evidence? By its indicator, else by its type; alone in its wrapper it is. */
static bool is_evidence(const struct csv_cmw *cmw, const struct csv_cmw_item *item)
{
    uint32_t part = csv_cmw_kind(item).part;
    return item->indicator != 0 ? (item->indicator & CSV_CMW_EVIDENCE) != 0
                                : part == CSV_PART_EVIDENCE || (part == 0 && !cmw->collection);
}

/* The only piece of evidence, among whatever else; NULL with *why. */
static const struct csv_cmw_item *find_evidence(const struct csv_cmw *cmw, const char **why)
{
    const struct csv_cmw_item *found = NULL;
    *why = "no evidence in it";
    for (size_t i = 0; i < cmw->count; i++) {
        if (is_evidence(cmw, &cmw->items[i])) {
            if (found != NULL) {
                *why = "two pieces of evidence in it";
                return NULL;
            }
            found = &cmw->items[i];
        }
    }
    return found;
}

/* What stands beside the evidence: certificates and lists; nothing else is known what to do with.
 */
static const char *beside_fault(const struct csv_cmw *cmw, const struct csv_cmw_item *evidence,
                                struct csv_input *input)
{
    for (size_t i = 0; i < cmw->count; i++) {
        uint32_t part = csv_cmw_kind(&cmw->items[i]).part;
        if (&cmw->items[i] == evidence) {
            continue;
        }
        if (part != CSV_PART_CHAIN && part != CSV_PART_CRL) {
            return "beside the evidence something of an unknown type";
        }
        if (csv_input_add(input, part, NULL, cmw->items[i].value.at, cmw->items[i].value.size) !=
            CSN_OK) {
            return "more parts than an input takes";
        }
    }
    return NULL;
}

static const char *type_text(struct csv_arena *arena, const struct csv_cmw_item *item)
{
    return item->type != NULL
               ? csv_text_foreign(arena, (const uint8_t *)item->type, strlen(item->type))
               : csv_text(arena, "content format %llu", (unsigned long long)item->number);
}

bool csv_cmw_unwrap(struct csv_case *appraisal, bool named, struct csv_bytes *evidence)
{
    struct csv_cmw cmw;
    const char *why = NULL;
    struct csv_input *input = csv_take(appraisal->arena, 1, sizeof *input);
    if (input == NULL || !csv_cmw_read(*evidence, appraisal->arena, &cmw, &why)) {
        return named || csv_note(appraisal, "evidence.cmw", CSV_FAILED,
                                 "a record, tag or collection", why != NULL ? why : "too large");
    }
    const struct csv_cmw_item *item = find_evidence(&cmw, &why);
    if (item == NULL) {
        return csv_note(appraisal, "evidence.cmw", CSV_FAILED, "one piece of evidence", why);
    }
    if (!named && csv_cmw_kind(item).part != CSV_PART_EVIDENCE) {
        return csv_note(appraisal, "evidence.cmw", CSV_FAILED, "a type of evidence that is known",
                        type_text(appraisal->arena, item));
    }
    *input = *appraisal->input;
    why = beside_fault(&cmw, item, input);
    appraisal->input = input;
    *evidence = item->value;
    return csv_note_if(appraisal, "evidence.cmw", why == NULL, "evidence, and its certificates",
                       why != NULL ? why : type_text(appraisal->arena, item));
}

csn_err csv_cmw_open(const void *cmw, size_t size, void *target, size_t capacity,
                     size_t *evidence_size, uint32_t *format)
{
    struct csv_cmw read;
    const char *why;
    if (cmw == NULL || evidence_size == NULL || (target == NULL && capacity != 0)) {
        return CSN_ERR_ARGUMENT;
    }
    if (size > CSV_PART_SIZE_MAX) {
        return CSN_ERR_LIMIT;
    }
    struct csv_arena arena = {.base = malloc(CSV_ARENA_SIZE), .size = CSV_ARENA_SIZE};
    if (arena.base == NULL) {
        return CSN_ERR_MEMORY;
    }
    struct csv_bytes bytes = {cmw, size};
    const struct csv_cmw_item *item =
        csv_cmw_recognise(bytes) && csv_cmw_read(bytes, &arena, &read, &why)
            ? find_evidence(&read, &why)
            : NULL;
    if (item != NULL) {
        size_t copied = item->value.size < capacity ? item->value.size : capacity;
        if (copied != 0) {
            memcpy(target, item->value.at, copied);
        }
        *evidence_size = item->value.size;
        if (format != NULL) {
            *format = csv_cmw_kind(item).format;
        }
    }
    free(arena.base);
    return item != NULL ? CSN_OK : CSN_ERR_FORMAT;
}

/* ---- wrapping ---- */

/* Bytes out, counted beyond the room as well. */
struct sink {
    uint8_t *target;
    size_t capacity;
    size_t size;
};

static void put(struct sink *sink, const void *bytes, size_t size)
{
    if (sink->size < sink->capacity) {
        size_t room = sink->capacity - sink->size;
        memcpy(sink->target + sink->size, bytes, size < room ? size : room);
    }
    sink->size += size;
}

static void put_head(struct sink *sink, unsigned kind, uint64_t number)
{
    uint8_t head[9];
    put(sink, head, csv_cbor_head(kind, number, head));
}

static csn_err put_json(struct sink *sink, const char *type, const void *evidence, size_t size)
{
    struct csv_arena arena = {.base = malloc(CSV_ARENA_SIZE), .size = CSV_ARENA_SIZE};
    if (arena.base == NULL) {
        return CSN_ERR_MEMORY;
    }
    const char *text = csv_text_base64url(&arena, evidence, size);
    put(sink, "[\"", 2);
    put(sink, type, strlen(type));
    put(sink, "\",\"", 3);
    put(sink, text, strlen(text));
    put(sink, "\",4]", 4);
    free(arena.base);
    return CSN_OK;
}

static void put_cbor(struct sink *sink, const char *type, const void *evidence, size_t size)
{
    put_head(sink, CSV_CBOR_ARRAY, 3);
    put_head(sink, CSV_CBOR_TEXT, strlen(type));
    put(sink, type, strlen(type));
    put_head(sink, CSV_CBOR_BYTES, size);
    put(sink, evidence, size);
    put_head(sink, CSV_CBOR_UINT, CSV_CMW_EVIDENCE);
}

csn_err csv_cmw_wrap(uint32_t format, uint32_t form, const void *evidence, size_t evidence_size,
                     void *target, size_t capacity, size_t *size)
{
    uint64_t number;
    const char *type = csv_cmw_type(format, &number);
    struct sink sink = {.target = target, .capacity = capacity};
    if (type == NULL || evidence == NULL || size == NULL || (target == NULL && capacity != 0) ||
        form < CSV_CMW_JSON || form > CSV_CMW_TAG) {
        return CSN_ERR_ARGUMENT;
    }
    if (evidence_size > CSV_PART_SIZE_MAX) {
        return CSN_ERR_LIMIT;
    }
    if (form == CSV_CMW_TAG && number == 0) {
        return CSN_ERR_UNKNOWN;
    }
    if (form == CSV_CMW_JSON) {
        CSN_TRY(put_json(&sink, type, evidence, evidence_size));
    } else if (form == CSV_CMW_CBOR) {
        put_cbor(&sink, type, evidence, evidence_size);
    } else {
        put_head(&sink, CSV_CBOR_TAG, CSV_CMW_TAG_FIRST + number / 255 * 256 + number % 255);
        put_head(&sink, CSV_CBOR_BYTES, evidence_size);
        put(&sink, evidence, evidence_size);
    }
    *size = sink.size;
    return CSN_OK;
}
