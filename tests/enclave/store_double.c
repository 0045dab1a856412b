/* SPDX-License-Identifier: Apache-2.0 */
/* store_double.c: the host's side of a store in memory. */
#include "store_double.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHECK(condition)                                                                           \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition);                        \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

/* ---- objects ---- */

struct store_object *store_double_find(struct store_double *store, const char *name)
{
    for (uint32_t i = 0; i < STORE_DOUBLE_OBJECTS; i++) {
        struct store_object *object = &store->objects[i];
        if (object->bytes != NULL && strcmp(object->name, name) == 0) {
            return object;
        }
    }
    return NULL;
}

struct store_object *store_double_ending(struct store_double *store, const char *end)
{
    struct store_object *found = NULL;
    for (uint32_t i = 0; i < STORE_DOUBLE_OBJECTS; i++) {
        struct store_object *object = &store->objects[i];
        size_t size = strlen(object->name);
        if (object->bytes != NULL && size >= strlen(end) &&
            strcmp(object->name + size - strlen(end), end) == 0) {
            if (found != NULL) {
                return NULL;
            }
            found = object;
        }
    }
    return found;
}

/* One with that name, there or only about to be. */
static struct store_object *place(struct store_double *store, const char *name)
{
    struct store_object *free_one = NULL;
    for (uint32_t i = 0; i < STORE_DOUBLE_OBJECTS; i++) {
        struct store_object *object = &store->objects[i];
        if (object->name[0] != 0 && strcmp(object->name, name) == 0) {
            return object;
        }
        if (object->name[0] == 0 && free_one == NULL) {
            free_one = object;
        }
    }
    CHECK(free_one != NULL);
    strcpy(free_one->name, name);
    return free_one;
}

static void put_at(uint8_t **bytes, uint64_t *size, uint64_t offset, const void *source,
                   uint64_t count)
{
    CHECK(offset <= *size); /* the enclave leaves no holes */
    *bytes = realloc(*bytes, offset + count + 1);
    CHECK(*bytes != NULL);
    memcpy(*bytes + offset, source, count);
    *size = offset + count;
}

static void forget(struct store_object *object)
{
    free(object->bytes);
    object->bytes = NULL;
    object->size = 0;
    object->synced = 0;
    if (object->parts == NULL) {
        object->name[0] = 0;
    }
}

void store_double_put(struct store_double *store, const char *name, const void *bytes,
                      uint64_t size)
{
    struct store_object *object = place(store, name);
    put_at(&object->bytes, &object->size, 0, bytes, size);
    object->synced = size;
}

void store_double_copy(struct store_double *target, const struct store_double *source)
{
    for (uint32_t i = 0; i < STORE_DOUBLE_OBJECTS; i++) {
        struct store_object *to = &target->objects[i];
        const struct store_object *from = &source->objects[i];
        free(to->bytes);
        free(to->parts);
        *to = (struct store_object){.name = ""};
        if (from->bytes != NULL) {
            store_double_put(target, from->name, from->bytes, from->size);
            to->synced = from->synced;
        }
    }
}

void store_double_start(struct store_double *store)
{
    memset(store, 0, sizeof *store);
}

static struct store_answer *pop(struct store_double *store)
{
    struct store_answer *first = store->answers;
    store->answers = first->next;
    return first;
}

void store_double_stop(struct store_double *store)
{
    for (uint32_t i = 0; i < STORE_DOUBLE_OBJECTS; i++) {
        free(store->objects[i].bytes);
        free(store->objects[i].parts);
    }
    while (store->answers != NULL) {
        struct store_answer *answer = pop(store);
        free(answer->bytes);
        free(answer);
    }
    memset(store, 0, sizeof *store);
}

/* ---- what is asked ---- */

struct reply {
    struct csn_wire_outside_answer head;
    uint8_t *bytes;
};

static uint32_t read_some(const struct store_object *object, struct csn_wire_outside_ask *ask,
                          struct reply *reply)
{
    if (object->bytes == NULL) {
        return CSN_WIRE_OUTSIDE_MISSING;
    }
    uint64_t left = ask->offset < object->size ? object->size - ask->offset : 0;
    reply->head.size = left < ask->size ? (uint32_t)left : ask->size;
    reply->bytes = malloc(reply->head.size + 1);
    CHECK(reply->bytes != NULL);
    if (reply->head.size != 0) {
        memcpy(reply->bytes, object->bytes + ask->offset, reply->head.size);
    }
    return CSN_WIRE_OUTSIDE_OK;
}

static uint32_t replace(struct store_object *object, const struct csn_wire_outside_ask *ask)
{
    CHECK(object->parts != NULL && object->parts_size == ask->offset);
    free(object->bytes);
    object->bytes = object->parts;
    object->size = object->parts_size;
    object->synced = object->size;
    object->parts = NULL;
    object->parts_size = 0;
    return CSN_WIRE_OUTSIDE_OK;
}

static uint32_t ask_tpm(struct store_double *store, const struct csn_wire_outside_ask *ask,
                        const uint8_t *bytes, struct reply *reply)
{
    if (store->tpm == NULL) {
        return CSN_WIRE_OUTSIDE_NONE;
    }
    reply->bytes = malloc(CSN_WIRE_OUTSIDE_TPM_SIZE);
    CHECK(reply->bytes != NULL);
    uint32_t status =
        store->tpm(store->tpm_state, bytes, ask->size, reply->bytes, &reply->head.size);
    reply->head.size = status == CSN_WIRE_OUTSIDE_OK ? reply->head.size : 0;
    return status;
}

