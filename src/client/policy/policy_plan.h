/* SPDX-License-Identifier: Apache-2.0 */
/*
 * policy_plan.h: a policy between its source (policy_tree) and its binary form (policy_encode).
 */
#ifndef CSV_POLICY_PLAN_H
#define CSV_POLICY_PLAN_H

#include <caisson/policy.h>
#include <stdbool.h>

#define CSV_FIELD_COUNT_MAX        64u
#define CSV_DOMAIN_COUNT_MAX       16u
#define CSV_STEP_COUNT_MAX         16u
#define CSV_PATH_SIZE_MAX          256u
#define CSV_TWEAK_SIZE_MAX         256u
#define CSV_FEATURE_COUNT_MAX      128u
#define CSV_FEATURE_STEP_COUNT_MAX 512u
#define CSV_CATEGORY_COUNT_MAX     1024u
#define CSV_CATEGORY_SIZE_MAX      32768u /* bytes of all of them */

/* ---- the source as a tree with places ---- */
enum csv_tree_kind {
    CSV_TREE_NULL,
    CSV_TREE_FALSE,
    CSV_TREE_TRUE,
    CSV_TREE_NUMBER,
    CSV_TREE_STRING,
    CSV_TREE_ARRAY,
    CSV_TREE_OBJECT,
};

struct csv_tree_node {
    enum csv_tree_kind kind;
    uint32_t offset;      /* of the value in the source */
    uint32_t name_offset; /* of the name's quote */
    const char *name;     /* decoded, not terminated */
    uint32_t name_size;
    const char *text; /* decoded string, or a number's source */
    uint32_t text_size;
    const struct csv_tree_node *child;
    const struct csv_tree_node *next;
};

struct csv_tree {
    const char *source;
    size_t size;
    struct csv_tree_node *nodes;
    char *strings;
    size_t string_size;
    struct csv_policy_error *error;
};

