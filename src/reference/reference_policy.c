/* SPDX-License-Identifier: Apache-2.0 */
/*
 * reference_policy.c: reads the JSON policy source (docs/TOKENIZE.md section 1) with cJSON and
 * derives the keys of each field.
 */
#include "reference/reference_parts.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct load {
    struct csr_policy *policy;
    const cJSON *domains;
    const uint8_t *tenant_id;
    const uint8_t *secret;
    char *error;
};

static bool refuse(struct load *load, const char *what, const char *which)
{
    if (load->error[0] == 0) {
        snprintf(load->error, CSR_ERROR_SIZE, "%s: %.80s", what, which);
    }
    return false;
}

static const char *text_of(const cJSON *object, const char *key, const char *otherwise)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, key);
    return cJSON_IsString(item) ? item->valuestring : otherwise;
}

static uint32_t number_of(const cJSON *object, const char *key, uint32_t otherwise)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, key);
    return cJSON_IsNumber(item) && item->valuedouble >= 0 && item->valuedouble <= UINT32_MAX
               ? (uint32_t)item->valuedouble
               : otherwise;
}

static bool action_of(struct load *load, const char *name, enum csr_action *action)
{
    static const char *const names[] = {"keep", "drop", "redact",  "mask",  "token",
                                        "hash", "fpe",  "encrypt", "shift", "detect"};
    for (unsigned index = 0; index < sizeof names / sizeof *names; index++) {
        if (strcmp(names[index], name) == 0) {
            *action = (enum csr_action)index;
            return true;
        }
    }
    return refuse(load, "unknown action", name);
}

/* ---- paths ---- */
static struct csr_node *child_of(struct csr_node *parent, const struct csr_bytes *name, bool every)
{
    for (struct csr_node *child = parent->child; child != NULL; child = child->next) {
        if (child->every == every && child->name.size == name->size &&
            (name->size == 0 || memcmp(child->name.data, name->data, name->size) == 0)) {
            return child;
        }
    }
    struct csr_node *child = calloc(1, sizeof *child);
    if (child != NULL) {
        child->every = every;
        child->field = -1;
        csr_bytes_put(&child->name, name->data, name->size);
        child->next = parent->child;
        parent->child = child;
    }
    return child;
}

/* One step of the path at *offset: a name, `["…"]` or `[*]`; true if there was one. */
static bool read_step(const char *path, size_t size, size_t *offset, struct csr_bytes *name,
                      bool *every)
{
    size_t fault = 0;
    name->size = 0;
    *every = strncmp(path + *offset, "[*]", 3) == 0;
    if (*every) {
        *offset += 3;
        return true;
    }
    if (strncmp(path + *offset, "[\"", 2) == 0) {
        size_t end = csr_json_decode((const uint8_t *)path, size, *offset + 1, name, &fault);
        if (end == 0 || path[end] != ']') {
            return false;
        }
        *offset = end + 1;
        return true;
    }
    size_t count = strcspn(path + *offset, ".[]\"");
    csr_bytes_put(name, path + *offset, count);
    *offset += count;
    return count > 0;
}

/* The node at the path's end below root, made as needed; NULL at a fault. */
static struct csr_node *grow_path(struct csr_node *root, const char *path)
{
    size_t size = strlen(path);
    size_t offset = 0;
    struct csr_node *node = root;
    struct csr_bytes name = {0};
    bool every = false;
    while (node != NULL && (offset < size || node == root)) {
        if (node != root && path[offset] == '.') {
            offset++;
        } else if (node != root && path[offset] != '[') {
            node = NULL;
            break;
        }
        node = read_step(path, size, &offset, &name, &every) ? child_of(node, &name, every) : NULL;
    }
    csr_bytes_free(&name);
    return node;
}

