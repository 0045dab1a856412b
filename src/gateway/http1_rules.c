/* SPDX-License-Identifier: Apache-2.0 */
/* http1_rules.c: lines, tokens and fields (RFC 9112 section 2.2 and 5, RFC 9110 section 5). */
#include "http1_rules.h"
#include <string.h>
#include <strings.h>

enum csn_http1_result csn_http1_refuse(enum csn_http1_result result, const char *why,
                                       const char **fault)
{
    if (fault != NULL) {
        *fault = why;
    }
    return result;
}

static bool is_token_byte(unsigned char byte)
{
    return (byte >= '0' && byte <= '9') || ((byte | 0x20) >= 'a' && (byte | 0x20) <= 'z') ||
           (byte != 0 && strchr("!#$%&'*+-.^_`|~", byte) != NULL);
}

bool csn_http1_is_token(struct csn_http1_text text)
{
    for (size_t i = 0; i < text.size; i++) {
        if (!is_token_byte((unsigned char)text.bytes[i])) {
            return false;
        }
    }
    return text.size != 0;
}

enum csn_http1_result csn_http1_take_line(const char *bytes, size_t size,
                                          struct csn_http1_text *line, const char **fault)
{
    for (size_t i = 0; i < size; i++) {
        unsigned char byte = (unsigned char)bytes[i];
        if (byte == '\r') {
            if (i + 1 == size) {
                return CSN_HTTP1_MORE;
            }
            if (bytes[i + 1] != '\n') {
                return csn_http1_refuse(CSN_HTTP1_BAD, "carriage return without line feed", fault);
            }
            *line = (struct csn_http1_text){bytes, i};
            return CSN_HTTP1_OK;
        }
        if (byte == '\n') {
            return csn_http1_refuse(CSN_HTTP1_BAD, "line feed without carriage return", fault);
        }
        if ((byte < ' ' && byte != '\t') || byte == 0x7f) {
            return csn_http1_refuse(CSN_HTTP1_BAD, "control character", fault);
        }
    }
    return CSN_HTTP1_MORE;
}

static bool is_blank(char byte)
{
    return byte == ' ' || byte == '\t';
}

enum csn_http1_result csn_http1_read_field(struct csn_http1_text line,
                                           struct csn_http1_field *field, const char **fault)
{
    if (is_blank(line.bytes[0])) {
        return csn_http1_refuse(CSN_HTTP1_BAD, "folded line", fault);
    }
    const char *colon = memchr(line.bytes, ':', line.size);
    if (colon == NULL) {
        return csn_http1_refuse(CSN_HTTP1_BAD, "field without a colon", fault);
    }
    field->name = (struct csn_http1_text){line.bytes, (size_t)(colon - line.bytes)};
    if (!csn_http1_is_token(field->name)) { /* so is a blank before the colon */
        return csn_http1_refuse(CSN_HTTP1_BAD, "field name is no token", fault);
    }
    const char *start = colon + 1;
    const char *end = line.bytes + line.size;
    while (start < end && is_blank(*start)) {
        start++;
    }
    while (end > start && is_blank(end[-1])) {
        end--;
    }
    field->value = (struct csn_http1_text){start, (size_t)(end - start)};
    return CSN_HTTP1_OK;
}

bool csn_http1_is(const struct csn_http1_text *text, const char *string)
{
    return strlen(string) == text->size && strncasecmp(text->bytes, string, text->size) == 0;
}

const struct csn_http1_text *csn_http1_field(const struct csn_http1_head *head, const char *name)
{
    const struct csn_http1_text *found = NULL;
    for (uint32_t i = 0; i < head->field_count; i++) {
        if (csn_http1_is(&head->fields[i].name, name)) {
            if (found != NULL) {
                return NULL;
            }
            found = &head->fields[i].value;
        }
    }
    return found;
}
