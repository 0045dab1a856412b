/* SPDX-License-Identifier: Apache-2.0 */
/*
 * toml.c: the part of TOML 1.0 that policies are written in: comments, tables, bare and dotted
 * keys, basic and literal strings on one line, integers, booleans, and arrays of these.
 *
 * Left out, and refused: floats, dates, quoted keys, inline tables, arrays of tables, strings over
 * several lines. A table may be opened once.
 */
#include "verify/policy/policy.h"
#include <stdio.h>
#include <string.h>

#define TABLE_COUNT_MAX 64
#define STRING_SIZE_MAX 4096

struct toml {
    const char *text;
    size_t size;
    size_t at;
    uint32_t line;
    size_t line_start;
    const char *fault;
    size_t fault_at;
    char table[CSV_POLICY_KEY_MAX];
    char tables[TABLE_COUNT_MAX][CSV_POLICY_KEY_MAX];
    size_t table_count;
    char string[STRING_SIZE_MAX];
    csv_toml_visit *visit;
    void *context;
};

static bool fail(struct toml *toml, const char *what)
{
    if (toml->fault == NULL) {
        toml->fault = what;
        toml->fault_at = toml->at;
    }
    return false;
}

static int peek(const struct toml *toml)
{
    return toml->at < toml->size ? (unsigned char)toml->text[toml->at] : -1;
}

static void skip_blanks(struct toml *toml)
{
    while (peek(toml) == ' ' || peek(toml) == '\t') {
        toml->at++;
    }
}

static void skip_comment(struct toml *toml)
{
    if (peek(toml) == '#') {
        while (peek(toml) != '\n' && peek(toml) != -1) {
            toml->at++;
        }
    }
}

/* At the end of a statement: blanks, a comment, then a new line or the end of the file. */
static bool end_line(struct toml *toml)
{
    skip_blanks(toml);
    skip_comment(toml);
    if (peek(toml) == '\r') {
        toml->at++;
    }
    if (peek(toml) == -1) {
        return true;
    }
    if (peek(toml) != '\n') {
        return fail(toml, "something follows the value");
    }
    toml->at++;
    toml->line++;
    toml->line_start = toml->at;
    return true;
}

/* Blanks, comments and new lines: between the items of an array. */
static bool skip_lines(struct toml *toml)
{
    for (;;) {
        skip_blanks(toml);
        int c = peek(toml);
        if (c != '#' && c != '\n' && c != '\r') {
            return true;
        }
        if (!end_line(toml)) {
            return false;
        }
    }
}

static bool is_bare(int c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-';
}

/* A dotted key of bare parts, appended to key (behind a dot, if there is something already). */
static bool read_key(struct toml *toml, char key[CSV_POLICY_KEY_MAX])
{
    size_t size = strlen(key);
    do {
        if (size != 0 && size < CSV_POLICY_KEY_MAX - 1) {
            key[size++] = '.';
        }
        skip_blanks(toml);
        if (!is_bare(peek(toml))) {
            return fail(toml, "a key is expected: letters, digits, '-' and '_'");
        }
        while (is_bare(peek(toml)) && size < CSV_POLICY_KEY_MAX - 1) {
            key[size++] = toml->text[toml->at++];
        }
        if (size == CSV_POLICY_KEY_MAX - 1) {
            return fail(toml, "the key is too long");
        }
        key[size] = 0;
        skip_blanks(toml);
    } while (peek(toml) == '.' && ++toml->at != 0);
    return true;
}

static bool read_table(struct toml *toml)
{
    toml->at++;
    if (peek(toml) == '[') {
        return fail(toml, "arrays of tables are not used in policies");
    }
    toml->table[0] = 0;
    if (!read_key(toml, toml->table)) {
        return false;
    }
    if (peek(toml) != ']') {
        return fail(toml, "']' is expected");
    }
    for (size_t i = 0; i < toml->table_count; i++) {
        if (strcmp(toml->tables[i], toml->table) == 0) {
            return fail(toml, "this table was opened before");
        }
    }
    if (toml->table_count == TABLE_COUNT_MAX) {
        return fail(toml, "too many tables");
    }
    memcpy(toml->tables[toml->table_count++], toml->table, sizeof toml->table);
    toml->at++;
    return end_line(toml);
}

static bool read_escape(struct toml *toml, size_t size)
{
    static const char names[] = "\"\\btnfr";
    static const char values[] = "\"\\\b\t\n\f\r";
    toml->at++;
    int c = peek(toml);
    const char *found = c > 0 ? strchr(names, c) : NULL;
    if (found == NULL) {
        return fail(toml, "an escape that policies do not use");
    }
    toml->string[size] = values[found - names];
    return true;
}

static bool read_string(struct toml *toml)
{
    int quote = peek(toml);
    size_t size = 0;
    toml->at++;
    for (int c = peek(toml); c != quote; c = peek(toml)) {
        if (c == -1 || c == '\n') {
            return fail(toml, "the string does not end on its line");
        }
        if ((c < 0x20 && c != '\t') || c == 0x7f) {
            return fail(toml, "a control character in a string");
        }
        if (size == STRING_SIZE_MAX - 1) {
            return fail(toml, "the string is too long");
        }
        if (c == '\\' && quote == '"') {
            if (!read_escape(toml, size)) {
                return false;
            }
        } else {
            toml->string[size] = (char)c;
        }
        size++;
        toml->at++;
    }
    toml->string[size] = 0;
    toml->at++;
    return true;
}

