/* SPDX-License-Identifier: Apache-2.0 */
/* config.c: the keys of the gateway's configuration, and what must hold between them. */
#include "config.h"
#include "backend/detail.h"
#include "json_fields.h"
#include "signed_image.h"
#include <stdlib.h>
#include <string.h>

#define COUNT(table) (sizeof(table) / sizeof(table)[0])
#define YEAR_S       UINT64_C(31536000)
#define DAY_MS       UINT64_C(86400000)
#define EXACT_MAX    (UINT64_C(1) << 53) /* what a JSON number tells exactly */

struct texts { /* what csn_config_free() frees */
    cJSON *tree;
    char **made;
    size_t made_count;
};

/* ---- lists ---- */

/* One entry of a list, and how many there may be. */
struct list {
    size_t item_size;
    size_t item_max;
    const struct csn_json_field *fields;
    size_t field_count;
    void (*defaults)(void *item);
};

static csn_err read_list(struct csn_json_reader *reader, const struct csn_json_place *place,
                         const cJSON *value, const struct list *list, void *items, uint32_t *count)
{
    const cJSON *item;
    int index = 0;
    if (!cJSON_IsArray(value)) {
        return csn_json_fault(reader, place, "wants a list");
    }
    cJSON_ArrayForEach(item, value)
    {
        const struct csn_json_place here = {.outer = place, .index = index};
        void *target = (uint8_t *)items + (size_t)index * list->item_size;
        if ((size_t)index == list->item_max) {
            return csn_json_fault(reader, &here, "at most %zu of them", list->item_max);
        }
        list->defaults(target);
        CSN_TRY(csn_json_object(reader, &here, item, list->fields, list->field_count, target));
        index++;
    }
    *count = (uint32_t)index;
    return CSN_OK;
}

static void no_defaults(void *item)
{
    (void)item;
}

/* ---- listeners ---- */

#define LISTENER(member) offsetof(struct csn_config_listener, member)
static const struct csn_json_field listener_fields[] = {
    {.key = "address", .kind = CSN_JSON_TEXT, .offset = LISTENER(address)},
    {.key = "port",
     .kind = CSN_JSON_U32,
     .is_needed = true,
     .offset = LISTENER(port),
     .maximum = 65535},
    {.key = "certificate", .kind = CSN_JSON_PATH, .offset = LISTENER(certificate)},
    {.key = "key", .kind = CSN_JSON_PATH, .offset = LISTENER(key)},
};

static void listener_defaults(void *item)
{
    ((struct csn_config_listener *)item)->address = "127.0.0.1";
}

static bool is_loopback(const char *address)
{
    return strncmp(address, "127.", 4) == 0 || strcmp(address, "::1") == 0 ||
           strcmp(address, "localhost") == 0;
}

/* Cleartext is for this machine alone. */
static csn_err check_listener(struct csn_json_reader *reader, const struct csn_json_place *place,
                              const struct csn_config_listener *listener)
{
    if ((listener->certificate == NULL) != (listener->key == NULL)) {
        return csn_json_fault(reader, place, "certificate and key go together");
    }
    if (listener->certificate == NULL && !is_loopback(listener->address)) {
        return csn_json_fault(reader, place,
                              "without certificate and key the address must be of the loopback");
    }
    return CSN_OK;
}

static csn_err read_listeners(struct csn_json_reader *reader, const struct csn_json_place *place,
                              const cJSON *value, void *member)
{
    static const struct list list = {sizeof(struct csn_config_listener), CSN_CONFIG_LISTENERS_MAX,
                                     listener_fields, COUNT(listener_fields), listener_defaults};
    struct csn_config *config = member;
    CSN_TRY(read_list(reader, place, value, &list, config->listeners, &config->listener_count));
    for (uint32_t i = 0; i < config->listener_count; i++) {
        const struct csn_json_place here = {.outer = place, .index = (int)i};
        CSN_TRY(check_listener(reader, &here, &config->listeners[i]));
    }
    return config->listener_count != 0 ? CSN_OK
                                       : csn_json_fault(reader, place, "wants one or more");
}

