/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tok_walk.c: walks a record's nodes along the policy's path tree and writes what is left
 * (docs/TOKENIZE.md section 2). An explicit stack as deep as JSON may be.
 */
#include "tok_state.h"
#include <string.h>

struct frame {
    uint32_t container; /* node */
    uint32_t child;     /* next node to look at, 0 = none left */
    uint32_t tail;      /* offset just after the last child */
    uint16_t step;      /* node of the path tree */
    uint16_t guess;     /* child of it that comes next, if records are ordered as policies are */
    bool any;           /* a child was written */
};

struct walk {
    struct tok_job *job;
    uint32_t depth;
    struct frame frames[CSN_JSON_DEPTH_MAX];
};

enum verdict {
    KEPT,
    DROPPED,
    DESCEND,
};

/* Names are short: two loads that overlap, and no call. */
static inline bool same_bytes(const uint8_t *left, const uint8_t *right, uint32_t size)
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

static bool is_step(const struct tok_job *job, uint32_t index, const struct csn_json_node *node)
{
    const struct tok_name *name = &job->state->nodes[index].name;
    const uint8_t *wanted = job->state->text + name->offset;
    const uint8_t *written = job->text + node->name;
    if (job->state->hashes[index] != node->name_hash) {
        return false;
    }
    if ((node->flags & CSN_JSON_NAME_ESCAPED) != 0) {
        return csn_json_equal(written, node->name_size, wanted, name->size);
    }
    return node->name_size == name->size && same_bytes(written, wanted, name->size);
}

/* The step for a member or element below the frame's, or TOK_NONE. */
static uint16_t find_step(const struct tok_job *job, struct frame *frame,
                          const struct csn_json_node *node)
{
    const struct tok_node *parent = &job->state->nodes[frame->step];
    const uint32_t end = (uint32_t)parent->first + parent->count;
    if ((node->flags & CSN_JSON_NAMED) == 0) {
        return parent->every;
    }
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

static enum verdict apply_default(struct tok_job *job, const struct csn_json_node *node)
{
    if (job->reveal || job->state->default_action == CSN_WIRE_ACTION_KEEP) {
        tok_put_source(job, node);
        return KEPT;
    }
    if (job->state->default_action == CSN_WIRE_ACTION_REDACT) {
        tok_put_redacted(job);
        return KEPT;
    }
    return DROPPED;
}

static enum verdict apply_field(struct tok_job *job, uint16_t index, uint32_t node)
{
    struct tok_field *field = &job->state->fields[index];
    if (!job->reveal) {
        return tok_apply(job, field, node) ? KEPT : DROPPED;
    }
    if ((job->field_mask & job->state->reveal_mask & UINT64_C(1) << index) == 0) {
        tok_put_source(job, &job->nodes[node]);
    } else {
        tok_reveal(job, field, &job->nodes[node]);
    }
    return KEPT;
}

static enum verdict apply_value(struct tok_job *job, uint16_t step, uint32_t index)
{
    const struct csn_json_node *node = &job->nodes[index];
    if (step == TOK_NONE) {
        return apply_default(job, node);
    }
    const struct tok_node *at = &job->state->nodes[step];
    if (at->field != TOK_NONE) {
        return apply_field(job, at->field, index);
    }
    if (node->kind == CSN_JSON_OBJECT || (node->kind == CSN_JSON_ARRAY && at->every != TOK_NONE)) {
        return DESCEND;
    }
    return apply_default(job, node);
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
    tok_put(&walk->job->out, walk->job->text + node->begin, 1);
}

/* True if the value will certainly leave nothing, so that nothing needs to be written. */
static bool is_dropped(const struct tok_job *job, uint16_t step)
{
    return step == TOK_NONE && !job->reveal && job->state->default_action == CSN_WIRE_ACTION_DROP;
}

/* True if the value stays as it is, so that it can be copied with its name. */
static bool is_kept(const struct tok_job *job, uint16_t step)
{
    if (step == TOK_NONE || job->reveal || job->state->nodes[step].field == TOK_NONE) {
        return false;
    }
    return job->state->fields[job->state->nodes[step].field].action == CSN_WIRE_ACTION_KEEP;
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
    if (is_dropped(job, step)) {
        return;
    }
    struct tok_writer before = job->out;
    /* With the comma before it, which the first one that is written has to do without. */
    const uint32_t from = node->item - frame->any;
    if (is_kept(job, step)) {
        tok_put(&job->out, job->text + from, node->end - from);
        frame->any = true;
        return;
    }
    tok_put(&job->out, job->text + from, node->begin - from);
    switch (apply_value(job, step, index)) {
    case KEPT:
        frame->any = true;
        break;
    case DROPPED:
        job->out = before;
        break;
    case DESCEND:
        frame->any = true;
        enter(walk, step, index);
        break;
    }
}

static void walk_text(struct tok_job *job, uint32_t root)
{
    struct walk walk; /* frames are written when they are entered */
    const struct csn_json_node *node = &job->nodes[root];
    job->root = root;
    walk.job = job;
    walk.depth = 0;
    switch (apply_value(job, 0, root)) {
    case KEPT:
        return;
    case DROPPED:
        tok_put(&job->out, "null", 4);
        return;
    case DESCEND:
        break;
    }
    enter(&walk, 0, root);
    while (walk.depth > 0 && !job->out.full && job->status == CSN_WIRE_STATUS_OK) {
        const struct frame *frame = &walk.frames[walk.depth - 1];
        if (frame->child != 0) {
            walk_child(&walk);
            continue;
        }
        node = &job->nodes[frame->container];
        tok_put(&job->out, job->text + frame->tail, node->end - frame->tail);
        walk.depth--;
    }
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
