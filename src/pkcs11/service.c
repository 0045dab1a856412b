/* SPDX-License-Identifier: Apache-2.0 */
/* service.c: see service.h. Operations as requests in transit's binary form. */
#include "service.h"
#include "core/bytes.h"
#include "lane.h"
#include <caisson/wire/record.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A whole request: its head, one item and what is in it. */
#define REQUEST_MAX (CSN_WIRE_PAYLOAD_MAX - 512u) /* beside Binary HTTP's own */
#define SMALL_MAX   2048u
#define ANSWER_MAX  (2u * CSN_WIRE_PAYLOAD_MAX + 8192u)

struct p11_service {
    struct p11_lanes *lanes;
    bool debug;
    bool is_surprised; /* any thread */
};

static _Thread_local char why[320];

bool p11_service_was_surprised(struct p11_service *service)
{
    return __atomic_exchange_n(&service->is_surprised, false, __ATOMIC_RELAXED);
}

const char *p11_service_why(void)
{
    return why;
}

CK_RV p11_service_create(const struct p11_settings *settings, struct p11_service **service,
                         const char **reason)
{
    struct p11_service *made = calloc(1, sizeof *made);
    *reason = "out of memory";
    if (made == NULL) {
        return CKR_HOST_MEMORY;
    }
    made->debug = settings->debug;
    made->lanes = p11_lanes_create(settings, reason);
    if (made->lanes == NULL) {
        free(made);
        return CKR_GENERAL_ERROR;
    }
    *service = made;
    return CKR_OK;
}

void p11_service_destroy(struct p11_service *service)
{
    if (service != NULL) {
        p11_lanes_destroy(service->lanes);
        free(service);
    }
}

void p11_service_forget(struct p11_service *service)
{
    if (service != NULL) {
        p11_lanes_forget(service->lanes);
        free(service);
    }
}

/* ---- results ---- */

static CK_RV fail(const struct p11_service *service, CK_RV rv, const char *what)
{
    snprintf(why, sizeof why, "%s", what);
    if (service->debug) {
        fprintf(stderr, "caisson-pkcs11: %s\n", why);
    }
    return rv;
}

static CK_RV of_error(const struct p11_service *service, csn_err err, const char *what)
{
    CK_RV rv = err == CSN_ERR_MEMORY    ? CKR_HOST_MEMORY
               : err == CSN_ERR_LIMIT   ? CKR_DATA_LEN_RANGE
               : err == CSN_ERR_SYSTEM  ? CKR_DEVICE_REMOVED
               : err == CSN_ERR_UNKNOWN ? CKR_USER_NOT_LOGGED_IN
                                        : CKR_DEVICE_ERROR;
    return fail(service, rv, what);
}

/* Of a request that was refused whole: the HTTP status that goes with each. */
static CK_RV of_status(const struct p11_service *service, uint32_t status, const char *what)
{
    CK_RV rv = status == 403   ? CKR_KEY_FUNCTION_NOT_PERMITTED
               : status == 404 ? CKR_KEY_HANDLE_INVALID
               : status == 413 ? CKR_DATA_LEN_RANGE
               : status == 422 ? CKR_DEVICE_MEMORY
               : status == 400 ? CKR_FUNCTION_FAILED
                               : CKR_DEVICE_ERROR;
    return fail(service, rv, what);
}

static CK_RV of_result(const struct p11_service *service, uint32_t status, uint32_t operation)
{
    switch (status) {
    case CSN_WIRE_STATUS_OK:
        return CKR_OK;
    case CSN_WIRE_STATUS_NOT_FOUND:
        return fail(service,
                    operation == CSN_WIRE_TRANSIT_DECRYPT ? CKR_ENCRYPTED_DATA_INVALID
                                                          : CKR_KEY_HANDLE_INVALID,
                    "not sealed by this key, or the key is gone");
    case CSN_WIRE_STATUS_RIGHTS:
    case CSN_WIRE_STATUS_POLICY:
        return fail(service, CKR_KEY_FUNCTION_NOT_PERMITTED, "key or credential may not do this");
    case CSN_WIRE_STATUS_MALFORMED:
        return fail(service, CKR_DATA_INVALID, "the enclave finds the input malformed");
    case CSN_WIRE_STATUS_LIMIT:
        return fail(service, CKR_DEVICE_MEMORY, "no room, or a quota is used up");
    case CSN_WIRE_STATUS_BUDGET:
        return fail(service, CKR_FUNCTION_FAILED, "the key's uses are used up");
    default:
        return fail(service, CKR_DEVICE_ERROR, "the enclave could not do it");
    }
}

