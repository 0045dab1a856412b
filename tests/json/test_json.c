/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_json.c: does the scanner take exactly the texts of RFC 8259 (with the stricter rules of
 * docs/TOKENIZE.md section 2), and say what is where?
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "json/json.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NODE_MAX 70000u

static struct csn_json_node nodes[NODE_MAX];
static uint32_t hashes[NODE_MAX];
static uint32_t owners[NODE_MAX];

#define SPACES 128u

/* With `spaces` behind it and with a shape or none, it must be judged alike and have the same
 * nodes.
 */
static void scan_again(const struct csn_json *json, enum csn_json_reason reason, uint32_t spaces,
                       struct csn_json_shape *shape)
{
    static struct csn_json_node inside[NODE_MAX];
    uint8_t *copy = malloc(json->size + spaces + 1);
    assert_non_null(copy);
    memcpy(copy, json->text, json->size);
    memset(copy + json->size, ' ', spaces);
    struct csn_json second = *json;
    second.text = copy;
    second.size += spaces;
    second.nodes = inside;
    second.shape = shape;
    enum csn_json_reason again = csn_json_scan(&second);
    assert_int_equal(again == CSN_JSON_OK, reason == CSN_JSON_OK);
    if (reason != CSN_JSON_END) { /* without spaces it might go on */
        assert_int_equal(again, reason);
        assert_int_equal(second.offset, json->offset);
    }
    if (reason == CSN_JSON_OK) {
        assert_int_equal(second.node_count, json->node_count);
        for (uint32_t i = 0; i < second.node_count; i++) {
            assert_true(inside[i].guess <= (shape == NULL ? 0 : shape->count));
            if (inside[i].guess != 0) {
                const struct csn_json_guess *guess = &shape->guesses[inside[i].guess - 1];
                assert_int_equal(guess->name_size, inside[i].name_size);
                assert_memory_equal(guess->bytes + guess->name_at, copy + inside[i].name,
                                    guess->name_size);
            }
            inside[i].guess = 0; /* the one difference */
        }
        assert_memory_equal(inside, nodes, json->node_count * sizeof inside[0]);
    }
    free(copy);
}

/*
 * What stands at the end of a text is scanned in another way than what has more behind it, and what
 * is written as a text before in yet another: as all texts of this program so far (`before`), and
 * as itself.
 */
static void scan_inside(const struct csn_json *json, enum csn_json_reason reason)
{
    static struct csn_json_shape before;
    struct csn_json_shape same = {.count = 0};
    scan_again(json, reason, SPACES, NULL);
    for (uint32_t i = 0; i < 4; i++) {
        scan_again(json, reason, i % 2 == 0 ? SPACES : 0, i < 2 ? &before : &same);
    }
    scan_again(json, reason, SPACES, &same);
}

/* Scans a copy in memory of its exact size, so that a sanitizer sees a read beyond it. */
static enum csn_json_reason scan_bytes(const void *bytes, size_t size, bool lines,
                                       struct csn_json *json)
{
    uint8_t *copy = malloc(size == 0 ? 1 : size);
    assert_non_null(copy);
    memcpy(copy, bytes, size);
    *json = (struct csn_json){.text = copy,
                              .size = (uint32_t)size,
                              .lines = lines,
                              .seed = 77,
                              .nodes = nodes,
                              .hashes = hashes,
                              .owners = owners,
                              .node_max = csn_json_bound(copy, (uint32_t)size)};
    assert_true(json->node_max <= NODE_MAX);
    enum csn_json_reason reason = csn_json_scan(json);
    assert_true(json->offset <= size);
    assert_int_not_equal(reason, CSN_JSON_SPACE);
    scan_inside(json, reason);
    free(copy);
    json->text = bytes;
    return reason;
}

static enum csn_json_reason scan_text(const char *text, struct csn_json *json)
{
    return scan_bytes(text, strlen(text), false, json);
}

