/* SPDX-License-Identifier: Apache-2.0 */
/* pem.c: see pem.h. */
#include "verify/x509/pem.h"
#include "verify/text.h"
#include <string.h>

static bool is_space(uint8_t c)
{
    return c == ' ' || c == '\n' || c == '\r' || c == '\t' || c == 0;
}

void csv_pem_skip(struct csv_bytes *bytes)
{
    while (bytes->size != 0 && is_space(bytes->at[0])) {
        bytes->at++;
        bytes->size--;
    }
}

/* Moves behind text if it stands there. */
static bool skip_text(struct csv_bytes *bytes, const char *text)
{
    size_t size = strlen(text);
    if (bytes->size < size || memcmp(bytes->at, text, size) != 0) {
        return false;
    }
    bytes->at += size;
    bytes->size -= size;
    return true;
}

static bool skip_line(struct csv_bytes *bytes, const char *word, const char *label)
{
    return skip_text(bytes, word) && skip_text(bytes, label) && skip_text(bytes, "-----");
}

bool csv_pem_next(struct csv_bytes *bytes, const char *label, struct csv_arena *arena,
                  struct csv_bytes *content)
{
    csv_pem_skip(bytes);
    if (!skip_line(bytes, "-----BEGIN ", label)) {
        return false;
    }
    const uint8_t *dash = memchr(bytes->at, '-', bytes->size);
    size_t size = dash != NULL ? (size_t)(dash - bytes->at) : 0;
    uint8_t *text = csv_take(arena, size + 1, 1);
    uint8_t *decoded = csv_take(arena, size / 4 * 3 + 3, 1);
    size_t count = 0;
    if (size == 0 || text == NULL || decoded == NULL) {
        return false;
    }
    for (size_t i = 0; i < size; i++) {
        if (!is_space(bytes->at[i])) {
            text[count++] = bytes->at[i];
        }
    }
    bytes->at += size;
    bytes->size -= size;
    content->at = decoded;
    bool good = csv_base64_read(text, count, decoded, &content->size) &&
                skip_line(bytes, "-----END ", label);
    csv_pem_skip(bytes);
    return good;
}
