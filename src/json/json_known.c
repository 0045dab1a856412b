/* SPDX-License-Identifier: Apache-2.0 */
/*
 * json_known.c: members in the order in which a text before had them (struct csn_json_shape).
 *
 * The guesses are the names of a text from its beginning on, each with the index of the first
 * member of its object. A text whose names and objects are the same so far has, with the next
 * guess, an object that had no name twice there; so names are not searched, and no bit of the
 * outcome rests on anything that was not compared.
 */
#include "json_scanner.h"
#include <string.h>

#define KNOWN_SIZE (CSN_JSON_GUESS_SIZE + 1 + JSON_SHORT_SIZE) /* a guess, a quote, a look */

/* Bit i: byte i of JSON_SHORT_SIZE ends what is plain in a string, for one reason or the other. */
static inline uint32_t look_at_short(const uint8_t *bytes)
{
    uint32_t mask = 0;
    for (uint32_t i = 0; i < JSON_SHORT_SIZE; i += 16) {
        const __m128i word = _mm_loadu_si128((const __m128i *)(const void *)(bytes + i));
        const __m128i special = json_special(word);
        const __m128i quotes = _mm_cmpeq_epi8(word, _mm_set1_epi8('"'));
        mask |= (uint32_t)_mm_movemask_epi8(_mm_or_si128(special, quotes)) << i;
    }
    return mask;
}

/* Bit i: byte i of CSN_JSON_GUESS_SIZE is the same. */
static inline uint32_t same_bytes(const uint8_t *left, const uint8_t *right)
{
    uint32_t mask = 0;
    for (uint32_t i = 0; i < CSN_JSON_GUESS_SIZE; i += 16) {
        const __m128i word = _mm_loadu_si128((const __m128i *)(const void *)(left + i));
        const __m128i other = _mm_loadu_si128((const __m128i *)(const void *)(right + i));
        mask |= (uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8(word, other)) << i;
    }
    return mask;
}

void csn_json_learn(struct json_scanner *scanner, struct csn_json_node *node)
{
    struct csn_json_shape *shape = scanner->json->shape;
    const uint32_t before = node->item - 1; /* the bracket or the comma */
    const uint32_t size = node->begin - before;
    if (scanner->guess == JSON_NONE) {
        return;
    }
    /* Nodes of a text before name guesses by index: these stay what they are. */
    const bool spoils = scanner->guess < shape->count && scanner->frames[0].last != 0;
    if (scanner->guess == CSN_JSON_SHAPE_MAX || size > CSN_JSON_GUESS_SIZE || spoils) {
        scanner->guess = JSON_NONE;
        return;
    }
    struct csn_json_guess *guess = &shape->guesses[scanner->guess];
    *guess = (struct csn_json_guess){.mask = (uint32_t)((UINT64_C(1) << size) - 1),
                                     .first = scanner->frames[scanner->depth].first,
                                     .hash = node->name_hash,
                                     .size = (uint8_t)size,
                                     .name_at = (uint8_t)(node->name - before),
                                     .name_size = (uint8_t)node->name_size,
                                     .place = UINT16_MAX};
    memcpy(guess->bytes, scanner->text + before, size);
    shape->count = ++scanner->guess;
    node->guess = (uint8_t)shape->count;
}

/* What scan_known() works on, in registers: what it stores may be anywhere. */
struct known {
    const uint8_t *at;
    struct csn_json_node *node; /* the next one */
    struct json_frame *frame;   /* of the innermost container, an object */
    const struct csn_json_guess *guess;
    const struct csn_json_guess *end; /* of the guesses for which there are nodes */
};

static inline struct known begin_known(struct json_scanner *scanner)
{
    const struct csn_json *json = scanner->json;
    const struct csn_json_guess *guess = &json->shape->guesses[scanner->guess];
    const uint32_t left = json->shape->count - scanner->guess;
    const uint32_t room = json->node_max - json->node_count;
    return (struct known){.at = scanner->text + scanner->at,
                          .node = &json->nodes[json->node_count],
                          .frame = &scanner->frames[scanner->depth],
                          .guess = guess,
                          .end = guess + (left < room ? left : room)};
}

static inline void end_known(struct json_scanner *scanner, const struct known *known)
{
    struct csn_json *json = scanner->json;
    scanner->at = (uint32_t)(known->at - scanner->text);
    scanner->depth = (uint32_t)(known->frame - scanner->frames);
    scanner->guess = (uint32_t)(known->guess - json->shape->guesses);
    json->node_count = (uint32_t)(known->node - json->nodes);
}

/* The names of open objects, which known members do not put into the tables. */
static void list_names(struct json_scanner *scanner)
{
    const struct csn_json *json = scanner->json;
    uint32_t count = 0;
    for (uint32_t depth = 1; depth <= scanner->depth; depth++) {
        struct json_frame *frame = &scanner->frames[depth];
        frame->names_from = count;
        uint32_t index = csn_json_child(json->nodes, frame->open);
        if (json->nodes[frame->open].kind != CSN_JSON_OBJECT) {
            index = 0;
        }
        for (; index != 0; index = json->nodes[index].next) {
            const uint32_t hash = json->nodes[index].name_hash;
            frame->seen |= UINT64_C(1) << (hash & 63);
            json->hashes[count] = hash;
            json->owners[count] = index;
            count++;
        }
    }
    scanner->name_count = count;
}

