/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bhttp_write.c: from a message to bytes. A first pass only counts, so that a length can stand in
 * front of what it counts and a room that is too small is left as it was.
 */
#include "bhttp.h"
#include "bhttp_rules.h"
#include "varint.h"

/* bytes NULL: count only. */
struct writer {
    uint8_t *bytes;
    uint64_t size;
};

static void put_number(struct writer *writer, uint64_t value)
{
    if (writer->bytes != NULL) {
        csn_varint_write(writer->bytes + writer->size, value);
    }
    writer->size += csn_varint_size(value);
}

static void put_text(struct writer *writer, const struct csn_bhttp_text *text)
{
    put_number(writer, text->size);
    if (writer->bytes != NULL && text->size != 0) {
        __builtin_memcpy(writer->bytes + writer->size, text->bytes, text->size);
    }
    writer->size += text->size;
}

static void put_fields(struct writer *writer, const struct csn_bhttp_field *fields, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        put_text(writer, &fields[i].name);
        put_text(writer, &fields[i].value);
    }
}

static void put_section(struct writer *writer, const struct csn_bhttp_field *fields, uint32_t count)
{
    struct writer counting = {0};
    put_fields(&counting, fields, count);
    put_number(writer, counting.size);
    put_fields(writer, fields, count);
}

static void put_control(struct writer *writer, const struct csn_bhttp_message *message)
{
    if (message->is_response) {
        put_number(writer, message->status);
        return;
    }
    put_text(writer, &message->method);
    put_text(writer, &message->scheme);
    put_text(writer, &message->authority);
    put_text(writer, &message->path);
}

/* Framing 0 or 1: with lengths. */
static void put_message(struct writer *writer, const struct csn_bhttp_message *message)
{
    put_number(writer, message->is_response ? 1 : 0);
    put_control(writer, message);
    put_section(writer, message->fields, message->header_count);
    put_text(writer, &message->content);
    put_section(writer, message->fields + message->header_count, message->trailer_count);
}

static bool is_legal(const struct csn_bhttp_message *message)
{
    uint64_t count = (uint64_t)message->header_count + message->trailer_count;
    bool legal = count <= CSN_BHTTP_FIELDS_MAX;
    for (uint64_t i = 0; legal && i < count; i++) {
        legal = csn_bhttp_is_token(&message->fields[i].name) &&
                csn_bhttp_is_value(&message->fields[i].value);
    }
    return legal && (message->is_response ? csn_bhttp_status_is_legal(message->status)
                                          : csn_bhttp_request_is_legal(message));
}

csn_err csn_bhttp_write(const struct csn_bhttp_message *message, uint8_t *bytes, uint32_t room,
                        uint32_t *size)
{
    struct writer writer = {0};
    if (!is_legal(message)) {
        return CSN_ERR_ARGUMENT;
    }
    put_message(&writer, message);
    if (writer.size > UINT32_MAX) {
        return CSN_ERR_ARGUMENT;
    }
    *size = (uint32_t)writer.size;
    if (writer.size > room) {
        return CSN_ERR_SPACE;
    }
    writer = (struct writer){.bytes = bytes};
    put_message(&writer, message);
    return CSN_OK;
}
