/* SPDX-License-Identifier: Apache-2.0 */
/* table.c: see table.h. */
#include "table.h"
#include <stdio.h>
#include <time.h>

#define KEPT_MAX 256

static struct table_file kept[KEPT_MAX];
static size_t kept_count;

static void path_of(const char *path, char full[1024])
{
    const char *shared = getenv("CAISSON_SHARED");
    snprintf(full, 1024, "%s/vectors/attestation/%s", shared != NULL ? shared : "../shared", path);
}

struct table_file table_file(const char *path)
{
    struct table_file file = {0};
    char full[1024];
    path_of(path, full);
    FILE *stream = fopen(full, "rb");
    if (stream == NULL) {
        return file;
    }
    assert_int_equal(fseek(stream, 0, SEEK_END), 0);
    long size = ftell(stream);
    rewind(stream);
    file.bytes = malloc((size_t)size + 1);
    assert_non_null(file.bytes);
    file.size = fread(file.bytes, 1, (size_t)size, stream);
    file.bytes[file.size] = 0;
    fclose(stream);
    assert_int_equal(file.size, size);
    return file;
}

bool table_skip(void)
{
    struct table_file file = table_file("README.txt");
    bool missing = file.bytes == NULL;
    free(file.bytes);
    if (missing) {
        puts("1..0 # SKIP no vectors/attestation in CAISSON_SHARED");
    }
    return missing;
}

static size_t count_of(const char *text, char c)
{
    size_t count = 0;
    for (; *text != 0; text++) {
        count += *text == c;
    }
    return count;
}

struct table table_read(const char *path)
{
    struct table table = {.file = table_file(path)};
    if (table.file.bytes == NULL) {
        fail_msg("%s is not there", path);
    }
    char *text = (char *)table.file.bytes;
    size_t lines = count_of(text, '\n') + 1;
    char *end = strchr(text, '\n');
    *end = 0;
    table.column_count = count_of(text, '\t') + 1;
    *end = '\n';
    table.cells = calloc(lines * table.column_count, sizeof *table.cells);
    assert_non_null(table.cells);
    for (char *line = text; line != NULL && *line != 0; line = end) {
        end = strchr(line, '\n');
        if (end != NULL) {
            *end++ = 0;
        }
        for (size_t column = 0; line != NULL && column < table.column_count; column++) {
            table.cells[table.row_count * table.column_count + column] = line;
            line = strchr(line, '\t');
            if (line != NULL) {
                *line++ = 0;
            }
        }
        table.row_count++;
    }
    return table;
}

void table_free(struct table *table)
{
    free(table->cells);
    free(table->file.bytes);
    *table = (struct table){0};
}

const char *table_cell(const struct table *table, size_t row, const char *column)
{
    for (size_t i = 0; i < table->column_count; i++) {
        if (strcmp(table->cells[i], column) == 0) {
            const char *cell = table->cells[(row + 1) * table->column_count + i];
            return cell != NULL ? cell : "";
        }
    }
    fail_msg("no column %s", column);
    return NULL;
}

size_t table_rows(const struct table *table)
{
    return table->row_count - 1;
}

size_t table_find(const struct table *table, const char *first)
{
    for (size_t row = 0; row < table_rows(table); row++) {
        if (strcmp(table->cells[(row + 1) * table->column_count], first) == 0) {
            return row;
        }
    }
    fail_msg("no row %s", first);
    return 0;
}

bool table_field(const char *fields, const char *name, char *value, size_t capacity)
{
    size_t size = strlen(name);
    while (fields != NULL && *fields != 0) {
        const char *end = strchr(fields, ';');
        size_t length = end != NULL ? (size_t)(end - fields) : strlen(fields);
        if (length > size && strncmp(fields, name, size) == 0 && fields[size] == '=') {
            snprintf(value, capacity, "%.*s", (int)(length - size - 1), fields + size + 1);
            return true;
        }
        fields = end != NULL ? end + 1 : NULL;
    }
    return false;
}