static void test_valid(void **state)
{
    static const char *const texts[] = {
        "null",
        "true",
        "false",
        "0",
        "-0",
        "-1",
        "10",
        "1.5",
        "-0.0",
        "1e5",
        "1E+5",
        "1e-05",
        "123456789012345",
        "1234567890123456",
        "12345678901234567",
        "123456789012345678901234567890",
        "1234567890123.45",
        "123456789012345.6",
        "1234567890123456.7",
        "12.5e3",
        "0.000000000000000000000001",
        "\"\"",
        "\"a\"",
        "[]",
        "{}",
        " [ ] ",
        "\t{\r\n}\n",
        "[1]",
        "[1,2]",
        "[ 1 , 2 ]",
        "[[],{},[[]]]",
        "{\"a\":1}",
        "{ \"a\" : 1 , \"b\" : [ ] }",
        "{\"\":1}",
        "{\"a\":{\"a\":{\"a\":1}}}",
        "[{\"a\":1},{\"a\":2}]",
        "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"",
        "\"\\u0041\\u00e9\\uffff\"",
        "\"\\u0000\"",
        "\"\\ud83d\\ude00\"",
        "\"\\uD83D\\uDE00\"",
        "\"\\udbff\\udfff\"",
        "\"\x7f\"",
        "\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\"",
        "\"a string that is longer than one block of sixteen bytes, by far\"",
        "\"0123456789abcde\"",
        "\"0123456789abcdef\"",
        "\"0123456789abcdefg\"",
        "{\"a\":1,\"b\":1,\"aa\":1,\"A\":1,\"a \":1}",
    };
    struct csn_json json;
    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        if (scan_text(texts[i], &json) != CSN_JSON_OK) {
            fail_msg("refused: %s", texts[i]);
        }
        size_t size = strlen(texts[i]);
        for (size_t cut = 0; cut < size; cut++) { /* a truncated text is never a valid container */
            enum csn_json_reason reason = scan_bytes(texts[i], cut, false, &json);
            char first = texts[i][strspn(texts[i], " \t\r\n")];
            bool closed = cut >= 1 && strspn(texts[i] + cut, " \t\r\n") == size - cut;
            if ((first == '{' || first == '[' || first == '"') && !closed) {
                assert_true(reason == CSN_JSON_END || reason == CSN_JSON_ESCAPE ||
                            reason == CSN_JSON_SURROGATE || reason == CSN_JSON_UTF8);
            }
        }
    }
}

struct bad {
    const char *text;
    enum csn_json_reason reason;
    uint32_t offset;
};