static csn_err read_admin(struct csn_json_reader *reader, const struct csn_json_place *place,
                          const cJSON *value, void *member)
{
    struct csn_config *config = member;
    listener_defaults(&config->admin);
    config->has_admin = true;
    CSN_TRY(csn_json_object(reader, place, value, listener_fields, COUNT(listener_fields),
                            &config->admin));
    return check_listener(reader, place, &config->admin);
}

/* ---- services ---- */

#define EVIDENCE(member) offsetof(struct csn_config_evidence, member)
static const struct csn_json_field evidence_fields[] = {
    {.key = "name", .kind = CSN_JSON_TEXT, .offset = EVIDENCE(name)},
    {.key = "root", .kind = CSN_JSON_PATH, .offset = EVIDENCE(root)},
    {.key = "path", .kind = CSN_JSON_PATH, .offset = EVIDENCE(path)},
    {.key = "privlevel", .kind = CSN_JSON_TEXT, .offset = EVIDENCE(privlevel)},
    {.key = "tcti", .kind = CSN_JSON_TEXT, .offset = EVIDENCE(tcti)},
    {.key = "ak", .kind = CSN_JSON_TEXT, .offset = EVIDENCE(ak)},
    {.key = "ak_certificate", .kind = CSN_JSON_TEXT, .offset = EVIDENCE(ak_certificate)},
    {.key = "pcrs", .kind = CSN_JSON_TEXT, .offset = EVIDENCE(pcrs)},
    {.key = "extend", .kind = CSN_JSON_TEXT, .offset = EVIDENCE(extend)},
};

static csn_err read_evidence(struct csn_json_reader *reader, const struct csn_json_place *place,
                             const cJSON *value, void *member)
{
    return csn_json_object(reader, place, value, evidence_fields, COUNT(evidence_fields), member);
}

#define STORE(member) offsetof(struct csn_config_store, member)
static const struct csn_json_field store_fields[] = {
    {.key = "folder", .kind = CSN_JSON_PATH, .is_needed = true, .offset = STORE(folder)},
    {.key = "tpm", .kind = CSN_JSON_TEXT, .offset = STORE(tpm)},
};

static csn_err read_store(struct csn_json_reader *reader, const struct csn_json_place *place,
                          const cJSON *value, void *member)
{
    return csn_json_object(reader, place, value, store_fields, COUNT(store_fields), member);
}

static csn_err read_require(struct csn_json_reader *reader, const struct csn_json_place *place,
                            const cJSON *value, void *member)
{
    const cJSON *item;
    int index = 0;
    if (!cJSON_IsArray(value)) {
        return csn_json_fault(reader, place, "wants a list");
    }
    cJSON_ArrayForEach(item, value)
    {
        const struct csn_json_place here = {.outer = place, .index = index++};
        const char *name = cJSON_IsString(item) ? item->valuestring : "";
        uint32_t bit = csn_protection(name, strlen(name));
        if (bit == 0) {
            return csn_json_fault(reader, &here,
                                  "wants namespaces, own-uid, locked, huge-pages or secret");
        }
        *(uint32_t *)member |= bit;
    }
    return CSN_OK;
}

static csn_err read_backend(struct csn_json_reader *reader, const struct csn_json_place *place,
                            const cJSON *value, void *member)
{
    const char *name = cJSON_IsString(value) ? value->valuestring : "";
    if (strcmp(name, "auto") != 0 && strcmp(name, "process") != 0 && strcmp(name, "kvm") != 0) {
        return csn_json_fault(reader, place, "wants auto, process or kvm");
    }
    *(const char **)member = name;
    return CSN_OK;
}

