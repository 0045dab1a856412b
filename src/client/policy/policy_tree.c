/* SPDX-License-Identifier: Apache-2.0 */
/*
 * policy_tree.c: the strict JSON scanner's flat list turned into a tree with decoded texts.
 */
#include "client/policy/policy_plan.h"
#include "json/json.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

csn_err csv_tree_fault(const struct csv_tree *tree, uint32_t offset, const char *format, ...)
{
    struct csv_policy_error *error = tree->error;
    va_list arguments;
    va_start(arguments, format);
    csn_json_position((const uint8_t *)tree->source, offset, &error->line, &error->column);
    vsnprintf(error->text, sizeof error->text, format, arguments);
    va_end(arguments);
    return CSN_ERR_FORMAT;
}

bool csv_tree_is(const struct csv_tree_node *node, const char *text)
{
    return node->kind == CSV_TREE_STRING && node->text_size == strlen(text) &&
           memcmp(node->text, text, node->text_size) == 0;
}

/* Decodes size bytes of the source into the string area. */
static const char *decode(struct csv_tree *tree, uint32_t offset, uint32_t size, uint32_t *decoded)
{
    char *target = tree->strings + tree->string_size;
    *decoded = csn_json_decode((const uint8_t *)tree->source + offset, size, (uint8_t *)target);
    tree->string_size += *decoded;
    return target;
}

static const struct csv_tree_node *node_or_null(const struct csv_tree *tree, uint32_t index)
{
    return index == 0 ? NULL : &tree->nodes[index];
}

static void fill_node(struct csv_tree *tree, const struct csn_json_node *list, uint32_t index)
{
    static const enum csv_tree_kind kinds[] = {
        [CSN_JSON_NULL] = CSV_TREE_NULL,     [CSN_JSON_FALSE] = CSV_TREE_FALSE,
        [CSN_JSON_TRUE] = CSV_TREE_TRUE,     [CSN_JSON_NUMBER] = CSV_TREE_NUMBER,
        [CSN_JSON_STRING] = CSV_TREE_STRING, [CSN_JSON_ARRAY] = CSV_TREE_ARRAY,
        [CSN_JSON_OBJECT] = CSV_TREE_OBJECT};
    const struct csn_json_node *from = &list[index];
    struct csv_tree_node *node = &tree->nodes[index];
    node->kind = kinds[from->kind];
    node->offset = from->begin;
    if ((from->flags & CSN_JSON_NAMED) != 0) {
        node->name_offset = from->name - 1;
        node->name = decode(tree, from->name, from->name_size, &node->name_size);
    }
    if (from->kind == CSN_JSON_STRING) {
        node->text = decode(tree, from->begin + 1, from->end - from->begin - 2, &node->text_size);
    } else if (from->kind == CSN_JSON_NUMBER) {
        node->text = tree->source + from->begin;
        node->text_size = from->end - from->begin;
    }
    node->child = node_or_null(tree, csn_json_child(list, index));
    node->next = node_or_null(tree, from->next);
}

static csn_err scan(struct csv_tree *tree, struct csn_json *json)
{
    enum csn_json_reason reason = csn_json_scan(json);
    if (reason != CSN_JSON_OK) {
        return csv_tree_fault(tree, json->offset, "%s", csn_json_reason_text(reason));
    }
    tree->nodes = calloc(json->node_count, sizeof *tree->nodes);
    tree->strings = malloc(tree->size + 1);
    if (tree->nodes == NULL || tree->strings == NULL) {
        return CSN_ERR_MEMORY;
    }
    for (uint32_t index = 0; index < json->node_count; index++) {
        fill_node(tree, json->nodes, index);
    }
    return CSN_OK;
}

csn_err csv_tree_read(struct csv_tree *tree, const char *text, size_t size)
{
    struct csn_json json = {.text = (const uint8_t *)text, .size = (uint32_t)size};
    if (size > CSV_POLICY_TEXT_SIZE_MAX) {
        *tree->error = (struct csv_policy_error){0};
        snprintf(tree->error->text, sizeof tree->error->text,
                 "a policy file has at most %u bytes, this one has %zu", CSV_POLICY_TEXT_SIZE_MAX,
                 size);
        return CSN_ERR_FORMAT;
    }
    tree->source = text;
    tree->size = size;
    json.node_max = csn_json_bound(json.text, json.size);
    json.nodes = calloc(json.node_max + 1, sizeof *json.nodes);
    json.hashes = calloc(json.node_max + 1, sizeof *json.hashes);
    json.owners = calloc(json.node_max + 1, sizeof *json.owners);
    csn_err err = CSN_ERR_MEMORY;
    if (json.nodes != NULL && json.hashes != NULL && json.owners != NULL) {
        err = scan(tree, &json);
    }
    free(json.nodes);
    free(json.hashes);
    free(json.owners);
    return err;
}

void csv_tree_wipe(struct csv_tree *tree)
{
    free(tree->nodes);
    free(tree->strings);
    tree->nodes = NULL;
    tree->strings = NULL;
}
