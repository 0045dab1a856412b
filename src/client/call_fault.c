/* SPDX-License-Identifier: Apache-2.0 */
/* call_fault.c: what went wrong with a call, in words and numbers, and whether it is tried again.
 */
#include "../json/json.h"
#include "caller.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RETRIES_MAX      1u
#define PROBLEM_SIZE_MAX 8192u

const struct csv_fault
    csv_fault_invalid = {CSN_ERR_EVIDENCE, 502, CSV_PROBLEM_URN "evidence-invalid",
                         "The far end is not what the policy accepts"},
    csv_fault_unverified = {CSN_ERR_UNVERIFIED, 503, CSV_PROBLEM_URN "unverified",
                            "The far end could not be verified"},
    csv_fault_answer = {CSN_ERR_AUTH, 502, CSV_PROBLEM_URN "answer-not-authentic",
                        "What came back is not the enclave's answer to this request"},
    csv_fault_protocol = {CSN_ERR_PEER, 502, CSV_PROBLEM_URN "gateway-protocol",
                          "What came back is none of this protocol"},
    csv_fault_refused = {CSN_ERR_UNKNOWN, 502, CSV_PROBLEM_URN "refused",
                         "The enclave did not take the request"},
    csv_fault_busy = {CSN_BUSY, 503, CSV_PROBLEM_URN "busy", "Too much to do at the far end"},
    csv_fault_size = {CSN_ERR_LIMIT, 413, CSV_PROBLEM_URN "too-large", "The request is too large"},
    csv_fault_unanswered = {CSN_ERR_SYSTEM, 502, CSV_PROBLEM_URN "unanswered",
                            "There was no answer"},
    csv_fault_memory = {CSN_ERR_MEMORY, 503, CSV_PROBLEM_URN "local",
                        "Not sent: something is missing here"};

static void fail(struct csv_call *call, const struct csv_fault *fault, const char *detail,
                 va_list arguments)
{
    call->problem.err = fault->err;
    call->problem.status = fault->status;
    call->problem.type = fault->type;
    call->problem.title = fault->title;
    (void)vsnprintf(call->problem.detail, sizeof call->problem.detail, detail, arguments);
    csv_call_done(call, fault->err);
}

void csv_call_fail(struct csv_call *call, const struct csv_fault *fault, const char *detail, ...)
{
    va_list arguments;
    va_start(arguments, detail);
    fail(call, fault, detail, arguments);
    va_end(arguments);
}

/* Detached, so that nothing else becomes of it. */
static struct csv_call *take_call(struct csv_trip *trip)
{
    struct csv_call *call = trip->call;
    trip->call = NULL;
    return call;
}

static void fail_trip(struct csv_trip *trip, const struct csv_fault *fault, const char *detail,
                      va_list arguments)
{
    struct csv_call *call = take_call(trip);
    if (call != NULL) {
        call->problem.maybe_served = trip->sealed;
        fail(call, fault, detail, arguments);
    }
}

void csv_trip_fail(struct csv_trip *trip, const struct csv_fault *fault, const char *detail, ...)
{
    va_list arguments;
    va_start(arguments, detail);
    fail_trip(trip, fault, detail, arguments);
    va_end(arguments);
}

void csv_trip_requeue(struct csv_trip *trip)
{
    struct csv_call *call = take_call(trip);
    if (call != NULL) {
        call->state = CSV_CALL_WAITING;
        call->challenged = false;
        csv_queue_push(&call->caller->waiting, call);
    }
}

void csv_trip_again(struct csv_trip *trip, const struct csv_fault *fault, const char *detail, ...)
{
    va_list arguments;
    if (trip->call == NULL) {
        return;
    }
    if (!trip->once && trip->call->retries < RETRIES_MAX) {
        trip->call->retries++;
        csv_trip_requeue(trip);
        return;
    }
    va_start(arguments, detail);
    fail_trip(trip, fault, detail, arguments);
    va_end(arguments);
}

/* ---- what the gateway says ---- */

bool csv_problem_is(const void *text, size_t text_size, const char *type)
{
    uint32_t size = (uint32_t)text_size;
    bool found = false;
    if (text_size > PROBLEM_SIZE_MAX || size == 0) {
        return false;
    }
    struct csn_json json = {.text = text, .size = size};
    json.node_max = csn_json_bound(json.text, size);
    json.nodes = calloc(json.node_max, sizeof *json.nodes);
    json.hashes = calloc(json.node_max, sizeof *json.hashes);
    json.owners = calloc(json.node_max, sizeof *json.owners);
    if (json.nodes != NULL && json.hashes != NULL && json.owners != NULL &&
        csn_json_scan(&json) == CSN_JSON_OK && json.nodes[0].kind == CSN_JSON_OBJECT) {
        for (uint32_t i = csn_json_child(json.nodes, 0); i != 0; i = json.nodes[i].next) {
            const struct csn_json_node *node = &json.nodes[i];
            found =
                found || (csn_json_equal(json.text + node->name, node->name_size,
                                         (const uint8_t *)"type", 4) &&
                          node->kind == CSN_JSON_STRING &&
                          csn_json_equal(json.text + node->begin + 1, node->end - node->begin - 2,
                                         (const uint8_t *)type, (uint32_t)strlen(type)));
        }
    }
    free(json.nodes);
    free(json.hashes);
    free(json.owners);
    return found;
}

