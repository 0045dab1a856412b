/* SPDX-License-Identifier: Apache-2.0 */
/* jwt.c: see jwt.h. */
#include "verify/gcs/jwt.h"
#include "verify/text.h"
#include <string.h>

static size_t count_dots(struct csv_bytes text)
{
    size_t count = 0;
    for (size_t i = 0; i < text.size; i++) {
        count += text.at[i] == '.';
    }
    return count;
}

bool csv_jwt_recognise(struct csv_bytes text)
{
    return text.size > 3 && memcmp(text.at, "eyJ", 3) == 0 && count_dots(text) == 2;
}

/* Everything up to the next dot or the end; moves behind the dot. */
static struct csv_bytes take_part(struct csv_bytes *text)
{
    const uint8_t *dot = memchr(text->at, '.', text->size);
    struct csv_bytes part = {text->at, dot != NULL ? (size_t)(dot - text->at) : text->size};
    size_t taken = part.size + (dot != NULL ? 1 : 0);
    text->at += taken;
    text->size -= taken;
    return part;
}

static bool decode(struct csv_bytes part, struct csv_arena *arena, struct csv_bytes *bytes)
{
    uint8_t *target = csv_take(arena, part.size / 4 * 3 + 3, 1);
    bytes->at = target;
    return target != NULL && part.size != 0 &&
           csv_base64url_read(part.at, part.size, target, &bytes->size);
}

bool csv_jwt_read(struct csv_bytes text, struct csv_arena *arena, struct csv_jwt *jwt,
                  const char **why)
{
    const uint8_t *start = text.at;
    if (text.size != 0 && text.at[text.size - 1] == '\n') {
        text.size--;
    }
    if (text.size != 0 && text.at[text.size - 1] == '\r') {
        text.size--;
    }
    *why = "not three parts";
    if (text.size == 0 || count_dots(text) != 2) {
        return false;
    }
    struct csv_bytes header = take_part(&text);
    struct csv_bytes payload = take_part(&text);
    jwt->message = (struct csv_bytes){start, header.size + 1 + payload.size};
    *why = "not strict base64url";
    return decode(header, arena, &jwt->header) && decode(payload, arena, &jwt->payload) &&
           decode(text, arena, &jwt->signature);
}
