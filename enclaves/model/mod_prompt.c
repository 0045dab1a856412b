/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mod_prompt.c: from a prompt, or the messages of a talk, to tokens. What a message says never
 * becomes a control token: only the frame that is put around it is made of them.
 */
#include "mod_state.h"

struct prompt {
    struct cse_call *call;
    const struct mod_worker *worker;
    const struct mod_request *request;
    struct mod_session *session;
    uint8_t *text; /* of one message, decoded */
    uint32_t size;
    void *scratch;
    bool specials;
};

static uint32_t room_left(const struct prompt *prompt)
{
    /* one place stays for the first token of the answer */
    return prompt->worker->position_max - 1 - prompt->session->prompt_count;
}

static cse_status put_token(struct prompt *prompt, uint32_t token)
{
    if (room_left(prompt) == 0) {
        return CSN_WIRE_STATUS_LIMIT;
    }
    prompt->session->prompt[prompt->session->prompt_count++] = token;
    return CSN_WIRE_STATUS_OK;
}

/* Tokens of the text so far; begins the text anew. */
static cse_status put_text(struct prompt *prompt, bool is_first)
{
    const struct csn_vocab_text text = {prompt->text, prompt->size, is_first, prompt->specials};
    struct mod_session *session = prompt->session;
    uint32_t count;
    const csn_err result =
        csn_vocab_encode(&prompt->worker->vocab, &text, prompt->scratch,
                         session->prompt + session->prompt_count, room_left(prompt), &count);
    prompt->size = 0;
    if (result != CSN_OK) { /* it is UTF-8: the JSON was */
        return CSN_WIRE_STATUS_LIMIT;
    }
    session->prompt_count += count;
    return CSN_WIRE_STATUS_OK;
}

static void add(struct prompt *prompt, const char *text)
{
    const uint32_t size = (uint32_t)__builtin_strlen(text);
    __builtin_memcpy(prompt->text + prompt->size, text, size);
    prompt->size += size;
}

static void add_string(struct prompt *prompt, uint32_t node)
{
    const struct csn_json_node *value = &prompt->request->nodes[node];
    prompt->size += csn_json_decode(prompt->request->text + value->begin + 1,
                                    value->end - value->begin - 2, prompt->text + prompt->size);
}

/* ---- talk ---- */

static bool is_named(const struct prompt *prompt, uint32_t node, const char *name)
{
    const struct csn_json_node *member = &prompt->request->nodes[node];
    return csn_json_equal(prompt->request->text + member->name, member->name_size,
                          (const uint8_t *)name, (uint32_t)__builtin_strlen(name));
}

static bool is_string(const struct prompt *prompt, uint32_t node, const char *text)
{
    const struct csn_json_node *value = &prompt->request->nodes[node];
    return value->kind == CSN_JSON_STRING &&
           csn_json_equal(prompt->request->text + value->begin + 1, value->end - value->begin - 2,
                          (const uint8_t *)text, (uint32_t)__builtin_strlen(text));
}

/* A message's members; content is a string, or a list of {"type": "text", "text": a string}. */
static bool read_message(const struct prompt *prompt, uint32_t node, const char **role,
                         uint32_t *content)
{
    static const char *const roles[] = {"user", "assistant", "system"};
    const struct csn_json_node *nodes = prompt->request->nodes;
    *role = NULL;
    *content = 0;
    if (nodes[node].kind != CSN_JSON_OBJECT) {
        return false;
    }
    for (uint32_t i = csn_json_child(nodes, node); i != 0; i = nodes[i].next) {
        if (is_named(prompt, i, "role")) {
            for (uint32_t k = 0; k < 3; k++) {
                *role = is_string(prompt, i, roles[k]) ? roles[k] : *role;
            }
        } else if (is_named(prompt, i, "content")) {
            *content = i;
        } else {
            return false;
        }
    }
    return *role != NULL && *content != 0 &&
           (nodes[*content].kind == CSN_JSON_STRING || nodes[*content].kind == CSN_JSON_ARRAY);
}

static bool add_part(struct prompt *prompt, uint32_t node)
{
    const struct csn_json_node *nodes = prompt->request->nodes;
    uint32_t text = 0;
    bool is_good = nodes[node].kind == CSN_JSON_OBJECT;
    for (uint32_t i = csn_json_child(nodes, node); is_good && i != 0; i = nodes[i].next) {
        if (is_named(prompt, i, "text") && nodes[i].kind == CSN_JSON_STRING) {
            text = i;
        } else {
            is_good = is_named(prompt, i, "type") && is_string(prompt, i, "text");
        }
    }
    if (is_good && text != 0) {
        add_string(prompt, text);
    }
    return is_good && text != 0;
}

