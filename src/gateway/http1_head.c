/* SPDX-License-Identifier: Apache-2.0 */
/* http1_head.c: request line and fields, and what they say about the body. */
#include "http1_rules.h"
#include <string.h>

static struct csn_http1_text until(struct csn_http1_text text, char stop)
{
    const char *end = memchr(text.bytes, stop, text.size);
    return (struct csn_http1_text){text.bytes,
                                   end != NULL ? (size_t)(end - text.bytes) : text.size};
}

static struct csn_http1_text behind(struct csn_http1_text text, size_t count)
{
    return (struct csn_http1_text){text.bytes + count, text.size - count};
}

static bool equals(struct csn_http1_text text, const char *string)
{
    return text.size == strlen(string) && memcmp(text.bytes, string, text.size) == 0;
}

bool csn_http1_is_target(struct csn_http1_text target)
{
    for (size_t i = 0; i < target.size; i++) {
        unsigned char byte = (unsigned char)target.bytes[i];
        if (byte <= ' ' || byte >= 0x7f || byte == '#') {
            return false;
        }
    }
    return target.size != 0 && target.bytes[0] == '/';
}

/* Version first: what else a line of another version means is not ours to say. */
static enum csn_http1_result read_request_line(struct csn_http1_text line,
                                               struct csn_http1_head *head, const char **fault)
{
    struct csn_http1_text method = until(line, ' ');
    if (method.size == line.size || !csn_http1_is_token(method)) {
        return csn_http1_refuse(CSN_HTTP1_BAD, "request line", fault);
    }
    struct csn_http1_text rest = behind(line, method.size + 1);
    head->target = until(rest, ' ');
    if (head->target.size == rest.size) {
        return csn_http1_refuse(CSN_HTTP1_BAD, "request line without a version", fault);
    }
    struct csn_http1_text version = behind(rest, head->target.size + 1);
    if (version.size != 8 || memcmp(version.bytes, "HTTP/", 5) != 0) {
        return csn_http1_refuse(CSN_HTTP1_BAD, "version", fault);
    }
    if (!equals(version, "HTTP/1.1")) {
        return csn_http1_refuse(CSN_HTTP1_VERSION, "version is not HTTP/1.1", fault);
    }
    if (head->target.size > CSN_HTTP1_TARGET_SIZE_MAX) {
        return csn_http1_refuse(CSN_HTTP1_TARGET, "target too long", fault);
    }
    if (!csn_http1_is_target(head->target)) {
        return csn_http1_refuse(CSN_HTTP1_BAD, "target", fault);
    }
    if (!equals(method, "GET") && !equals(method, "POST")) {
        return csn_http1_refuse(CSN_HTTP1_METHOD, "method is neither GET nor POST", fault);
    }
    head->method = equals(method, "GET") ? CSN_HTTP1_GET : CSN_HTTP1_POST;
    return CSN_HTTP1_OK;
}

/* ---- fields that decide ---- */

/* Digits alone, and fewer than would overflow. */
static bool read_length(struct csn_http1_text text, uint64_t *length)
{
    *length = 0;
    for (size_t i = 0; i < text.size; i++) {
        if (text.bytes[i] < '0' || text.bytes[i] > '9') {
            return false;
        }
        *length = *length * 10 + (uint64_t)(text.bytes[i] - '0');
    }
    return text.size != 0 && text.size <= 18;
}

static bool has_word(struct csn_http1_text list, const char *word)
{
    while (list.size != 0) {
        struct csn_http1_text item = until(list, ',');
        size_t taken = item.size < list.size ? item.size + 1 : item.size;
        while (item.size != 0 && (item.bytes[0] == ' ' || item.bytes[0] == '\t')) {
            item = behind(item, 1);
        }
        while (item.size != 0 &&
               (item.bytes[item.size - 1] == ' ' || item.bytes[item.size - 1] == '\t')) {
            item.size--;
        }
        if (csn_http1_is(&item, word)) {
            return true;
        }
        list = behind(list, taken);
    }
    return false;
}

struct seen {
    bool host, length, coding;
};

/* A second one of a field that decides something is refused, equal or not. */
static enum csn_http1_result once(bool *seen, const char *why, const char **fault)
{
    if (*seen) {
        return csn_http1_refuse(CSN_HTTP1_BAD, why, fault);
    }
    *seen = true;
    return CSN_HTTP1_OK;
}

