/* SPDX-License-Identifier: Apache-2.0 */
/*
 * json.c: any bytes as JSON. What the scanner says must hold: offsets inside of the text, nodes in
 * order and inside of their containers, and a text that it took is taken again from what it was.
 */
#include "json/json.h"
#include "check.h"
#include <string.h>

#define TEXT_MAX 65536u

static void check_nodes(const struct csn_json *json)
{
    uint32_t stack[CSN_JSON_DEPTH_MAX + 1] = {0};
    for (uint32_t i = 0; i < json->node_count; i++) {
        const struct csn_json_node *node = &json->nodes[i];
        CHECK(node->depth <= CSN_JSON_DEPTH_MAX && node->item <= node->begin);
        CHECK(node->begin < node->end && node->end <= json->size);
        CHECK(node->next == 0 || (node->next > i && node->next < json->node_count));
        if (node->depth > 0) {
            const struct csn_json_node *parent = &json->nodes[stack[node->depth - 1]];
            CHECK(parent->begin < node->item && node->end < parent->end);
        }
        if ((node->flags & CSN_JSON_NAMED) != 0) {
            CHECK(node->name > node->item && node->name + node->name_size < node->begin);
        }
        if (node->kind == CSN_JSON_STRING) {
            static uint8_t decoded[TEXT_MAX];
            uint32_t inside = node->end - node->begin - 2;
            CHECK(csn_json_decode(json->text + node->begin + 1, inside, decoded) <= inside);
        }
        stack[node->depth] = i;
    }
}

/* A node whose name is known has the name that is in the shape. */
static void check_guess(const struct csn_json *json, const struct csn_json_node *node)
{
    CHECK(node->guess <= json->shape->count);
    if (node->guess != 0) {
        const struct csn_json_guess *guess = &json->shape->guesses[node->guess - 1];
        CHECK(guess->name_size == node->name_size && guess->hash == node->name_hash);
        CHECK(memcmp(guess->bytes + guess->name_at, json->text + node->name, node->name_size) == 0);
    }
}

/* The same again, with what was learnt of its names, and after others: nothing may be different. */
static void check_again(const struct csn_json *first, enum csn_json_reason reason)
{
    static struct csn_json_node nodes[TEXT_MAX + 1];
    struct csn_json_shape shape = {.count = 0};
    struct csn_json again = *first;
    again.nodes = nodes;
    again.shape = &shape;
    for (uint32_t i = 0; i < 2; i++) {
        CHECK(csn_json_scan(&again) == reason);
        CHECK(again.offset == first->offset && again.node_count == first->node_count);
        for (uint32_t node = 0; node < again.node_count; node++) {
            check_guess(&again, &nodes[node]);
            nodes[node].guess = 0; /* the one difference */
        }
        CHECK(reason != CSN_JSON_OK ||
              memcmp(nodes, first->nodes, first->node_count * sizeof nodes[0]) == 0);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static struct csn_json_node nodes[TEXT_MAX + 1];
    static uint32_t hashes[TEXT_MAX + 1];
    static uint32_t owners[TEXT_MAX + 1];
    if (size > TEXT_MAX) {
        return 0;
    }
    struct csn_json json = {.text = bytes,
                            .size = (uint32_t)size,
                            .lines = true,
                            .seed = 5,
                            .nodes = nodes,
                            .hashes = hashes,
                            .owners = owners,
                            .node_max = csn_json_bound(bytes, (uint32_t)size)};
    CHECK(json.node_max <= TEXT_MAX + 1);
    enum csn_json_reason reason = csn_json_scan(&json);
    CHECK(reason != CSN_JSON_SPACE && json.offset <= size && json.node_count <= json.node_max);
    if (reason == CSN_JSON_OK) {
        check_nodes(&json);
    }
    check_again(&json, reason);
    return 0;
}