static const struct bad bad_texts[] = {
    {"", CSN_JSON_END, 0},
    {"  \n", CSN_JSON_END, 3},
    {"nul", CSN_JSON_END, 3},
    {"nulL", CSN_JSON_LITERAL, 3},
    {"True", CSN_JSON_UNEXPECTED, 0},
    {"truefalse", CSN_JSON_TRAILING, 4},
    {"NaN", CSN_JSON_UNEXPECTED, 0},
    {"+1", CSN_JSON_UNEXPECTED, 0},
    {"01", CSN_JSON_BAD_NUMBER, 1},
    {"00.5", CSN_JSON_BAD_NUMBER, 1},
    {"[1.]", CSN_JSON_BAD_NUMBER, 3},
    {"[1.2.3]", CSN_JSON_UNEXPECTED, 4},
    {"-01", CSN_JSON_BAD_NUMBER, 2},
    {"-", CSN_JSON_END, 1},
    {"-a", CSN_JSON_BAD_NUMBER, 1},
    {"1.", CSN_JSON_END, 2},
    {"1.e5", CSN_JSON_BAD_NUMBER, 2},
    {".5", CSN_JSON_UNEXPECTED, 0},
    {"1e", CSN_JSON_END, 2},
    {"1e+", CSN_JSON_END, 3},
    {"1e+x", CSN_JSON_BAD_NUMBER, 3},
    {"0x10", CSN_JSON_TRAILING, 1},
    {"1 2", CSN_JSON_TRAILING, 2},
    {"[1 2]", CSN_JSON_UNEXPECTED, 3},
    {"[1,]", CSN_JSON_UNEXPECTED, 3},
    {"[,1]", CSN_JSON_UNEXPECTED, 1},
    {"[1,,2]", CSN_JSON_UNEXPECTED, 3},
    {"[1}", CSN_JSON_UNEXPECTED, 2},
    {"]", CSN_JSON_UNEXPECTED, 0},
    {"[", CSN_JSON_END, 1},
    {"[]]", CSN_JSON_TRAILING, 2},
    {"{", CSN_JSON_END, 1},
    {"{]", CSN_JSON_UNEXPECTED, 1},
    {"{1:2}", CSN_JSON_UNEXPECTED, 1},
    {"{a:1}", CSN_JSON_UNEXPECTED, 1},
    {"{'a':1}", CSN_JSON_UNEXPECTED, 1},
    {"{\"a\"}", CSN_JSON_UNEXPECTED, 4},
    {"{\"a\":}", CSN_JSON_UNEXPECTED, 5},
    {"{\"a\" 1}", CSN_JSON_UNEXPECTED, 5},
    {"{\"a\":1,}", CSN_JSON_UNEXPECTED, 7},
    {"{,\"a\":1}", CSN_JSON_UNEXPECTED, 1},
    {"{\"a\":1 \"b\":2}", CSN_JSON_UNEXPECTED, 7},
    {"[1] // no", CSN_JSON_TRAILING, 4},
    {"\xef\xbb\xbf[]", CSN_JSON_UNEXPECTED, 0},
    {"[1,\v2]", CSN_JSON_UNEXPECTED, 3},
    {"\"a", CSN_JSON_END, 2},
    {"\"\\", CSN_JSON_END, 1},
    {"\"\\x41\"", CSN_JSON_ESCAPE, 1},
    {"\"\\u12\"", CSN_JSON_ESCAPE, 1},
    {"\"\\u12g4\"", CSN_JSON_ESCAPE, 1},
    {"\"\\U0041\"", CSN_JSON_ESCAPE, 1},
    {"\"\\ud800\"", CSN_JSON_SURROGATE, 1},
    {"\"\\udc00\"", CSN_JSON_SURROGATE, 1},
    {"\"\\ud800\\n\"", CSN_JSON_SURROGATE, 1},
    {"\"\\ud800\\u0041\"", CSN_JSON_SURROGATE, 1},
    {"\"\\ud800\\ud800\"", CSN_JSON_SURROGATE, 1},
    {"\"\\ude00\\ud83d\"", CSN_JSON_SURROGATE, 1},
    {"\"\n\"", CSN_JSON_CONTROL, 1},
    {"{\"a\":\"b\",\"c\":\"\n\"}", CSN_JSON_CONTROL, 14},
    {"{\"a\": \"\x80\"}", CSN_JSON_UTF8, 7},
    {"{\"a\" :\"\\x\"}", CSN_JSON_ESCAPE, 7},
    {"{\"a\":\"\\q\"}", CSN_JSON_ESCAPE, 6},
    {"\"\t\"", CSN_JSON_CONTROL, 1},
    {"\"0123456789abcdef\x1f\"", CSN_JSON_CONTROL, 17},
    {"\"\x1f"
     "0123456789abcdef\"",
     CSN_JSON_CONTROL, 1},
    {"\"\xff\"", CSN_JSON_UTF8, 1},
    {"{\"\x80\":1}", CSN_JSON_UTF8, 2},
    {"{\"a\":1,\"a\":1}", CSN_JSON_DUPLICATE, 7},
    {"{\"a\":1,\"\\u0061\":1}", CSN_JSON_DUPLICATE, 7},
    {"{\"\\u0061\":1,\"a\":1}", CSN_JSON_DUPLICATE, 12},
    {"{\"\\u0061\":1,\"\\u0061\":1}", CSN_JSON_DUPLICATE, 12},
    {"{\"\\/\":1,\"/\":1}", CSN_JSON_DUPLICATE, 8},
    {"{\"\xc3\xa9\":1,\"\\u00E9\":1}", CSN_JSON_DUPLICATE, 8},
    {"{\"\\ud83d\\ude00\":1, \"\xf0\x9f\x98\x80\":1}", CSN_JSON_DUPLICATE, 19},
    {"{\"\":1,\"\":2}", CSN_JSON_DUPLICATE, 6},
    {"{\"a\":{\"b\":1,\"c\":[{\"b\":1}],\"b\":1}}", CSN_JSON_DUPLICATE, 26},
    {"{\"a\":{\"b\":1},\"a\":1}", CSN_JSON_DUPLICATE, 13},
};

static void test_invalid(void **state)
{
    struct csn_json json;
    (void)state;
    for (size_t i = 0; i < sizeof bad_texts / sizeof bad_texts[0]; i++) {
        const struct bad *bad = &bad_texts[i];
        enum csn_json_reason reason = scan_text(bad->text, &json);
        if (reason != bad->reason || json.offset != bad->offset) {
            fail_msg("%s: %s at %u, wanted %s at %u", bad->text, csn_json_reason_text(reason),
                     json.offset, csn_json_reason_text(bad->reason), bad->offset);
        }
    }
    /* A NUL may not stand in a text, in or out of a string. */
    assert_int_equal(scan_bytes("[1]\0", 4, false, &json), CSN_JSON_TRAILING);
    assert_int_equal(scan_bytes("\"a\0b\"", 5, false, &json), CSN_JSON_CONTROL);
    assert_int_equal(scan_bytes("\0", 1, false, &json), CSN_JSON_UNEXPECTED);
}