static int digit(int c, int base)
{
    int value = c >= '0' && c <= '9'   ? c - '0'
                : c >= 'a' && c <= 'f' ? c - 'a' + 10
                : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                       : 16;
    return value < base ? value : -1;
}

static bool read_integer(struct toml *toml, uint64_t *number)
{
    int base = 10;
    *number = 0;
    if (peek(toml) == '0' && toml->at + 1 < toml->size && toml->text[toml->at + 1] == 'x') {
        base = 16;
        toml->at += 2;
    } else if (peek(toml) == '0' && toml->at + 1 < toml->size &&
               digit((unsigned char)toml->text[toml->at + 1], 10) >= 0) {
        return fail(toml, "a number with leading zeros");
    }
    if (digit(peek(toml), base) < 0) {
        return fail(toml, "a value is expected");
    }
    for (int d = digit(peek(toml), base); d >= 0; d = digit(peek(toml), base)) {
        if (*number > (UINT64_MAX - (uint64_t)d) / (uint64_t)base) {
            return fail(toml, "the number is too large");
        }
        *number = *number * (uint64_t)base + (uint64_t)d;
        toml->at++;
    }
    return true;
}

static bool read_word(struct toml *toml, const char *word)
{
    size_t size = strlen(word);
    if (toml->size - toml->at < size || memcmp(toml->text + toml->at, word, size) != 0) {
        return false;
    }
    toml->at += size;
    return true;
}

static bool visit(struct toml *toml, struct csv_toml_value *value, size_t start)
{
    value->line = toml->line;
    value->column = (uint32_t)(start - toml->line_start + 1);
    const char *fault = toml->visit(toml->context, value);
    if (fault != NULL) {
        toml->at = start;
        return fail(toml, fault);
    }
    return true;
}

static bool read_scalar(struct toml *toml, struct csv_toml_value *value)
{
    size_t start = toml->at;
    value->literal = (struct csv_literal){.kind = CSV_LITERAL_BOOLEAN};
    if (peek(toml) == '"' || peek(toml) == '\'') {
        value->literal.kind = CSV_LITERAL_TEXT;
        value->literal.text = toml->string;
        if (!read_string(toml)) {
            return false;
        }
    } else if (read_word(toml, "true")) {
        value->literal.number = 1;
    } else if (!read_word(toml, "false")) {
        value->literal.kind = CSV_LITERAL_INTEGER;
        if (!read_integer(toml, &value->literal.number)) {
            return false;
        }
    }
    if (is_bare(peek(toml)) || peek(toml) == '.') {
        return fail(toml, "not a value that policies use");
    }
    return visit(toml, value, start);
}

static bool read_array(struct toml *toml, struct csv_toml_value *value)
{
    size_t start = toml->at++;
    bool more = true;
    if (!skip_lines(toml)) {
        return false;
    }
    if (peek(toml) == ']') {
        value->literal = (struct csv_literal){.kind = CSV_LITERAL_NONE};
        toml->at++;
        return visit(toml, value, start);
    }
    while (more) {
        if (!read_scalar(toml, value) || !skip_lines(toml)) {
            return false;
        }
        value->again = true;
        more = peek(toml) == ',';
        toml->at += more;
        if (!skip_lines(toml)) {
            return false;
        }
        more = more && peek(toml) != ']';
    }
    if (peek(toml) != ']') {
        return fail(toml, "',' or ']' is expected");
    }
    toml->at++;
    return true;
}

static bool read_statement(struct toml *toml)
{
    char key[CSV_POLICY_KEY_MAX];
    struct csv_toml_value value = {.key = key};
    size_t start = toml->at;
    memcpy(key, toml->table, sizeof key);
    if (!read_key(toml, key)) {
        return false;
    }
    if (peek(toml) != '=') {
        return fail(toml, "'=' is expected");
    }
    toml->at++;
    skip_blanks(toml);
    if (csv_rule_find(key) == NULL) {
        toml->at = start;
        return fail(toml, "unknown key");
    }
    bool read = peek(toml) == '[' ? read_array(toml, &value) : read_scalar(toml, &value);
    return read && end_line(toml);
}

bool csv_toml_read(const char *text, size_t size, csv_toml_visit *visitor, void *context,
                   struct csv_policy_mistake *error)
{
    struct toml toml;
    memset(&toml, 0, sizeof toml); /* a constant to copy from would be 12 KB of the library */
    toml.text = text;
    toml.size = size;
    toml.line = 1;
    toml.visit = visitor;
    toml.context = context;
    bool good = true;
    while (good) {
        good = skip_lines(&toml);
        if (!good || peek(&toml) == -1) {
            break;
        }
        good = peek(&toml) == '[' ? read_table(&toml) : read_statement(&toml);
    }
    if (!good) {
        *error = (struct csv_policy_mistake){
            .line = toml.line, .column = (uint32_t)(toml.fault_at - toml.line_start + 1)};
        snprintf(error->text, sizeof error->text, "%s", toml.fault);
    }
    return good;
}
