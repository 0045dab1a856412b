/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tra_binary.c: requests in the binary form (wire/transit.h): items are used where they lie, and
 * results are written where they leave.
 */
#include "tra_state.h"

#define HEAD   ((uint32_t)sizeof(struct csn_wire_transit_answer))
#define RESULT ((uint32_t)sizeof(struct csn_wire_transit_result))

struct frame {
    const uint8_t *input;
    uint32_t size;
    uint32_t at;
    uint8_t *output;
    uint32_t output_max;
    uint32_t used;
    struct csn_wire_transit_request head;
};

static uint32_t padded(uint32_t size)
{
    return (size + 7) / 8 * 8;
}

/* ---- reading ---- */

static bool read_head(struct frame *frame)
{
    const struct csn_wire_transit_request *head = &frame->head;
    if (frame->size < sizeof *head) {
        return false;
    }
    memcpy(&frame->head, frame->input, sizeof *head);
    frame->at = (uint32_t)sizeof *head;
    return head->version == CSN_WIRE_TRANSIT_VERSION && head->operation >= 1 &&
           head->operation <= CSN_WIRE_TRANSIT_OPERATION_LAST && head->item_count >= 1 &&
           head->item_count <= CSN_WIRE_TRANSIT_ITEM_MAX &&
           head->name_size < CSN_WIRE_TRANSIT_NAME_SIZE &&
           csn_is_zero_ct(head->reserved, sizeof head->reserved) &&
           csn_is_zero_ct(head->name + head->name_size, sizeof head->name - head->name_size);
}

/* One byte string of an item, *size bytes of it; moves on. False: not that many are there. */
static bool take(struct frame *frame, uint32_t size, const uint8_t **bytes)
{
    if (size > frame->size - frame->at) {
        return false;
    }
    *bytes = frame->input + frame->at;
    frame->at += size;
    return true;
}

static bool read_item(struct frame *frame, struct tra_item *item)
{
    struct csn_wire_transit_item head;
    const uint8_t *bytes;
    if (!take(frame, sizeof head, &bytes)) {
        return false;
    }
    memcpy(&head, bytes, sizeof head);
    *item = (struct tra_item){.input_size = head.input_size,
                              .extra_size = head.extra_size,
                              .context_size = head.context_size,
                              .version = frame->head.key_version};
    if (head.reserved != 0 || !take(frame, head.input_size, &item->input) ||
        !take(frame, head.extra_size, &item->extra) ||
        !take(frame, head.context_size, &item->context)) {
        return false;
    }
    const uint32_t gap = padded(frame->at) - frame->at;
    return take(frame, gap, &bytes) && csn_is_zero_ct(bytes, gap);
}

static cse_status read_items(struct cse_call *call, struct frame *frame, struct tra_item **items)
{
    const uint32_t count = frame->head.item_count;
    *items = cse_scratch(call, count * (uint32_t)sizeof **items);
    if (*items == NULL) {
        return CSN_WIRE_STATUS_LIMIT;
    }
    for (uint32_t i = 0; i < count; i++) {
        if (!read_item(frame, &(*items)[i])) {
            cse_fail_at(call, frame->at);
            return CSN_WIRE_STATUS_MALFORMED;
        }
    }
    if (frame->at != frame->size) {
        cse_fail_at(call, frame->at);
        return CSN_WIRE_STATUS_MALFORMED;
    }
    return CSN_WIRE_STATUS_OK;
}

/* ---- writing ---- */

static uint8_t *room(struct frame *frame, uint32_t size)
{
    if (size > frame->output_max - frame->used) {
        return NULL;
    }
    uint8_t *bytes = frame->output + frame->used;
    frame->used += size;
    return bytes;
}

/* Where each item's results go: in the answer, one behind the other. */
static cse_status lay_out(const struct tra_work *work, struct frame *frame)
{
    frame->used = HEAD;
    for (uint32_t i = 0; i < work->count; i++) {
        struct tra_item *item = &work->items[i];
        uint32_t output = 0, second = 0;
        if (!tra_rooms(work, item, &output, &second)) {
            item->status = CSN_WIRE_STATUS_MALFORMED;
            output = second = 0;
        }
        uint8_t *bytes = room(frame, padded(RESULT + output + second));
        if (bytes == NULL) {
            return CSN_WIRE_STATUS_TOO_LARGE;
        }
        item->output = bytes + RESULT;
        item->second = bytes + RESULT + output;
    }
    return CSN_WIRE_STATUS_OK;
}

/* One result, at *at of the answer, over where it was written with what there was room for. */
static void pack_item(const struct frame *frame, const struct tra_item *item, uint32_t *at)
{
    const bool good = item->status == CSN_WIRE_STATUS_OK;
    const uint32_t first = good ? item->output_size : 0, second = good ? item->second_size : 0;
    uint8_t *target = frame->output + *at;
    uint32_t end = *at + RESULT + first + second;
    if (first != 0 && target + RESULT != item->output) {
        memmove(target + RESULT, item->output, first);
    }
    if (second != 0) {
        memmove(target + RESULT + first, item->second, second);
    }
    csn_store_u32(target + offsetof(struct csn_wire_transit_result, status), item->status);
    csn_store_u32(target + offsetof(struct csn_wire_transit_result, key_version),
                  good ? item->version : 0);
    csn_store_u32(target + offsetof(struct csn_wire_transit_result, output_size), first);
    csn_store_u32(target + offsetof(struct csn_wire_transit_result, second_size), second);
    while (end % 8 != 0) {
        frame->output[end++] = 0;
    }
    *at = end;
}