/* Texts one after the other, each scanned with the shape of those before it. */
static void test_shapes(void **state)
{
    static const struct bad texts[] = {
        {"[{\"a\":1},{\"a\":2}]", CSN_JSON_OK, 0},
        {"[{\"a\":1,\"a\":2}]", CSN_JSON_DUPLICATE, 8},
        {"{\"a\":{\"b\":1},\"b\":2}", CSN_JSON_OK, 0},
        {"{\"a\":{\"b\":1,\"b\":2}}", CSN_JSON_DUPLICATE, 12},
        {"{\"a\":{\"b\":1},\"c\":2,\"b\":3}", CSN_JSON_OK, 0},
        {"{\"a\":{\"b\":1},\"c\":2,\"c\":3}", CSN_JSON_DUPLICATE, 19},
        {"{\"a\":1,\"b\":2,\"c\":3}", CSN_JSON_OK, 0},
        {"{\"a\":1,\"c\":2}", CSN_JSON_OK, 0},
        {"{\"a\":1,\"c\":2,\"c\":3}", CSN_JSON_DUPLICATE, 13},
        {"{\"a\":1,\"c\":2,\"x\":3,\"a\":4}", CSN_JSON_DUPLICATE, 19},
        {"{\"a\":[1],\"c\":[2],\"a\":4}", CSN_JSON_DUPLICATE, 17},
        {"{\"a\":{\"x\":[],\"c\":1},\"d\":2,\"x\":3}", CSN_JSON_OK, 0},
        {"{\"a\":{\"x\":[],\"c\":1},\"d\":2,\"a\":3}", CSN_JSON_DUPLICATE, 26},
        {"{\"a\":{\"x\":[],\"c\":1,\"d\":2,\"c\":3}}", CSN_JSON_DUPLICATE, 25},
        {"{\"ab\":\"x\",\"c\":\"y\"}", CSN_JSON_OK, 0},
        {"{\"ab\":\"x\",\"c\":\"y}", CSN_JSON_END, 17},
        {"{\"ab\":\"x\",\"c\":\"y\\", CSN_JSON_END, 16},
        {"{\"ab\":\"x\",\"c\":\"y\\q\"}", CSN_JSON_ESCAPE, 16},
        {"{\"ab\":\"x\",\"c\":\"\x1f\"}", CSN_JSON_CONTROL, 15},
        {"{\"ab\":\"x\",\"c\":\"\xff\"}", CSN_JSON_UTF8, 15},
        {"{\"ab\":\"x\",\"c\":}", CSN_JSON_UNEXPECTED, 14},
        {"{\"ab\":\"x\" \"c\":\"y\"}", CSN_JSON_UNEXPECTED, 10},
        {"{\"ab\":\"x\"},\"c\":\"y\"}", CSN_JSON_TRAILING, 10},
        {"{,\"ab\":\"x\",\"c\":\"y\"}", CSN_JSON_UNEXPECTED, 1},
        {"{\"ab\": \"x\",\"c\" :\"y\"}", CSN_JSON_OK, 0},
        {"{\"ab\":  \"x\",\"c\":{  }}", CSN_JSON_OK, 0},
        {"{\"ab\":{},\"c\":{},}", CSN_JSON_UNEXPECTED, 16},
        {"{\"ab\":{},\"c\":{,}}", CSN_JSON_UNEXPECTED, 14},
        {"{\"ab\":0,\"c\":01}", CSN_JSON_BAD_NUMBER, 13},
        {"{\"ab\",\"c\":1}", CSN_JSON_UNEXPECTED, 5},
        {"{\"ab\":\"x\\\"\",\"c\":\"y\"}", CSN_JSON_OK, 0},
        {"{\"\\u0061\":1,\"ab\":2}", CSN_JSON_OK, 0},
        {"{\"\\u0061b\":1,\"ab\":2}", CSN_JSON_DUPLICATE, 13},
    };
    struct csn_json_shape shape = {.count = 0};
    struct csn_json json;
    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        const enum csn_json_reason reason = scan_text(texts[i].text, &json);
        if (reason != texts[i].reason || json.offset != texts[i].offset) {
            fail_msg("%s: %s at %u", texts[i].text, csn_json_reason_text(reason), json.offset);
        }
        scan_again(&json, reason, SPACES, &shape);
        scan_again(&json, reason, SPACES, &shape);
    }
}

