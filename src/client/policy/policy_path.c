/* SPDX-License-Identifier: Apache-2.0 */
/*
 * policy_path.c: paths like `name[*].family` or `["odd.name"].x`, step by step.
 */
#include "client/policy/policy_plan.h"

#include <string.h>

struct reader {
    const struct csv_tree *tree;
    const struct csv_tree_node *value;
    struct csv_path *path;
    uint32_t at; /* in path->text */
};

static csn_err fault(const struct reader *reader, const char *what)
{
    return csv_tree_fault(reader->tree, reader->value->offset, "path \"%.*s\": %s at character %u",
                          (int)reader->path->text_size, reader->path->text, what, reader->at + 1);
}

static bool next_is(const struct reader *reader, const char *text)
{
    size_t size = strlen(text);
    return reader->path->text_size - reader->at >= size &&
           memcmp(reader->path->text + reader->at, text, size) == 0;
}

/* The JSON string of `["…"]`, read by the same reader as the policy. */
static csn_err read_quoted(struct reader *reader, struct csv_step *step)
{
    struct csv_path *path = reader->path;
    uint32_t begin = reader->at + 1;
    uint32_t end = begin + 1;
    while (end < path->text_size && path->text[end] != '"') {
        end += path->text[end] == '\\' ? 2 : 1;
    }
    if (end + 1 >= path->text_size || path->text[end + 1] != ']') {
        return fault(reader, "a name in [\" must end with \"]");
    }
    struct csv_policy_error ignored;
    struct csv_tree name = {.error = &ignored};
    csn_err err = csv_tree_read(&name, path->text + begin, end + 1 - begin);
    if (err == CSN_OK) {
        step->size = (uint16_t)name.nodes[0].text_size;
        memcpy(path->names + path->names_size, name.nodes[0].text, step->size);
        reader->at = end + 2;
    } else if (err == CSN_ERR_FORMAT) {
        err = fault(reader, "the name in [\"…\"] is not a JSON string");
    }
    csv_tree_wipe(&name);
    return err;
}

static csn_err read_plain(struct reader *reader, struct csv_step *step)
{
    struct csv_path *path = reader->path;
    uint32_t end = reader->at;
    while (end < path->text_size && memchr(".[]\"", path->text[end], 4) == NULL) {
        end++;
    }
    if (end == reader->at) {
        return fault(reader, "a name is missing");
    }
    step->size = (uint16_t)(end - reader->at);
    memcpy(path->names + path->names_size, path->text + reader->at, step->size);
    reader->at = end;
    return CSN_OK;
}

static csn_err read_step(struct reader *reader)
{
    struct csv_path *path = reader->path;
    if (path->step_count == CSV_STEP_COUNT_MAX) {
        return fault(reader, "more than 16 steps");
    }
    struct csv_step *step = &path->steps[path->step_count];
    *step = (struct csv_step){.offset = path->names_size};
    if (next_is(reader, "[*]")) {
        step->every = true;
        reader->at += 3;
    } else if (next_is(reader, "[\"")) {
        CSN_TRY(read_quoted(reader, step));
    } else if (next_is(reader, "[")) {
        return fault(reader, "after [ only * or a quoted name can stand");
    } else {
        CSN_TRY(read_plain(reader, step));
    }
    path->names_size = (uint16_t)(path->names_size + step->size);
    path->step_count++;
    return CSN_OK;
}

csn_err csv_path_parse(const struct csv_tree *tree, const struct csv_tree_node *value,
                       struct csv_path *path)
{
    struct reader reader = {tree, value, path, 0};
    memset(path, 0, sizeof *path);
    if (value->text_size == 0 || value->text_size > CSV_PATH_SIZE_MAX) {
        return csv_tree_fault(tree, value->offset, "a path has 1 to %u bytes, this one has %u",
                              CSV_PATH_SIZE_MAX, value->text_size);
    }
    memcpy(path->text, value->text, value->text_size);
    path->text_size = (uint16_t)value->text_size;
    CSN_TRY(read_step(&reader));
    while (reader.at < path->text_size) {
        if (next_is(&reader, ".")) {
            reader.at++;
            if (next_is(&reader, "[*]")) {
                return fault(&reader, "no . stands before [*]");
            }
        } else if (!next_is(&reader, "[")) {
            return fault(&reader, "a . or [ is missing");
        }
        CSN_TRY(read_step(&reader));
    }
    return CSN_OK;
}

bool csv_path_leads_to(const struct csv_path *shorter, const struct csv_path *longer)
{
    for (uint32_t index = 0; index < shorter->step_count; index++) {
        const struct csv_step *left = &shorter->steps[index];
        const struct csv_step *right = &longer->steps[index];
        if (index >= longer->step_count || left->every != right->every ||
            left->size != right->size ||
            memcmp(shorter->names + left->offset, longer->names + right->offset, left->size) != 0) {
            return false;
        }
    }
    return true;
}