static enum csn_http1_result note_coding(const struct csn_http1_field *field,
                                         struct csn_http1_head *head, struct seen *seen,
                                         const char **fault)
{
    enum csn_http1_result result = once(&seen->coding, "Transfer-Encoding twice", fault);
    if (result == CSN_HTTP1_OK && !csn_http1_is(&field->value, "chunked")) {
        result = csn_http1_refuse(CSN_HTTP1_CODING, "transfer coding is not chunked", fault);
    }
    head->is_chunked = true;
    return result;
}

static enum csn_http1_result note_field(const struct csn_http1_field *field,
                                        struct csn_http1_head *head, struct seen *seen,
                                        const char **fault)
{
    enum csn_http1_result result = CSN_HTTP1_OK;
    if (csn_http1_is(&field->name, "content-length")) {
        result = once(&seen->length, "Content-Length twice", fault);
        if (result == CSN_HTTP1_OK && !read_length(field->value, &head->content_length)) {
            result = csn_http1_refuse(CSN_HTTP1_BAD, "Content-Length is no number", fault);
        }
    } else if (csn_http1_is(&field->name, "transfer-encoding")) {
        result = note_coding(field, head, seen, fault);
    } else if (csn_http1_is(&field->name, "host")) {
        result = once(&seen->host, "Host twice", fault);
        head->host = field->value;
    } else if (csn_http1_is(&field->name, "connection")) {
        head->closes = head->closes || has_word(field->value, "close");
    } else if (csn_http1_is(&field->name, "expect")) {
        head->wants_continue = csn_http1_is(&field->value, "100-continue");
        if (!head->wants_continue) {
            result = csn_http1_refuse(CSN_HTTP1_EXPECT, "expectation", fault);
        }
    }
    return result;
}

static enum csn_http1_result check_body(const struct csn_http1_head *head, const struct seen *seen,
                                        const char **fault)
{
    if (!seen->host) {
        return csn_http1_refuse(CSN_HTTP1_BAD, "no Host", fault);
    }
    if (seen->length && seen->coding) {
        return csn_http1_refuse(CSN_HTTP1_BAD, "Content-Length and Transfer-Encoding", fault);
    }
    if (head->method == CSN_HTTP1_GET && (head->is_chunked || head->content_length != 0)) {
        return csn_http1_refuse(CSN_HTTP1_BAD, "GET with a body", fault);
    }
    return CSN_HTTP1_OK;
}

/* Until the empty line. *at: where the fields begin, and then end. */
static enum csn_http1_result read_fields(const char *bytes, size_t size, size_t *at,
                                         struct csn_http1_head *head, const char **fault)
{
    struct seen seen = {0};
    for (;;) {
        struct csn_http1_text line;
        enum csn_http1_result result = csn_http1_take_line(bytes + *at, size - *at, &line, fault);
        if (result != CSN_HTTP1_OK) {
            return result;
        }
        *at += line.size + 2;
        if (line.size == 0) {
            return check_body(head, &seen, fault);
        }
        if (head->field_count == CSN_HTTP1_FIELDS_MAX) {
            return csn_http1_refuse(CSN_HTTP1_FIELDS, "too many fields", fault);
        }
        struct csn_http1_field *field = &head->fields[head->field_count];
        result = csn_http1_read_field(line, field, fault);
        if (result == CSN_HTTP1_OK) {
            result = note_field(field, head, &seen, fault);
        }
        if (result != CSN_HTTP1_OK) {
            return result;
        }
        head->field_count++;
    }
}

static enum csn_http1_result read_head(const char *bytes, size_t size, struct csn_http1_head *head,
                                       const char **fault)
{
    struct csn_http1_text line;
    enum csn_http1_result result = csn_http1_take_line(bytes, size, &line, fault);
    if (result == CSN_HTTP1_OK) {
        result = read_request_line(line, head, fault);
    }
    if (result != CSN_HTTP1_OK) {
        return result;
    }
    head->size = line.size + 2;
    return read_fields(bytes, size, &head->size, head, fault);
}

enum csn_http1_result csn_http1_read_head(const char *bytes, size_t size,
                                          struct csn_http1_head *head, const char **fault)
{
    size_t seen = size < CSN_HTTP1_HEAD_SIZE_MAX ? size : CSN_HTTP1_HEAD_SIZE_MAX;
    *head = (struct csn_http1_head){0};
    enum csn_http1_result result = read_head(bytes, seen, head, fault);
    if (result == CSN_HTTP1_MORE && seen == CSN_HTTP1_HEAD_SIZE_MAX) {
        result = csn_http1_refuse(CSN_HTTP1_FIELDS, "head too large", fault);
    }
    return result;
}