/* What was learnt is used: with another hash in it, the nodes have that one. And it is bounded. */
static void test_shape_is_used(void **state)
{
    static char text[64 * (CSN_JSON_SHAPE_MAX + 8)] = "{";
    struct csn_json_shape shape = {.count = 0};
    struct csn_json json;
    size_t size = 1;
    (void)state;
    for (unsigned i = 0; i < CSN_JSON_SHAPE_MAX + 8; i++) {
        size += (size_t)snprintf(text + size, 64, "%s\"name%u\":\"value\"", i == 0 ? "" : ",", i);
    }
    text[size++] = '}';
    assert_int_equal(scan_bytes(text, size, false, &json), CSN_JSON_OK);
    scan_again(&json, CSN_JSON_OK, SPACES, &shape);
    assert_int_equal(shape.count, CSN_JSON_SHAPE_MAX);
    scan_again(&json, CSN_JSON_OK, SPACES, &shape);
    json.shape = &shape;
    json.node_max = 5;
    memset(&nodes[5], 0x5a, sizeof nodes[5]);
    assert_int_equal(csn_json_scan(&json), CSN_JSON_SPACE);
    assert_int_equal(nodes[5].item, 0x5a5a5a5a);
    json.node_max = NODE_MAX;
    shape.guesses[CSN_JSON_SHAPE_MAX - 1].hash ^= 1;
    assert_int_equal(csn_json_scan(&json), CSN_JSON_OK);
    for (uint32_t i = 1; i <= CSN_JSON_SHAPE_MAX + 8; i++) {
        const uint32_t hash = csn_json_hash(77, json.text + nodes[i].name, nodes[i].name_size);
        assert_int_equal(nodes[i].name_hash, i == CSN_JSON_SHAPE_MAX ? hash ^ 1 : hash);
    }
}

/* A text may have other names than one before it in the same record: each keeps its own. */
static void test_shape_of_lines(void **state)
{
    static const char text[] = "{\"a\":1,\"b\":2,\"c\":3}\n{\"a\":1,\"d\":2,\"e\":3}\n"
                               "{\"a\":1,\"b\":2,\"c\":3,\"f\":4}\n{\"g\":1}";
    struct csn_json_shape shape = {.count = 0};
    struct csn_json json;
    (void)state;
    assert_int_equal(scan_bytes(text, sizeof text - 1, true, &json), CSN_JSON_OK);
    scan_again(&json, CSN_JSON_OK, SPACES, &shape);
    assert_int_equal(shape.count, 4);
    scan_again(&json, CSN_JSON_OK, SPACES, &shape);
}

/* Objects that are known are no way around the limit. */
static void test_shape_depth(void **state)
{
    static const char last[] = "{\"a\":{\"b\":{\"c\":1}}}";
    struct csn_json_shape shape = {.count = 0};
    char text[2 * CSN_JSON_DEPTH_MAX + sizeof last];
    struct csn_json json;
    (void)state;
    for (uint32_t open = CSN_JSON_DEPTH_MAX - 4; open < CSN_JSON_DEPTH_MAX; open++) {
        memset(text, '[', open);
        memcpy(text + open, last, sizeof last);
        memset(text + open + sizeof last - 1, ']', open);
        const enum csn_json_reason reason =
            scan_bytes(text, 2 * open + sizeof last - 1, false, &json);
        assert_int_equal(reason, open + 3 <= CSN_JSON_DEPTH_MAX ? CSN_JSON_OK : CSN_JSON_DEPTH);
        scan_again(&json, reason, SPACES, &shape);
    }
}

/* Every control byte at every place of strings that are skipped in blocks and at their ends. */
static void test_controls(void **state)
{
    struct csn_json json;
    (void)state;
    for (unsigned control = 0; control < 0x20; control++) {
        for (size_t at = 0; at < 70; at++) {
            char text[72];
            memset(text, 'a', sizeof text);
            text[0] = text[71] = '"';
            text[1 + at] = (char)control;
            assert_int_equal(scan_bytes(text, sizeof text, false, &json), CSN_JSON_CONTROL);
            assert_int_equal(json.offset, 1 + at);
        }
    }
}

/* Every special byte at every place of names and values that end within one look at 16 bytes. */
static void test_short_strings(void **state)
{
    static const char tail[] = "                              ";
    struct csn_json json;
    (void)state;
    for (unsigned byte = 0; byte < 256; byte++) {
        for (size_t size = 1; size <= 20; size++) {
            for (size_t at = 0; at < size; at++) {
                char text[80] = "{\"";
                memset(text + 2, 'a', size);
                text[2 + at] = (char)byte;
                memcpy(text + 2 + size, "\":1}", 5);
                memcpy(text + 6 + size, tail, sizeof tail);
                bool plain = byte >= 0x20 && byte < 0x80 && byte != '"' && byte != '\\';
                enum csn_json_reason reason =
                    scan_bytes(text, 6 + size + sizeof tail - 1, false, &json);
                if (plain) {
                    assert_int_equal(reason, CSN_JSON_OK);
                    assert_int_equal(json.nodes[1].name_size, size);
                } else if (byte < 0x20) {
                    assert_int_equal(reason, CSN_JSON_CONTROL);
                    assert_int_equal(json.offset, 2 + at);
                } else if (byte != '\\') { /* what follows a backslash may make it right */
                    assert_int_not_equal(reason, CSN_JSON_OK);
                }
            }
        }
    }
}