static bool add_content(struct prompt *prompt, uint32_t node)
{
    const struct csn_json_node *nodes = prompt->request->nodes;
    if (nodes[node].kind == CSN_JSON_STRING) {
        add_string(prompt, node);
        return true;
    }
    bool is_good = true;
    for (uint32_t i = csn_json_child(nodes, node); is_good && i != 0; i = nodes[i].next) {
        is_good = add_part(prompt, i);
    }
    return is_good;
}

static cse_status begin_message(struct prompt *prompt, const char *role)
{
    cse_status status = CSN_WIRE_STATUS_OK;
    switch (prompt->worker->talk) {
    case MOD_TALK_CHATML:
        status = put_token(prompt, prompt->worker->talk_marks[0]);
        add(prompt, role);
        add(prompt, "\n");
        break;
    case MOD_TALK_LLAMA3:
        status = put_token(prompt, prompt->worker->talk_marks[0]);
        add(prompt, role);
        status = status == CSN_WIRE_STATUS_OK ? put_text(prompt, true) : status;
        status = status == CSN_WIRE_STATUS_OK ? put_token(prompt, prompt->worker->talk_marks[1])
                                              : status;
        add(prompt, "\n\n");
        break;
    case MOD_TALK_PLAIN:
        add(prompt, role);
        add(prompt, ": ");
        break;
    }
    return status;
}

static cse_status end_message(struct prompt *prompt, bool is_first)
{
    if (prompt->worker->talk == MOD_TALK_PLAIN) {
        add(prompt, "\n");
        return put_text(prompt, is_first);
    }
    cse_status status = put_text(prompt, true);
    if (status == CSN_WIRE_STATUS_OK) {
        status = put_token(prompt, prompt->worker->talk_marks[2]);
    }
    if (status == CSN_WIRE_STATUS_OK && prompt->worker->talk == MOD_TALK_CHATML) {
        add(prompt, "\n");
        status = put_text(prompt, true);
    }
    return status;
}

static cse_status put_messages(struct prompt *prompt)
{
    const struct csn_json_node *nodes = prompt->request->nodes;
    bool is_first = true;
    cse_status status = CSN_WIRE_STATUS_OK;
    for (uint32_t i = csn_json_child(nodes, prompt->request->prompt); i != 0; i = nodes[i].next) {
        const char *role;
        uint32_t content;
        if (!read_message(prompt, i, &role, &content)) {
            cse_fail_at(prompt->call, nodes[i].begin);
            return CSN_WIRE_STATUS_MALFORMED;
        }
        status = begin_message(prompt, role);
        if (status == CSN_WIRE_STATUS_OK && !add_content(prompt, content)) {
            cse_fail_at(prompt->call, nodes[content].begin);
            return CSN_WIRE_STATUS_MALFORMED;
        }
        status = status == CSN_WIRE_STATUS_OK ? end_message(prompt, is_first) : status;
        if (status != CSN_WIRE_STATUS_OK) {
            return status;
        }
        is_first = false;
    }
    status = begin_message(prompt, "assistant");
    if (prompt->worker->talk == MOD_TALK_PLAIN) {
        prompt->size--; /* the space begins the answer */
    }
    return status == CSN_WIRE_STATUS_OK ? put_text(prompt, prompt->worker->talk != MOD_TALK_PLAIN)
                                        : status;
}

cse_status mod_prompt(struct cse_call *call, struct mod_worker *worker,
                      const struct mod_request *request, bool is_talk, struct mod_session *session)
{
    /* All strings together are no longer than the text; a frame adds at most this much. */
    const uint32_t room = request->nodes[0].end + 64;
    const struct csn_vocab_source *source = &worker->vocab.source;
    struct prompt prompt = {
        .call = call,
        .worker = worker,
        .request = request,
        .session = session,
        .text = cse_scratch(call, room),
        .scratch = cse_scratch(call, (uint32_t)csn_vocab_scratch(&worker->vocab, room)),
        .specials = !is_talk,
    };
    cse_status status = CSN_WIRE_STATUS_OK;
    if (prompt.text == NULL || prompt.scratch == NULL) {
        return CSN_WIRE_STATUS_LIMIT;
    }
    if (source->add_begin) {
        status = put_token(&prompt, source->begin);
    }
    if (status == CSN_WIRE_STATUS_OK && is_talk) {
        status = put_messages(&prompt);
    } else if (status == CSN_WIRE_STATUS_OK) {
        add_string(&prompt, request->prompt);
        status = put_text(&prompt, true);
    }
    /* An empty text, and no token to begin with: nothing to go on from. */
    return status == CSN_WIRE_STATUS_OK && session->prompt_count == 0 ? CSN_WIRE_STATUS_MALFORMED
                                                                      : status;
}
