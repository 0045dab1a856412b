/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bhttp_read.c: from bytes to a message, or to the place where they stop being one.
 *
 * Bounds: the cursor only moves on and never beyond the size; each loop consumes at least a byte.
 */
#include "bhttp.h"
#include "bhttp_rules.h"
#include "varint.h"

enum framing {
    KNOWN_REQUEST = 0,
    KNOWN_RESPONSE = 1,
    OPEN_REQUEST = 2,
    OPEN_RESPONSE = 3,
};

struct reader {
    uint8_t *bytes;
    uint32_t size;
    uint32_t at;
    bool known; /* framing: lengths in front */
};

static csn_err read_number(struct reader *reader, uint64_t *value)
{
    return csn_varint_read(reader->bytes, reader->size, &reader->at, value) ? CSN_OK
                                                                            : CSN_ERR_FORMAT;
}

/* `size` bytes of the message, which must be there. */
static csn_err take(struct reader *reader, uint64_t size, struct csn_bhttp_text *text)
{
    if (size > reader->size - reader->at) {
        return CSN_ERR_FORMAT;
    }
    *text = (struct csn_bhttp_text){reader->bytes + reader->at, (uint32_t)size};
    reader->at += (uint32_t)size;
    return CSN_OK;
}

static csn_err read_text(struct reader *reader, struct csn_bhttp_text *text)
{
    uint64_t size;
    CSN_TRY(read_number(reader, &size));
    return take(reader, size, text);
}

static bool at_end(const struct reader *reader)
{
    return reader->at == reader->size;
}

/* ---- fields ---- */

/* message NULL: the fields of an informational response, checked and forgotten. */
static csn_err read_field(struct reader *reader, struct csn_bhttp_message *message)
{
    struct csn_bhttp_field field;
    uint32_t start = reader->at;
    CSN_TRY(read_text(reader, &field.name));
    CSN_TRY(read_text(reader, &field.value));
    if (!csn_bhttp_is_token(&field.name) || !csn_bhttp_is_value(&field.value)) {
        reader->at = start;
        return CSN_ERR_FORMAT;
    }
    if (message == NULL) {
        return CSN_OK;
    }
    uint32_t count = message->header_count + message->trailer_count;
    if (count == CSN_BHTTP_FIELDS_MAX) {
        reader->at = start;
        return CSN_ERR_LIMIT;
    }
    message->fields[count] = field;
    message->trailer_count++; /* until the section is known to be the headers */
    return CSN_OK;
}

static csn_err read_known_fields(struct reader *reader, struct csn_bhttp_message *message)
{
    struct csn_bhttp_text section;
    CSN_TRY(read_text(reader, &section));
    struct reader inner = *reader;
    inner.size = reader->at;
    inner.at = reader->at - section.size;
    while (!at_end(&inner)) {
        csn_err result = read_field(&inner, message);
        if (result != CSN_OK) {
            reader->at = inner.at;
            return result;
        }
    }
    return CSN_OK;
}

/* Until a name of length 0, or the end of a message that was cut there. */
static csn_err read_open_fields(struct reader *reader, struct csn_bhttp_message *message)
{
    while (!at_end(reader)) {
        uint32_t start = reader->at;
        uint64_t name_size;
        CSN_TRY(read_number(reader, &name_size));
        if (name_size == 0) {
            return CSN_OK;
        }
        reader->at = start;
        CSN_TRY(read_field(reader, message));
    }
    return CSN_OK;
}

static csn_err read_fields(struct reader *reader, struct csn_bhttp_message *message)
{
    if (at_end(reader)) {
        return CSN_OK; /* left out */
    }
    return reader->known ? read_known_fields(reader, message) : read_open_fields(reader, message);
}

/* ---- control data ---- */

static csn_err read_request_line(struct reader *reader, struct csn_bhttp_message *message)
{
    CSN_TRY(read_text(reader, &message->method));
    CSN_TRY(read_text(reader, &message->scheme));
    CSN_TRY(read_text(reader, &message->authority));
    CSN_TRY(read_text(reader, &message->path));
    return csn_bhttp_request_is_legal(message) ? CSN_OK : CSN_ERR_FORMAT;
}

static csn_err read_status(struct reader *reader, struct csn_bhttp_message *message)
{
    for (;;) {
        uint32_t start = reader->at;
        uint64_t status;
        CSN_TRY(read_number(reader, &status));
        if (csn_bhttp_status_is_legal(status)) {
            message->status = (uint32_t)status;
            return CSN_OK;
        }
        if (status < 100 || status > 199 || at_end(reader)) {
            reader->at = start;
            return CSN_ERR_FORMAT;
        }
        CSN_TRY(read_fields(reader, NULL));
    }
}

/* ---- content ---- */

/* The pieces are moved together, to where the first one stands. */
static csn_err read_open_content(struct reader *reader, struct csn_bhttp_message *message)
{
    uint8_t *target = reader->bytes + reader->at;
    message->content.bytes = target;
    while (!at_end(reader)) {
        uint64_t size;
        struct csn_bhttp_text piece;
        CSN_TRY(read_number(reader, &size));
        if (size == 0) {
            break;
        }
        CSN_TRY(take(reader, size, &piece));
        __builtin_memmove(target + message->content.size, piece.bytes, piece.size);
        message->content.size += piece.size;
    }
    return CSN_OK;
}

static csn_err read_content(struct reader *reader, struct csn_bhttp_message *message)
{
    if (at_end(reader)) {
        return CSN_OK; /* left out */
    }
    return reader->known ? read_text(reader, &message->content)
                         : read_open_content(reader, message);
}

static csn_err check_padding(struct reader *reader)
{
    for (; !at_end(reader); reader->at++) {
        if (reader->bytes[reader->at] != 0) {
            return CSN_ERR_FORMAT;
        }
    }
    return CSN_OK;
}

static csn_err read_message(struct reader *reader, struct csn_bhttp_message *message)
{
    uint64_t framing;
    CSN_TRY(read_number(reader, &framing));
    if (framing > OPEN_RESPONSE) {
        reader->at = 0;
        return CSN_ERR_FORMAT;
    }
    reader->known = framing == KNOWN_REQUEST || framing == KNOWN_RESPONSE;
    message->is_response = framing == KNOWN_RESPONSE || framing == OPEN_RESPONSE;
    CSN_TRY((message->is_response ? read_status : read_request_line)(reader, message));
    CSN_TRY(read_fields(reader, message));
    message->header_count = message->trailer_count;
    message->trailer_count = 0;
    CSN_TRY(read_content(reader, message));
    CSN_TRY(read_fields(reader, message));
    return check_padding(reader);
}

csn_err csn_bhttp_read(uint8_t *bytes, uint32_t size, struct csn_bhttp_message *message,
                       uint32_t *fault)
{
    struct reader reader = {.bytes = bytes, .size = size};
    *message = (struct csn_bhttp_message){0};
    csn_err result = read_message(&reader, message);
    *fault = reader.at;
    if (result != CSN_OK) {
        *message = (struct csn_bhttp_message){0};
    }
    return result;
}