static void test_lines(void **state)
{
    struct csn_json json;
    (void)state;
    static const char good[] = "\n {\"a\":1}\r\n\n[1,\n2]\n3\n";
    assert_int_equal(scan_bytes(good, sizeof good - 1, true, &json), CSN_JSON_OK);
    assert_int_equal(json.node_count, 6);
    assert_int_equal(json.nodes[0].kind, CSN_JSON_OBJECT);
    assert_int_equal(json.nodes[0].next, 2);
    assert_int_equal(json.nodes[2].next, 5);
    assert_int_equal(json.nodes[5].next, 0);
    assert_int_equal(scan_bytes("1\n2", 3, true, &json), CSN_JSON_OK);
    assert_int_equal(scan_bytes("1\n2", 3, false, &json), CSN_JSON_TRAILING);
    assert_int_equal(scan_bytes("1 2", 3, true, &json), CSN_JSON_TRAILING);
    assert_int_equal(scan_bytes("1\r2", 3, true, &json), CSN_JSON_TRAILING);
    assert_int_equal(scan_bytes("{}{}", 4, true, &json), CSN_JSON_TRAILING);
    assert_int_equal(scan_bytes("{}\n{", 4, true, &json), CSN_JSON_END);
    /* The same name in two texts is no duplicate. */
    assert_int_equal(scan_bytes("{\"a\":1}\n{\"a\":1}", 15, true, &json), CSN_JSON_OK);
}

static void test_depth(void **state)
{
    static char text[3 * 1000];
    struct csn_json json;
    (void)state;
    for (size_t depth = 1; depth <= 1000; depth += depth < 70 ? 1 : 310) {
        memset(text, '[', depth);
        memset(text + depth, ']', depth);
        enum csn_json_reason wanted = depth <= 64 ? CSN_JSON_OK : CSN_JSON_DEPTH;
        assert_int_equal(scan_bytes(text, 2 * depth, false, &json), wanted);
        assert_int_equal(json.offset, depth <= 64 ? 0 : 64);
    }
    /* Objects inside each other, and a scalar at the deepest place. */
    size_t size = 0;
    for (size_t depth = 0; depth < 64; depth++) {
        memcpy(text + size, "{\"a\":", 5);
        size += 5;
    }
    text[size++] = '1';
    memset(text + size, '}', 64);
    assert_int_equal(scan_bytes(text, size + 64, false, &json), CSN_JSON_OK);
    assert_int_equal(json.nodes[64].depth, 64);
    memcpy(text + size - 1, "[]", 2);
    assert_int_equal(scan_bytes(text, size + 1, false, &json), CSN_JSON_DEPTH);
}

/* By the definition: a code point in its shortest form, no surrogate, at most U+10FFFF. */
static bool is_utf8(const uint8_t *bytes, size_t size)
{
    static const uint32_t least[5] = {0, 0, 0x80, 0x800, 0x10000};
    for (size_t at = 0; at < size;) {
        uint8_t first = bytes[at];
        size_t count = first < 0x80             ? 1
                       : (first & 0xe0) == 0xc0 ? 2
                       : (first & 0xf0) == 0xe0 ? 3
                       : (first & 0xf8) == 0xf0 ? 4
                                                : 0;
        if (count == 0 || at + count > size) {
            return false;
        }
        uint32_t point = count == 1 ? first : first & (0x7fu >> count);
        for (size_t i = 1; i < count; i++) {
            if ((bytes[at + i] & 0xc0) != 0x80) {
                return false;
            }
            point = point << 6 | (bytes[at + i] & 0x3f);
        }
        if (point < least[count] || point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff)) {
            return false;
        }
        at += count;
    }
    return true;
}

static unsigned long check_sequence(const uint8_t *bytes, size_t size)
{
    uint8_t text[24] = "\"";
    struct csn_json json;
    for (size_t i = 0; i < size; i++) {
        if (bytes[i] < 0x20 || bytes[i] == '"' || bytes[i] == '\\') {
            return 0;
        }
    }
    memcpy(text + 1, bytes, size);
    text[size + 1] = '"';
    bool good = is_utf8(bytes, size);
    enum csn_json_reason reason = scan_bytes(text, size + 2, false, &json);
    if (reason != (good ? CSN_JSON_OK : CSN_JSON_UTF8)) {
        fail_msg("%02x %02x %02x %02x: %s", bytes[0], bytes[1], bytes[2], bytes[3],
                 csn_json_reason_text(reason));
    }
    return 1;
}

