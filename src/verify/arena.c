/* SPDX-License-Identifier: Apache-2.0 */
/* arena.c: see arena.h. */
#include "verify/arena.h"
#include <stdio.h>
#include <string.h>

void *csv_take(struct csv_arena *arena, size_t count, size_t item_size)
{
    size_t room = arena->size - arena->used;
    if (item_size != 0 && count > room / item_size) {
        arena->full = true;
        return NULL;
    }
    size_t size = (count * item_size + 15) & ~(size_t)15;
    if (size > room) {
        arena->full = true;
        return NULL;
    }
    void *taken = arena->base + arena->used;
    arena->used += size;
    memset(taken, 0, size);
    return taken;
}

const char *csv_text(struct csv_arena *arena, const char *format, ...)
{
    va_list arguments;
    va_list again;
    va_start(arguments, format);
    va_copy(again, arguments);
    int size = vsnprintf(NULL, 0, format, again);
    va_end(again);
    char *text = size >= 0 ? csv_take(arena, (size_t)size + 1, 1) : NULL;
    if (text != NULL) {
        vsnprintf(text, (size_t)size + 1, format, arguments);
    }
    va_end(arguments);
    return text != NULL ? text : "";
}

const char *csv_text_hex(struct csv_arena *arena, const uint8_t *bytes, size_t size)
{
    static const char digits[] = "0123456789abcdef";
    char *text = csv_take(arena, 2 * size + 1, 1);
    if (text == NULL) {
        return "";
    }
    for (size_t i = 0; i < size; i++) {
        text[2 * i] = digits[bytes[i] >> 4];
        text[2 * i + 1] = digits[bytes[i] & 15];
    }
    return text;
}

const char *csv_text_foreign(struct csv_arena *arena, const uint8_t *bytes, size_t size)
{
    char *text = csv_take(arena, size + 1, 1);
    if (text == NULL) {
        return "";
    }
    for (size_t i = 0; i < size; i++) {
        text[i] = bytes[i] >= 0x20 && bytes[i] < 0x7f ? (char)bytes[i] : '?';
    }
    return text;
}

const char *csv_text_base64url(struct csv_arena *arena, const uint8_t *bytes, size_t size)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    char *text = csv_take(arena, size / 3 * 4 + 5, 1);
    char *at = text;
    if (text == NULL) {
        return "";
    }
    for (size_t i = 0; i < size; i += 3) {
        size_t count = size - i < 3 ? size - i : 3;
        uint32_t word = (uint32_t)bytes[i] << 16;
        word |= count > 1 ? (uint32_t)bytes[i + 1] << 8 : 0;
        word |= count > 2 ? bytes[i + 2] : 0;
        for (size_t k = 0; k <= count; k++) {
            *at++ = digits[word >> (18 - 6 * k) & 63];
        }
    }
    return text;
}