/* ---- fields ---- */
static bool derive(struct load *load, struct csr_field *field, const char *domain)
{
    uint8_t *keys[] = {field->fpe_key, field->token_key, field->hash_key, field->shift_key};
    const cJSON *entry = cJSON_GetObjectItemCaseSensitive(load->domains, domain);
    uint32_t version = number_of(entry, "version", 0);
    size_t size = strlen(domain);
    if (entry == NULL || version == 0 || size > 32) {
        return refuse(load, "domain is not listed, or has no version", domain);
    }
    uint8_t info[17 + 4 + 32 + 4 + 1];
    size_t at = 17;
    memcpy(info, "caisson-domain-v1", 17);
    for (unsigned index = 0; index < 4; index++) {
        info[at++] = (uint8_t)(size >> (8 * index));
    }
    memcpy(info + at, domain, size);
    at += size;
    for (unsigned index = 0; index < 4; index++) {
        info[at++] = (uint8_t)(version >> (8 * index));
    }
    for (uint8_t use = 1; use <= 4; use++) {
        info[at] = use;
        if (!csr_hkdf(load->tenant_id, load->secret, info, at + 1, keys[use - 1])) {
            return refuse(load, "HKDF failed", domain);
        }
    }
    return field->action != CSR_FPE || csr_ff1_init(&field->ff1, field->fpe_key, 32) ||
           refuse(load, "AES failed", domain);
}

static bool read_alphabet(struct load *load, struct csr_field *field, const char *name)
{
    static const char *const table[][2] = {
        {"digits", "0123456789"},
        {"lower", "abcdefghijklmnopqrstuvwxyz"},
        {"upper", "ABCDEFGHIJKLMNOPQRSTUVWXYZ"},
        {"alnum-lower", "0123456789abcdefghijklmnopqrstuvwxyz"},
        {"alnum-upper", "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"},
        {"alnum", "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"},
        {"hex", "0123456789abcdef"},
    };
    const char *symbols = name[0] == '=' ? name + 1 : NULL;
    for (unsigned index = 0; index < sizeof table / sizeof *table; index++) {
        symbols = strcmp(table[index][0], name) == 0 ? table[index][1] : symbols;
    }
    if (symbols == NULL || strlen(symbols) < 2 || strlen(symbols) > 94) {
        return refuse(load, "unknown alphabet", name);
    }
    memcpy(field->alphabet, symbols, strlen(symbols) + 1);
    field->radix = (uint32_t)strlen(symbols);
    return true;
}

static bool read_kinds(struct load *load, struct csr_field *field, const cJSON *object)
{
    const cJSON *kind = NULL;
    cJSON_ArrayForEach(kind, cJSON_GetObjectItemCaseSensitive(object, "kinds"))
    {
        unsigned index = 0;
        while (index < CSR_MATCH_COUNT &&
               (!cJSON_IsString(kind) || strcmp(kind->valuestring, csr_match_names[index]) != 0)) {
            index++;
        }
        if (index == CSR_MATCH_COUNT) {
            return refuse(load, "unknown kind in", (const char *)field->path.data);
        }
        field->kinds |= 1u << index;
    }
    return action_of(load, text_of(object, "then", "redact"), &field->then);
}

static bool read_subject(struct load *load, struct csr_field *field, const char *path)
{
    field->subject = calloc(1, sizeof *field->subject);
    if (field->subject == NULL || grow_path(field->subject, path) == NULL) {
        return refuse(load, "subject is not a path", path);
    }
    return true;
}

static bool read_parameters(struct load *load, struct csr_field *field, const cJSON *object)
{
    field->keep_first = number_of(object, "keep_first", 0);
    field->keep_last = number_of(object, "keep_last", 0);
    field->with = text_of(object, "with", "*")[0];
    field->bits = number_of(object, "bits", 96);
    field->days = number_of(object, "days", 180);
    field->luhn = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(object, "luhn"));
    snprintf(field->prefix, sizeof field->prefix, "%s", text_of(object, "prefix", "tok"));
    csr_bytes_put_text(&field->tweak, text_of(object, "tweak", ""));
    if (field->keep_first > 255 || field->keep_last > 255 || field->bits > 256 ||
        (field->action == CSR_TOKEN && (field->keep_first > 8 || field->keep_last > 8))) {
        return refuse(load, "value out of range in", (const char *)field->path.data);
    }
    if (field->action == CSR_FPE &&
        (!read_alphabet(load, field, text_of(object, "alphabet", "digits")) ||
         !action_of(load, text_of(object, "short", "redact"), &field->unfit))) {
        return false;
    }
    if (field->action == CSR_DETECT && !read_kinds(load, field, object)) {
        return false;
    }
    if (field->action == CSR_SHIFT && !read_subject(load, field, text_of(object, "subject", ""))) {
        return false;
    }
    bool keyed = field->action == CSR_FPE || field->action == CSR_TOKEN ||
                 field->action == CSR_HASH || field->action == CSR_SHIFT ||
                 (field->action == CSR_DETECT && field->then == CSR_TOKEN);
    return !keyed || derive(load, field, text_of(object, "domain", ""));
}

