/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mod_run.c: all sessions go on together, a batch of tokens at a time.
 *
 * A batch has one token of each answer in the making, then pieces of prompts, one tenant's after
 * the other's until it is full; who is first moves on with each batch. So an answer goes on at the
 * pace of the batches, however long other prompts are, and no tenant's prompts keep another's
 * waiting. A session whose client does not take its parts is left out until it does.
 */
#include "mod_state.h"

/* ---- the end of a session ---- */

void mod_forget(struct mod_worker *worker, struct mod_session *session)
{
    const uint32_t index = (uint32_t)(session - worker->sessions);
    csn_llm_forget(worker->llm, index);
    csn_wipe(session, sizeof *session);
    worker->session_count--;
}

void mod_dropped(void *worker_state, uint32_t index)
{
    struct mod_worker *worker = worker_state;
    if (index < worker->slot_count && worker->sessions[index].phase != MOD_FREE) {
        mod_forget(worker, &worker->sessions[index]);
    }
}

/* ---- sending ---- */

/*
 * A part that is owed, if there is room. Where a stream's parts are collected into one piece, that
 * may be full: then there is no answer.
 */
static void send_part(struct mod_worker *worker, struct mod_session *session, struct cse_held *held,
                      uint8_t *scratch)
{
    if (!session->owes || !cse_held_room(held)) {
        return;
    }
    mod_write_part(worker, session, scratch);
    session->owes = false;
    if (cse_held_emit(held, scratch, MOD_PART_SIZE) != CSN_OK) {
        mod_forget(worker, session);
        cse_held_finish(held, CSN_WIRE_STATUS_TOO_LARGE, NULL, 0);
    }
}

static void finish(struct mod_worker *worker, struct mod_session *session, struct cse_held *held,
                   struct cse_step *step)
{
    const uint32_t room = session->is_stream ? MOD_LAST_SIZE : session->escaped + MOD_ANSWER_FRAME;
    uint8_t *bytes = cse_step_scratch(step, room);
    uint32_t size = MOD_LAST_SIZE;
    if (bytes != NULL && session->is_stream) {
        mod_write_last(worker, session, bytes);
    } else if (bytes != NULL) {
        size = mod_write_whole(worker, session, bytes, room);
    }
    mod_forget(worker, session);
    cse_held_finish(held,
                    bytes != NULL && size <= room ? CSN_WIRE_STATUS_OK : CSN_WIRE_STATUS_INTERNAL,
                    bytes, size);
}

/* What can leave leaves; true: the session has something else to do. */
static bool tend(struct mod_worker *worker, uint32_t index, struct cse_step *step, uint8_t *scratch)
{
    struct mod_session *session = &worker->sessions[index];
    struct cse_held *held = cse_held_at(step, index);
    if (session->phase == MOD_FREE || held == NULL) {
        return false;
    }
    send_part(worker, session, held, scratch);
    if (session->phase == MOD_ENDING && !session->owes) {
        if (session->is_stream && session->text_size != 0) {
            session->owes = true;
            send_part(worker, session, held, scratch);
        } else {
            finish(worker, session, held, step);
        }
    }
    return session->phase != MOD_FREE && !session->owes;
}

/* ---- a batch ---- */

struct batch {
    struct csn_llm_item items[MOD_BATCH_MAX];
    uint32_t sessions[MOD_BATCH_MAX];
    uint32_t count;
    uint32_t tokens[MOD_SESSION_MAX]; /* drawn, by session */
    bool able[MOD_SESSION_MAX];
};

static void add_item(struct batch *batch, uint32_t index, struct mod_session *session,
                     uint32_t token, bool wants_logits)
{
    batch->sessions[batch->count] = index;
    batch->items[batch->count++] = (struct csn_llm_item){.slot = index,
                                                         .position = session->read_count++,
                                                         .token = token,
                                                         .wants_logits = wants_logits};
}

static void add_piece(struct batch *batch, uint32_t index, struct mod_session *session)
{
    for (uint32_t i = 0; i < MOD_PIECE && batch->count < MOD_BATCH_MAX &&
                         session->read_count < session->prompt_count;
         i++) {
        const uint32_t at = session->read_count;
        add_item(batch, index, session, session->prompt[at], at + 1 == session->prompt_count);
    }
}

static bool is_reading(const struct mod_worker *worker, const struct batch *batch, uint32_t index)
{
    const struct mod_session *session = &worker->sessions[index];
    return batch->able[index] && session->phase == MOD_READING &&
           session->read_count < session->prompt_count;
}

static bool same_tenant(const struct mod_worker *worker, uint32_t left, uint32_t right)
{
    return __builtin_memcmp(worker->sessions[left].tenant, worker->sessions[right].tenant, 32) == 0;
}

