/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tok_walk.c: walks a record's nodes along the policy's path tree and writes what is left
 * (docs/TOKENIZE.md section 2). An explicit stack as deep as JSON may be.
 */
#include "tok_state.h"

struct frame {
    uint32_t container; /* node */
    uint32_t child;     /* next node to look at, 0 = none left */
    uint32_t tail;      /* offset just after the last child */
    uint16_t step;      /* node of the path tree */
    uint16_t guess;     /* child of it that comes next, if records are ordered as policies are */
    bool any;           /* a child was written */
};

/* A piece of the record that is to be copied and was not yet: mostly it goes on with the next. */
struct run {
    uint32_t from;
    uint32_t to;
};

struct walk {
    struct tok_job *job;
    struct run run;
    uint32_t depth;
    struct frame frames[CSN_JSON_DEPTH_MAX];
};

static void flush(struct walk *walk)
{
    tok_put(&walk->job->out, walk->job->text + walk->run.from, walk->run.to - walk->run.from);
    walk->run.from = walk->run.to;
}

/* Everything else that is written must come after a flush(). */
static inline void keep(struct walk *walk, uint32_t from, uint32_t to)
{
    if (from != walk->run.to) {
        flush(walk);
        walk->run.from = from;
    }
    walk->run.to = to;
}

static inline bool is_step(const struct tok_job *job, uint32_t index,
                           const struct csn_json_node *node)
{
    return job->state->hashes[index] == node->name_hash &&
           tok_has_name(job, node, &job->state->nodes[index].name);
}

/* The step for a member below the frame's, by its name, or TOK_NONE. */
static uint16_t search_step(const struct tok_job *job, struct frame *frame,
                            const struct csn_json_node *node)
{
    const struct tok_node *parent = &job->state->nodes[frame->step];
    const uint32_t end = (uint32_t)parent->first + parent->count;
    uint32_t found = frame->guess;
    if (found >= end || !is_step(job, found, node)) {
        found = parent->first;
        while (found < end && !is_step(job, found, node)) {
            found++;
        }
        if (found == end) {
            return TOK_NONE;
        }
    }
    frame->guess = (uint16_t)(found + 1);
    return (uint16_t)found;
}

/* The step for a member or element below the frame's, or TOK_NONE. */
static inline uint16_t find_step(const struct tok_job *job, struct frame *frame,
                                 const struct csn_json_node *node)
{
    if ((node->flags & CSN_JSON_NAMED) == 0) {
        return job->state->nodes[frame->step].every;
    }
    if (node->guess == 0) {
        return search_step(job, frame, node);
    }
    /* The step follows from the one above and the name, which was the same in a record before. */
    struct csn_json_guess *guess = &job->queue->shape.guesses[node->guess - 1];
    if (guess->place != frame->step) {
        guess->found = search_step(job, frame, node);
        guess->place = frame->step;
    }
    return guess->found;
}

/* These return false if the value is dropped. */
static bool apply_default(struct tok_job *job, const struct csn_json_node *node)
{
    if (job->reveal || job->state->default_action == CSN_WIRE_ACTION_KEEP) {
        tok_put_source(job, node);
        return true;
    }
    if (job->state->default_action == CSN_WIRE_ACTION_REDACT) {
        tok_put_redacted(job);
        return true;
    }
    return false;
}

static bool apply_field(struct tok_job *job, uint16_t index, uint32_t node)
{
    struct tok_field *field = &job->state->fields[index];
    if (!job->reveal) {
        return tok_apply(job, field, node);
    }
    if ((job->field_mask & job->state->reveal_mask & UINT64_C(1) << index) == 0) {
        tok_put_source(job, &job->nodes[node]);
    } else {
        tok_reveal(job, field, &job->nodes[node]);
    }
    return true;
}

/* A value that is not descended into. */
static bool apply_value(struct tok_job *job, uint16_t step, uint32_t index)
{
    if (step == TOK_NONE || job->state->nodes[step].field == TOK_NONE) {
        return apply_default(job, &job->nodes[index]);
    }
    return apply_field(job, job->state->nodes[step].field, index);
}

