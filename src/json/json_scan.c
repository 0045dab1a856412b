/* SPDX-License-Identifier: Apache-2.0 */
/*
 * json_scan.c: the grammar of RFC 8259, with a stack of at most 64 open containers, no recursion.
 */
#include "json_scanner.h"
#include <emmintrin.h>
#include <string.h>

#define NUMBER_LOOK 16u
#define USUAL_LOOK  48u /* most names with their values; more costs more than it saves */
#define NAME_MAX    (USUAL_LOOK - 8) /* the hash reads eight bytes on */
#define USUAL_SIZE  (USUAL_LOOK + 8)

static inline bool is_digit_at(const struct json_scanner *scanner, uint32_t at)
{
    return at < scanner->size && scanner->text[at] >= '0' && scanner->text[at] <= '9';
}

static enum csn_json_reason scan_digits(struct json_scanner *scanner)
{
    if (!is_digit_at(scanner, scanner->at)) {
        return scanner->at >= scanner->size ? CSN_JSON_END : CSN_JSON_BAD_NUMBER;
    }
    while (is_digit_at(scanner, scanner->at)) {
        scanner->at++;
    }
    return CSN_JSON_OK;
}

/* The end of a number of digits, with a fraction or without, that one look tells all of; or 0. */
static inline uint32_t short_number(const struct json_scanner *scanner)
{
    const uint8_t *text = scanner->text + scanner->at;
    if (scanner->size - scanner->at <= NUMBER_LOOK) { /* the byte behind it is read, too */
        return 0;
    }
    const __m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)text);
    const __m128i values = _mm_sub_epi8(bytes, _mm_set1_epi8('0'));
    const __m128i digits = _mm_cmpeq_epi8(_mm_min_epu8(values, _mm_set1_epi8(9)), values);
    /* From bit 16 on they are set, so that there is a first one. */
    uint32_t others = ~(uint32_t)_mm_movemask_epi8(digits);
    uint32_t count = (uint32_t)__builtin_ctz(others);
    if (count == 0 || (text[0] == '0' && count > 1)) {
        return 0;
    }
    if (text[count] == '.') {
        const uint32_t whole = count + 1;
        others &= others - 1;
        count = (uint32_t)__builtin_ctz(others);
        if (count == whole) {
            return 0;
        }
    }
    if (count == NUMBER_LOOK || (text[count] | 0x20) == 'e') {
        return 0;
    }
    return scanner->at + count;
}

static enum csn_json_reason scan_number(struct json_scanner *scanner)
{
    const uint8_t *text = scanner->text;
    enum csn_json_reason reason;
    const uint32_t end = short_number(scanner);
    if (end != 0) {
        scanner->at = end;
        return CSN_JSON_OK;
    }
    if (text[scanner->at] == '-') {
        scanner->at++;
    }
    if (is_digit_at(scanner, scanner->at) && text[scanner->at] == '0') {
        scanner->at++;
        if (is_digit_at(scanner, scanner->at)) {
            return CSN_JSON_BAD_NUMBER;
        }
    } else {
        reason = scan_digits(scanner);
        if (reason != CSN_JSON_OK) {
            return reason;
        }
    }
    if (scanner->at < scanner->size && text[scanner->at] == '.') {
        scanner->at++;
        reason = scan_digits(scanner);
        if (reason != CSN_JSON_OK) {
            return reason;
        }
    }
    if (scanner->at < scanner->size && (text[scanner->at] | 0x20) == 'e') {
        scanner->at++;
        if (scanner->at < scanner->size && (text[scanner->at] == '+' || text[scanner->at] == '-')) {
            scanner->at++;
        }
        return scan_digits(scanner);
    }
    return CSN_JSON_OK;
}

static enum csn_json_reason scan_literal(struct json_scanner *scanner, const char *word,
                                         uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        if (scanner->at >= scanner->size) {
            return CSN_JSON_END;
        }
        if (scanner->text[scanner->at] != (uint8_t)word[i]) {
            return CSN_JSON_LITERAL;
        }
        scanner->at++;
    }
    return CSN_JSON_OK;
}

/* Bytes of a text that are looked at together: bit i of quotes: byte i is a quote; of others: look
 * closer (an escape, a control, not ASCII). */
struct window {
    uint64_t quotes;
    uint64_t others;
};

