/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mod_state.h: what the model enclave keeps, and what its files share.
 *
 * Trust:    requests are a tenant's and may be anything; models are what their digests say, checked
 *           when they are opened. A session belongs to one tenant and is wiped when it ends.
 * Threads:  one worker.
 */
#ifndef MOD_STATE_H
#define MOD_STATE_H

#include "core/bytes.h"
#include "llm/llm.h"
#include "mod_sizes.h"
#include "trees/trees.h"
#include "vocab/sample.h"
#include "vocab/stop.h"
#include "vocab/vocab.h"
#include "json/json.h"
#include <caisson/enclave.h>
#include <caisson/wire/model.h>

#define MOD_PANIC_EVAL 1u /* an evaluation was refused */

/* One of the models, to a tenant: its policy names it, its grant brought the key. */
struct mod_right {
    bool is_named;
    bool has_key;
};

/* The tenant's, built from its grant. */
struct mod_tenant {
    uint32_t ready; /* 1: there was a policy */
    uint32_t session_max;
    uint32_t token_max;
    struct mod_right language;
    struct mod_right trees;
};

/* What talk is written as, for a model to go on with. */
enum mod_talk {
    MOD_TALK_PLAIN, /* "user: ...\nassistant:" */
    MOD_TALK_CHATML,
    MOD_TALK_LLAMA3,
};

enum mod_phase {
    MOD_FREE,
    MOD_READING, /* its prompt */
    MOD_WRITING, /* its answer */
    MOD_ENDING,  /* no more tokens; what is written still has to leave */
};

struct mod_session {
    enum mod_phase phase;
    bool is_talk;
    bool is_stream;
    bool wants_usage;
    bool began;         /* a first part has left */
    bool owes;          /* a part, for the last token */
    uint8_t tenant[32]; /* whose it is */
    uint64_t id;
    uint64_t arrived; /* sessions that began before it */
    uint32_t prompt_count;
    uint32_t read_count; /* tokens that the model has seen */
    uint32_t token_max;
    uint32_t token_count; /* of the answer */
    uint32_t token;       /* the last one drawn, not yet seen by the model */
    uint32_t answer_max;  /* bytes of text that fit into an answer in one piece, escaped */
    uint32_t escaped;     /* of these taken */
    const char *reason;   /* why it ended */
    struct csn_sample_options sample;
    struct csn_stop stop;
    uint32_t text_size;
    uint8_t text[MOD_TEXT_MAX]; /* UTF-8, not yet sent */
    uint32_t prompt[MOD_POSITION_MAX];
};

/* A file that was loaded, for good. */
struct mod_loaded {
    bool ready;
    bool shared;
    uint8_t digest[32];
    uint8_t key_hash[32]; /* SHA-256 of the key */
};

struct mod_worker {
    struct mod_loaded language;
    struct mod_loaded trees;
    struct csn_llm_model model;
    struct csn_vocab vocab;
    struct csn_trees forest;
    struct csn_llm *llm;
    uint32_t *weights; /* for drawing: one per token of the vocabulary */
    float *forest_scratch;
    uint32_t slot_count;
    uint32_t position_max;
    uint32_t turn; /* whose it is to go first */
    uint64_t sessions_begun;
    enum mod_talk talk;
    uint32_t talk_marks[3]; /* the control tokens that talk is made of */
    uint32_t name_size;
    uint8_t name[MOD_NAME_MAX];
    uint32_t session_count; /* not free */
    struct mod_session sessions[MOD_SESSION_MAX];
};

/* The worker's memory: the struct, then these, one behind the other. */
#define MOD_ROUND(size)    (((uint64_t)(size) + 4095u) / 4096u * 4096u)
#define MOD_WEIGHTS_SIZE   (UINT64_C(1048576) * MOD_WEIGHTS_MIB)
#define MOD_CONTEXT_SIZE   (UINT64_C(1048576) * MOD_CONTEXT_MIB)
#define MOD_TREES_SIZE     (UINT64_C(1048576) * MOD_TREES_MIB)
#define MOD_WEIGHTS_OFFSET MOD_ROUND(sizeof(struct mod_worker))
#define MOD_CONTEXT_OFFSET (MOD_WEIGHTS_OFFSET + MOD_WEIGHTS_SIZE)
#define MOD_TREES_OFFSET   (MOD_CONTEXT_OFFSET + MOD_CONTEXT_SIZE)
#define MOD_WORKER_SIZE    (MOD_TREES_OFFSET + MOD_TREES_SIZE)

