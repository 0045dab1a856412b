/* SPDX-License-Identifier: Apache-2.0 */
/*
 * http1.c: strangers' bytes against the gateway's HTTP/1.1 reader: a head, and a body if it is in
 * chunks, as they come in two pieces.
 *
 * First byte: where the bytes are cut, in 256ths. Oracle: what the cut bytes gave is what the whole
 * gives, unless they asked for more; texts lie within the bytes; a request that is taken is taken
 * again when it is written anew in the plainest way.
 */
#include "check.h"
#include <gateway/http1.h>
#include <stdbool.h>
#include <string.h>

static struct csn_http1_head whole, part, again;

static void check_within(const struct csn_http1_text *text, const char *bytes, size_t size)
{
    CHECK(text->bytes >= bytes && text->size <= size &&
          (size_t)(text->bytes - bytes) <= size - text->size);
}

static size_t put(char *target, size_t at, const struct csn_http1_text *text)
{
    memcpy(target + at, text->bytes, text->size);
    return at + text->size;
}

static void check_again(void)
{
    static char plain[2 * CSN_HTTP1_HEAD_SIZE_MAX];
    size_t at = (size_t)sprintf(plain, "%s ", whole.method == CSN_HTTP1_GET ? "GET" : "POST");
    at = put(plain, at, &whole.target);
    at += (size_t)sprintf(plain + at, " HTTP/1.1\r\n");
    for (uint32_t i = 0; i < whole.field_count; i++) {
        at = put(plain, at, &whole.fields[i].name);
        plain[at++] = ':';
        at = put(plain, at, &whole.fields[i].value);
        plain[at++] = '\r';
        plain[at++] = '\n';
    }
    plain[at++] = '\r';
    plain[at++] = '\n';
    CHECK(csn_http1_read_head(plain, at, &again, NULL) == CSN_HTTP1_OK && again.size == at);
    CHECK(again.field_count == whole.field_count && again.is_chunked == whole.is_chunked);
    CHECK(again.content_length == whole.content_length && again.closes == whole.closes);
}

/* Ends where the bytes do, or where they stop being chunks. */
static enum csn_http1_result run_chunks(const char *bytes, size_t size, size_t *content)
{
    struct csn_http1_chunks chunks = {0};
    struct csn_http1_piece piece = {0};
    enum csn_http1_result result = CSN_HTTP1_OK;
    *content = 0;
    while (result == CSN_HTTP1_OK && !piece.is_end) {
        result = csn_http1_read_chunk(&chunks, bytes, size, 65536, &piece, NULL);
        CHECK(piece.consumed <= size && piece.offset + piece.size <= piece.consumed);
        CHECK(result != CSN_HTTP1_OK || piece.is_end || piece.consumed != 0);
        bytes += piece.consumed;
        size -= piece.consumed;
        *content += piece.size;
        CHECK(*content <= 65536);
    }
    return result;
}

static char *copy_of(const uint8_t *data, size_t size)
{
    char *copy = malloc(size != 0 ? size : 1);
    CHECK(copy != NULL);
    memcpy(copy, data, size);
    return copy;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0 || size > 2 * CSN_HTTP1_HEAD_SIZE_MAX) {
        return 0;
    }
    size_t count = size - 1, cut = count * data[0] / 256;
    char *bytes = copy_of(data + 1, count), *front = copy_of(data + 1, cut);
    const char *why_whole = "", *why_part = "";
    enum csn_http1_result result = csn_http1_read_head(bytes, count, &whole, &why_whole);
    enum csn_http1_result early = csn_http1_read_head(front, cut, &part, &why_part);
    CHECK(early == CSN_HTTP1_MORE || (early == result && strcmp(why_whole, why_part) == 0));
    if (result == CSN_HTTP1_OK) {
        CHECK(whole.size <= count && (early == CSN_HTTP1_OK) == (cut >= whole.size));
        check_within(&whole.target, bytes, whole.size);
        check_within(&whole.host, bytes, whole.size);
        for (uint32_t i = 0; i < whole.field_count; i++) {
            check_within(&whole.fields[i].name, bytes, whole.size);
            check_within(&whole.fields[i].value, bytes, whole.size);
        }
        check_again();
    }
    size_t start = result == CSN_HTTP1_OK ? whole.size : 0, content, less;
    enum csn_http1_result body = run_chunks(bytes + start, count - start, &content);
    if (cut >= start) {
        early = run_chunks(front + start, cut - start, &less);
        CHECK(less <= content && (early == CSN_HTTP1_MORE || early == body));
    }
    free(bytes);
    free(front);
    return 0;
}
