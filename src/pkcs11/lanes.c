/* SPDX-License-Identifier: Apache-2.0 */
/* lanes.c: see lane.h. */
#include "core/bytes.h"
#include "lane.h"
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define FILE_SIZE_MAX  (UINT64_C(1) << 20)
#define EVIDENCE_AGE_S 3600u
#define RING_RETRY_S   2
#define BINARY_PATH    "/v1/transit/binary"
#define BINARY_TYPE    "application/octet-stream"

struct lane {
    bool is_busy;
    struct csv_caller *caller; /* NULL: not used yet */
    struct p11_http *http;
    struct p11_ring *ring;
    int64_t ring_tried_s; /* when it was asked for last */
};

struct p11_lanes {
    struct p11_settings settings;
    struct csv_policy *policy;
    struct csv_credential credential;
    pthread_mutex_t lock;
    pthread_cond_t freed;
    struct lane lanes[P11_LANE_MAX];
};

static _Thread_local char mistake[600];

/* ---- life ---- */

static bool read_policy(struct p11_lanes *lanes)
{
    struct csv_policy_mistake wrong = {.text = ""};
    size_t size = 0;
    const char *path = lanes->settings.policy;
    char *text = p11_file_read(path, FILE_SIZE_MAX, &size);
    if (text == NULL) {
        snprintf(mistake, sizeof mistake, "%s: %s", path, strerror(errno));
        return false;
    }
    csn_err err = csv_policy_parse(text, size, &lanes->policy, &wrong);
    free(text);
    if (err != CSN_OK) {
        snprintf(mistake, sizeof mistake, "%s:%u: %s", path, wrong.line,
                 wrong.text[0] != 0 ? wrong.text : csn_err_name(err));
    }
    return err == CSN_OK;
}

static bool read_credential(struct p11_lanes *lanes)
{
    size_t size = 0;
    const char *path = lanes->settings.credential;
    char *bytes = p11_file_read(path, FILE_SIZE_MAX, &size);
    if (bytes == NULL) {
        snprintf(mistake, sizeof mistake, "%s: %s", path, strerror(errno));
        return false;
    }
    csn_err err = csv_credential_decode(bytes, size, &lanes->credential);
    csn_wipe(bytes, size);
    free(bytes);
    if (err != CSN_OK) {
        snprintf(mistake, sizeof mistake, "%s: not a credential", path);
    }
    return err == CSN_OK;
}

struct p11_lanes *p11_lanes_create(const struct p11_settings *settings, const char **why)
{
    struct p11_lanes *lanes = calloc(1, sizeof *lanes);
    *why = "out of memory";
    if (lanes == NULL) {
        return NULL;
    }
    *why = mistake;
    lanes->settings = *settings;
    pthread_mutex_init(&lanes->lock, NULL);
    pthread_cond_init(&lanes->freed, NULL);
    if (!read_policy(lanes) || !read_credential(lanes)) {
        p11_lanes_destroy(lanes);
        return NULL;
    }
    return lanes;
}

static void free_lanes(struct p11_lanes *lanes)
{
    for (uint32_t i = 0; i < P11_LANE_MAX; i++) {
        csv_caller_destroy(lanes->lanes[i].caller);
        p11_http_destroy(lanes->lanes[i].http);
        p11_ring_destroy(lanes->lanes[i].ring);
    }
    csv_policy_free(lanes->policy);
    csn_wipe(&lanes->credential, sizeof lanes->credential);
}

void p11_lanes_destroy(struct p11_lanes *lanes)
{
    if (lanes != NULL) {
        free_lanes(lanes);
        pthread_cond_destroy(&lanes->freed);
        pthread_mutex_destroy(&lanes->lock);
        free(lanes);
    }
}

void p11_lanes_forget(struct p11_lanes *lanes)
{
    /* A lane that another thread was in is left as it is, whatever state that is. */
    for (uint32_t i = 0; i < P11_LANE_MAX; i++) {
        if (lanes->lanes[i].is_busy) {
            lanes->lanes[i] = (struct lane){.is_busy = false};
        }
        p11_ring_forget(lanes->lanes[i].ring);
        lanes->lanes[i].ring = NULL;
    }
    free_lanes(lanes);
    free(lanes);
}

/* ---- a lane for a call ---- */

static struct lane *take_lane(struct p11_lanes *lanes)
{
    struct lane *found = NULL;
    pthread_mutex_lock(&lanes->lock);
    while (found == NULL) {
        for (uint32_t i = 0; i < lanes->settings.lanes && found == NULL; i++) {
            found = lanes->lanes[i].is_busy ? NULL : &lanes->lanes[i]; /* the warmest first */
        }
        if (found == NULL) {
            pthread_cond_wait(&lanes->freed, &lanes->lock);
        }
    }
    found->is_busy = true;
    pthread_mutex_unlock(&lanes->lock);
    return found;
}

static void give_lane(struct p11_lanes *lanes, struct lane *lane)
{
    pthread_mutex_lock(&lanes->lock);
    lane->is_busy = false;
    pthread_cond_signal(&lanes->freed);
    pthread_mutex_unlock(&lanes->lock);
}