static inline __attribute__((always_inline)) struct window look_at(const uint8_t *bytes,
                                                                   uint32_t size)
{
    struct window window = {0, 0};
#pragma GCC unroll 4
    for (uint32_t i = 0; i < size; i += 16) {
        __m128i word = _mm_loadu_si128((const __m128i *)(const void *)(bytes + i));
        __m128i special = json_special(word);
        __m128i quotes = _mm_cmpeq_epi8(word, _mm_set1_epi8('"'));
        window.quotes |= (uint64_t)(uint32_t)_mm_movemask_epi8(quotes) << i;
        window.others |= (uint64_t)(uint32_t)_mm_movemask_epi8(special) << i;
    }
    return window;
}

/* The lowest bit, and all below it; all bits if there is none. */
static inline uint64_t up_to_first(uint64_t bits)
{
    return bits ^ (bits - 1);
}

/* The current byte is just after the opening quote; ends just after the closing one. */
static inline enum csn_json_reason scan_string(struct json_scanner *scanner, bool *escaped)
{
    *escaped = false;
    if (scanner->size - scanner->at >= JSON_SHORT_SIZE) {
        struct window window = look_at(scanner->text + scanner->at, JSON_SHORT_SIZE);
        if (window.quotes != 0 && (window.others & up_to_first(window.quotes)) == 0) {
            scanner->at += (uint32_t)__builtin_ctzll(window.quotes) + 1;
            return CSN_JSON_OK;
        }
    }
    return csn_json_string(scanner->text, scanner->size, &scanner->at, escaped);
}

static enum csn_json_reason open_container(struct json_scanner *scanner, uint32_t index)
{
    if (scanner->depth == CSN_JSON_DEPTH_MAX) {
        return CSN_JSON_DEPTH;
    }
    scanner->depth++;
    scanner->frames[scanner->depth] = (struct json_frame){.open = index,
                                                          .names_from = scanner->name_count,
                                                          .last = JSON_NONE,
                                                          .first = scanner->guess,
                                                          .depth = scanner->depth};
    scanner->at++;
    return CSN_JSON_OK;
}

/* The value at the current byte; a container is only opened. node is filled in but its end. */
enum csn_json_reason csn_json_begin_value(struct json_scanner *scanner, struct csn_json_node *node,
                                          uint32_t index)
{
    enum csn_json_reason reason;
    bool escaped;
    if (scanner->at >= scanner->size) {
        return CSN_JSON_END;
    }
    node->begin = scanner->at;
    switch (scanner->text[scanner->at]) {
    case '"':
        node->kind = CSN_JSON_STRING;
        scanner->at++;
        reason = scan_string(scanner, &escaped);
        node->flags |= escaped ? CSN_JSON_ESCAPED : 0;
        break;
    case '{':
    case '[':
        node->kind = scanner->text[scanner->at] == '{' ? CSN_JSON_OBJECT : CSN_JSON_ARRAY;
        return open_container(scanner, index);
    case 't':
        node->kind = CSN_JSON_TRUE;
        reason = scan_literal(scanner, "true", 4);
        break;
    case 'f':
        node->kind = CSN_JSON_FALSE;
        reason = scan_literal(scanner, "false", 5);
        break;
    case 'n':
        node->kind = CSN_JSON_NULL;
        reason = scan_literal(scanner, "null", 4);
        break;
    default:
        if (scanner->text[scanner->at] != '-' && !is_digit_at(scanner, scanner->at)) {
            return CSN_JSON_UNEXPECTED;
        }
        node->kind = CSN_JSON_NUMBER;
        reason = scan_number(scanner);
    }
    node->end = scanner->at;
    return reason;
}

/* A new node after the one before it at this depth; NULL when the table is full. */
static inline struct csn_json_node *add_node(struct json_scanner *scanner, uint32_t item,
                                             uint32_t *index)
{
    struct csn_json *json = scanner->json;
    if (json->node_count == json->node_max) {
        return NULL;
    }
    *index = json->node_count++;
    struct csn_json_node *node = &json->nodes[*index];
    *node = (struct csn_json_node){.item = item, .depth = (uint8_t)scanner->depth};
    uint32_t *last = &scanner->frames[scanner->depth].last;
    if (*last != JSON_NONE) {
        json->nodes[*last].next = *index;
    }
    *last = *index;
    return node;
}

