/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mod_answer.c: an answer's text, and the JSON around it: in one piece, or as events of a stream.
 *
 * Sizes tell nothing: every part of a stream is as long as every other, whatever is in it, and
 * there is one for each token. What does not fit into one waits for the next.
 */
#include "mod_state.h"

/* ---- text ---- */

/* Bytes of the character at *bytes if it is one; 0: it is not UTF-8. */
static uint32_t character_size(const uint8_t *bytes, uint32_t left)
{
    const uint8_t first = bytes[0];
    const uint32_t size = first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
    if (first >= 0x80 && (first < 0xc2 || first > 0xf4 || size > left)) {
        return 0;
    }
    for (uint32_t i = 1; i < size; i++) {
        if ((bytes[i] & 0xc0) != 0x80) {
            return 0;
        }
    }
    const bool is_out = (first == 0xe0 && bytes[1] < 0xa0) || (first == 0xed && bytes[1] > 0x9f) ||
                        (first == 0xf0 && bytes[1] < 0x90) || (first == 0xf4 && bytes[1] > 0x8f);
    return is_out ? 0 : size;
}

/* One character, or what stands for a byte that is none. False: there is no room. */
static bool add_character(struct mod_session *session, const uint8_t *bytes, uint32_t size)
{
    const uint32_t escaped = csn_json_encode(bytes, size, NULL, 0);
    if (size > MOD_TEXT_MAX - session->text_size ||
        (!session->is_stream && escaped > session->answer_max - session->escaped)) {
        return false;
    }
    __builtin_memcpy(session->text + session->text_size, bytes, size);
    session->text_size += size;
    session->escaped += session->is_stream ? 0 : escaped;
    return true;
}

static bool add_bytes(struct mod_session *session, const uint8_t *bytes, uint32_t size)
{
    static const uint8_t unknown[3] = {0xef, 0xbf, 0xbd};
    for (uint32_t at = 0; at < size;) {
        const uint32_t step = character_size(bytes + at, size - at);
        if (!(step != 0 ? add_character(session, bytes + at, step)
                        : add_character(session, unknown, sizeof unknown))) {
            return false;
        }
        at += step != 0 ? step : 1;
    }
    return true;
}

bool mod_add_text(struct mod_session *session, const uint8_t *bytes, uint32_t size)
{
    uint32_t out;
    const bool stops = csn_stop_add(&session->stop, bytes, size, &out);
    const bool fits = add_bytes(session, session->stop.held, out);
    csn_stop_take(&session->stop, stops || !fits ? session->stop.held_size : out);
    if (stops || !fits) {
        session->reason = stops ? "stop" : "length";
    }
    return stops || !fits;
}

void mod_end_text(struct mod_session *session)
{
    if (!add_bytes(session, session->stop.held, session->stop.held_size)) {
        session->reason = "length";
    }
    csn_stop_take(&session->stop, session->stop.held_size);
}

/* ---- JSON ---- */

static void put_head(const struct mod_worker *worker, const struct mod_session *session,
                     struct mod_writer *out)
{
    const char *object = session->is_talk
                             ? session->is_stream ? "chat.completion.chunk" : "chat.completion"
                             : "text_completion";
    mod_put(out, session->is_talk ? "{\"id\":\"chatcmpl-" : "{\"id\":\"cmpl-");
    mod_put_hex(out, (const uint8_t *)&session->id, sizeof session->id);
    mod_put(out, "\",\"object\":\"");
    mod_put(out, object);
    mod_put(out, "\",\"created\":0,\"model\":\""); /* there is no clock in here */
    mod_put_bytes(out, worker->name, worker->name_size);
    mod_put(out, "\",\"choices\":[");
}

static void put_reason(const struct mod_session *session, struct mod_writer *out)
{
    mod_put(out, ",\"finish_reason\":");
    if (session->reason == NULL) {
        mod_put(out, "null}");
        return;
    }
    mod_put(out, "\"");
    mod_put(out, session->reason);
    mod_put(out, "\"}");
}

static void put_usage(const struct mod_session *session, struct mod_writer *out)
{
    mod_put(out, "\"usage\":{\"prompt_tokens\":");
    mod_put_number(out, session->prompt_count);
    mod_put(out, ",\"completion_tokens\":");
    mod_put_number(out, session->token_count);
    mod_put(out, ",\"total_tokens\":");
    mod_put_number(out, session->prompt_count + session->token_count);
    mod_put(out, "}}");
}

