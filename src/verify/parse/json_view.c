/* SPDX-License-Identifier: Apache-2.0 */
/* json_view.c: see json_view.h. */
#include "verify/parse/json_view.h"
#include "verify/text.h"
#include <string.h>

bool csv_json_open(struct csv_json_view *view, struct csv_bytes text, struct csv_arena *arena,
                   const char **why)
{
    *why = "too large";
    if (text.size > CSV_PART_SIZE_MAX) {
        return false;
    }
    uint32_t bound = csn_json_bound(text.at, (uint32_t)text.size);
    view->json = (struct csn_json){.text = text.at,
                                   .size = (uint32_t)text.size,
                                   .seed = UINT64_C(0x9e3779b97f4a7c15),
                                   .node_max = bound};
    view->json.nodes = csv_take(arena, bound, sizeof *view->json.nodes);
    view->json.hashes = csv_take(arena, bound, sizeof *view->json.hashes);
    view->json.owners = csv_take(arena, bound, sizeof *view->json.owners);
    if (view->json.nodes == NULL || view->json.hashes == NULL || view->json.owners == NULL) {
        return false;
    }
    enum csn_json_reason reason = csn_json_scan(&view->json);
    *why = csn_json_reason_text(reason);
    return reason == CSN_JSON_OK;
}

static const struct csn_json_node *node(const struct csv_json_view *view, uint32_t value)
{
    return value < view->json.node_count ? &view->json.nodes[value] : NULL;
}

uint32_t csv_json_first(const struct csv_json_view *view, uint32_t container)
{
    const struct csn_json_node *at = node(view, container);
    return at != NULL && (at->flags & CSN_JSON_FILLED) != 0 ? container + 1 : CSV_JSON_NONE;
}

uint32_t csv_json_next(const struct csv_json_view *view, uint32_t item)
{
    const struct csn_json_node *at = node(view, item);
    return at != NULL && at->next != 0 ? at->next : CSV_JSON_NONE;
}

uint32_t csv_json_member(const struct csv_json_view *view, uint32_t object, const char *name)
{
    if (!csv_json_is(view, object, CSN_JSON_OBJECT)) {
        return CSV_JSON_NONE;
    }
    uint32_t size = (uint32_t)strlen(name);
    uint32_t item = csv_json_first(view, object);
    for (; item != CSV_JSON_NONE; item = csv_json_next(view, item)) {
        const struct csn_json_node *at = node(view, item);
        if (csn_json_equal(view->json.text + at->name, at->name_size, (const uint8_t *)name,
                           size)) {
            return item;
        }
    }
    return CSV_JSON_NONE;
}

bool csv_json_is(const struct csv_json_view *view, uint32_t value, enum csn_json_kind kind)
{
    const struct csn_json_node *at = node(view, value);
    return at != NULL && at->kind == kind;
}

struct csv_bytes csv_json_raw(const struct csv_json_view *view, uint32_t value)
{
    const struct csn_json_node *at = node(view, value);
    return at != NULL ? (struct csv_bytes){view->json.text + at->begin, at->end - at->begin}
                      : (struct csv_bytes){NULL, 0};
}

/* What stands between the quotes. */
static bool string_inside(const struct csv_json_view *view, uint32_t value, struct csv_bytes *text)
{
    if (!csv_json_is(view, value, CSN_JSON_STRING)) {
        return false;
    }
    *text = csv_json_raw(view, value);
    text->at += 1;
    text->size -= 2;
    return true;
}

const char *csv_json_text(const struct csv_json_view *view, uint32_t value, struct csv_arena *arena)
{
    struct csv_bytes text;
    if (!string_inside(view, value, &text)) {
        return NULL;
    }
    char *decoded = csv_take(arena, text.size + 1, 1);
    if (decoded == NULL) {
        return NULL;
    }
    uint32_t size = csn_json_decode(text.at, (uint32_t)text.size, (uint8_t *)decoded);
    return memchr(decoded, 0, size) == NULL ? decoded : NULL;
}

bool csv_json_number(const struct csv_json_view *view, uint32_t value, uint64_t *number)
{
    char text[21];
    struct csv_bytes raw = csv_json_raw(view, value);
    if (!csv_json_is(view, value, CSN_JSON_NUMBER) || raw.size >= sizeof text) {
        return false;
    }
    memcpy(text, raw.at, raw.size);
    text[raw.size] = 0;
    return csv_number_read(text, number);
}

bool csv_json_hex(const struct csv_json_view *view, uint32_t value, uint8_t *bytes, size_t size)
{
    struct csv_bytes text;
    return string_inside(view, value, &text) && text.size == 2 * size &&
           csv_hex_read((const char *)text.at, text.size, bytes);
}

bool csv_json_says(const struct csv_json_view *view, uint32_t value, const char *text)
{
    struct csv_bytes inside;
    return string_inside(view, value, &inside) &&
           csn_json_equal(inside.at, (uint32_t)inside.size, (const uint8_t *)text,
                          (uint32_t)strlen(text));
}
