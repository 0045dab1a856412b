/* SPDX-License-Identifier: Apache-2.0 */
/* cmw_read.c: the forms of a wrapper. See cmw.h. */
#include "verify/cmw.h"
#include "verify/parse/cbor.h"
#include "verify/parse/json_view.h"
#include "verify/text.h"

#define TYPE_SIZE_MAX   256
#define COLLECTION_TYPE "__cmwc_t"
#define INDICATOR_MAX   15

static bool is_json(struct csv_bytes bytes)
{
    size_t at = 0;
    while (at < bytes.size && at < 64 && strchr(" \t\r\n", bytes.at[at]) != NULL &&
           bytes.at[at] != 0) {
        at++;
    }
    return at < bytes.size && (bytes.at[at] == '[' || bytes.at[at] == '{');
}

static bool is_cbor_tag(struct csv_bytes bytes)
{
    struct csv_reader reader = csv_read(bytes);
    uint64_t head = csv_read_be(&reader, 1);
    uint64_t tag = csv_read_be(&reader, 4);
    return !reader.failed && head == 0xda && tag >= CSV_CMW_TAG_FIRST && tag <= CSV_CMW_TAG_LAST;
}

bool csv_cmw_recognise(struct csv_bytes bytes)
{
    if (bytes.size == 0) {
        return false;
    }
    bool record = bytes.at[0] == 0x82 || bytes.at[0] == 0x83; /* CBOR: two items, or three */
    return record || bytes.at[0] >> 5 == CSV_CBOR_MAP || is_cbor_tag(bytes) || is_json(bytes);
}

static struct csv_cmw_item *add(struct csv_cmw *cmw)
{
    return cmw->count < CSV_CMW_ITEM_COUNT_MAX ? &cmw->items[cmw->count++] : NULL;
}

/* ---- JSON ---- */

static bool read_json_value(const struct csv_json_view *view, uint32_t node,
                            struct csv_arena *arena, struct csv_bytes *value)
{
    struct csv_bytes raw = csv_json_raw(view, node);
    uint8_t *bytes = csv_json_is(view, node, CSN_JSON_STRING) ? csv_take(arena, raw.size, 1) : NULL;
    value->at = bytes;
    return bytes != NULL && csv_base64url_read(raw.at + 1, raw.size - 2, bytes, &value->size);
}

static bool read_json_record(const struct csv_json_view *view, uint32_t record,
                             struct csv_arena *arena, struct csv_cmw *cmw)
{
    struct csv_cmw_item *item = add(cmw);
    if (item == NULL || !csv_json_is(view, record, CSN_JSON_ARRAY)) {
        return false;
    }
    uint32_t type = csv_json_first(view, record);
    uint32_t value = csv_json_next(view, type);
    uint32_t indicator = csv_json_next(view, value);
    item->type = csv_json_text(view, type, arena);
    if (item->type == NULL || item->type[0] == '#' || strlen(item->type) > TYPE_SIZE_MAX ||
        !read_json_value(view, value, arena, &item->value)) {
        return false;
    }
    return indicator == CSV_JSON_NONE || (csv_json_next(view, indicator) == CSV_JSON_NONE &&
                                          csv_json_number(view, indicator, &item->indicator) &&
                                          item->indicator != 0 && item->indicator <= INDICATOR_MAX);
}

static const char *json_fault(struct csv_bytes bytes, struct csv_arena *arena, struct csv_cmw *cmw)
{
    struct csv_json_view view;
    const char *why;
    if (!csv_json_open(&view, bytes, arena, &why)) {
        return why;
    }
    if (csv_json_is(&view, 0, CSN_JSON_ARRAY)) {
        return read_json_record(&view, 0, arena, cmw) ? NULL : "not a record of type and value";
    }
    uint32_t type = csv_json_member(&view, 0, COLLECTION_TYPE);
    uint32_t member = csv_json_first(&view, 0);
    cmw->collection = true;
    for (; member != CSV_JSON_NONE; member = csv_json_next(&view, member)) {
        if (member != type && !read_json_record(&view, member, arena, cmw)) {
            return "a member of the collection that is not a record, or too many of them";
        }
    }
    return NULL;
}

/* ---- CBOR ---- */