/* Closes the gaps of items that gave less than there was room for. */
static void pack(const struct tra_work *work, struct frame *frame)
{
    uint32_t at = HEAD;
    for (uint32_t i = 0; i < work->count; i++) {
        pack_item(frame, &work->items[i], &at);
    }
    csn_wipe(frame->output + at, frame->used - at);
    frame->used = at;
}

static void write_head(const struct tra_work *work, struct frame *frame)
{
    struct csn_wire_transit_answer answer = {.version = CSN_WIRE_TRANSIT_VERSION,
                                             .operation = frame->head.operation,
                                             .item_count = frame->head.item_count};
    if (work->key != NULL) {
        memcpy(answer.key_id, work->key->is.id, sizeof answer.key_id);
    }
    memcpy(frame->output, &answer, HEAD);
}

static cse_status use(struct tra_work *work, struct frame *frame)
{
    cse_status status = CSN_WIRE_STATUS_OK;
    const bool named = frame->head.operation != CSN_WIRE_TRANSIT_RANDOM;
    if (named) {
        status = tra_may_use(work, frame->head.name, frame->head.name_size);
    } else if (frame->head.name_size != 0 || frame->head.key_version != 0) {
        status = CSN_WIRE_STATUS_MALFORMED;
    } else {
        status = tra_may(work, "", 0);
    }
    work->hash = frame->head.hash;
    work->flags = frame->head.flags;
    work->size = frame->head.output_size;
    if (status == CSN_WIRE_STATUS_OK && !tra_fits(work)) {
        status = CSN_WIRE_STATUS_MALFORMED;
    }
    if (status == CSN_WIRE_STATUS_OK) {
        status = lay_out(work, frame);
    }
    if (status != CSN_WIRE_STATUS_OK) {
        return status;
    }
    tra_work(work);
    pack(work, frame);
    return CSN_WIRE_STATUS_OK;
}

/* ---- managing ---- */

/* A key, its public half, its certificate. */
static cse_status show(struct tra_work *work, struct frame *frame, struct tra_item *item)
{
    struct csn_wire_transit_key view;
    const uint32_t number = item->version != 0 ? item->version : work->key->newest;
    const struct tra_version *version = tra_version(work->store, work->key, number);
    if (version == NULL) {
        return CSN_WIRE_STATUS_NOT_FOUND;
    }
    frame->used = HEAD + RESULT;
    tra_describe(work, version, &view);
    const uint32_t first = (uint32_t)sizeof view + view.public_size;
    item->output = room(frame, first);
    item->second = room(frame, TRA_BIRTH_MAX);
    if (item->output == NULL || item->second == NULL) {
        return CSN_WIRE_STATUS_TOO_LARGE;
    }
    memcpy(item->output, &view, sizeof view);
    tra_kind_public(work, version, item->output + sizeof view);
    item->output_size = first;
    item->version = number;
    return tra_birth(work, version, item->second, &item->second_size);
}

static cse_status list(struct tra_work *work, struct frame *frame, struct tra_item *item)
{
    uint64_t serial = 0;
    if (item->input_size != 0) {
        const struct tra_key *after =
            tra_find(work->store, (const char *)item->input, item->input_size);
        if (after == NULL) {
            return CSN_WIRE_STATUS_NOT_FOUND;
        }
        serial = after->serial;
    }
    frame->used = HEAD + RESULT;
    item->output = frame->output + frame->used;
    while ((work->key = tra_next(work->store, serial)) != NULL) {
        struct csn_wire_transit_key *view =
            (struct csn_wire_transit_key *)(void *)room(frame, (uint32_t)sizeof *view);
        if (view == NULL) {
            break;
        }
        struct csn_wire_transit_key made;
        tra_describe(work, tra_version(work->store, work->key, work->key->newest), &made);
        memcpy(view, &made, sizeof made);
        item->output_size += (uint32_t)sizeof made;
        serial = work->key->serial;
    }
    work->key = NULL;
    item->second = item->output + item->output_size;
    return CSN_WIRE_STATUS_OK;
}

static cse_status make(struct tra_work *work, const struct frame *frame,
                       const struct tra_item *item)
{
    struct tra_making making = {.name = frame->head.name, .name_size = frame->head.name_size};
    const bool imports = work->operation == CSN_WIRE_TRANSIT_IMPORT;
    if (item->input_size != sizeof making.what || (item->extra_size != 0) != imports) {
        return CSN_WIRE_STATUS_MALFORMED;
    }
    memcpy(&making.what, item->input, sizeof making.what);
    cse_status status = tra_may(work, making.name, making.name_size);
    if (status != CSN_WIRE_STATUS_OK) {
        return status;
    }
    struct tra_key *key = tra_find(work->store, making.name, making.name_size);
    if (imports && key != NULL) {
        const struct csn_wire_transit_create bare = {.type = key->is.type};
        work->key = key;
        return memcmp(&bare, &making.what, sizeof bare) == 0
                   ? tra_import_version(work, item->extra, item->extra_size)
                   : CSN_WIRE_STATUS_POLICY;
    }
    making.sealed = imports ? item->extra : NULL;
    making.sealed_size = item->extra_size;
    return tra_create(work, &making);
}

