/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tok_state.h: what the grant hook builds from a tenant's policy, and what a record in the making
 * is. Shared by the files of this folder.
 *
 * Trust:    state belongs to one tenant; its keys never leave it. Records are the tenant's, any
 *           bytes. Constant time: keys and FPE numerals. Not constant time, by design: lengths,
 *           JSON structure, which characters of a value are separators, and free text detection,
 *           whose branches follow the text.
 * Threads:  one worker.
 */
#ifndef TOK_STATE_H
#define TOK_STATE_H

#include "core/bytes.h"
#include "crypto/aes.h"
#include "crypto/ff1.h"
#include "crypto/sha2.h"
#include "trees/trees.h"
#include "json/json.h"
#include <caisson/enclave.h>
#include <caisson/wire/policy.h>
#include <string.h>

#define TOK_SYMBOL_MAX  256u /* symbols of one fpe value */
#define TOK_PREFIX_SIZE 16u
#define TOK_TWEAK_SIZE  8u
#define TOK_NONE        0xffffu
#define TOK_MODEL_MAX   0x40000u /* bytes of a tenant's packed model */
#define TOK_NODE_MAX    (1u + CSN_WIRE_POLICY_FIELD_MAX * CSN_WIRE_POLICY_PATH_STEPS)

/* Key uses (docs/TOKENIZE.md section 3). */
enum tok_use {
    TOK_USE_FPE = 1,
    TOK_USE_TOKEN = 2,
    TOK_USE_HASH = 3,
    TOK_USE_SHIFT = 4,
};

/* Neighbouring characters with neighbouring numerals: mapping is arithmetic, not a table. */
struct tok_run {
    uint8_t low;   /* first character */
    uint8_t count; /* characters */
    uint8_t first; /* numeral of low */
};

struct tok_alphabet {
    uint32_t radix;
    uint32_t run_count;
    bool escapes; /* a character of it is written as an escape in JSON */
    struct tok_run runs[CSN_WIRE_POLICY_ALPHABET_MAX];
};

/* Where a name lies in tok_state.text. */
struct tok_name {
    uint32_t offset;
    uint32_t size;
};

struct tok_field {
    struct csn_aes_key aes;       /* fpe */
    struct csn_hmac_key mac;      /* token (also of fpe and detect), hash or shift */
    struct csn_sha256 tweak;      /* fpe: the hash before the kept symbols */
    uint8_t plain_tweak[8];       /* fpe: of a value with nothing kept */
    struct csn_ff1_plan plans[2]; /* fpe: of the even and the odd count seen last; 0: none yet */
    struct tok_alphabet alphabet;
    uint8_t action;
    uint8_t short_action;
    uint8_t then;
    uint8_t kinds;
    uint8_t luhn;
    uint8_t keep_first;
    uint8_t keep_last;
    uint8_t with;
    uint8_t token_size;
    uint8_t prefix_size;
    uint8_t prefix[TOK_PREFIX_SIZE];
    uint16_t days;
    uint16_t subject_count;
    struct tok_name subject[CSN_WIRE_POLICY_PATH_STEPS];
    uint32_t subject_hash[CSN_WIRE_POLICY_PATH_STEPS];
    uint32_t consumer; /* encrypt: index in the grant */
    uint64_t place;    /* encrypt: from the path; where a sealed value may go back to */
    bool opens;        /* encrypt: the grant has the consumer's secret key */
};

/* One step of the path tree. Named children are neighbours. */
struct tok_node {
    struct tok_name name;
    uint16_t first; /* named children: first..first + count */
    uint16_t count;
    uint16_t every; /* the `[*]` child or TOK_NONE */
    uint16_t field; /* index or TOK_NONE */
    uint8_t action; /* the field's */
};

/* A name with its hash: one step of a feature's path, or a category. */
struct tok_step {
    struct tok_name name;
    uint32_t hash;
};

struct tok_feature {
    uint16_t step_first;
    uint16_t step_count;
    uint16_t shared; /* steps that are those of the feature before */
    uint16_t category_first;
    uint16_t category_count; /* 0: a number */
};

