/* SPDX-License-Identifier: Apache-2.0 */
/* der.c: see der.h. */
#include "verify/parse/der.h"

static bool read_length(struct csv_reader *reader, size_t *length)
{
    uint64_t first = csv_read_be(reader, 1);
    if (first < 0x80) {
        *length = (size_t)first;
        return !reader->failed;
    }
    unsigned count = (unsigned)first & 0x7f;
    if (count == 0 || count > 4) {
        return false; /* indefinite, or longer than anything here */
    }
    uint64_t value = csv_read_be(reader, count);
    *length = (size_t)value;
    bool minimal = value >= 0x80 && (count == 1 || value >> (8 * (count - 1)) != 0);
    return !reader->failed && minimal;
}

bool csv_der_next(struct csv_reader *reader, uint8_t *tag, struct csv_bytes *content)
{
    size_t length = 0;
    *tag = (uint8_t)csv_read_be(reader, 1);
    if (reader->failed || (*tag & 0x1f) == 0x1f || !read_length(reader, &length)) {
        reader->failed = true;
        return false;
    }
    *content = csv_read_run(reader, length);
    return !reader->failed;
}

bool csv_der_take(struct csv_reader *reader, uint8_t tag, struct csv_bytes *content)
{
    uint8_t got = 0;
    if (!csv_der_next(reader, &got, content) || got != tag) {
        reader->failed = true;
        return false;
    }
    return true;
}

bool csv_der_number(struct csv_bytes content, uint64_t *number)
{
    *number = 0;
    if (content.size == 0 || content.size > 9 || (content.at[0] & 0x80) != 0) {
        return false;
    }
    bool padded = content.size > 1 && content.at[0] == 0;
    if ((padded && (content.at[1] & 0x80) == 0) || (content.size == 9 && !padded)) {
        return false;
    }
    for (size_t i = 0; i < content.size; i++) {
        *number = *number << 8 | content.at[i];
    }
    return true;
}
