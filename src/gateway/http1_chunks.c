/* SPDX-License-Identifier: Apache-2.0 */
/* http1_chunks.c: the chunked transfer coding (RFC 9112 section 7.1), without extensions. */
#include "http1_rules.h"

enum state {
    SIZE_LINE = 0,
    CONTENT,
    CONTENT_END, /* the CRLF behind a chunk */
    TRAILERS,
    ENDED,
};

/* Hexadecimal digits alone. */
static bool read_size(struct csn_http1_text line, uint64_t *value)
{
    *value = 0;
    for (size_t i = 0; i < line.size; i++) {
        char byte = line.bytes[i];
        uint64_t digit = byte >= '0' && byte <= '9' ? (uint64_t)(byte - '0')
                         : (byte | 0x20) >= 'a' && (byte | 0x20) <= 'f'
                             ? (uint64_t)((byte | 0x20) - 'a' + 10)
                             : 16;
        if (digit == 16) {
            return false;
        }
        *value = *value << 4 | digit;
    }
    return line.size != 0;
}

#define SIZE_LINE_MAX 10u /* eight digits and a line end */

/* A longer line is refused before it ends. */
static enum csn_http1_result take_size(struct csn_http1_chunks *chunks, const char *bytes,
                                       size_t size, uint64_t limit, struct csn_http1_piece *piece,
                                       const char **fault)
{
    struct csn_http1_text line;
    size_t seen = size < SIZE_LINE_MAX ? size : SIZE_LINE_MAX;
    enum csn_http1_result result = csn_http1_take_line(bytes, seen, &line, fault);
    if (result == CSN_HTTP1_MORE && seen == SIZE_LINE_MAX) {
        return csn_http1_refuse(CSN_HTTP1_BAD, "chunk size", fault);
    }
    if (result != CSN_HTTP1_OK) {
        return result;
    }
    if (!read_size(line, &chunks->left)) {
        return csn_http1_refuse(CSN_HTTP1_BAD, "chunk size", fault);
    }
    if (chunks->left > limit - chunks->total) {
        return csn_http1_refuse(CSN_HTTP1_TOO_LARGE, "body too large", fault);
    }
    piece->consumed = line.size + 2;
    chunks->state = chunks->left != 0 ? CONTENT : TRAILERS;
    return CSN_HTTP1_OK;
}

static enum csn_http1_result take_content(struct csn_http1_chunks *chunks, size_t size,
                                          struct csn_http1_piece *piece)
{
    size_t count = size < chunks->left ? size : (size_t)chunks->left;
    piece->consumed = count;
    piece->size = count;
    chunks->left -= count;
    chunks->total += count;
    if (chunks->left == 0) {
        chunks->state = CONTENT_END;
    }
    return count != 0 ? CSN_HTTP1_OK : CSN_HTTP1_MORE;
}

static enum csn_http1_result take_end(struct csn_http1_chunks *chunks, const char *bytes,
                                      size_t size, struct csn_http1_piece *piece,
                                      const char **fault)
{
    if ((size >= 1 && bytes[0] != '\r') || (size >= 2 && bytes[1] != '\n')) {
        return csn_http1_refuse(CSN_HTTP1_BAD, "chunk does not end where it should", fault);
    }
    if (size < 2) {
        return CSN_HTTP1_MORE;
    }
    piece->consumed = 2;
    chunks->state = SIZE_LINE;
    return CSN_HTTP1_OK;
}

/* Checked like fields of a head, and dropped. left counts their bytes. */
static enum csn_http1_result take_trailer(struct csn_http1_chunks *chunks, const char *bytes,
                                          size_t size, struct csn_http1_piece *piece,
                                          const char **fault)
{
    struct csn_http1_text line;
    struct csn_http1_field field;
    size_t room = CSN_HTTP1_TRAILER_MAX - (size_t)chunks->left;
    size_t seen = size < room ? size : room;
    enum csn_http1_result result = csn_http1_take_line(bytes, seen, &line, fault);
    if (result == CSN_HTTP1_MORE && seen == room) {
        return csn_http1_refuse(CSN_HTTP1_FIELDS, "trailers too large", fault);
    }
    if (result == CSN_HTTP1_OK && line.size != 0) {
        result = csn_http1_read_field(line, &field, fault);
    }
    if (result != CSN_HTTP1_OK) {
        return result;
    }
    piece->consumed = line.size + 2;
    chunks->left += piece->consumed;
    if (line.size == 0) {
        chunks->state = ENDED;
        piece->is_end = true;
    }
    return CSN_HTTP1_OK;
}

enum csn_http1_result csn_http1_read_chunk(struct csn_http1_chunks *chunks, const char *bytes,
                                           size_t size, uint64_t limit,
                                           struct csn_http1_piece *piece, const char **fault)
{
    *piece = (struct csn_http1_piece){0};
    switch (chunks->state) {
    case SIZE_LINE:
        return take_size(chunks, bytes, size, limit, piece, fault);
    case CONTENT:
        return take_content(chunks, size, piece);
    case CONTENT_END:
        return take_end(chunks, bytes, size, piece, fault);
    case TRAILERS:
        return take_trailer(chunks, bytes, size, piece, fault);
    default:
        piece->is_end = true;
        return CSN_HTTP1_OK;
    }
}
