/* SPDX-License-Identifier: Apache-2.0 */
/* view_text.c: see view_text.h. */
#include "view_text.h"
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define REPLACEMENT UINT32_C(0xfffd)

static void put_bytes(struct csn_view_text *text, const char *bytes, size_t size)
{
    if (text->size < text->room) {
        size_t left = text->room - text->size;
        memcpy(text->bytes + text->size, bytes, size < left ? size : left);
    }
    text->size += size;
}

void csn_view_put(struct csn_view_text *text, const char *string)
{
    if (string != NULL) {
        put_bytes(text, string, strlen(string));
    }
}

void csn_view_putf(struct csn_view_text *text, const char *format, ...)
{
    size_t left = text->size < text->room ? text->room - text->size : 0;
    va_list arguments;
    va_start(arguments, format);
    int size = vsnprintf(left > 0 ? text->bytes + text->size : NULL, left, format, arguments);
    va_end(arguments);
    text->size += size > 0 ? (size_t)size : 0;
}

void csn_view_put_hex(struct csn_view_text *text, const uint8_t *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        csn_view_putf(text, "%02x", bytes[i]);
    }
}

void csn_view_put_grouped(struct csn_view_text *text, uint64_t number)
{
    char digits[24];
    int count = snprintf(digits, sizeof digits, "%" PRIu64, number);
    for (int i = 0; i < count; i++) {
        if (i > 0 && (count - i) % 3 == 0) {
            put_bytes(text, ",", 1);
        }
        put_bytes(text, &digits[i], 1);
    }
}

/* ---- names that come from elsewhere ---- */

static bool is_allowed(uint32_t point, uint32_t size)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000}; /* no over-long forms */
    return point >= least[size] && point <= 0x10ffff && (point < 0xd800 || point > 0xdfff);
}

/* The code point at *at, which moves on; a byte that begins none is a U+FFFD. */
static uint32_t next_point(const unsigned char **at)
{
    const unsigned char *from = *at;
    *at = from + 1;
    if (*from < 0x80) {
        return *from;
    }
    if (*from < 0xc0 || *from >= 0xf8) {
        return REPLACEMENT;
    }
    uint32_t size = *from < 0xe0 ? 2 : *from < 0xf0 ? 3 : 4;
    uint32_t point = *from & (UINT32_C(0x7f) >> size);
    for (uint32_t i = 1; i < size; i++) {
        if ((from[i] & 0xc0) != 0x80) { /* the NUL at the end, too */
            return REPLACEMENT;
        }
        point = point << 6 | (from[i] & 0x3f);
    }
    if (!is_allowed(point, size)) {
        return REPLACEMENT;
    }
    *at = from + size;
    return point;
}

/* How a character is written where it may not stand itself; NULL: it may. */
typedef const char *(*escape_of)(uint32_t point, char room[8]);

static bool is_control(uint32_t point)
{
    return point < 0x20 || (point >= 0x7f && point < 0xa0);
}

static void put_escaped(struct csn_view_text *text, const char *string, escape_of escape)
{
    const unsigned char *at = (const unsigned char *)(string != NULL ? string : "");
    while (*at != 0) {
        const unsigned char *from = at;
        char room[8];
        uint32_t point = next_point(&at);
        const char *escaped = escape(point, room);
        if (escaped != NULL) {
            csn_view_put(text, escaped);
        } else if (point == REPLACEMENT) { /* as such, or in place of what is there */
            csn_view_put(text, "\xef\xbf\xbd");
        } else {
            put_bytes(text, (const char *)from, (size_t)(at - from));
        }
    }
}

static const char *escape_html(uint32_t point, char room[8])
{
    (void)room;
    switch (point) {
    case '&':
        return "&amp;";
    case '<':
        return "&lt;";
    case '>':
        return "&gt;";
    case '"':
        return "&quot;";
    case '\'':
        return "&#39;";
    default:
        return is_control(point) ? "\xef\xbf\xbd" : NULL;
    }
}

static const char *escape_json(uint32_t point, char room[8])
{
    if (point == '"' || point == '\\') {
        snprintf(room, 8, "\\%c", (char)point);
        return room;
    }
    if (is_control(point)) {
        snprintf(room, 8, "\\u%04x", (unsigned)point & 0xffff);
        return room;
    }
    return NULL;
}

static const char *escape_label(uint32_t point, char room[8])
{
    (void)room;
    switch (point) {
    case '\\':
        return "\\\\";
    case '"':
        return "\\\"";
    case '\n':
        return "\\n";
    default:
        return is_control(point) ? "\xef\xbf\xbd" : NULL;
    }
}

void csn_view_put_html(struct csn_view_text *text, const char *string)
{
    put_escaped(text, string, escape_html);
}

void csn_view_put_json(struct csn_view_text *text, const char *string)
{
    put_bytes(text, "\"", 1);
    put_escaped(text, string, escape_json);
    put_bytes(text, "\"", 1);
}

void csn_view_put_label(struct csn_view_text *text, const char *string)
{
    put_escaped(text, string, escape_label);
}

size_t csn_view_end(const struct csn_view_text *text)
{
    if (text->room > 0) {
        text->bytes[text->size < text->room ? text->size : text->room - 1] = 0;
    }
    return text->size;
}