static cse_status change(struct tra_work *work, const struct frame *frame,
                         const struct tra_item *item)
{
    struct csn_wire_transit_config config;
    const bool configures = work->operation == CSN_WIRE_TRANSIT_CONFIG;
    if (item->extra_size != 0 || item->input_size != (configures ? sizeof config : 0)) {
        return CSN_WIRE_STATUS_MALFORMED;
    }
    cse_status status = tra_may_use(work, frame->head.name, frame->head.name_size);
    if (status != CSN_WIRE_STATUS_OK) {
        return status;
    }
    switch (work->operation) {
    case CSN_WIRE_TRANSIT_ROTATE:
        return tra_rotate(work);
    case CSN_WIRE_TRANSIT_CONFIG:
        memcpy(&config, item->input, sizeof config);
        return tra_config(work, &config);
    case CSN_WIRE_TRANSIT_DELETE:
        return tra_delete(work);
    default:
        return CSN_WIRE_STATUS_OK; /* info */
    }
}

static cse_status import_key(struct tra_work *work, struct frame *frame, struct tra_item *item)
{
    frame->used = HEAD + RESULT;
    item->output = room(frame, 32);
    item->second = room(frame, 64);
    if (item->output == NULL || item->second == NULL) {
        return CSN_WIRE_STATUS_TOO_LARGE;
    }
    item->output_size = 32;
    item->second_size = 64;
    return tra_import_key(work, item->output, item->second);
}

/* list and import-key are of no key. */
static cse_status survey(struct tra_work *work, struct frame *frame, struct tra_item *item)
{
    const bool lists = work->operation == CSN_WIRE_TRANSIT_LIST;
    if (frame->head.name_size != 0 || item->extra_size != 0 || (!lists && item->input_size != 0)) {
        return CSN_WIRE_STATUS_MALFORMED;
    }
    cse_status status = tra_may(work, "", 0);
    if (status != CSN_WIRE_STATUS_OK) {
        return status;
    }
    return lists ? list(work, frame, item) : import_key(work, frame, item);
}

static cse_status manage(struct tra_work *work, struct frame *frame)
{
    struct tra_item *item = &work->items[0];
    const uint32_t operation = work->operation;
    if (work->count != 1 || frame->head.hash != 0 || frame->head.flags != 0 ||
        frame->head.output_size != 0 || item->context_size != 0 ||
        (frame->head.key_version != 0 && operation != CSN_WIRE_TRANSIT_INFO)) {
        return CSN_WIRE_STATUS_MALFORMED;
    }
    if (operation == CSN_WIRE_TRANSIT_LIST || operation == CSN_WIRE_TRANSIT_IMPORT_KEY) {
        cse_status status = survey(work, frame, item);
        if (status == CSN_WIRE_STATUS_OK) {
            pack(work, frame);
        }
        return status;
    }
    cse_status status = operation == CSN_WIRE_TRANSIT_CREATE || operation == CSN_WIRE_TRANSIT_IMPORT
                            ? make(work, frame, item)
                            : change(work, frame, item);
    frame->used = HEAD + RESULT;
    item->output = item->second = frame->output + frame->used;
    if (status == CSN_WIRE_STATUS_OK && work->key != NULL) {
        status = show(work, frame, item);
    }
    if (status == CSN_WIRE_STATUS_OK) {
        pack(work, frame);
    }
    return status;
}

cse_status tra_binary(struct cse_call *call, const uint8_t *input, uint32_t input_size,
                      uint8_t *output, uint32_t output_size_max, uint32_t *output_size)
{
    struct tra_work work;
    struct frame frame = {
        .input = input, .size = input_size, .output = output, .output_max = output_size_max};
    if (!read_head(&frame)) {
        return CSN_WIRE_STATUS_MALFORMED;
    }
    cse_status status = tra_begin(&work, call, frame.head.operation);
    if (status == CSN_WIRE_STATUS_OK) {
        status = read_items(call, &frame, &work.items);
    }
    if (status != CSN_WIRE_STATUS_OK) {
        return status;
    }
    if (output_size_max < HEAD + RESULT) {
        return CSN_WIRE_STATUS_TOO_LARGE;
    }
    work.count = frame.head.item_count;
    status = work.operation <= CSN_WIRE_TRANSIT_RANDOM ? use(&work, &frame) : manage(&work, &frame);
    if (status != CSN_WIRE_STATUS_OK) {
        csn_wipe(output, output_size_max);
        return status;
    }
    write_head(&work, &frame);
    *output_size = frame.used;
    return CSN_WIRE_STATUS_OK;
}