static bool is_problem(const struct csv_fetched *fetched, const char *type)
{
    return csv_fetched_is(fetched, "application/problem+json") &&
           csv_problem_is(fetched->body, fetched->body_size, type);
}

static void take_retry_after(const struct csv_trip *trip, const struct csv_fetched *fetched)
{
    unsigned long seconds = 0;
    if (fetched->retry_after != NULL && fetched->retry_after[0] >= '0' &&
        fetched->retry_after[0] <= '9') {
        seconds = strtoul(fetched->retry_after, NULL, 10);
    }
    if (trip->call != NULL) {
        trip->call->problem.retry_after = seconds < 3600 ? (uint32_t)seconds : 3600;
    }
}

/*
 * Of a request sealed for a key that is there no more 400 says either that the key is unknown, or,
 * where the next one has the same id (a byte), that it does not open.
 */
void csv_trip_refused(struct csv_caller *caller, struct csv_trip *trip,
                      const struct csv_fetched *fetched)
{
    uint32_t status = fetched->status;
    if (status == 0) {
        csv_trip_again(trip, &csv_fault_unanswered, "no answer: %s",
                       fetched->fault != NULL ? fetched->fault : "the gateway did not answer");
    } else if ((status == 400 && trip->kind == CSV_TRIP_OBLIVIOUS) ||
               (status == 409 && is_problem(fetched, CSV_PROBLEM_URN "worker-gone"))) {
        csv_caller_distrust(caller, trip->appraisal);
        csv_trip_again(trip, &csv_fault_unanswered,
                       "the enclave that it was sealed for is gone, or its key is retired");
    } else if (status == 413) {
        csv_trip_fail(trip, &csv_fault_size, "the gateway takes no request of this size");
    } else if (status == 429 || status == 503) {
        take_retry_after(trip, fetched);
        csv_trip_fail(trip, &csv_fault_busy, "the gateway answers with status %u", status);
    } else if (status == 502 || status == 504) {
        csv_trip_again(trip, &csv_fault_unanswered, "the gateway answers with status %u", status);
    } else {
        csv_trip_fail(trip, &csv_fault_protocol, "the gateway answers with status %u", status);
    }
}

void csv_trip_rejected(struct csv_caller *caller, struct csv_trip *trip, uint32_t code)
{
    switch (code) {
    case CSN_WIRE_REJECT_TENANT:
    case CSN_WIRE_REJECT_KEY:
    case CSN_WIRE_REJECT_STALE:
        csv_caller_distrust(caller, trip->appraisal);
        csv_trip_again(trip, &csv_fault_refused,
                       "refused before it was opened: %s (code %u). Is the credential in the "
                       "tenant's grant?",
                       code == CSN_WIRE_REJECT_TENANT ? "no such tenant there"
                       : code == CSN_WIRE_REJECT_KEY  ? "no such key, credential or context there"
                                                      : "not of this boot, or of an old grant",
                       code);
        break;
    case CSN_WIRE_DROPPED:
        csv_trip_again(trip, &csv_fault_unanswered,
                       "the enclave gave it up: the grant was replaced, or somebody on the way had "
                       "it cancelled");
        csv_caller_distrust(caller, trip->appraisal);
        break;
    case CSN_WIRE_REJECT_MODE:
        if (!caller->once) {
            caller->once = true; /* stricter, whoever said so */
            csv_caller_drop_context(caller);
        }
        if (!trip->once && trip->sealed) { /* an image that takes this mode may serve it twice */
            csv_trip_requeue(trip);
            break;
        }
        csv_trip_fail(trip, &csv_fault_refused,
                      "the enclave takes no requests that are served once");
        break;
    case CSN_WIRE_REJECT_SIZE:
        csv_trip_fail(trip, &csv_fault_size, "the enclave takes no request of this size");
        break;
    case CSN_WIRE_REJECT_QUOTA:
    case CSN_WIRE_REJECT_BUSY:
        csv_trip_fail(trip, &csv_fault_busy, "%s",
                      code == CSN_WIRE_REJECT_BUSY ? "a table of the enclave is full"
                                                   : "the tenant's budget there is used up");
        break;
    case CSN_WIRE_REJECT_AUTH:
        csv_trip_fail(trip, &csv_fault_refused,
                      "it did not authenticate there: another secret, or damaged on its way");
        break;
    default:
        csv_trip_fail(trip, &csv_fault_protocol, "refused before it was opened: code %u", code);
    }
}