/* Of this session's tenant, the one that came first and still has a prompt to read. */
static uint32_t first_reading(const struct mod_worker *worker, const struct batch *batch,
                              uint32_t of)
{
    uint32_t found = of;
    for (uint32_t i = 0; i < worker->slot_count; i++) {
        if (is_reading(worker, batch, i) && same_tenant(worker, i, of) &&
            worker->sessions[i].arrived < worker->sessions[found].arrived) {
            found = i;
        }
    }
    return found;
}

/* One piece of each tenant that has any; false: there is none. */
static bool add_round(struct mod_worker *worker, struct batch *batch)
{
    bool served[MOD_SESSION_MAX] = {false};
    bool any = false;
    for (uint32_t i = 0; i < worker->slot_count && batch->count < MOD_BATCH_MAX; i++) {
        const uint32_t index = (worker->turn + i) % worker->slot_count;
        if (served[index] || !is_reading(worker, batch, index)) {
            continue;
        }
        const uint32_t first = first_reading(worker, batch, index);
        add_piece(batch, first, &worker->sessions[first]);
        any = true;
        for (uint32_t k = 0; k < worker->slot_count; k++) {
            served[k] = served[k] || same_tenant(worker, k, index);
        }
    }
    return any;
}

static void fill(struct mod_worker *worker, struct batch *batch)
{
    for (uint32_t i = 0; i < worker->slot_count; i++) {
        struct mod_session *session = &worker->sessions[i];
        if (batch->able[i] && session->phase == MOD_WRITING) {
            add_item(batch, i, session, session->token, true);
        }
    }
    while (batch->count < MOD_BATCH_MAX && add_round(worker, batch)) {
    }
    worker->turn = (worker->turn + 1) % worker->slot_count;
}

/* All are drawn before any session ends: forgetting one wipes the logits of all. */
static void draw(struct mod_worker *worker, struct batch *batch)
{
    for (uint32_t i = 0; i < batch->count; i++) {
        if (!batch->items[i].wants_logits) {
            continue;
        }
        struct mod_session *session = &worker->sessions[batch->sessions[i]];
        batch->tokens[batch->sessions[i]] =
            csn_sample(&session->sample, session->token_count, csn_llm_logits(worker->llm, i),
                       worker->model.config.vocab_count, worker->weights);
    }
    csn_wipe(worker->weights, worker->model.config.vocab_count * sizeof *worker->weights);
}

/* One token of the answer. */
static void take(struct mod_worker *worker, struct mod_session *session, uint32_t token,
                 uint8_t *piece)
{
    session->phase = MOD_WRITING;
    session->token = token;
    if (csn_vocab_is_end(&worker->vocab, token)) {
        session->reason = "stop";
        mod_end_text(session);
        session->phase = MOD_ENDING;
        return;
    }
    session->token_count++;
    session->owes = session->is_stream;
    const uint32_t size = csn_vocab_piece(&worker->vocab, token, piece);
    if (mod_add_text(session, piece, size)) {
        session->phase = MOD_ENDING;
    } else if (session->token_count == session->token_max) {
        session->reason = "length";
        mod_end_text(session);
        session->phase = MOD_ENDING;
    }
}

static void advance(struct mod_worker *worker, struct batch *batch, uint8_t *piece)
{
    for (uint32_t i = 0; i < batch->count; i++) {
        if (batch->items[i].wants_logits) {
            const uint32_t index = batch->sessions[i];
            take(worker, &worker->sessions[index], batch->tokens[index], piece);
        }
    }
}

bool mod_step(void *worker_state, struct cse_step *step)
{
    struct mod_worker *worker = worker_state;
    struct batch *batch;
    uint8_t *scratch;
    bool more = false;
    if (worker->session_count == 0) {
        return false;
    }
    batch = cse_step_scratch(step, sizeof *batch);
    scratch = cse_step_scratch(step, CSN_VOCAB_PIECE_MAX); /* a part fits as well */
    if (batch == NULL || scratch == NULL) {
        return false;
    }
    __builtin_memset(batch, 0, sizeof *batch);
    for (uint32_t i = 0; i < worker->slot_count; i++) {
        batch->able[i] = tend(worker, i, step, scratch);
    }
    fill(worker, batch);
    if (batch->count != 0) {
        if (csn_llm_eval(worker->llm, batch->items, batch->count) != CSN_OK) {
            cse_panic(MOD_PANIC_EVAL); /* our own bug: positions and tokens are ours */
        }
        draw(worker, batch);
        advance(worker, batch, scratch);
    }
    for (uint32_t i = 0; i < worker->slot_count; i++) {
        more = tend(worker, i, step, scratch) || more;
    }
    return more;
}