/* ---- requests ---- */

static size_t padded(size_t size)
{
    return (size + 7) & ~(size_t)7;
}

static uint8_t *put(uint8_t *at, const void *bytes, size_t size)
{
    if (size != 0) {
        memcpy(at, bytes, size);
    }
    return at + size;
}

/* The one result of an answer; its bytes are in the answer. */
struct outcome {
    struct csn_wire_transit_answer answer;
    struct csn_wire_transit_result result;
    const uint8_t *output;
};

/* Where the result of this request is, if that is what came. */
static bool read_outcome(const uint8_t *bytes, uint32_t size, uint32_t operation,
                         struct outcome *outcome)
{
    size_t heads = sizeof outcome->answer + sizeof outcome->result;
    if (size < heads) {
        return false;
    }
    memcpy(&outcome->answer, bytes, sizeof outcome->answer);
    memcpy(&outcome->result, bytes + sizeof outcome->answer, sizeof outcome->result);
    outcome->output = bytes + heads;
    const struct csn_wire_transit_result *result = &outcome->result;
    uint64_t both = (uint64_t)result->output_size + result->second_size;
    return outcome->answer.version == CSN_WIRE_TRANSIT_VERSION &&
           outcome->answer.operation == operation && outcome->answer.item_count == 1 &&
           both <= size - heads && (result->status == CSN_WIRE_STATUS_OK || both == 0);
}

/* All but what makes, changes or deletes keys. */
static bool is_repeatable(const void *request)
{
    struct csn_wire_transit_request head;
    memcpy(&head, request, sizeof head);
    return head.operation <= CSN_WIRE_TRANSIT_RANDOM || head.operation == CSN_WIRE_TRANSIT_INFO ||
           head.operation == CSN_WIRE_TRANSIT_LIST;
}

static CK_RV perform(const struct p11_service *service, const void *request, uint32_t request_size,
                     uint8_t *answer, uint32_t answer_size_max, struct outcome *outcome)
{
    struct p11_exchange exchange = {.request = request,
                                    .request_size = request_size,
                                    .is_repeatable = is_repeatable(request),
                                    .answer = answer,
                                    .answer_size_max = answer_size_max};
    struct csn_wire_transit_request head;
    memcpy(&head, request, sizeof head);
    why[0] = 0;
    csn_err err = p11_lanes_exchange(service->lanes, &exchange);
    if (err != CSN_OK) {
        return of_error(service, err, exchange.why);
    }
    if (exchange.status != 200) {
        return of_status(service, exchange.status, exchange.why);
    }
    if (!read_outcome(answer, exchange.answer_size, head.operation, outcome)) {
        return fail(service, CKR_DEVICE_ERROR, "the enclave's answer is not understood");
    }
    return of_result(service, outcome->result.status, head.operation);
}

static uint32_t make_request(const char *name, uint32_t version, const struct p11_use *use,
                             uint8_t *target)
{
    struct csn_wire_transit_request head = {.version = CSN_WIRE_TRANSIT_VERSION,
                                            .operation = (uint16_t)use->operation,
                                            .item_count = 1,
                                            .key_version = version,
                                            .hash = (uint16_t)use->hash,
                                            .flags = (uint8_t)use->flags,
                                            .output_size = use->output_size};
    const struct csn_wire_transit_item item = {.input_size = (uint32_t)use->input.size,
                                               .extra_size = (uint32_t)use->extra.size};
    if (name != NULL) {
        head.name_size = (uint8_t)strnlen(name, sizeof head.name - 1);
        memcpy(head.name, name, head.name_size);
    }
    uint8_t *at = put(target, &head, sizeof head);
    at = put(at, &item, sizeof item);
    at = put(at, use->input.bytes, use->input.size);
    at = put(at, use->extra.bytes, use->extra.size);
    size_t size = (size_t)(at - target);
    memset(at, 0, padded(size) - size);
    return (uint32_t)padded(size);
}