/* True if the policy goes on below this value. */
static bool descends(const struct tok_job *job, uint16_t step, const struct csn_json_node *node)
{
    if (step == TOK_NONE || job->state->nodes[step].field != TOK_NONE) {
        return false;
    }
    return node->kind == CSN_JSON_OBJECT ||
           (node->kind == CSN_JSON_ARRAY && job->state->nodes[step].every != TOK_NONE);
}

static void enter(struct walk *walk, uint16_t step, uint32_t container)
{
    const struct csn_json_node *node = &walk->job->nodes[container];
    walk->frames[walk->depth++] =
        (struct frame){.container = container,
                       .child = csn_json_child(walk->job->nodes, container),
                       .tail = node->begin + 1,
                       .step = step,
                       .guess = walk->job->state->nodes[step].first};
    keep(walk, node->begin, node->begin + 1);
}

/* What is done with a value whatever it is: dropped, kept; 0: something else. */
static inline uint8_t plain_action(const struct tok_job *job, uint16_t step)
{
    if (job->reveal) {
        return 0;
    }
    return step == TOK_NONE ? (uint8_t)job->state->default_action : job->state->nodes[step].action;
}

static void walk_child(struct walk *walk)
{
    struct tok_job *job = walk->job;
    struct frame *frame = &walk->frames[walk->depth - 1];
    uint32_t index = frame->child;
    const struct csn_json_node *node = &job->nodes[index];
    uint16_t step = find_step(job, frame, node);
    frame->child = node->next;
    frame->tail = node->end;
    const uint8_t action = plain_action(job, step);
    if (action == CSN_WIRE_ACTION_DROP) {
        return;
    }
    /* With the comma before it, which the first one that is written has to do without. */
    const uint32_t from = node->item - frame->any;
    if (action == CSN_WIRE_ACTION_KEEP) {
        keep(walk, from, node->end);
        frame->any = true;
        return;
    }
    const struct tok_writer before = job->out;
    const struct run run = walk->run;
    keep(walk, from, node->begin);
    if (descends(job, step, node)) {
        frame->any = true;
        enter(walk, step, index);
        return;
    }
    flush(walk);
    if (apply_value(job, step, index)) {
        frame->any = true;
        walk->run = (struct run){.from = node->end, .to = node->end};
    } else {
        job->out = before;
        walk->run = run;
    }
}

/* Behind the last member of the root, before what white space the source has there. */
static void put_score(struct walk *walk)
{
    const struct frame *frame = &walk->frames[0];
    if (!walk->job->reveal && walk->job->state->score.feature_count != 0 &&
        walk->job->nodes[frame->container].kind == CSN_JSON_OBJECT) {
        flush(walk);
        tok_put_score(walk->job, !frame->any);
    }
}

static void walk_text(struct tok_job *job, uint32_t root)
{
    struct walk walk; /* frames are written when they are entered */
    const struct csn_json_node *node = &job->nodes[root];
    job->root = root;
    walk.job = job;
    walk.run = (struct run){.from = node->begin, .to = node->begin};
    walk.depth = 0;
    if (!descends(job, 0, node)) {
        if (!apply_value(job, 0, root)) {
            tok_put(&job->out, "null", 4);
        }
        return;
    }
    enter(&walk, 0, root);
    while (walk.depth > 0 && !job->out.full && job->status == CSN_WIRE_STATUS_OK) {
        const struct frame *frame = &walk.frames[walk.depth - 1];
        if (frame->child != 0) {
            walk_child(&walk);
            continue;
        }
        if (walk.depth == 1) {
            put_score(&walk);
        }
        keep(&walk, frame->tail, job->nodes[frame->container].end);
        walk.depth--;
    }
    flush(&walk);
}

void tok_write_record(struct tok_job *job)
{
    uint32_t from = 0;
    uint32_t root = 0;
    do {
        const struct csn_json_node *node = &job->nodes[root];
        tok_put(&job->out, job->text + from, node->begin - from);
        walk_text(job, root);
        from = node->end;
        root = node->next;
    } while (root != 0);
    tok_put(&job->out, job->text + from, job->size - from);
    if (job->out.full) {
        tok_fail(job, CSN_WIRE_STATUS_TOO_LARGE);
    }
}