/* First index in from..count with that hash, or count. */
static uint32_t find_hash(const uint32_t *hashes, uint32_t from, uint32_t count, uint32_t hash)
{
    const __m128i wanted = _mm_set1_epi32((int)hash);
    for (; count - from >= 8; from += 8) {
        const __m128i *at = (const __m128i *)(const void *)(hashes + from);
        __m128i low = _mm_cmpeq_epi32(_mm_loadu_si128(at), wanted);
        __m128i high = _mm_cmpeq_epi32(_mm_loadu_si128(at + 1), wanted);
        int mask = _mm_movemask_epi8(_mm_packs_epi32(low, high));
        if (mask != 0) {
            return from + (uint32_t)__builtin_ctz((unsigned)mask) / 2;
        }
    }
    while (from < count && hashes[from] != hash) {
        from++;
    }
    return from;
}

static bool same_name(const struct json_scanner *scanner, const struct csn_json_node *left,
                      const struct csn_json_node *right)
{
    const uint8_t *text = scanner->text;
    if (((left->flags | right->flags) & CSN_JSON_NAME_ESCAPED) == 0) {
        return left->name_size == right->name_size &&
               memcmp(text + left->name, text + right->name, left->name_size) == 0;
    }
    return csn_json_same(text + left->name, left->name_size, text + right->name, right->name_size);
}

/* Refuses a name that the innermost open object has already. */
static inline enum csn_json_reason add_name(struct json_scanner *scanner,
                                            const struct csn_json_node *node, uint32_t index)
{
    struct csn_json *json = scanner->json;
    const struct json_frame *frame = &scanner->frames[scanner->depth];
    uint64_t *seen = &scanner->frames[scanner->depth].seen;
    const uint64_t bit = UINT64_C(1) << (node->name_hash & 63);
    const bool known = (*seen & bit) != 0;
    *seen |= bit;
    for (uint32_t at = frame->names_from; known; at++) {
        at = find_hash(json->hashes, at, scanner->name_count, node->name_hash);
        if (at == scanner->name_count) {
            break;
        }
        if (same_name(scanner, &json->nodes[json->owners[at]], node)) {
            scanner->at = node->name - 1;
            return CSN_JSON_DUPLICATE;
        }
    }
    if (scanner->name_count == json->node_max) {
        return CSN_JSON_SPACE;
    }
    json->hashes[scanner->name_count] = node->name_hash;
    json->owners[scanner->name_count] = index;
    scanner->name_count++;
    return CSN_JSON_OK;
}

/* The name, the colon and the white space around it. */
static enum csn_json_reason scan_name(struct json_scanner *scanner, struct csn_json_node *node,
                                      uint32_t index)
{
    bool escaped;
    if (scanner->at >= scanner->size) {
        return CSN_JSON_END;
    }
    if (scanner->text[scanner->at] != '"') {
        return CSN_JSON_UNEXPECTED;
    }
    scanner->guess = JSON_NONE;
    node->name = ++scanner->at;
    enum csn_json_reason reason = scan_string(scanner, &escaped);
    if (reason != CSN_JSON_OK) {
        return reason;
    }
    node->name_size = scanner->at - 1 - node->name;
    node->flags |= CSN_JSON_NAMED | (escaped ? CSN_JSON_NAME_ESCAPED : 0);
    const uint8_t *name = scanner->text + node->name;
    node->name_hash = escaped ? csn_json_hash_escaped(scanner->json->seed, name, node->name_size)
                              : csn_json_hash(scanner->json->seed, name, node->name_size);
    reason = add_name(scanner, node, index);
    if (reason != CSN_JSON_OK) {
        return reason;
    }
    json_skip_space(scanner);
    if (scanner->at >= scanner->size) {
        return CSN_JSON_END;
    }
    if (scanner->text[scanner->at] != ':') {
        return CSN_JSON_UNEXPECTED;
    }
    scanner->at++;
    json_skip_space(scanner);
    return CSN_JSON_OK;
}

/* A plain string in the usual place after a name that begins at `name`: its end, or 0. */
static inline uint32_t usual_string(const struct window *window, const uint8_t *text, uint32_t name,
                                    uint32_t value)
{
    const uint64_t later = window->quotes & (window->quotes - 1);
    const uint64_t closing = later & (later - 1);
    if (text[value] != '"' || closing == 0 || (window->others & up_to_first(closing)) != 0) {
        return 0;
    }
    return name + (uint32_t)__builtin_ctzll(closing) + 1;
}