static inline uint8_t *mod_area(struct mod_worker *worker, uint64_t offset)
{
    return (uint8_t *)worker + offset;
}

/* ---- mod_grant.c ---- */
csn_err mod_grant(void *state, const struct cse_grant_view *grant);
/* Now: an owner may have stopped to share since the tenant's grant. */
bool mod_may(const struct mod_tenant *tenant, const struct mod_right *right,
             const struct mod_loaded *loaded);

/* ---- mod_open.c: from bytes to models; false: no model of ours, or too large ---- */
bool mod_open_language(struct mod_worker *worker, uint64_t size, uint64_t features);
bool mod_open_trees(struct mod_worker *worker, uint64_t size);

/* ---- mod_request.c ---- */
struct mod_request {
    const uint8_t *text; /* JSON */
    const struct csn_json_node *nodes;
    uint32_t prompt; /* node: a string, or the list of messages */
    bool is_stream;
    bool wants_usage;
    bool has_seed;
    uint32_t token_max; /* 0: not said */
    struct csn_sample_options sample;
    struct csn_stop stop;
};
/* The tables that a scan needs come from scratch. */
cse_status mod_scan(struct cse_call *call, const uint8_t *text, uint32_t size,
                    struct csn_json *json);
cse_status mod_read_request(struct cse_call *call, const struct csn_json *json, bool is_talk,
                            struct mod_request *request);
/* A number as JSON has it. */
double mod_number(const uint8_t *text, uint32_t size);

/* ---- mod_prompt.c: a prompt's tokens into session->prompt ---- */
cse_status mod_prompt(struct cse_call *call, struct mod_worker *worker,
                      const struct mod_request *request, bool is_talk, struct mod_session *session);

/* ---- mod_run.c: all sessions, a batch at a time ---- */
bool mod_step(void *worker_state, struct cse_step *step);
void mod_dropped(void *worker_state, uint32_t index);
/* Wipes a session and what the model holds of it. */
void mod_forget(struct mod_worker *worker, struct mod_session *session);

/* ---- mod_answer.c ---- */
/* One more token's bytes; true: the answer ends with it. */
bool mod_add_text(struct mod_session *session, const uint8_t *bytes, uint32_t size);
/* Nothing more comes: what was held back for a stop string is text after all. */
void mod_end_text(struct mod_session *session);
/* Bytes of an answer in one piece, but for its text. */
#define MOD_ANSWER_FRAME 512u
/* All of it; the text may be what fits. Returns its size. */
uint32_t mod_write_whole(const struct mod_worker *worker, const struct mod_session *session,
                         uint8_t *bytes, uint32_t room);
/* A part of a stream, always MOD_PART_SIZE bytes; takes from the session what it has sent. */
void mod_write_part(const struct mod_worker *worker, struct mod_session *session,
                    uint8_t bytes[MOD_PART_SIZE]);
/* The end of a stream, always MOD_LAST_SIZE bytes. */
void mod_write_last(const struct mod_worker *worker, const struct mod_session *session,
                    uint8_t bytes[MOD_LAST_SIZE]);
/* The list of models: the language model, or none. */
uint32_t mod_write_models(const struct mod_worker *worker, bool has_language, uint8_t *bytes,
                          uint32_t room);

/* ---- mod_writer.c: JSON that is written; what does not fit is counted and not written ---- */
struct mod_writer {
    uint8_t *bytes;
    uint32_t room;
    uint32_t size;
};
void mod_put(struct mod_writer *writer, const char *text);
void mod_put_bytes(struct mod_writer *writer, const uint8_t *bytes, uint32_t size);
void mod_put_escaped(struct mod_writer *writer, const uint8_t *text, uint32_t size);
void mod_put_number(struct mod_writer *writer, uint64_t number);
void mod_put_hex(struct mod_writer *writer, const uint8_t *bytes, uint32_t size);
/* Nine significant digits. */
void mod_put_float(struct mod_writer *writer, float number);

/* ---- mod_score.c ---- */
cse_status mod_score(struct cse_call *call, const uint8_t *input, uint32_t input_size,
                     uint8_t *output, uint32_t output_size_max, uint32_t *output_size);

#endif