static void test_utf8(void **state)
{
    static const uint8_t edges[] = {0x2f, 0x41, 0x7f, 0x80, 0x8f, 0x90, 0x9f,
                                    0xa0, 0xbf, 0xc0, 0xc2, 0xe0, 0xf0, 0xff};
    unsigned long count = 0;
    uint8_t bytes[4] = {0};
    (void)state;
    for (unsigned pair = 0; pair < 65536; pair++) { /* every pair */
        bytes[0] = (uint8_t)(pair >> 8);
        bytes[1] = (uint8_t)pair;
        count += check_sequence(bytes, 2);
    }
    for (unsigned first = 0xc0; first < 256; first++) { /* every first and second, edges behind */
        for (unsigned second = 0x20; second < 256; second++) {
            bytes[0] = (uint8_t)first;
            bytes[1] = (uint8_t)second;
            for (size_t i = 0; i < sizeof edges; i++) {
                bytes[2] = edges[i];
                count += check_sequence(bytes, 3);
                for (size_t k = 0; k < sizeof edges; k++) {
                    bytes[3] = edges[k];
                    count += check_sequence(bytes, 4);
                }
            }
        }
    }
    assert_true(count > 1000000);
}

static void test_nodes(void **state)
{
    static const char text[] = " { \"a\\u0062\" : [1, \"x\\n\" ,{}], \"c\":-2.5e3 }";
    struct csn_json json;
    (void)state;
    assert_int_equal(scan_text(text, &json), CSN_JSON_OK);
    assert_int_equal(json.node_count, 6);
    const struct csn_json_node *list = &nodes[1];
    assert_int_equal(list->kind, CSN_JSON_ARRAY);
    assert_int_equal(list->item, 2);
    assert_int_equal(list->name, 4);
    assert_int_equal(list->name_size, 7);
    assert_int_equal(list->flags, CSN_JSON_NAMED | CSN_JSON_NAME_ESCAPED | CSN_JSON_FILLED);
    assert_int_equal(list->name_hash, csn_json_hash(77, (const uint8_t *)"ab", 2));
    assert_true(csn_json_equal((const uint8_t *)text + 4, 7, (const uint8_t *)"ab", 2));
    assert_false(csn_json_equal((const uint8_t *)text + 4, 7, (const uint8_t *)"abc", 3));
    assert_false(csn_json_equal((const uint8_t *)text + 4, 7, (const uint8_t *)"a", 1));
    assert_int_equal(csn_json_child(nodes, 1), 2);
    assert_int_equal(nodes[2].next, 3);
    assert_int_equal(nodes[3].next, 4);
    assert_int_equal(nodes[3].flags, CSN_JSON_ESCAPED);
    assert_int_equal(nodes[3].item, 18);
    assert_int_equal(nodes[4].kind, CSN_JSON_OBJECT);
    assert_int_equal(csn_json_child(nodes, 4), 0);
    assert_int_equal(nodes[4].next, 0);
    assert_int_equal(list->next, 5);
    assert_int_equal(nodes[5].item, 30);
    assert_memory_equal(text + nodes[5].begin, "-2.5e3", 6);
    assert_int_equal(nodes[5].end - nodes[5].begin, 6);
    assert_int_equal(nodes[0].end, sizeof text - 1);
}

/* Objects with many names: each is found again when it comes a second time. */
static void test_many_names(void **state)
{
    enum { COUNT = 3000 };
    static char text[COUNT * 16];
    struct csn_json json;
    (void)state;
    for (int again = -1; again < COUNT; again += 37) {
        int size = sprintf(text, "{");
        for (int i = 0; i < COUNT; i++) {
            size += snprintf(&text[size], 40, "\"n%d\":{\"n%d\":0},", i, i);
            if (size > COUNT * 16 - 40) {
                break;
            }
        }
        size += snprintf(&text[size], 40, "\"%s%d\":0}", again < 0 ? "m" : "n",
                         again < 0 ? 0 : again % 1500);
        assert_int_equal(scan_bytes(text, (size_t)size, false, &json),
                         again < 0 ? CSN_JSON_OK : CSN_JSON_DUPLICATE);
    }
}

static void test_hash_of_escapes(void **state)
{
    struct csn_json json;
    char text[200];
    (void)state;
    for (size_t size = 0; size < 20; size++) { /* every way to fill the words of the hash */
        char plain[32];
        int at = sprintf(text, "{\"");
        for (size_t i = 0; i < size; i++) {
            plain[i] = (char)('a' + i);
            at += sprintf(text + at, i % 2 == 0 ? "\\u%04x" : "%c", (unsigned)plain[i]);
        }
        sprintf(text + at, "\":0}");
        assert_int_equal(scan_text(text, &json), CSN_JSON_OK);
        assert_int_equal(nodes[1].name_hash,
                         csn_json_hash(77, (const uint8_t *)plain, (uint32_t)size));
    }
    assert_int_not_equal(csn_json_hash(1, (const uint8_t *)"abc", 3),
                         csn_json_hash(2, (const uint8_t *)"abc", 3));
    assert_int_not_equal(csn_json_hash(1, (const uint8_t *)"a\0", 2),
                         csn_json_hash(1, (const uint8_t *)"a", 1));
}

