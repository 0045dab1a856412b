/* SPDX-License-Identifier: Apache-2.0 */
/* der.c: see der.h. */
#include "verify/parse/der.h"
#include "verify/text.h"

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

bool csv_der_take_whole(struct csv_reader *reader, uint8_t tag, struct csv_bytes *whole)
{
    const uint8_t *begin = reader->at;
    struct csv_bytes content;
    if (!csv_der_take(reader, tag, &content)) {
        return false;
    }
    *whole = (struct csv_bytes){begin, (size_t)(reader->at - begin)};
    return true;
}

bool csv_der_optional(struct csv_reader *reader, uint8_t tag, struct csv_bytes *content,
                      bool *there)
{
    *there = !reader->failed && reader->left != 0 && reader->at[0] == tag;
    return *there ? csv_der_take(reader, tag, content) : !reader->failed;
}

bool csv_der_bits(struct csv_reader *reader, struct csv_bytes *bits)
{
    if (!csv_der_take(reader, CSV_DER_BIT_STRING, bits) || bits->size == 0 || bits->at[0] != 0) {
        reader->failed = true;
        return false;
    }
    bits->at++;
    bits->size--;
    return true;
}

/* "YYMMDDHHMMSSZ" stands for the years 1950 to 2049; "YYYYMMDDHHMMSSZ" for the others. */
bool csv_der_time(struct csv_reader *reader, int64_t *unix_seconds)
{
    uint8_t tag = 0;
    struct csv_bytes text;
    char digits[] = "0000-00-00T00:00:00Z";
    static const uint8_t places[14] = {0, 1, 2, 3, 5, 6, 8, 9, 11, 12, 14, 15, 17, 18};
    if (!csv_der_next(reader, &tag, &text)) {
        return false;
    }
    size_t skip = tag == CSV_DER_UTC_TIME ? 2 : 0;
    if ((skip == 0 && tag != CSV_DER_GENERAL_TIME) || text.size != 15 - skip ||
        text.at[text.size - 1] != 'Z') {
        reader->failed = true;
        return false;
    }
    memcpy(digits, text.at[0] >= '5' ? "19" : "20", skip);
    for (size_t i = skip; i < 14; i++) {
        digits[places[i]] = (char)text.at[i - skip];
    }
    return csv_time_read(digits, sizeof digits - 1, unix_seconds);
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