/* Small ones on the stack, which most are. */
static CK_RV use_with(const struct p11_service *service, const char *name, uint32_t version,
                      const struct p11_use *use, uint8_t *room, size_t room_size, uint8_t *output,
                      size_t *size)
{
    struct outcome outcome;
    uint32_t request_size = make_request(name, version, use, room);
    CK_RV rv = perform(service, room, request_size, room + request_size,
                       (uint32_t)(room_size - request_size), &outcome);
    if (rv == CKR_OK && outcome.result.output_size > *size) {
        rv = CKR_BUFFER_TOO_SMALL;
    }
    if (rv == CKR_OK) {
        *size = outcome.result.output_size;
        put(output, outcome.output, *size);
    }
    csn_wipe(room, room_size);
    return rv;
}

static CK_RV use_named(const struct p11_service *service, const char *name, uint32_t version,
                       const struct p11_use *use, uint8_t *output, size_t *size)
{
    size_t request = sizeof(struct csn_wire_transit_request) +
                     sizeof(struct csn_wire_transit_item) + use->input.size + use->extra.size + 8;
    if (request > REQUEST_MAX) {
        return fail(service, CKR_DATA_LEN_RANGE, "more than one request takes");
    }
    size_t all = request + *size + 256;
    if (all <= SMALL_MAX) {
        uint8_t small[SMALL_MAX];
        return use_with(service, name, version, use, small, all, output, size);
    }
    uint8_t *room = malloc(all);
    if (room == NULL) {
        return CKR_HOST_MEMORY;
    }
    CK_RV rv = use_with(service, name, version, use, room, all, output, size);
    free(room);
    return rv;
}

CK_RV p11_service_use(struct p11_service *service, const struct p11_key_info *info,
                      const struct p11_use *use, uint8_t *output, size_t *size)
{
    /* What was sealed says its version itself. */
    bool sealed = use->operation == CSN_WIRE_TRANSIT_DECRYPT;
    CK_RV rv = use_named(service, info != NULL ? info->name : NULL,
                         info != NULL && !sealed ? info->version : 0, use, output, size);
    if (rv == CKR_KEY_HANDLE_INVALID) {
        __atomic_store_n(&service->is_surprised, true, __ATOMIC_RELAXED);
    }
    return rv;
}

/* ---- keys ---- */

/* with_public: its public half follows, as everywhere but in lists. */
static bool read_key(const uint8_t *bytes, size_t size, bool with_public, struct p11_key_info *info)
{
    struct csn_wire_transit_key key;
    if (size < sizeof key) {
        return false;
    }
    memcpy(&key, bytes, sizeof key);
    if (!with_public) {
        key.public_size = 0; /* it has one, and what follows is another key */
    }
    if (key.name[sizeof key.name - 1] != 0 || key.public_size > size - sizeof key) {
        return false;
    }
    *info = (struct p11_key_info){.type = key.type,
                                  .operations = key.operations,
                                  .version = key.version != 0 ? key.version : key.newest,
                                  .derived = (key.flags & CSN_WIRE_TRANSIT_KEY_DERIVED) != 0,
                                  .deletable = (key.flags & CSN_WIRE_TRANSIT_KEY_DELETABLE) != 0,
                                  .imported = key.origin == CSN_WIRE_TRANSIT_IMPORTED,
                                  .public_size =
                                      key.public_size <= P11_PUBLIC_MAX ? key.public_size : 0};
    memcpy(info->name, key.name, sizeof info->name);
    memcpy(info->id, key.id, sizeof info->id);
    memcpy(info->public_key, bytes + sizeof key, info->public_size);
    return true;
}

