/* SPDX-License-Identifier: Apache-2.0 */
/*
 * http2_frames.c: heads of frames as they come, counted against the limits before anything is done
 * for them. Whether they are right is libnghttp2's to say.
 */
#include "http2_session.h"
#include <string.h>

#define HEAD_SIZE 9u

/* Frames that cost their sender nothing and are no part of a request. */
static bool is_control(uint8_t type, uint8_t flags, uint32_t size)
{
    switch (type) {
    case NGHTTP2_DATA:
        return size == 0 && (flags & NGHTTP2_FLAG_END_STREAM) == 0;
    case NGHTTP2_HEADERS:
    case NGHTTP2_CONTINUATION:
    case NGHTTP2_RST_STREAM: /* counted by what becomes of the request */
    case NGHTTP2_WINDOW_UPDATE:
        return false;
    default:
        return true;
    }
}

static bool count(struct csn_conn *conn, uint8_t type, uint8_t flags, uint32_t size)
{
    struct csn_http2 *http2 = conn->http2;
    const struct csn_front_limits *limits = &conn->front->limits;
    if (type == NGHTTP2_CONTINUATION) {
        http2->continuations++;
        http2->is_abused = http2->is_abused || http2->continuations > limits->continuations_max;
        return !http2->is_abused;
    }
    http2->continuations = 0;
    return !is_control(type, flags, size) ||
           csn_http2_count(conn, &http2->controls, limits->controls_max) == 0;
}

bool csn_http2_count_frames(struct csn_conn *conn, const char *bytes, size_t size)
{
    struct csn_http2 *http2 = conn->http2;
    size_t at = 0;
    while (at < size) {
        size_t left = size - at;
        if (http2->skip != 0) {
            uint32_t step = left < http2->skip ? (uint32_t)left : http2->skip;
            http2->skip -= step;
            at += step;
            continue;
        }
        size_t step = HEAD_SIZE - http2->head_size;
        step = left < step ? left : step;
        memcpy(http2->head + http2->head_size, bytes + at, step);
        http2->head_size += (uint32_t)step;
        at += step;
        if (http2->head_size == HEAD_SIZE) {
            const uint8_t *head = http2->head;
            http2->head_size = 0;
            http2->skip = (uint32_t)head[0] << 16 | (uint32_t)head[1] << 8 | head[2];
            if (!count(conn, head[3], head[4], http2->skip)) {
                return false;
            }
        }
    }
    return true;
}