/* True if a name, what is around it and the place of its object are what the shape has there. */
static inline bool is_known(const struct known *known)
{
    const uint32_t wanted = known->guess->mask;
    return (same_bytes(known->at, known->guess->bytes) & wanted) == wanted &&
           known->guess->first == known->frame->first;
}

/* Its node, but for the end of its value. It was found different from others when it was learnt. */
static inline struct csn_json_node *add_known(const struct json_scanner *scanner,
                                              struct known *known)
{
    const struct csn_json_guess *guess = known->guess++;
    struct json_frame *frame = known->frame;
    struct csn_json_node *nodes = scanner->json->nodes;
    struct csn_json_node *node = known->node++;
    const uint32_t index = (uint32_t)(node - nodes);
    const uint32_t before = (uint32_t)(known->at - scanner->text);
    node->item = before + 1;
    node->begin = before + guess->size;
    node->name = before + guess->name_at;
    node->name_size = guess->name_size;
    node->name_hash = guess->hash;
    node->next = 0;
    node->kind = CSN_JSON_STRING;
    node->flags = CSN_JSON_NAMED;
    node->depth = (uint8_t)frame->depth;
    node->guess = (uint8_t)(known->guess - scanner->json->shape->guesses);
    if (frame->last != JSON_NONE) {
        nodes[frame->last].next = index;
    } else {
        nodes[frame->open].flags |= CSN_JSON_FILLED;
    }
    frame->last = index;
    known->at += guess->size;
    return node;
}

/* A short string without anything to look at closer: moves behind it, else false. */
static inline bool plain_string(struct known *known)
{
    const uint8_t *text = known->at + 1;
    const uint32_t special = look_at_short(text);
    const uint32_t count = (uint32_t)__builtin_ctz(special | UINT32_C(1) << 31);
    if (*known->at != '"' || text[count] != '"') {
        return false;
    }
    known->at = text + count + 1;
    return true;
}

/* An object inside another. False: it is too deep. */
static inline bool known_object(const struct json_scanner *scanner, struct known *known,
                                struct csn_json_node *node)
{
    const uint32_t depth = known->frame->depth + 1;
    if (depth > CSN_JSON_DEPTH_MAX) {
        return false;
    }
    node->kind = CSN_JSON_OBJECT;
    known->frame++;
    *known->frame =
        (struct json_frame){.open = (uint32_t)(node - scanner->json->nodes),
                            .last = JSON_NONE,
                            .first = (uint32_t)(known->guess - scanner->json->shape->guesses),
                            .depth = depth};
    return true;
}

/* Any other value, by the ways of the scanner. False: a fault, or it is an array. */
static bool known_value(struct json_scanner *scanner, struct known *known,
                        struct csn_json_node *node, enum csn_json_reason *reason)
{
    end_known(scanner, known);
    json_skip_space(scanner);
    *reason = csn_json_begin_value(scanner, node, scanner->json->node_count - 1);
    if (*reason != CSN_JSON_OK || node->kind >= CSN_JSON_ARRAY) {
        return false;
    }
    *known = begin_known(scanner);
    return true;
}

/* What is behind a value: the ends of objects. False: an array is open now, or nothing. */
static inline bool close_objects(const struct json_scanner *scanner, struct known *known)
{
    struct csn_json_node *nodes = scanner->json->nodes;
    const uint8_t *end = scanner->text + scanner->size;
    while (known->at < end && *known->at == '}') {
        known->at++;
        nodes[known->frame->open].end = (uint32_t)(known->at - scanner->text);
        known->frame--;
        if (known->frame == scanner->frames || nodes[known->frame->open].kind != CSN_JSON_OBJECT) {
            return false;
        }
    }
    return true;
}

bool csn_json_known(struct json_scanner *scanner, enum csn_json_reason *reason)
{
    const uint8_t *end = scanner->text + scanner->size;
    struct known known = begin_known(scanner);
    bool goes_on = true;
    *reason = CSN_JSON_OK;
    known.at -= known.frame->last == JSON_NONE; /* the bracket, or the comma */
    while (goes_on && known.guess < known.end && end - known.at > KNOWN_SIZE && is_known(&known)) {
        struct csn_json_node *node = add_known(scanner, &known);
        if (plain_string(&known)) {
            node->end = (uint32_t)(known.at - scanner->text);
        } else if (*known.at == '{' && known_object(scanner, &known, node)) {
            continue;
        } else if (!known_value(scanner, &known, node, reason)) {
            return false;
        }
        goes_on = close_objects(scanner, &known);
    }
    known.at += goes_on && known.frame->last == JSON_NONE;
    end_known(scanner, &known);
    if (goes_on) {
        list_names(scanner); /* the next one comes in another way */
    }
    return goes_on;
}
