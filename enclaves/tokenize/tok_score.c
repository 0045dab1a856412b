/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tok_score.c: the score of a record by the tenant's model (docs/TOKENIZE.md section 7): loaded and
 * checked with the grant, asked for each text whose root is an object.
 *
 * Not constant time: which members are looked at follows from the record, which nodes of the trees
 * from the values.
 */
#include "core/bytes.h"
#include "tok_state.h"
#include "weights/weights_load.h"
#include <caisson/vouch.h>
#include <string.h>

/* ---- with the grant ---- */

static bool name_is_good(const uint8_t *name, uint32_t size)
{
    for (uint32_t i = 0; i < size; i++) {
        const bool good = (name[i] >= 'a' && name[i] <= 'z') ||
                          (name[i] >= 'A' && name[i] <= 'Z') ||
                          (name[i] >= '0' && name[i] <= '9') || name[i] == '_' || name[i] == '-';
        if (!good) {
            return false;
        }
    }
    return true;
}

/* Whatever has the score's name in a record must go: the answer would have it twice. */
static bool name_is_dropped(const struct tok_state *state)
{
    const struct tok_name *name = &state->score.name;
    const struct tok_node *root = &state->nodes[0];
    for (uint32_t i = root->first; i < (uint32_t)root->first + root->count; i++) {
        const struct tok_node *node = &state->nodes[i];
        if (node->name.size == name->size &&
            memcmp(state->text + node->name.offset, state->text + name->offset, name->size) == 0) {
            return node->field != TOK_NONE && node->action == CSN_WIRE_ACTION_DROP;
        }
    }
    return false;
}

static bool build_feature(struct tok_state *state, const struct tok_source *source, uint32_t index,
                          uint32_t *step_count)
{
    const struct csn_wire_feature *wire = &source->features[index];
    struct tok_score *score = &state->score;
    struct tok_feature *feature = &score->features[index];
    if (wire->path_count < 1 || wire->path_count > CSN_WIRE_POLICY_PATH_STEPS ||
        (uint32_t)wire->path_first + wire->path_count > source->head.step_count ||
        wire->path_count > CSN_WIRE_POLICY_FEATURE_STEP_MAX - *step_count ||
        (uint32_t)wire->category_first + wire->category_count > source->head.category_count ||
        (wire->category_count == 0 && wire->category_first != 0)) {
        return false;
    }
    *feature = (struct tok_feature){.step_first = (uint16_t)*step_count,
                                    .step_count = wire->path_count,
                                    .category_first = wire->category_first,
                                    .category_count = wire->category_count};
    for (uint32_t i = 0; i < wire->path_count; i++) {
        const struct csn_wire_step *step = &source->steps[wire->path_first + i];
        struct tok_step *own = &score->steps[(*step_count)++];
        if (step->kind != CSN_WIRE_STEP_NAME) {
            return false;
        }
        own->name = (struct tok_name){step->name.offset, step->name.size};
        own->hash = csn_json_hash(state->seed, state->text + step->name.offset, step->name.size);
    }
    return true;
}

static bool same_step(const struct tok_state *state, const struct tok_step *left,
                      const struct tok_step *right)
{
    return left->hash == right->hash && left->name.size == right->name.size &&
           memcmp(state->text + left->name.offset, state->text + right->name.offset,
                  left->name.size) == 0;
}

/* Steps that a feature has in common with the one before it need not be gone again. */
static void share_steps(struct tok_state *state)
{
    struct tok_score *score = &state->score;
    for (uint32_t i = 1; i < score->feature_count; i++) {
        const struct tok_feature *before = &score->features[i - 1];
        struct tok_feature *feature = &score->features[i];
        while (feature->shared < feature->step_count && feature->shared < before->step_count &&
               same_step(state, &score->steps[before->step_first + feature->shared],
                         &score->steps[feature->step_first + feature->shared])) {
            feature->shared++;
        }
    }
}

static bool build_categories(struct tok_state *state, const struct tok_source *source)
{
    for (uint32_t i = 0; i < source->head.category_count; i++) {
        const struct csn_wire_span *span = &source->categories[i];
        if (!tok_span_fits(source, span, 0, CSN_WIRE_POLICY_PATH_SIZE)) {
            return false;
        }
        state->score.categories[i].name = (struct tok_name){span->offset, span->size};
        state->score.categories[i].hash =
            csn_json_hash(state->seed, state->text + span->offset, span->size);
    }
    return true;
}

csn_err tok_build_score(struct tok_state *state, const struct tok_source *source)
{
    const struct csn_wire_score *wire = source->score;
    struct tok_score *score = &state->score;
    uint32_t step_count = 0;
    uint64_t size = 0;
    size_t offset = 0;
    if (wire->model.kind != CSN_WIRE_WEIGHTS_TREES ||
        (wire->model.flags & ~CSN_WIRE_WEIGHTS_CHECK) != 0 || wire->reserved != 0 ||
        !tok_span_fits(source, &wire->name, 1, CSN_WIRE_POLICY_MEMBER_SIZE) ||
        !name_is_good(state->text + wire->name.offset, wire->name.size)) {
        return CSN_ERR_POLICY;
    }
    score->name = (struct tok_name){wire->name.offset, wire->name.size};
    score->output = wire->output;
    score->feature_count = source->head.feature_count;
    for (uint32_t i = 0; i < score->feature_count; i++) {
        if (!build_feature(state, source, i, &step_count)) {
            return CSN_ERR_POLICY;
        }
    }
    if (!build_categories(state, source) || !name_is_dropped(state)) {
        return CSN_ERR_POLICY;
    }
    share_steps(state);
    if (source->grant->outside == NULL) {
        return CSN_ERR_MISSING;
    }
    CSN_TRY(cse_weights_load(source->grant->outside, &wire->model, score->image,
                             sizeof score->image, &size));
    CSN_TRY(csn_trees_open(score->image, size, &score->model, &offset));
    const struct csn_trees_header *header = score->model.header;
    const bool fits =
        header->feature_count == score->feature_count && score->output < header->output_count;
    return fits ? cse_claim_grant(source->grant, CSN_WIRE_CLAIM_MODEL, wire->model.digest)
                : CSN_ERR_POLICY;
}