#define SERVICE(member) offsetof(struct csn_config_service, member)
static const struct csn_json_field service_fields[] = {
    {.key = "name", .kind = CSN_JSON_NAME, .is_needed = true, .offset = SERVICE(name)},
    {.key = "image", .kind = CSN_JSON_PATH, .is_needed = true, .offset = SERVICE(image)},
    {.key = "signature", .kind = CSN_JSON_PATH, .is_needed = true, .offset = SERVICE(signature)},
    {.key = "control", .kind = CSN_JSON_PATH, .is_needed = true, .offset = SERVICE(control)},
    {.key = "rings", .kind = CSN_JSON_PATH, .offset = SERVICE(rings)},
    {.key = "instances",
     .kind = CSN_JSON_U32,
     .offset = SERVICE(instances),
     .minimum = 1,
     .maximum = CSN_CONFIG_INSTANCES_MAX},
    {.key = "backend", .kind = CSN_JSON_OTHER, .offset = SERVICE(backend), .read = read_backend},
    {.key = "require", .kind = CSN_JSON_OTHER, .offset = SERVICE(require), .read = read_require},
    {.key = "grants", .kind = CSN_JSON_U32, .offset = SERVICE(grants), .maximum = 1000000},
    {.key = "overlap_s", .kind = CSN_JSON_U32, .offset = SERVICE(overlap_s), .maximum = YEAR_S},
    {.key = "inflight",
     .kind = CSN_JSON_U32,
     .offset = SERVICE(inflight),
     .minimum = 1,
     .maximum = 65536},
    {.key = "evidence", .kind = CSN_JSON_OTHER, .offset = SERVICE(evidence), .read = read_evidence},
    {.key = "store", .kind = CSN_JSON_OTHER, .offset = SERVICE(store), .read = read_store},
};

static void service_defaults(void *item)
{
    struct csn_config_service *service = item;
    service->instances = 1;
    service->backend = "auto";
    service->grants = 1;
    service->overlap_s = 300;
    service->inflight = 1024;
}

static csn_err read_services(struct csn_json_reader *reader, const struct csn_json_place *place,
                             const cJSON *value, void *member)
{
    static const struct list list = {sizeof(struct csn_config_service), CSN_CONFIG_SERVICES_MAX,
                                     service_fields, COUNT(service_fields), service_defaults};
    struct csn_config *config = member;
    CSN_TRY(read_list(reader, place, value, &list, config->services, &config->service_count));
    for (uint32_t i = 0; i < config->service_count; i++) {
        const struct csn_json_place which = {.outer = place, .index = (int)i};
        if (config->services[i].store.folder != NULL && config->services[i].instances != 1) {
            return csn_json_fault(reader, &which, "a store is one instance's");
        }
        for (uint32_t k = 0; k < i; k++) {
            const struct csn_json_place here = {.outer = place, .index = (int)i};
            const struct csn_config_service *one = &config->services[k];
            const struct csn_config_service *other = &config->services[i];
            if (strcmp(one->name, other->name) == 0) {
                return csn_json_fault(reader, &here, "a second service of that name");
            }
            if (strcmp(one->control, other->control) == 0) {
                return csn_json_fault(reader, &here, "a second service with that control socket");
            }
        }
    }
    for (uint32_t i = 0; i < config->service_count; i++) {
        const struct csn_json_place here = {.outer = place, .index = (int)i};
        if (config->services[i].rings != NULL && config->services[i].instances != 1) {
            return csn_json_fault(reader, &here, "rings are of a service with one instance");
        }
    }
    return config->service_count != 0 ? CSN_OK : csn_json_fault(reader, place, "wants one or more");
}

/* ---- tenants ---- */

#define RATE(outer, member) (offsetof(outer, rate) + offsetof(struct csn_config_rate, member))
#define RATE_FIELDS(at)                                                                            \
    {.key = "rate",                                                                                \
     .kind = CSN_JSON_RATE,                                                                        \
     .offset = (at) + offsetof(struct csn_config_rate, rate)},                                     \
        {.key = "burst",                                                                           \
         .kind = CSN_JSON_U32,                                                                     \
         .offset = (at) + offsetof(struct csn_config_rate, burst),                                 \
         .minimum = 1,                                                                             \
         .maximum = UINT32_MAX},                                                                   \
    {                                                                                              \
        .key = "quota", .kind = CSN_JSON_U64,                                                      \
        .offset = (at) + offsetof(struct csn_config_rate, quota), .maximum = EXACT_MAX             \
    }
static const struct csn_json_field tenant_fields[] = {
    {.key = "label",
     .kind = CSN_JSON_NAME,
     .is_needed = true,
     .offset = offsetof(struct csn_config_tenant, label)},
    RATE_FIELDS(offsetof(struct csn_config_tenant, rate)),
};
static const struct csn_json_field rate_fields[] = {RATE_FIELDS(0)};