uint32_t mod_write_whole(const struct mod_worker *worker, const struct mod_session *session,
                         uint8_t *bytes, uint32_t room)
{
    struct mod_writer out = {bytes, room, 0};
    put_head(worker, session, &out);
    mod_put(&out, session->is_talk
                      ? "{\"index\":0,\"message\":{\"role\":\"assistant\",\"content\":\""
                      : "{\"index\":0,\"text\":\"");
    mod_put_escaped(&out, session->text, session->text_size);
    mod_put(&out, session->is_talk ? "\"},\"logprobs\":null" : "\",\"logprobs\":null");
    put_reason(session, &out);
    mod_put(&out, "],");
    put_usage(session, &out);
    return out.size;
}

/* ---- events ---- */

/* To the end by a line that readers skip, and an empty one. */
static void fill(struct mod_writer *out)
{
    for (uint32_t i = 0; out->size < out->room; i++) {
        const uint32_t left = out->room - out->size;
        out->bytes[out->size++] = left <= 2 ? '\n' : i == 0 ? ':' : ' ';
    }
}

/* As much of the text as fits into so many escaped bytes, whole characters. */
static uint32_t fitting(const struct mod_session *session, uint32_t room)
{
    uint32_t escaped = 0;
    uint32_t at = 0;
    while (at < session->text_size) {
        const uint32_t step = character_size(session->text + at, session->text_size - at);
        escaped += csn_json_encode(session->text + at, step, NULL, 0);
        if (escaped > room) {
            break;
        }
        at += step;
    }
    return at;
}

static void put_event_end(struct mod_writer *out)
{
    mod_put(out, "\n\n");
}

/* Behind the text: `"},"finish_reason":null}]}`, two line feeds, a comment of three bytes. */
#define PART_END 32u

void mod_write_part(const struct mod_worker *worker, struct mod_session *session,
                    uint8_t bytes[MOD_PART_SIZE])
{
    struct mod_writer out = {bytes, MOD_PART_SIZE, 0};
    mod_put(&out, "data: ");
    put_head(worker, session, &out);
    mod_put(&out, "{\"index\":0,");
    mod_put(&out, !session->is_talk ? "\"text\":\""
                  : session->began  ? "\"delta\":{\"content\":\""
                                    : "\"delta\":{\"role\":\"assistant\",\"content\":\"");
    const uint32_t size = fitting(session, MOD_PART_SIZE - PART_END - out.size);
    mod_put_escaped(&out, session->text, size);
    mod_put(&out,
            session->is_talk ? "\"},\"finish_reason\":null}]}" : "\",\"finish_reason\":null}]}");
    put_event_end(&out);
    fill(&out);
    session->began = true;
    __builtin_memmove(session->text, session->text + size, session->text_size - size);
    csn_wipe(session->text + session->text_size - size, size);
    session->text_size -= size;
}

void mod_write_last(const struct mod_worker *worker, const struct mod_session *session,
                    uint8_t bytes[MOD_LAST_SIZE])
{
    struct mod_writer out = {bytes, MOD_LAST_SIZE, 0};
    mod_put(&out, "data: ");
    put_head(worker, session, &out);
    mod_put(&out, session->is_talk ? "{\"index\":0,\"delta\":{}" : "{\"index\":0,\"text\":\"\"");
    put_reason(session, &out);
    mod_put(&out, "]}");
    put_event_end(&out);
    if (session->wants_usage) {
        mod_put(&out, "data: ");
        put_head(worker, session, &out);
        mod_put(&out, "],");
        put_usage(session, &out);
        put_event_end(&out);
    }
    mod_put(&out, "data: [DONE]");
    put_event_end(&out);
    fill(&out);
}

uint32_t mod_write_models(const struct mod_worker *worker, bool has_language, uint8_t *bytes,
                          uint32_t room)
{
    struct mod_writer out = {bytes, room, 0};
    mod_put(&out, "{\"object\":\"list\",\"data\":[");
    if (has_language) {
        mod_put(&out, "{\"id\":\"");
        mod_put_bytes(&out, worker->name, worker->name_size);
        mod_put(&out, "\",\"object\":\"model\",\"created\":0,\"owned_by\":\"");
        mod_put_hex(&out, worker->language.digest, sizeof worker->language.digest);
        mod_put(&out, "\"}");
    }
    mod_put(&out, "]}");
    return out.size;
}