static bool read_cbor_type(const struct csv_cbor *type, struct csv_arena *arena,
                           struct csv_cmw_item *item)
{
    if (type->kind == CSV_CBOR_UINT) {
        item->number = type->number;
        return type->number <= UINT16_MAX;
    }
    if (type->kind != CSV_CBOR_TEXT || type->bytes.size == 0 || type->bytes.size > TYPE_SIZE_MAX ||
        type->bytes.at[0] == '#') {
        return false;
    }
    item->type = csv_text_foreign(arena, type->bytes.at, type->bytes.size);
    return true;
}

static bool read_cbor_record(const struct csv_cbor *record, struct csv_arena *arena,
                             struct csv_cmw_item *item)
{
    struct csv_reader reader = csv_cbor_inside(record);
    struct csv_cbor type;
    struct csv_cbor value;
    struct csv_cbor indicator;
    if ((record->number != 2 && record->number != 3) || !csv_cbor_next(&reader, &type) ||
        !csv_cbor_next(&reader, &value) || !read_cbor_type(&type, arena, item) ||
        value.kind != CSV_CBOR_BYTES) {
        return false;
    }
    item->value = value.bytes;
    if (record->number == 2) {
        return true;
    }
    bool given = csv_cbor_next(&reader, &indicator) && indicator.kind == CSV_CBOR_UINT;
    item->indicator = indicator.number;
    return given && item->indicator != 0 && item->indicator <= INDICATOR_MAX;
}

/* TN() of RFC 9277 leaves out the tags whose last byte is 0. */
static bool read_cbor_tag(const struct csv_cbor *tag, struct csv_cmw_item *item)
{
    struct csv_reader reader = csv_cbor_inside(tag);
    struct csv_cbor value;
    if (tag->number < CSV_CMW_TAG_FIRST || tag->number > CSV_CMW_TAG_LAST ||
        (tag->number & 0xff) == 0 || !csv_cbor_next(&reader, &value) ||
        value.kind != CSV_CBOR_BYTES) {
        return false;
    }
    uint64_t offset = tag->number - CSV_CMW_TAG_FIRST;
    item->number = offset / 256 * 255 + offset % 256;
    item->value = value.bytes;
    return true;
}

static bool read_cbor_item(const struct csv_cbor *cbor, struct csv_arena *arena,
                           struct csv_cmw *cmw)
{
    struct csv_cmw_item *item = add(cmw);
    return item != NULL && (cbor->kind == CSV_CBOR_ARRAY ? read_cbor_record(cbor, arena, item)
                            : cbor->kind == CSV_CBOR_TAG ? read_cbor_tag(cbor, item)
                                                         : false);
}

static const char *cbor_fault(struct csv_bytes bytes, struct csv_arena *arena, struct csv_cmw *cmw)
{
    struct csv_cbor root;
    const char *why;
    if (!csv_cbor_open(bytes, &root, &why)) {
        return why;
    }
    if (root.kind != CSV_CBOR_MAP) {
        return read_cbor_item(&root, arena, cmw) ? NULL : "neither a record nor a tag of a type";
    }
    struct csv_reader reader = csv_cbor_inside(&root);
    cmw->collection = true;
    for (uint64_t i = 0; i < root.number; i++) {
        struct csv_cbor label;
        struct csv_cbor member;
        if (!csv_cbor_next(&reader, &label) || !csv_cbor_next(&reader, &member)) {
            return "not CBOR";
        }
        if (label.kind == CSV_CBOR_BYTES) {
            return "a label of the collection that is neither integer nor text";
        }
        if (!csv_cbor_says(&label, COLLECTION_TYPE) && !read_cbor_item(&member, arena, cmw)) {
            return "a member of the collection that is not a record or tag, or too many of them";
        }
    }
    return NULL;
}

bool csv_cmw_read(struct csv_bytes bytes, struct csv_arena *arena, struct csv_cmw *cmw,
                  const char **why)
{
    *cmw = (struct csv_cmw){0};
    *why = is_json(bytes) ? json_fault(bytes, arena, cmw) : cbor_fault(bytes, arena, cmw);
    if (*why == NULL && cmw->count == 0) {
        *why = "a collection with nothing in it";
    }
    return *why == NULL;
}