static csn_err read_tenants(struct csn_json_reader *reader, const struct csn_json_place *place,
                            const cJSON *value, void *member)
{
    static const struct list list = {sizeof(struct csn_config_tenant), CSN_CONFIG_TENANTS_MAX,
                                     tenant_fields, COUNT(tenant_fields), no_defaults};
    struct csn_config *config = member;
    CSN_TRY(read_list(reader, place, value, &list, config->tenants, &config->tenant_count));
    for (uint32_t i = 0; i < config->tenant_count; i++) {
        for (uint32_t k = 0; k < i; k++) {
            const struct csn_json_place here = {.outer = place, .index = (int)i};
            if (strcmp(config->tenants[i].label, config->tenants[k].label) == 0) {
                return csn_json_fault(reader, &here, "a second tenant of that label");
            }
        }
    }
    return CSN_OK;
}

static csn_err read_rate(struct csn_json_reader *reader, const struct csn_json_place *place,
                         const cJSON *value, void *member)
{
    return csn_json_object(reader, place, value, rate_fields, COUNT(rate_fields), member);
}

/* ---- the rest ---- */

#define TOP(member)   offsetof(struct csn_config, member)
#define LIMIT(member) TOP(limits) + offsetof(struct csn_front_limits, member)
#define COUNT_LIMIT(name, member, most)                                                            \
    {                                                                                              \
        .key = name, .kind = CSN_JSON_U32, .offset = LIMIT(member), .minimum = 1, .maximum = most  \
    }
#define SIZE_LIMIT(name, member)                                                                   \
    {                                                                                              \
        .key = name, .kind = CSN_JSON_U64, .offset = LIMIT(member), .minimum = 1 << 16,            \
        .maximum = EXACT_MAX                                                                       \
    }
static const struct csn_json_field limit_fields[] = {
    COUNT_LIMIT("connections", connections_max, 1000000),
    COUNT_LIMIT("connections_per_client", connections_client_max, 1000000),
    COUNT_LIMIT("requests", requests_max, 1000000),
    COUNT_LIMIT("streams", streams_max, 10000),
    COUNT_LIMIT("resets", resets_max, 1000000),
    COUNT_LIMIT("controls", controls_max, 1000000),
    SIZE_LIMIT("memory", memory_max),
    SIZE_LIMIT("memory_per_client", memory_client_max),
    SIZE_LIMIT("output_size", output_size_max),
    {.key = "body_size",
     .kind = CSN_JSON_U64,
     .offset = TOP(body_size_max),
     .minimum = 1024,
     .maximum = 1 << 30},
};

static csn_err read_limits(struct csn_json_reader *reader, const struct csn_json_place *place,
                           const cJSON *value, void *member)
{
    return csn_json_object(reader, place, value, limit_fields, COUNT(limit_fields), member);
}

#define DEADLINE(name, at)                                                                         \
    {                                                                                              \
        .key = name, .kind = CSN_JSON_MS, .offset = at, .minimum = 1, .maximum = DAY_MS            \
    }
static const struct csn_json_field deadline_fields[] = {
    DEADLINE("head_ms", LIMIT(head_ns)),       DEADLINE("body_ms", LIMIT(body_ns)),
    DEADLINE("request_ms", LIMIT(request_ns)), DEADLINE("idle_ms", LIMIT(idle_ns)),
    DEADLINE("stall_ms", LIMIT(stall_ns)),     DEADLINE("drain_ms", TOP(drain_ns)),
};

static csn_err read_deadlines(struct csn_json_reader *reader, const struct csn_json_place *place,
                              const cJSON *value, void *member)
{
    return csn_json_object(reader, place, value, deadline_fields, COUNT(deadline_fields), member);
}

static const struct csn_json_field log_fields[] = {
    {.key = "path", .kind = CSN_JSON_PATH, .is_needed = true, .offset = TOP(access_log)},
    {.key = "clients", .kind = CSN_JSON_BOOL, .offset = TOP(log_clients)},
};

static csn_err read_log(struct csn_json_reader *reader, const struct csn_json_place *place,
                        const cJSON *value, void *member)
{
    return csn_json_object(reader, place, value, log_fields, COUNT(log_fields), member);
}