/* ---- for a record ---- */

/* The nodes at which the path of the feature before went by: at[0] is the root, 0 is none. */
struct finder {
    struct tok_job *job;
    uint32_t at[CSN_WIRE_POLICY_PATH_STEPS + 1];
};

static bool is_member(const struct tok_job *job, uint32_t node, const struct tok_step *step)
{
    return job->nodes[node].name_hash == step->hash &&
           tok_has_name(job, &job->nodes[node], &step->name);
}

/* The member below parent, looked for from behind `after` on (0: from the first); 0: none. */
static uint32_t find_member(const struct tok_job *job, uint32_t parent, const struct tok_step *step,
                            uint32_t after)
{
    if (job->nodes[parent].kind != CSN_JSON_OBJECT) {
        return 0;
    }
    const uint32_t first = csn_json_child(job->nodes, parent);
    const uint32_t start = after != 0 ? job->nodes[after].next : first;
    for (uint32_t node = start; node != 0; node = job->nodes[node].next) {
        if (is_member(job, node, step)) {
            return node;
        }
    }
    for (uint32_t node = first; node != start && node != 0; node = job->nodes[node].next) {
        if (is_member(job, node, step)) {
            return node;
        }
    }
    return 0;
}

/* False: no such value in this text. */
static bool find_feature(struct finder *finder, const struct tok_feature *feature, uint32_t *node)
{
    const struct tok_step *steps = &finder->job->state->score.steps[feature->step_first];
    uint32_t after = feature->shared < feature->step_count ? finder->at[feature->shared + 1] : 0;
    for (uint32_t depth = feature->shared; depth < feature->step_count; depth++) {
        const uint32_t parent = finder->at[depth];
        const bool is_there = depth == 0 || parent != 0;
        finder->at[depth + 1] =
            is_there ? find_member(finder->job, parent, &steps[depth], after) : 0;
        after = 0;
    }
    *node = finder->at[feature->step_count];
    return *node != 0;
}

/* The place of V among the feature's categories; missing if it is none of them. */
static float category_of(struct tok_job *job, const struct tok_feature *feature,
                         const struct tok_value *value)
{
    const struct tok_step *categories = &job->state->score.categories[feature->category_first];
    const uint32_t hash = csn_json_hash(job->state->seed, value->bytes, value->size);
    for (uint32_t i = 0; i < feature->category_count; i++) {
        const struct tok_name *name = &categories[i].name;
        if (categories[i].hash == hash && name->size == value->size &&
            memcmp(job->state->text + name->offset, value->bytes, value->size) == 0) {
            return (float)i;
        }
    }
    return __builtin_nanf("");
}

static float feature_of(struct tok_job *job, const struct tok_feature *feature,
                        const struct csn_json_node *node)
{
    struct tok_value value;
    float number = __builtin_nanf("");
    if (node->kind == CSN_JSON_NUMBER || node->kind == CSN_JSON_STRING) {
        tok_value_of(job, node, TOK_ROOM_VALUE, &value);
        if (feature->category_count != 0) {
            return category_of(job, feature, &value);
        }
        (void)tok_read_number(value.bytes, value.size, &number); /* else it is missing */
    } else if (feature->category_count == 0 &&
               (node->kind == CSN_JSON_TRUE || node->kind == CSN_JSON_FALSE)) {
        number = node->kind == CSN_JSON_TRUE;
    }
    return number;
}

/* Row, slots of one row, outputs: taken once for a record. */
static float *take_row(struct tok_job *job)
{
    const struct csn_trees_header *header = job->state->score.model.header;
    if (job->row == NULL) {
        job->row = cse_scratch(job->call, (uint32_t)sizeof(float) * (3 * header->feature_count + 1 +
                                                                     header->output_count));
    }
    if (job->row == NULL) {
        tok_fail(job, CSN_WIRE_STATUS_LIMIT);
    }
    return job->row;
}

void tok_put_score(struct tok_job *job, bool is_first)
{
    const struct tok_score *score = &job->state->score;
    struct finder finder = {.job = job, .at = {job->root}};
    float *row = take_row(job);
    if (row == NULL) {
        return;
    }
    float *slots = row + score->feature_count;
    float *outputs = slots + 2 * score->feature_count + 1;
    for (uint32_t i = 0; i < score->feature_count; i++) {
        uint32_t node = 0;
        row[i] = find_feature(&finder, &score->features[i], &node)
                     ? feature_of(job, &score->features[i], &job->nodes[node])
                     : __builtin_nanf("");
    }
    csn_trees_score(&score->model, row, 1, slots, outputs);
    if (!is_first) {
        tok_put_byte(&job->out, ',');
    }
    tok_put_byte(&job->out, '"');
    tok_put(&job->out, job->state->text + score->name.offset, score->name.size);
    tok_put(&job->out, "\":", 2);
    tok_put_number(&job->out, outputs[score->output]);
}