static csn_err open_lane(const struct p11_lanes *lanes, struct lane *lane)
{
    const struct p11_settings *settings = &lanes->settings;
    if (lane->http == NULL) {
        lane->http = p11_http_create(settings);
    }
    if (lane->http == NULL) {
        return CSN_ERR_MEMORY;
    }
    if (lane->caller != NULL) {
        return CSN_OK;
    }
    const struct csv_caller_options options = {
        .policy = lanes->policy,
        .credential = &lanes->credential,
        .service = settings->service[0] != 0 ? settings->service : NULL,
        .way = CSV_CALL_RECORDS,
        .once = settings->once,
        .purpose = settings->purpose,
        .evidence_age_max = EVIDENCE_AGE_S,
        .call_count_max = 2};
    return csv_caller_create(&options, &lane->caller);
}

/* Rings, where the settings name them: for records alone, once the enclave was verified. */
static struct p11_ring *ring_for(const struct p11_lanes *lanes, struct lane *lane,
                                 const struct csv_fetch *fetch, int64_t now)
{
    if (lanes->settings.rings[0] == 0 || strncmp(fetch->path, "/records", 8) != 0) {
        return NULL;
    }
    if (lane->ring != NULL && !p11_ring_is_good(lane->ring)) {
        p11_ring_destroy(lane->ring);
        lane->ring = NULL;
    }
    if (lane->ring == NULL && now - lane->ring_tried_s >= RING_RETRY_S) {
        lane->ring_tried_s = now;
        lane->ring = p11_ring_create(&lanes->settings);
    }
    return lane->ring;
}

static void do_fetches(const struct p11_lanes *lanes, struct lane *lane)
{
    struct csv_fetch fetch;
    struct csv_fetched fetched;
    int64_t now = time(NULL);
    while (csv_caller_next(lane->caller, now, &fetch)) {
        struct p11_ring *ring = ring_for(lanes, lane, &fetch, now);
        if (ring == NULL || !p11_ring_fetch(ring, &fetch, &fetched)) {
            p11_http_fetch(lane->http, &fetch, &fetched);
        }
        now = time(NULL);
        csv_caller_take(lane->caller, now, &fetched);
    }
}

/* ---- a call ---- */

static csn_err take_response(const struct csv_call *call, struct p11_exchange *exchange)
{
    const struct csv_call_response *response = csv_call_response(call);
    if (response == NULL) {
        const struct csv_call_problem *problem = csv_call_problem(call);
        snprintf(exchange->why, sizeof exchange->why, "%.60s%s: %.150s", problem->title,
                 problem->maybe_served ? " (it may have been served)" : "", problem->detail);
        return problem->err;
    }
    exchange->status = response->status;
    exchange->answer_size = response->content_size;
    if (response->status != 200) {
        snprintf(exchange->why, sizeof exchange->why, "the enclave answers %u: %.*s",
                 response->status,
                 (int)(response->content_size < 160 ? response->content_size : 160),
                 (const char *)response->content);
        return CSN_OK;
    }
    if (response->content_size > exchange->answer_size_max) {
        return CSN_ERR_SPACE;
    }
    memcpy(exchange->answer, response->content, response->content_size);
    return CSN_OK;
}

static csn_err exchange_on(const struct p11_lanes *lanes, struct lane *lane,
                           struct p11_exchange *exchange)
{
    static const struct csv_call_field type = {.name = "content-type",
                                               .name_size = sizeof "content-type" - 1,
                                               .value = BINARY_TYPE,
                                               .value_size = sizeof BINARY_TYPE - 1};
    const struct csv_call_request request = {.method = "POST",
                                             .path = BINARY_PATH,
                                             .fields = &type,
                                             .field_count = 1,
                                             .content = exchange->request,
                                             .content_size = exchange->request_size};
    struct csv_call *call = NULL;
    CSN_TRY(open_lane(lanes, lane));
    CSN_TRY(csv_call_start(lane->caller, &request, NULL, &call));
    do_fetches(lanes, lane);
    csn_err err = csv_caller_finished(lane->caller) == call ? take_response(call, exchange)
                                                            : CSN_ERR_INTERNAL;
    csv_call_destroy(call);
    return err;
}

csn_err p11_lanes_exchange(struct p11_lanes *lanes, struct p11_exchange *exchange)
{
    struct lane *lane = take_lane(lanes);
    exchange->why[0] = 0;
    csn_err err = exchange_on(lanes, lane, exchange);
    /*
     * A context that the enclave forgot, a worker that is gone: what was sent once only is not sent
     * again by call.h. A signature more does no harm; a key more would.
     */
    if (exchange->is_repeatable && (err == CSN_ERR_UNKNOWN || err == CSN_ERR_SYSTEM)) {
        err = exchange_on(lanes, lane, exchange);
    }
    give_lane(lanes, lane);
    if (err != CSN_OK && exchange->why[0] == 0) {
        snprintf(exchange->why, sizeof exchange->why, "%s", csn_err_name(err));
    }
    return err;
}