/*
 * Members written in the usual way: at most one space after the comma and after the colon, a plain
 * name, and often a plain string, both found in one look. Ends with the current byte just before
 * what is not usual (nothing was done with it), or after an opening bracket, or with a fault.
 */
static enum csn_json_reason scan_usual(struct json_scanner *scanner,
                                       struct csn_json_node *container)
{
    struct csn_json *json = scanner->json;
    const uint8_t *text = scanner->text;
    const uint32_t size = scanner->size;
    const uint32_t depth = scanner->depth;
    uint32_t comma = (container->flags & CSN_JSON_FILLED) != 0; /* that is before the next member */
    uint32_t *last = &scanner->frames[depth].last;
    enum csn_json_reason reason = CSN_JSON_OK;
    uint32_t at = scanner->at;
    while (size - at >= USUAL_SIZE && (comma == 0 || text[at] == ',')) {
        const uint32_t item = at + comma;
        /* Branches, so that the next look need not wait for this one. */
        const uint32_t name = text[item] == ' ' ? item + 2 : item + 1;
        const struct window window = look_at(text + name, USUAL_LOOK);
        const uint32_t name_size = (uint32_t)__builtin_ctzll(window.quotes | UINT64_C(1) << 63);
        const uint32_t colon = name + name_size + 1;
        if (text[name - 1] != '"' || name_size > NAME_MAX ||
            (window.others & up_to_first(window.quotes)) != 0 || text[colon] != ':') {
            break;
        }
        const uint32_t index = json->node_count;
        struct csn_json_node *node = &json->nodes[index];
        if (index == json->node_max) {
            return CSN_JSON_SPACE;
        }
        const uint32_t begin = text[colon + 1] == ' ' ? colon + 2 : colon + 1;
        const uint32_t end = usual_string(&window, text, name, begin);
        /* Whole, so that the stores are few; next and the end of other values come later. */
        *node = (struct csn_json_node){
            .item = item,
            .begin = begin,
            .end = end,
            .name = name,
            .name_size = name_size,
            .name_hash = csn_json_hash_inside(json->seed, text + name, name_size),
            .kind = CSN_JSON_STRING,
            .flags = CSN_JSON_NAMED,
            .depth = (uint8_t)depth,
        };
        json->node_count = index + 1;
        if (*last != JSON_NONE) {
            json->nodes[*last].next = index;
        }
        *last = index;
        reason = add_name(scanner, node, index);
        if (reason != CSN_JSON_OK) {
            return reason;
        }
        csn_json_learn(scanner, node);
        at = end;
        if (end == 0) {
            container->flags |= CSN_JSON_FILLED;
            scanner->at = begin;
            json_skip_space(scanner);
            reason = csn_json_begin_value(scanner, node, index);
            if (reason != CSN_JSON_OK || scanner->depth != depth) {
                return reason;
            }
            at = scanner->at;
        }
        comma = 1;
    }
    container->flags |= comma != 0 ? CSN_JSON_FILLED : 0;
    scanner->at = at;
    return reason;
}

/* Inside a container: its end, or the next member or element. */
static enum csn_json_reason scan_item(struct json_scanner *scanner)
{
    enum csn_json_reason reason;
    struct csn_json_node *nodes = scanner->json->nodes;
    struct csn_json_node *container = &nodes[scanner->frames[scanner->depth].open];
    const bool object = container->kind == CSN_JSON_OBJECT;
    if (object && scanner->guess != JSON_NONE) {
        if (!csn_json_known(scanner, &reason)) {
            return reason;
        }
        container = &nodes[scanner->frames[scanner->depth].open]; /* an object again */
    }
    if (object) {
        const uint32_t depth = scanner->depth;
        reason = scan_usual(scanner, container);
        if (reason != CSN_JSON_OK || scanner->depth != depth) {
            return reason;
        }
    }
    uint32_t item = scanner->at;
    json_skip_space(scanner);
    if (scanner->at >= scanner->size) {
        return CSN_JSON_END;
    }
    if (scanner->text[scanner->at] == (object ? '}' : ']')) {
        container->end = ++scanner->at;
        scanner->name_count = scanner->frames[scanner->depth].names_from;
        scanner->depth--;
        return CSN_JSON_OK;
    }
    if ((container->flags & CSN_JSON_FILLED) != 0) {
        if (scanner->text[scanner->at] != ',') {
            return CSN_JSON_UNEXPECTED;
        }
        item = ++scanner->at;
        json_skip_space(scanner);
    }
    container->flags |= CSN_JSON_FILLED;
    uint32_t index;
    struct csn_json_node *node = add_node(scanner, item, &index);
    if (node == NULL) {
        return CSN_JSON_SPACE;
    }
    if (object) {
        reason = scan_name(scanner, node, index);
        if (reason != CSN_JSON_OK) {
            return reason;
        }
    }
    return csn_json_begin_value(scanner, node, index);
}