static void test_encode_decode(void **state)
{
    uint8_t bytes[128];
    uint8_t encoded[800];
    uint8_t text[802];
    uint8_t decoded[800];
    struct csn_json json;
    (void)state;
    for (unsigned i = 0; i < 128; i++) {
        bytes[i] = (uint8_t)i;
    }
    uint32_t size = csn_json_encode(bytes, 128, encoded, sizeof encoded);
    static const char start[] = "\\u0000\\u0001\\u0002\\u0003\\u0004\\u0005\\u0006\\u0007\\b\\t\\n"
                                "\\u000b\\f\\r\\u000e\\u000f\\u0010";
    assert_memory_equal(encoded, start, sizeof start - 1);
    text[0] = '"';
    memcpy(text + 1, encoded, size);
    text[size + 1] = '"';
    assert_int_equal(scan_bytes(text, size + 2, false, &json), CSN_JSON_OK);
    assert_int_equal(csn_json_decode(encoded, size, decoded), 128);
    assert_memory_equal(decoded, bytes, 128);
    /* Too little room: the size that is needed, and nothing beyond the room. */
    memset(decoded, 0x55, sizeof decoded);
    for (uint32_t room = 0; room < size; room++) {
        assert_int_equal(csn_json_encode(bytes, 128, decoded, room), size);
        assert_int_equal(decoded[room], 0x55);
        assert_int_equal(decoded[size], 0x55);
    }
    static const char source[] = "\\ud83d\\ude00\\u00e9\\u20ac\\/x";
    assert_int_equal(csn_json_decode((const uint8_t *)source, sizeof source - 1, decoded), 11);
    assert_memory_equal(decoded, "\xf0\x9f\x98\x80\xc3\xa9\xe2\x82\xac/x", 11);
}

static void test_position(void **state)
{
    uint32_t line;
    uint32_t column;
    (void)state;
    csn_json_position((const uint8_t *)"a\nbc\n", 0, &line, &column);
    assert_int_equal(line, 1);
    assert_int_equal(column, 1);
    csn_json_position((const uint8_t *)"a\nbc\n", 3, &line, &column);
    assert_int_equal(line, 2);
    assert_int_equal(column, 2);
    csn_json_position((const uint8_t *)"a\nbc\n", 5, &line, &column);
    assert_int_equal(line, 3);
    assert_int_equal(column, 1);
}

/* All texts of six bytes over a small alphabet; how many are valid was counted with another parser.
 */
static void test_small_texts(void **state)
{
    static const char alphabet[] = "[]{},:\"1 ";
    struct csn_json json;
    unsigned long valid = 0;
    char text[6];
    (void)state;
    for (unsigned number = 0; number < 9 * 9 * 9 * 9 * 9 * 9; number++) {
        unsigned rest = number;
        for (unsigned i = 0; i < 6; i++) {
            text[i] = alphabet[rest % 9];
            rest /= 9;
        }
        valid += scan_bytes(text, 6, false, &json) == CSN_JSON_OK;
    }
    print_message("# %lu of 531441 texts of six bytes are valid\n", valid);
    assert_int_equal(valid, 5596);
}

/* No byte is counted twice, none left out, at whatever size. */
static void test_bound(void **state)
{
    static const char values[] = ",[{\n";
    uint8_t text[600];
    (void)state;
    for (uint32_t size = 0; size <= sizeof text; size++) {
        for (uint32_t kind = 0; kind < 4; kind++) {
            memset(text, values[kind], sizeof text);
            assert_int_equal(csn_json_bound(text, size), size + 1);
        }
        memset(text, '1', sizeof text);
        assert_int_equal(csn_json_bound(text, size), 1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_valid),         cmocka_unit_test(test_invalid),
        cmocka_unit_test(test_controls),      cmocka_unit_test(test_short_strings),
        cmocka_unit_test(test_lines),         cmocka_unit_test(test_depth),
        cmocka_unit_test(test_utf8),          cmocka_unit_test(test_nodes),
        cmocka_unit_test(test_many_names),    cmocka_unit_test(test_hash_of_escapes),
        cmocka_unit_test(test_encode_decode), cmocka_unit_test(test_position),
        cmocka_unit_test(test_small_texts),   cmocka_unit_test(test_bound),
        cmocka_unit_test(test_shapes),        cmocka_unit_test(test_shape_is_used),
        cmocka_unit_test(test_shape_depth),   cmocka_unit_test(test_shape_of_lines),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