static const struct csn_json_field top_fields[] = {
    {.key = "listeners", .kind = CSN_JSON_OTHER, .is_needed = true, .read = read_listeners},
    {.key = "admin", .kind = CSN_JSON_OTHER, .read = read_admin},
    {.key = "services", .kind = CSN_JSON_OTHER, .is_needed = true, .read = read_services},
    {.key = "tenants", .kind = CSN_JSON_OTHER, .read = read_tenants},
    {.key = "unlabelled", .kind = CSN_JSON_OTHER, .offset = TOP(unlabelled), .read = read_rate},
    {.key = "limits", .kind = CSN_JSON_OTHER, .read = read_limits},
    {.key = "deadlines", .kind = CSN_JSON_OTHER, .read = read_deadlines},
    {.key = "access_log", .kind = CSN_JSON_OTHER, .read = read_log},
    {.key = "rotate_s", .kind = CSN_JSON_U32, .offset = TOP(rotate_s), .maximum = YEAR_S},
};

static csn_err check_totals(struct csn_json_reader *reader, const struct csn_config *config)
{
    static const struct csn_json_place place = {.name = "services"};
    uint32_t count = 0;
    for (uint32_t i = 0; i < config->service_count; i++) {
        count += config->services[i].instances;
    }
    return count <= CSN_CONFIG_SERVICES_MAX
               ? CSN_OK
               : csn_json_fault(reader, &place, "%u instances in all, at most %u are allowed",
                                count, CSN_CONFIG_SERVICES_MAX);
}

/* Where the text is broken, for a person. */
static csn_err broken(const char *text, const char *end, struct csn_detail *detail)
{
    unsigned line = 1;
    unsigned column = 1;
    for (const char *at = text; at < end; at++) {
        column = *at == '\n' ? 1 : column + 1;
        line += *at == '\n' ? 1 : 0;
    }
    return csn_detail_set(detail, CSN_ERR_FORMAT, "line %u, column %u: not JSON", line, column);
}

csn_err csn_config_read(const char *text, size_t size, const char *folder,
                        struct csn_config **config, struct csn_detail *detail)
{
    const char *end = text;
    struct csn_json_reader reader = {.folder = folder, .detail = detail};
    *config = NULL;
    if (size > CSN_CONFIG_SIZE_MAX || memchr(text, 0, size) != NULL) {
        return csn_detail_set(detail, CSN_ERR_FORMAT, "not a text, or above 1 MiB");
    }
    cJSON *tree = cJSON_ParseWithLengthOpts(text, size + 1, &end, true);
    if (tree == NULL) {
        return broken(text, end, detail);
    }
    struct csn_config *made = calloc(1, sizeof *made);
    struct texts *texts = calloc(1, sizeof *texts);
    csn_err err = CSN_ERR_MEMORY;
    if (made != NULL && texts != NULL) {
        made->holds = 1;
        made->body_size_max = 1 << 20;
        made->drain_ns = UINT64_C(30000000000);
        err = csn_json_object(&reader, NULL, tree, top_fields, COUNT(top_fields), made);
        err = err == CSN_OK ? check_totals(&reader, made) : err;
        *texts = (struct texts){tree, reader.texts, reader.text_count};
        made->texts = texts;
        if (err == CSN_OK) {
            *config = made;
            return CSN_OK;
        }
        csn_config_free(made);
        return err;
    }
    cJSON_Delete(tree);
    free(texts);
    free(made);
    return csn_detail_set(detail, err, "out of memory");
}

struct csn_config *csn_config_hold(struct csn_config *config)
{
    config->holds++;
    return config;
}

void csn_config_free(struct csn_config *config)
{
    if (config == NULL || --config->holds != 0) {
        return;
    }
    struct texts *texts = config->texts;
    for (size_t i = 0; i < texts->made_count; i++) {
        free(texts->made[i]);
    }
    free(texts->made);
    cJSON_Delete(texts->tree);
    free(texts);
    free(config);
}

bool csn_config_is_name(const char *text, size_t size)
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyz0123456789-_.";
    bool good = size != 0 && size <= CSN_CONFIG_NAME_SIZE_MAX && text[0] != '.';
    for (size_t i = 0; good && i < size; i++) {
        good = text[i] != 0 && strchr(allowed, text[i]) != NULL;
    }
    return good;
}
