/* SPDX-License-Identifier: Apache-2.0 */
/* bhttp_rules.c: what may stand in names, values, methods and paths; finding a header. */
#include "bhttp_rules.h"

static bool is_letter(uint8_t byte)
{
    uint8_t lower = byte | 0x20;
    return lower >= 'a' && lower <= 'z';
}

static bool is_digit(uint8_t byte)
{
    return byte >= '0' && byte <= '9';
}

/* A switch, so that a name of signs alone, which a stranger may send, costs no more than others. */
static bool is_token_sign(uint8_t byte)
{
    switch (byte) {
    case '!':
    case '#':
    case '$':
    case '%':
    case '&':
    case '\'':
    case '*':
    case '+':
    case '-':
    case '.':
    case '^':
    case '_':
    case '`':
    case '|':
    case '~':
        return true;
    default:
        return false;
    }
}

static bool is_blank(uint8_t byte)
{
    return byte == ' ' || byte == '\t';
}

bool csn_bhttp_is_token(const struct csn_bhttp_text *text)
{
    for (uint32_t i = 0; i < text->size; i++) {
        uint8_t byte = text->bytes[i];
        if (!is_letter(byte) && !is_digit(byte) && !is_token_sign(byte)) {
            return false;
        }
    }
    return text->size != 0;
}

bool csn_bhttp_is_value(const struct csn_bhttp_text *text)
{
    for (uint32_t i = 0; i < text->size; i++) {
        uint8_t byte = text->bytes[i];
        if ((byte < ' ' && byte != '\t') || byte == 0x7f) {
            return false;
        }
    }
    return text->size == 0 || (!is_blank(text->bytes[0]) && !is_blank(text->bytes[text->size - 1]));
}

/* RFC 3986 section 3.1. */
static bool is_scheme(const struct csn_bhttp_text *text)
{
    for (uint32_t i = 0; i < text->size; i++) {
        uint8_t byte = text->bytes[i];
        bool inner = is_digit(byte) || byte == '+' || byte == '-' || byte == '.';
        if (!is_letter(byte) && (i == 0 || !inner)) {
            return false;
        }
    }
    return text->size != 0;
}

static bool is_visible(const struct csn_bhttp_text *text)
{
    for (uint32_t i = 0; i < text->size; i++) {
        if (text->bytes[i] <= ' ' || text->bytes[i] >= 0x7f) {
            return false;
        }
    }
    return true;
}

bool csn_bhttp_request_is_legal(const struct csn_bhttp_message *message)
{
    const struct csn_bhttp_text *path = &message->path;
    return csn_bhttp_is_token(&message->method) && is_scheme(&message->scheme) &&
           is_visible(&message->authority) && is_visible(path) && path->size != 0 &&
           path->bytes[0] == '/';
}

bool csn_bhttp_status_is_legal(uint64_t status)
{
    return status >= 200 && status <= 599;
}

uint8_t csn_bhttp_lower(uint8_t byte)
{
    return is_letter(byte) ? byte | 0x20 : byte;
}

bool csn_bhttp_is_name(const struct csn_bhttp_text *text, const char *name)
{
    uint32_t i = 0;
    for (; i < text->size && name[i] != 0; i++) {
        if (csn_bhttp_lower(text->bytes[i]) != csn_bhttp_lower((uint8_t)name[i])) {
            return false;
        }
    }
    return i == text->size && name[i] == 0;
}

const struct csn_bhttp_text *csn_bhttp_header(const struct csn_bhttp_message *message,
                                              const char *name)
{
    for (uint32_t i = 0; i < message->header_count; i++) {
        if (csn_bhttp_is_name(&message->fields[i].name, name)) {
            return &message->fields[i].value;
        }
    }
    return NULL;
}

struct csn_bhttp_text csn_bhttp_text(const char *string)
{
    struct csn_bhttp_text text = {.bytes = (const uint8_t *)string};
    while (string[text.size] != 0) {
        text.size++;
    }
    return text;
}

bool csn_bhttp_is(const struct csn_bhttp_text *text, const char *string)
{
    uint32_t i = 0;
    for (; i < text->size && string[i] != 0; i++) {
        if (text->bytes[i] != (uint8_t)string[i]) {
            return false;
        }
    }
    return i == text->size && string[i] == 0;
}