static uint32_t perform(struct store_double *store, struct csn_wire_outside_ask *ask,
                        const uint8_t *bytes, struct reply *reply)
{
    char name[CSN_WIRE_OBJECT_NAME_MAX + 1] = {0};
    memcpy(name, ask->object, sizeof ask->object);
    if (ask->operation == CSN_WIRE_OUTSIDE_TPM) {
        CHECK(name[0] == 0);
        return ask_tpm(store, ask, bytes, reply);
    }
    CHECK(cse_object_name_is_valid(name));
    struct store_object *object = place(store, name);
    uint32_t status = CSN_WIRE_OUTSIDE_OK;
    switch (ask->operation) {
    case CSN_WIRE_OUTSIDE_SIZE:
        status = object->bytes != NULL ? CSN_WIRE_OUTSIDE_OK : CSN_WIRE_OUTSIDE_MISSING;
        reply->head.value = object->size;
        break;
    case CSN_WIRE_OUTSIDE_READ:
        status = read_some(object, ask, reply);
        break;
    case CSN_WIRE_OUTSIDE_APPEND:
        put_at(&object->bytes, &object->size, ask->offset, bytes, ask->size);
        object->synced = object->synced < ask->offset ? object->synced : ask->offset;
        break;
    case CSN_WIRE_OUTSIDE_SYNC:
        store->syncs++;
        object->synced = object->size;
        status = object->bytes != NULL ? CSN_WIRE_OUTSIDE_OK : CSN_WIRE_OUTSIDE_MISSING;
        break;
    case CSN_WIRE_OUTSIDE_PART:
        object->parts_size = ask->offset == 0 ? 0 : object->parts_size;
        put_at(&object->parts, &object->parts_size, ask->offset, bytes, ask->size);
        break;
    case CSN_WIRE_OUTSIDE_REPLACE:
        status = replace(object, ask);
        break;
    case CSN_WIRE_OUTSIDE_REMOVE:
        forget(object);
        break;
    default:
        CHECK(false);
    }
    if (object->bytes == NULL && object->parts == NULL) {
        object->name[0] = 0;
    }
    return status;
}

void store_double_queue(struct store_double *store, uint64_t tag, const void *bytes, uint32_t size)
{
    struct store_answer *answer = calloc(1, sizeof *answer);
    CHECK(answer != NULL);
    answer->tag = tag;
    answer->size = size;
    answer->bytes = malloc(size + 1);
    CHECK(answer->bytes != NULL);
    memcpy(answer->bytes, bytes, size);
    struct store_answer **last = &store->answers;
    while (*last != NULL) {
        last = &(*last)->next;
    }
    *last = answer;
    if (store->lie != NULL) {
        store->lie(store, answer);
    }
}

static bool is_to_fail(const struct store_double *store, const struct csn_wire_outside_ask *ask)
{
    return store->fail_at != 0 &&
           (store->asks == store->fail_at || (store->fail_on && store->asks > store->fail_at)) &&
           (store->fail_operation == 0 || ask->operation == store->fail_operation);
}

static csn_err put(void *state, uint64_t tag, const struct csn_ring_piece pieces[2])
{
    struct store_double *store = state;
    struct csn_wire_outside_ask ask;
    struct reply reply = {.bytes = NULL};
    CHECK(pieces[0].size == sizeof ask);
    memcpy(&ask, pieces[0].bytes, sizeof ask);
    CHECK(pieces[1].size == (ask.operation == CSN_WIRE_OUTSIDE_READ ? 0 : ask.size));
    CHECK(store->manifest == NULL ||
          sizeof ask + pieces[1].size <= store->manifest->output_size_max);
    store->last = ask;
    store->asks++;
    store->in_flight++;
    store->in_flight_max =
        store->in_flight > store->in_flight_max ? store->in_flight : store->in_flight_max;
    const bool fails = is_to_fail(store, &ask);
    if (!fails || store->fail_does) {
        reply.head.status = perform(store, &ask, pieces[1].bytes, &reply);
    }
    if (fails) {
        reply.head = (struct csn_wire_outside_answer){.status = store->fail_status};
    }
    if (reply.head.status != CSN_WIRE_OUTSIDE_OK) {
        reply.head.size = 0;
        reply.head.value = 0;
    }
    uint8_t *whole = malloc(sizeof reply.head + reply.head.size);
    CHECK(whole != NULL);
    memcpy(whole, &reply.head, sizeof reply.head);
    if (reply.head.size != 0) {
        memcpy(whole + sizeof reply.head, reply.bytes, reply.head.size);
    }
    CHECK(store->manifest == NULL ||
          sizeof reply.head + reply.head.size <= store->manifest->input_size_max);
    store_double_queue(store, tag, whole, (uint32_t)sizeof reply.head + reply.head.size);
    free(whole);
    free(reply.bytes);
    return CSN_OK;
}

static csn_err take(void *state, uint8_t *target, struct csn_ring_message *message)
{
    struct store_double *store = state;
    CHECK(store->answers != NULL); /* a ring would wait for ever */
    struct store_answer *answer = pop(store);
    memcpy(target, answer->bytes, answer->size);
    *message =
        (struct csn_ring_message){.tag = answer->tag, .size = answer->size, .final = answer->final};
    free(answer->bytes);
    free(answer);
    store->in_flight--;
    return CSN_OK;
}

struct cse_outside_port store_double_port(struct store_double *store)
{
    return (struct cse_outside_port){.put = put, .take = take, .state = store};
}