static bool same_value(const char *claim, const char *expected)
{
    if (strcmp(claim, "true") == 0) {
        return strcmp(expected, "True") == 0 || strcmp(expected, "1") == 0 ||
               strcmp(expected, "true") == 0;
    }
    if (strcmp(claim, "false") == 0) {
        return strcmp(expected, "False") == 0 || strcmp(expected, "0") == 0 ||
               strcmp(expected, "false") == 0;
    }
    return strcmp(claim, expected) == 0;
}

static bool is_ignored(const char *name, const char *const *ignored)
{
    for (; ignored != NULL && *ignored != NULL; ignored++) {
        if (strcmp(name, *ignored) == 0) {
            return true;
        }
    }
    return false;
}

size_t table_compare(const struct csv_verdict *verdict, const char *fields,
                     const char *const *ignored)
{
    static char value[8192];
    size_t compared = 0;
    while (fields != NULL && *fields != 0) {
        char name[64] = "";
        const char *equals = strchr(fields, '=');
        const char *end = strchr(fields, ';');
        if (equals != NULL && (end == NULL || equals < end)) {
            snprintf(name, sizeof name, "%.*s", (int)(equals - fields), fields);
        }
        if (name[0] != 0 && !is_ignored(name, ignored)) {
            const char *claim = csv_verdict_claim(verdict, name);
            assert_true(table_field(fields, name, value, sizeof value));
            if (claim == NULL || !same_value(claim, value)) {
                fail_msg("%s: claim %s, expected %s", name, claim != NULL ? claim : "(none)",
                         value);
            }
            compared++;
        }
        fields = end != NULL ? end + 1 : NULL;
    }
    return compared;
}

int64_t table_time(const char *text)
{
    struct tm parts = {.tm_mday = 1};
    int count = sscanf(text, "%d-%d-%d%*1[T ]%d:%d:%d", &parts.tm_year, &parts.tm_mon,
                       &parts.tm_mday, &parts.tm_hour, &parts.tm_min, &parts.tm_sec);
    assert_true(count == 3 || count == 6);
    parts.tm_year -= 1900;
    parts.tm_mon--;
    return timegm(&parts);
}

void table_add(struct csv_input *input, uint32_t part, const char *path)
{
    struct table_file file = table_file(path);
    if (file.bytes == NULL) {
        fail_msg("%s is not there", path);
    }
    assert_true(kept_count < KEPT_MAX);
    kept[kept_count++] = file;
    const char *slash = strrchr(path, '/');
    assert_int_equal(
        csv_input_add(input, part, slash != NULL ? slash + 1 : path, file.bytes, file.size),
        CSN_OK);
}

void table_forget(void)
{
    while (kept_count != 0) {
        free(kept[--kept_count].bytes);
    }
}

struct csv_policy *table_policy(const char *text)
{
    struct csv_policy *policy = NULL;
    struct csv_policy_mistake mistake;
    if (csv_policy_parse(text, strlen(text), &policy, &mistake) != CSN_OK) {
        fail_msg("policy: %u:%u: %s\n%s", mistake.line, mistake.column, mistake.text, text);
    }
    return policy;
}

struct csv_policy *table_any;

int table_start(void **state)
{
    (void)state;
    return csv_policy_create_insecure_any(&table_any) == CSN_OK ? 0 : -1;
}

int table_stop(void **state)
{
    (void)state;
    csv_policy_free(table_any);
    table_forget();
    return 0;
}

const struct csv_finding *table_finding(const struct csv_verdict *verdict, const char *id,
                                        uint32_t outcome)
{
    for (size_t i = 0; i < csv_verdict_finding_count(verdict); i++) {
        const struct csv_finding *finding = csv_verdict_finding(verdict, i);
        if (strcmp(finding->id, id) == 0 && finding->outcome == outcome) {
            return finding;
        }
    }
    return NULL;
}

void table_explain(const struct csv_verdict *verdict)
{
    for (size_t i = 0; i < csv_verdict_finding_count(verdict); i++) {
        const struct csv_finding *finding = csv_verdict_finding(verdict, i);
        if (finding->outcome != CSV_PASSED) {
            printf("# %s: expected %s, got %s\n", finding->id, finding->expected, finding->got);
        }
    }
}