/* A model's packed image is in the tenant's own memory. */
struct tok_score {
    uint32_t feature_count; /* 0: no score */
    uint32_t output;
    struct tok_name name;
    struct csn_trees model;
    struct tok_feature features[CSN_WIRE_POLICY_FEATURE_MAX];
    struct tok_step steps[CSN_WIRE_POLICY_FEATURE_STEP_MAX];
    struct tok_step categories[CSN_WIRE_POLICY_CATEGORY_MAX];
    _Alignas(64) uint8_t image[TOK_MODEL_MAX];
};

struct tok_state {
    uint32_t ready; /* 1 once a policy was built */
    uint32_t default_action;
    uint32_t field_count;
    uint32_t node_count;
    uint64_t seed;        /* of name hashes; secret, so that nobody can choose names that collide */
    uint64_t reveal_mask; /* fields that can be detokenized */
    uint32_t hashes[TOK_NODE_MAX];
    struct tok_node nodes[TOK_NODE_MAX];
    struct tok_field fields[CSN_WIRE_POLICY_FIELD_MAX];
    uint8_t text[CSN_WIRE_POLICY_SIZE_MAX];
    struct tok_score score;
};

/* Output that stops when it is full; what was written stays where it is. */
struct tok_writer {
    uint8_t *bytes;
    uint32_t size;
    uint32_t max;
    bool full;
};

struct tok_job {
    struct cse_call *call;
    struct tok_queue *queue;
    struct tok_state *state; /* constant but for the plans */
    const uint8_t *text;
    uint32_t size;
    const struct csn_json_node *nodes;
    uint32_t root; /* node of the text that is being written */
    bool reveal;   /* operation 2 */
    uint64_t field_mask;
    uint64_t revealed; /* values, each to be paid for */
    float *row;        /* of a score; taken when first needed */
    uint8_t *rooms[2]; /* for decoded strings, the record's size each; taken when first needed */
    cse_status status; /* the first failure */
    struct tok_writer out;
};

/* Value bytes V. */
struct tok_value {
    const uint8_t *bytes;
    uint32_t size;
    uint8_t type; /* 's' or 'n' */
};

/* ---- tok_policy.c, tok_paths.c, tok_keys.c: the grant hook ---- */
csn_err tok_grant(void *state, const struct cse_grant_view *grant);

/* The parts of a policy whose table sizes were checked. */
struct tok_source {
    struct csn_wire_policy head;
    const struct csn_wire_domain *domains;
    const struct csn_wire_field *fields;
    const struct csn_wire_step *steps;
    const struct csn_wire_score *score; /* these three only with features */
    const struct csn_wire_feature *features;
    const struct csn_wire_span *categories;
    const uint8_t *text;
    const struct cse_grant_view *grant;
};
CSN_MUST_USE csn_err tok_build_paths(struct tok_state *state, const struct tok_source *source);
CSN_MUST_USE csn_err tok_build_field(struct tok_state *state, const struct tok_source *source,
                                     uint32_t index);
bool tok_span_fits(const struct tok_source *source, const struct csn_wire_span *span,
                   uint32_t size_min, uint32_t size_max);

/* Loads and checks the model, behind everything else of the policy. */
CSN_MUST_USE csn_err tok_build_score(struct tok_state *state, const struct tok_source *source);

/* ---- tok_walk.c ---- */
void tok_write_record(struct tok_job *job);

/* ---- tok_apply.c ---- */
/* False: the member or element is dropped; what was written is to be taken back. */
bool tok_apply(struct tok_job *job, struct tok_field *field, uint32_t node);
/* room: which of the two decoded strings it may take the place of. */
#define TOK_ROOM_VALUE   0u
#define TOK_ROOM_SUBJECT 1u
void tok_value_of(struct tok_job *job, const struct csn_json_node *node, uint32_t room,
                  struct tok_value *value);
void tok_put_redacted(struct tok_job *job);
void tok_put_source(struct tok_job *job, const struct csn_json_node *node);
void tok_fail(struct tok_job *job, cse_status status);

/* ---- one action each ---- */
void tok_put_mask(struct tok_writer *out, const struct tok_value *value, uint32_t keep_first,
                  uint32_t keep_last, uint8_t with);
struct tok_form {
    const uint8_t *prefix; /* TOK_PREFIX_SIZE bytes, of which prefix_size count */
    uint32_t prefix_size;
    uint32_t size; /* bytes of T */
    uint32_t keep_first;
    uint32_t keep_last;
};
/* Tokens and hashes need no escapes. Their digits come with the batch. The token is without quotes.
 */
