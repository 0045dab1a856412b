/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tok_paths.c: the paths of all fields as one tree, level by level, so that the children of a node
 * are neighbours in the table.
 */
#include "tok_state.h"
#include <string.h>

struct level {
    const struct tok_source *source;
    struct tok_state *state;
    uint32_t depth;
    uint16_t now[CSN_WIRE_POLICY_FIELD_MAX];  /* node that each field has reached */
    uint16_t next[CSN_WIRE_POLICY_FIELD_MAX]; /* node that it reaches with this level's step */
};

static const struct csn_wire_step *step_of(const struct level *level, uint32_t field)
{
    const struct csn_wire_field *wire = &level->source->fields[field];
    if (level->depth >= wire->path_count) {
        return NULL;
    }
    return &level->source->steps[wire->path_first + level->depth];
}

static bool add_node(struct tok_state *state, const struct csn_wire_step *step, uint16_t *index)
{
    if (state->node_count == TOK_NODE_MAX) {
        return false;
    }
    *index = (uint16_t)state->node_count++;
    state->nodes[*index] = (struct tok_node){
        .name = {step->name.offset, step->name.size}, .every = TOK_NONE, .field = TOK_NONE};
    state->hashes[*index] =
        csn_json_hash(state->seed, state->text + step->name.offset, step->name.size);
    return true;
}

static uint16_t find_child(const struct tok_state *state, const struct tok_node *parent,
                           const struct csn_wire_step *step)
{
    for (uint32_t i = parent->first; i < (uint32_t)parent->first + parent->count; i++) {
        const struct tok_name *name = &state->nodes[i].name;
        if (name->size == step->name.size &&
            memcmp(state->text + name->offset, state->text + step->name.offset, name->size) == 0) {
            return (uint16_t)i;
        }
    }
    return TOK_NONE;
}

/* All children of one node: the named ones first, then the `[*]` one. */
static bool add_children(struct level *level, uint16_t parent_index)
{
    struct tok_state *state = level->state;
    struct tok_node *parent = &state->nodes[parent_index];
    parent->first = (uint16_t)state->node_count;
    for (uint32_t pass = 0; pass < 2; pass++) {
        for (uint32_t i = 0; i < state->field_count; i++) {
            const struct csn_wire_step *step = step_of(level, i);
            bool named = step != NULL && step->kind == CSN_WIRE_STEP_NAME;
            if (step == NULL || level->now[i] != parent_index || named != (pass == 0)) {
                continue;
            }
            uint16_t child = named ? find_child(state, parent, step) : parent->every;
            if (child == TOK_NONE) {
                if (!add_node(state, step, &child)) {
                    return false;
                }
                parent->count += named;
                parent->every = named ? parent->every : child;
            }
            level->next[i] = child;
        }
    }
    return true;
}

/* Puts fields onto the nodes at which their paths end. */
static bool end_paths(struct level *level)
{
    for (uint32_t i = 0; i < level->state->field_count; i++) {
        if (level->source->fields[i].path_count == level->depth + 1) {
            struct tok_node *node = &level->state->nodes[level->next[i]];
            if (node->field != TOK_NONE) {
                return false;
            }
            node->field = (uint16_t)i;
            node->action = level->source->fields[i].action;
        }
    }
    return true;
}

static bool paths_are_well_formed(const struct tok_source *source)
{
    for (uint32_t i = 0; i < source->head.step_count; i++) {
        const struct csn_wire_step *step = &source->steps[i];
        bool every = step->kind == CSN_WIRE_STEP_EVERY;
        if ((!every && step->kind != CSN_WIRE_STEP_NAME) || step->reserved != 0 ||
            !tok_span_fits(source, &step->name, 0, every ? 0 : CSN_WIRE_POLICY_PATH_SIZE)) {
            return false;
        }
    }
    for (uint32_t i = 0; i < source->head.field_count; i++) {
        const struct csn_wire_field *field = &source->fields[i];
        if (field->path_count < 1 || field->path_count > CSN_WIRE_POLICY_PATH_STEPS ||
            (uint32_t)field->path_first + field->path_count > source->head.step_count) {
            return false;
        }
    }
    return true;
}

csn_err tok_build_paths(struct tok_state *state, const struct tok_source *source)
{
    struct level level = {.source = source, .state = state};
    uint32_t begin = 0;
    if (!paths_are_well_formed(source)) {
        return CSN_ERR_POLICY;
    }
    state->nodes[0] = (struct tok_node){.every = TOK_NONE, .field = TOK_NONE};
    state->node_count = 1;
    for (; level.depth < CSN_WIRE_POLICY_PATH_STEPS; level.depth++) {
        uint32_t end = state->node_count;
        for (uint32_t node = begin; node < end; node++) {
            if (!add_children(&level, (uint16_t)node)) {
                return CSN_ERR_POLICY;
            }
        }
        if (!end_paths(&level)) {
            return CSN_ERR_POLICY;
        }
        begin = end;
        memcpy(level.now, level.next, sizeof level.now);
    }
    for (uint32_t i = 0; i < state->node_count; i++) {
        const struct tok_node *node = &state->nodes[i];
        if (node->field != TOK_NONE && (node->count > 0 || node->every != TOK_NONE)) {
            return CSN_ERR_POLICY; /* a path below a field's own path */
        }
    }
    return CSN_OK;
}