/* create and info: a key comes back, with its public half. */
static CK_RV ask_key(const struct p11_service *service, const struct p11_use *use,
                     struct p11_key_info *info)
{
    uint8_t output[sizeof(struct csn_wire_transit_key) + 2048]; /* ML-KEM's half is the longest */
    size_t size = sizeof output;
    char name[CSN_WIRE_TRANSIT_NAME_SIZE];
    memcpy(name, info->name, sizeof name);
    CK_RV rv = use_named(service, name, 0, use, output, &size);
    if (rv == CKR_OK && (!read_key(output, size, true, info) || strcmp(name, info->name) != 0)) {
        rv = fail(service, CKR_DEVICE_ERROR, "the enclave's answer is not understood");
    }
    return rv;
}

CK_RV p11_service_info(struct p11_service *service, struct p11_key_info *info)
{
    const struct p11_use use = {.operation = CSN_WIRE_TRANSIT_INFO};
    return ask_key(service, &use, info);
}

CK_RV p11_service_create_key(struct p11_service *service, struct p11_key_info *info)
{
    const struct csn_wire_transit_create wish = {
        .type = (uint16_t)info->type,
        .flags = info->deletable ? CSN_WIRE_TRANSIT_KEY_DELETABLE : 0,
        .operations = info->operations};
    const struct p11_use use = {.operation = CSN_WIRE_TRANSIT_CREATE,
                                .input = {(const uint8_t *)&wish, sizeof wish}};
    CK_RV rv = ask_key(service, &use, info);
    return rv == CKR_KEY_FUNCTION_NOT_PERMITTED ? CKR_ACTION_PROHIBITED : rv;
}

CK_RV p11_service_delete_key(struct p11_service *service, const struct p11_key_info *info)
{
    const struct p11_use use = {.operation = CSN_WIRE_TRANSIT_DELETE};
    uint8_t nothing[8];
    size_t size = sizeof nothing;
    CK_RV rv = use_named(service, info->name, 0, &use, nothing, &size);
    return rv == CKR_KEY_FUNCTION_NOT_PERMITTED ? CKR_ACTION_PROHIBITED : rv;
}

/* One page behind the name; *last: the last name of it. */
static CK_RV list_page(const struct p11_service *service, char last[CSN_WIRE_TRANSIT_NAME_SIZE],
                       bool *more, p11_key_taker take, void *state, uint8_t *output)
{
    const struct p11_use use = {.operation = CSN_WIRE_TRANSIT_LIST,
                                .input = {(const uint8_t *)last, strlen(last)}};
    size_t size = ANSWER_MAX;
    CK_RV rv = use_named(service, NULL, 0, &use, output, &size);
    *more = false;
    for (size_t at = 0; rv == CKR_OK && at < size; at += sizeof(struct csn_wire_transit_key)) {
        struct p11_key_info info;
        if (!read_key(output + at, size - at, false, &info)) {
            return fail(service, CKR_DEVICE_ERROR, "the enclave's answer is not understood");
        }
        *more = true; /* perhaps: an empty page is the end */
        memcpy(last, info.name, sizeof info.name);
        rv = take(state, &info);
    }
    return rv;
}

CK_RV p11_service_list(struct p11_service *service, p11_key_taker take, void *state)
{
    char last[CSN_WIRE_TRANSIT_NAME_SIZE] = "";
    bool more = true;
    CK_RV rv = CKR_OK;
    uint8_t *output = malloc(ANSWER_MAX);
    if (output == NULL) {
        return CKR_HOST_MEMORY;
    }
    /* A tenant has 128 keys; an enclave that lists for ever is cut off. */
    for (uint32_t page = 0; rv == CKR_OK && more && page < 1024; page++) {
        rv = list_page(service, last, &more, take, state, output);
    }
    free(output);
    return rv;
}