void tok_put_token(struct tok_job *job, const struct csn_hmac_key *key,
                   const struct tok_value *value, const struct tok_form *form);
void tok_put_hash(struct tok_job *job, const struct csn_hmac_key *key,
                  const struct tok_value *value);
/* False: the value is unfit and nothing was written. Forwards the symbols come with the batch. */
bool tok_put_fpe(struct tok_job *job, struct tok_field *field, const struct tok_value *value,
                 bool inverse);
/* False: not a date that can be moved; nothing was written. */
bool tok_put_shift(struct tok_job *job, const struct tok_field *field,
                   const struct tok_value *value);
void tok_put_detect(struct tok_job *job, const struct tok_field *field,
                    const struct csn_json_node *node);
void tok_put_sealed(struct tok_job *job, const struct tok_field *field,
                    const struct csn_json_node *node);
/* Operation 2 on a field whose bit is set. */
void tok_reveal(struct tok_job *job, struct tok_field *field, const struct csn_json_node *node);

/* ---- tok_score.c, tok_number.c ---- */
/* The member with the score of the text that is being written, behind a comma if it is not first.
 */
void tok_put_score(struct tok_job *job, bool is_first);
/* False: not a number as JSON writes one; *number is untouched. Beyond a float it is infinite. */
bool tok_read_number(const uint8_t *bytes, uint32_t size, float *number);
/* Six decimals, rounded half away from zero; null where it is not below 1e12. */
void tok_put_number(struct tok_writer *out, float number);

/* ---- tok_luhn.c ---- */
/* numerals 0..9; all N satisfy the check. */
bool tok_luhn_holds(const uint16_t *numerals, uint32_t count);
/* The one digit for position at (its present value is ignored) with which the check holds. */
uint16_t tok_luhn_digit(const uint16_t *numerals, uint32_t count, uint32_t at);

/* ---- tok_symbols.c ---- */
/* The runs of an alphabet. False: a character twice, or not printable ASCII. */
bool tok_alphabet_build(struct tok_alphabet *alphabet, const uint8_t *characters, uint32_t count);
uint16_t tok_numeral_of_runs(const struct tok_alphabet *alphabet, uint8_t character);
uint8_t tok_character_of_runs(const struct tok_alphabet *alphabet, uint16_t numeral);

/* All ones if left < right, both below 2^31. */
static inline uint32_t tok_below(uint32_t left, uint32_t right)
{
    return 0 - ((left - right) >> 31);
}

/* Numeral of a character, or TOK_NONE; constant time in the character. Digits are one run. */
static inline uint16_t tok_numeral(const struct tok_alphabet *alphabet, uint8_t character)
{
    if (alphabet->run_count != 1) {
        return tok_numeral_of_runs(alphabet, character);
    }
    uint32_t distance = ((uint32_t)character - alphabet->runs[0].low) & 0xffff;
    return (uint16_t)(distance | ~tok_below(distance, alphabet->radix)); /* none: all ones */
}

static inline uint8_t tok_character(const struct tok_alphabet *alphabet, uint16_t numeral)
{
    return alphabet->run_count == 1 ? (uint8_t)(alphabet->runs[0].low + numeral)
                                    : tok_character_of_runs(alphabet, numeral);
}

/* ---- tok_queue.c: MACs and encryptions of a batch, done side by side ---- */
#define TOK_MAC_MAX     32u
#define TOK_FPE_MAX     16u
#define TOK_TAG_ROOM    48u  /* 32 bytes, read in pairs of 5 by loads of 8 */
#define TOK_MESSAGE_MAX 119u /* two blocks; longer ones are hashed at once */

struct tok_mac_job {
    uint8_t *target;
    uint32_t size;         /* bytes of the MAC that are written as base32; 0: all, as hex */
    uint32_t days;         /* not 0: a date is written, and these are for it */
    uint32_t day;          /* its number */
    uint32_t message_size; /* its subject and the counter */
    const struct csn_hmac_key *key; /* of its offset */
    uint8_t tag[TOK_TAG_ROOM];
    uint8_t message[TOK_MESSAGE_MAX];
};

#define TOK_COUNTER_SIZE 4u /* behind a subject */
#define TOK_DIGITS_MAX   16u