/* Reads strict JSON; the root is nodes[0]. Frees nothing on failure: csv_tree_wipe does. */
csn_err csv_tree_read(struct csv_tree *tree, const char *text, size_t size);
void csv_tree_wipe(struct csv_tree *tree);
/* Always CSN_ERR_FORMAT; the place is that of offset. */
csn_err csv_tree_fault(const struct csv_tree *tree, uint32_t offset, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
bool csv_tree_is(const struct csv_tree_node *node, const char *text);

/* ---- policy_values.c ---- */
/* Whether a member has this name. */
bool csv_tree_named(const struct csv_tree_node *member, const char *name);
csn_err csv_tree_whole(const struct csv_tree *tree, const struct csv_tree_node *value,
                       uint64_t lowest, uint64_t highest, uint64_t *number);
csn_err csv_tree_bool(const struct csv_tree *tree, const struct csv_tree_node *value, bool *truth);
/* Hex digits of either case, exactly size bytes of them. */
csn_err csv_tree_hex(const struct csv_tree *tree, const struct csv_tree_node *value, uint8_t *bytes,
                     uint32_t size);
/* What `caisson model pack` prints. */
csn_err csv_tree_digest(const struct csv_tree *tree, const struct csv_tree_node *value,
                        uint8_t digest[32]);

/* ---- what the source means ---- */
enum csv_action {
    CSV_ACTION_KEEP,
    CSV_ACTION_DROP,
    CSV_ACTION_REDACT,
    CSV_ACTION_MASK,
    CSV_ACTION_TOKEN,
    CSV_ACTION_HASH,
    CSV_ACTION_FPE,
    CSV_ACTION_ENCRYPT,
    CSV_ACTION_SHIFT,
    CSV_ACTION_DETECT,
    CSV_ACTION_COUNT,
};
extern const char *const csv_action_names[CSV_ACTION_COUNT];

#define CSV_KIND_EMAIL 1u
#define CSV_KIND_IBAN  2u
#define CSV_KIND_CARD  4u
#define CSV_KIND_ID    8u
#define CSV_KIND_PHONE 16u

struct csv_step {
    bool every;      /* [*] */
    uint16_t offset; /* of the decoded name in csv_path.names */
    uint16_t size;
};

struct csv_path {
    char text[CSV_PATH_SIZE_MAX]; /* as written */
    uint16_t text_size;
    char names[CSV_PATH_SIZE_MAX];
    uint16_t names_size;
    struct csv_step steps[CSV_STEP_COUNT_MAX];
    uint32_t step_count;
};

struct csv_domain {
    char name[33];
    uint32_t version;
};

struct csv_field {
    struct csv_path path;
    uint32_t offset; /* of its object in the source */
    enum csv_action action;
    int32_t domain; /* index, -1 = none */
    uint32_t keep_first;
    uint32_t keep_last;
    char with;
    char prefix[17];
    uint32_t bits;
    char alphabet[95]; /* symbols in order */
    uint32_t radix;
    bool luhn;
    uint32_t length;
    char tweak[CSV_TWEAK_SIZE_MAX + 1];
    uint32_t tweak_size;
    enum csv_action unfit;
    uint32_t days;
    struct csv_path subject;
    uint32_t kinds;
    enum csv_action then;
    char consumer[32];
};

struct csv_feature {
    struct csv_path path; /* names only */
    uint32_t category_first;
    uint32_t category_count;
};

struct csv_category {
    uint32_t offset; /* in csv_score.text */
    uint32_t size;
};

struct csv_score {
    uint32_t offset; /* of its name in the source; 0: there is no score */
    uint8_t digest[32];
    bool is_checked;
    char name[65];
    uint32_t output;
    struct csv_feature features[CSV_FEATURE_COUNT_MAX];
    uint32_t feature_count;
    struct csv_category categories[CSV_CATEGORY_COUNT_MAX];
    uint32_t category_count;
    char text[CSV_CATEGORY_SIZE_MAX];
    uint32_t text_size;
};

struct csv_plan {
    struct csv_score score;
    enum csv_action otherwise;
    struct csv_domain domains[CSV_DOMAIN_COUNT_MAX];
    uint32_t domain_count;
    struct csv_field fields[CSV_FIELD_COUNT_MAX];
    uint32_t field_count;
};

csn_err csv_path_parse(const struct csv_tree *tree, const struct csv_tree_node *value,
                       struct csv_path *path);
/* True if shorter names longer itself or something that contains it. */
bool csv_path_leads_to(const struct csv_path *shorter, const struct csv_path *longer);
csn_err csv_field_read(const struct csv_tree *tree, const struct csv_plan *plan,
                       const struct csv_policy_consumers *consumers,
                       const struct csv_tree_node *object, struct csv_field *field);
csn_err csv_plan_read(const struct csv_tree *tree, const struct csv_policy_consumers *consumers,
                      struct csv_plan *plan);
/* A comment; else the fault that it is an unknown key. */
csn_err csv_plan_other_key(const struct csv_tree *tree, const struct csv_tree_node *member);
csn_err csv_score_read(const struct csv_tree *tree, const struct csv_tree_node *object,
                       struct csv_score *score);
/* policy_model.c: of the model enclave; weights_key: NULL where the tenant brings none. */
csn_err csv_model_compile(const struct csv_tree *tree, const uint8_t *weights_key, uint8_t *output,
                          size_t capacity, size_t *output_size);
/* policy_transit.c: of the transit enclave, from its tree to its binary form. */
csn_err csv_transit_compile(const struct csv_tree *tree, uint8_t *output, size_t capacity,
                            size_t *output_size);
/* weights_key: 32 bytes; NULL: none is there, and a score is a fault. */
csn_err csv_plan_encode(const struct csv_plan *plan, const uint8_t *weights_key, uint8_t *output,
                        size_t capacity, size_t *output_size, struct csv_policy_error *error);

#endif