/* One text; the current byte is its first. */
static enum csn_json_reason scan_text(struct json_scanner *scanner)
{
    uint32_t index;
    scanner->depth = 0;
    scanner->name_count = 0;
    scanner->guess = scanner->json->shape == NULL ? JSON_NONE : 0;
    struct csn_json_node *node = add_node(scanner, scanner->at, &index);
    if (node == NULL) {
        return CSN_JSON_SPACE;
    }
    enum csn_json_reason reason = csn_json_begin_value(scanner, node, index);
    while (reason == CSN_JSON_OK && scanner->depth > 0) {
        reason = scan_item(scanner);
    }
    return reason;
}

static bool has_line_feed(const uint8_t *bytes, uint32_t size)
{
    bool found = false;
    for (uint32_t i = 0; i < size; i++) {
        found = found || bytes[i] == '\n';
    }
    return found;
}

enum csn_json_reason csn_json_scan(struct csn_json *json)
{
    struct json_scanner scanner; /* tables are written when a container is opened */
    enum csn_json_reason reason;
    scanner.json = json;
    scanner.text = json->text;
    scanner.size = json->size;
    scanner.at = 0;
    json->node_count = 0;
    json->offset = 0;
    scanner.frames[0].last = JSON_NONE;
    json_skip_space(&scanner);
    do {
        reason = scanner.at == scanner.size ? CSN_JSON_END : scan_text(&scanner);
        if (reason != CSN_JSON_OK) {
            break;
        }
        uint32_t end = scanner.at;
        json_skip_space(&scanner);
        if (scanner.at == scanner.size) {
            break;
        }
        /* Space may also separate tokens: only a line feed separates texts. */
        bool line = json->lines && has_line_feed(json->text + end, scanner.at - end);
        reason = line ? CSN_JSON_OK : CSN_JSON_TRAILING;
    } while (reason == CSN_JSON_OK);
    json->offset = reason == CSN_JSON_OK ? 0 : scanner.at;
    return reason;
}

/* The sum of 16 bytes. */
static uint32_t sum_bytes(__m128i counts)
{
    __m128i sums = _mm_sad_epu8(counts, _mm_setzero_si128());
    return (uint32_t)_mm_cvtsi128_si32(_mm_add_epi32(sums, _mm_srli_si128(sums, 8)));
}

/* -1 for each byte that a value can follow, but for the first of a text. */
static inline __m128i before_values(const uint8_t *text)
{
    const __m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)text);
    const __m128i open = _mm_or_si128(bytes, _mm_set1_epi8(0x20)); /* `[` to `{` */
    const __m128i separators = _mm_or_si128(_mm_cmpeq_epi8(bytes, _mm_set1_epi8(',')),
                                            _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\n')));
    return _mm_or_si128(separators, _mm_cmpeq_epi8(open, _mm_set1_epi8('{')));
}

uint32_t csn_json_bound(const uint8_t *text, uint32_t size)
{
    uint32_t count = 1;
    uint32_t at = 0;
    while (size - at >= 16) {
        uint32_t chunks = (size - at) / 16 < 255 ? (size - at) / 16 : 255; /* bytes count to 255 */
        __m128i counts = _mm_setzero_si128();
        for (uint32_t i = 0; i < chunks; i++, at += 16) {
            counts = _mm_sub_epi8(counts, before_values(text + at));
        }
        count += sum_bytes(counts);
    }
    if (at > 0) { /* the last 16 once more, without those that were counted */
        const __m128i places = _mm_setr_epi8(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
        const __m128i fresh = _mm_cmpgt_epi8(places, _mm_set1_epi8((char)(15 - (size - at))));
        const __m128i hits = _mm_and_si128(before_values(text + size - 16), fresh);
        return count + sum_bytes(_mm_sub_epi8(_mm_setzero_si128(), hits));
    }
    for (; at < size; at++) {
        uint8_t byte = text[at];
        count += byte == ',' || byte == '\n' || (byte | 0x20) == '{';
    }
    return count;
}