static bool read_field(struct load *load, const cJSON *object)
{
    struct csr_policy *policy = load->policy;
    const char *path = text_of(object, "path", "");
    if (policy->field_count == CSR_FIELD_COUNT_MAX) {
        return refuse(load, "more than 64 fields", path);
    }
    struct csr_field *field = &policy->fields[policy->field_count];
    struct csr_node *node = grow_path(&policy->root, path);
    if (node == NULL || node == &policy->root || node->field >= 0 || node->child != NULL) {
        return refuse(load, "not a path, or taken", path);
    }
    node->field = (int)policy->field_count++;
    csr_bytes_put(&field->path, path, strlen(path) + 1);
    field->path.size--;
    return action_of(load, text_of(object, "action", ""), &field->action) &&
           read_parameters(load, field, object);
}

static bool read_policy(struct load *load, const cJSON *root)
{
    const cJSON *object = NULL;
    if (!cJSON_IsObject(root) || number_of(root, "version", 0) != 1) {
        return refuse(load, "not a policy", "version 1 of a JSON object is needed");
    }
    load->domains = cJSON_GetObjectItemCaseSensitive(root, "domains");
    if (!action_of(load, text_of(root, "default", "drop"), &load->policy->otherwise)) {
        return false;
    }
    cJSON_ArrayForEach(object, cJSON_GetObjectItemCaseSensitive(root, "fields"))
    {
        if (!read_field(load, object)) {
            return false;
        }
    }
    return true;
}

struct csr_policy *csr_policy_load(const char *text, size_t size, const uint8_t tenant_id[32],
                                   const uint8_t domain_secret[32], char error[CSR_ERROR_SIZE])
{
    struct csr_policy *policy = calloc(1, sizeof *policy);
    error[0] = 0;
    if (policy == NULL) {
        snprintf(error, CSR_ERROR_SIZE, "out of memory");
        return NULL;
    }
    struct load load = {policy, NULL, tenant_id, domain_secret, error};
    memcpy(policy->tenant_id, tenant_id, 32);
    policy->root.field = -1;
    cJSON *root = cJSON_ParseWithLength(text, size);
    bool done = root == NULL ? refuse(&load, "not JSON", "") : read_policy(&load, root);
    cJSON_Delete(root);
    if (done && !csr_hash_init(&policy->hash)) {
        done = refuse(&load, "HMAC failed", "");
    }
    if (!done) {
        csr_policy_free(policy);
        return NULL;
    }
    return policy;
}

static void free_nodes(struct csr_node *node)
{
    while (node != NULL) {
        struct csr_node *next = node->next;
        free_nodes(node->child);
        csr_bytes_free(&node->name);
        free(node);
        node = next;
    }
}

void csr_policy_free(struct csr_policy *policy)
{
    if (policy == NULL) {
        return;
    }
    free_nodes(policy->root.child);
    for (uint32_t index = 0; index < policy->field_count; index++) {
        csr_bytes_free(&policy->fields[index].path);
        csr_bytes_free(&policy->fields[index].tweak);
        csr_ff1_free(&policy->fields[index].ff1);
        free_nodes(policy->fields[index].subject);
    }
    csr_hash_free(&policy->hash);
    csr_bytes_free(&policy->json.names);
    free(policy->json.values);
    csr_bytes_free(&policy->output);
    csr_bytes_free(&policy->scratch);
    csr_bytes_free(&policy->subject);
    csr_bytes_free(&policy->work);
    OPENSSL_cleanse(policy, sizeof *policy);
    free(policy);
}