struct tok_fpe_job {
    const struct tok_field *field;
    uint8_t *target; /* the value's characters, symbols to be replaced */
    uint32_t size;
    uint32_t count; /* symbols */
    bool plain;     /* at most TOK_DIGITS_MAX digits and nothing else; zeros behind them */
    uint8_t tweak[TOK_TWEAK_SIZE];
    uint16_t numerals[TOK_SYMBOL_MAX];
};

/* cse_batch(). What a failed record put off is taken back: first.. are the present record's. */
struct tok_queue {
    uint32_t mac_count, mac_first;
    uint32_t fpe_count, fpe_first;
    const struct tok_state *shape_of; /* whose the shape is; NULL: nobody's */
    struct csn_json_shape shape;      /* of the records of this batch; it goes with them */
    struct csn_hmac_item mac_items[TOK_MAC_MAX];
    struct csn_ff1_item fpe_items[TOK_FPE_MAX];
    struct tok_mac_job macs[TOK_MAC_MAX];
    struct tok_fpe_job fpes[TOK_FPE_MAX];
};

void tok_queue_begin(struct tok_queue *queue);
void tok_queue_take_back(struct tok_queue *queue);
void tok_queue_run(struct tok_queue *queue); /* what waits; the records go on */
void tok_queue_complete(void *queue);
/* Characters of a MAC; size as in tok_mac_job. */
static inline uint32_t tok_mac_size(uint32_t size)
{
    return size == 0 ? 64 : (8 * size + 4) / 5;
}
/* LP(typed value) under key to target, where placeholders stand until the batch is done. */
void tok_queue_mac(struct tok_queue *queue, const struct csn_hmac_key *key,
                   const struct tok_value *value, uint8_t *target, uint32_t size);
/* The date of that number, moved by the subject's offset: far enough from the ends of time. False:
 * the subject is too long for the queue, and nothing was done. */
bool tok_queue_date(struct tok_queue *queue, const struct tok_field *field,
                    const struct tok_value *subject, uint8_t *target, uint32_t day);
/* When the MAC is there. */
void tok_shift_finish(const struct tok_mac_job *mac);
/* A copy of the job is put off, or the job is done at once. */
void tok_queue_fpe(struct tok_queue *queue, const struct tok_fpe_job *job,
                   const struct csn_ff1_plan *plan);
void tok_fpe_now(struct tok_fpe_job *job, const struct csn_ff1_plan *plan, bool inverse);

/* ---- names ---- */
/* Names are short: two loads that overlap, and no call. */
static inline bool tok_same_bytes(const uint8_t *left, const uint8_t *right, uint32_t size)
{
    if (size > 16 || size < 4) {
        return memcmp(left, right, size) == 0;
    }
    if (size >= 8) {
        return csn_load_u64(left) == csn_load_u64(right) &&
               csn_load_u64(left + size - 8) == csn_load_u64(right + size - 8);
    }
    return csn_load_u32(left) == csn_load_u32(right) &&
           csn_load_u32(left + size - 4) == csn_load_u32(right + size - 4);
}

/* True if the member, whose name has the right hash, has this name. */
static inline bool tok_has_name(const struct tok_job *job, const struct csn_json_node *member,
                                const struct tok_name *name)
{
    const uint8_t *wanted = job->state->text + name->offset;
    const uint8_t *written = job->text + member->name;
    if ((member->flags & CSN_JSON_NAME_ESCAPED) != 0) {
        return csn_json_equal(written, member->name_size, wanted, name->size);
    }
    return member->name_size == name->size && tok_same_bytes(written, wanted, name->size);
}

/* ---- output ---- */
/* Room for size bytes, NULL when the output is full; the caller fills it. */
static inline uint8_t *tok_take(struct tok_writer *out, uint32_t size)
{
    if (out->full || size > out->max - out->size) {
        out->full = true;
        return NULL;
    }
    out->size += size;
    return out->bytes + out->size - size;
}

static inline void tok_put(struct tok_writer *out, const void *bytes, uint32_t size)
{
    uint8_t *target = tok_take(out, size);
    if (target != NULL) {
        csn_copy(target, bytes, size);
    }
}

static inline void tok_put_byte(struct tok_writer *out, uint8_t byte)
{
    tok_put(out, &byte, 1);
}

/* The inside of a JSON string, with escapes. */
void tok_put_text(struct tok_writer *out, const uint8_t *bytes, uint32_t size);

#endif
