/* SPDX-License-Identifier: Apache-2.0 */
/* upstream.c: see upstream.h. */
#include "upstream.h"
#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>

#define TIMEOUT_MS     30000u
#define CONNECT_MS     10000L
#define CONNECTIONS    32L  /* where each exchange takes one */
#define STREAMS        128L /* of a connection that they share */
#define TRANSFERS_KEPT 16u
#define ANSWER_STEP    4096u

struct transfer {
    struct transfer *next;  /* of those that are free, or under way */
    struct transfer **link; /* what points to this one, while it is under way */
    struct csv_upstream *upstream;
    CURL *easy;
    struct curl_slist *fields;
    uint64_t id;
    uint8_t *answer;
    size_t size, room, size_max;
    bool too_large;
    bool in_parts; /* what comes goes to the caller as it comes, */
    bool is_over;  /* who wants no more of it */
    char fault[CURL_ERROR_SIZE];
};

struct csv_upstream {
    struct csv_caller *caller;
    CURLM *multi;
    char *base; /* without the last "/" */
    char *authority;
    char *ca; /* PEM, or NULL */
    long timeout_ms;
    long version; /* CURL_HTTP_VERSION_* */
    struct csv_upstream_hooks hooks;
    struct transfer *free, *under_way;
    uint32_t free_count;
};

static int64_t now_s(void)
{
    return (int64_t)time(NULL);
}

/* ---- an exchange ---- */

static const char *field_of(const struct transfer *transfer, const char *name)
{
    struct curl_header *header;
    return curl_easy_header(transfer->easy, name, 0, CURLH_HEADER, -1, &header) == CURLHE_OK &&
                   header->amount == 1
               ? header->value
               : NULL;
}

static uint32_t status_of(const struct transfer *transfer)
{
    long status = 0;
    curl_easy_getinfo(transfer->easy, CURLINFO_RESPONSE_CODE, &status);
    return status > 0 ? (uint32_t)status : 0;
}

static struct csv_fetched fetched_of(const struct transfer *transfer, const void *body, size_t size)
{
    return (struct csv_fetched){.id = transfer->id,
                                .status = status_of(transfer),
                                .content_type = field_of(transfer, "Content-Type"),
                                .worker = field_of(transfer, "Caisson-Worker"),
                                .retry_after = field_of(transfer, "Retry-After"),
                                .body = body,
                                .body_size = size};
}

static size_t take_bytes(char *bytes, size_t one, size_t count, void *state)
{
    struct transfer *transfer = state;
    size_t size = one * count;
    if (transfer->in_parts && status_of(transfer) == 200) {
        const struct csv_fetched fetched = fetched_of(transfer, bytes, size);
        transfer->is_over = !csv_caller_more(transfer->upstream->caller, now_s(), &fetched);
        return transfer->is_over ? CURL_WRITEFUNC_ERROR : size;
    }
    if (size > transfer->size_max - transfer->size) {
        transfer->too_large = true;
        return CURL_WRITEFUNC_ERROR;
    }
    if (size > transfer->room - transfer->size) {
        size_t room = 2 * transfer->room + size + ANSWER_STEP;
        uint8_t *answer = realloc(transfer->answer, room);
        if (answer == NULL) {
            return CURL_WRITEFUNC_ERROR;
        }
        transfer->answer = answer;
        transfer->room = room;
    }
    memcpy(transfer->answer + transfer->size, bytes, size);
    transfer->size += size;
    return size;
}

static void free_transfer(struct transfer *transfer)
{
    curl_easy_cleanup(transfer->easy);
    curl_slist_free_all(transfer->fields);
    free(transfer->answer);
    free(transfer);
}

static void set_under_way(struct transfer *transfer)
{
    struct csv_upstream *upstream = transfer->upstream;
    transfer->next = upstream->under_way;
    transfer->link = &upstream->under_way;
    if (transfer->next != NULL) {
        transfer->next->link = &transfer->next;
    }
    upstream->under_way = transfer;
}

/* Handles are kept, for the options that they have. */
static void put_back(struct transfer *transfer)
{
    struct csv_upstream *upstream = transfer->upstream;
    *transfer->link = transfer->next;
    if (transfer->next != NULL) {
        transfer->next->link = transfer->link;
    }
    curl_slist_free_all(transfer->fields);
    transfer->fields = NULL;
    if (upstream->free_count == TRANSFERS_KEPT) {
        free_transfer(transfer);
        return;
    }
    transfer->next = upstream->free;
    upstream->free = transfer;
    upstream->free_count++;
}

static void set_options(const struct csv_upstream *upstream, struct transfer *transfer)
{
    CURL *easy = transfer->easy;
    curl_easy_setopt(easy, CURLOPT_PRIVATE, transfer);
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(easy, CURLOPT_USERAGENT, "caisson");
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, upstream->version);
    curl_easy_setopt(easy, CURLOPT_PIPEWAIT, 1L); /* share a connection that is being made */
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, CONNECT_MS);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, transfer->fault);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, take_bytes);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, transfer);
    if (upstream->ca != NULL) {
        struct curl_blob blob = {upstream->ca, strlen(upstream->ca), CURL_BLOB_NOCOPY};
        curl_easy_setopt(easy, CURLOPT_CAINFO_BLOB, &blob);
        curl_easy_setopt(easy, CURLOPT_CAPATH, NULL); /* else the system's count beside them */
    }
}

static struct transfer *new_transfer(struct csv_upstream *upstream)
{
    struct transfer *transfer = upstream->free;
    if (transfer != NULL) {
        upstream->free = transfer->next;
        upstream->free_count--;
        set_under_way(transfer);
        return transfer;
    }
    transfer = calloc(1, sizeof *transfer);
    if (transfer == NULL) {
        return NULL;
    }
    transfer->upstream = upstream;
    transfer->easy = curl_easy_init();
    if (transfer->easy == NULL) {
        free(transfer);
        return NULL;
    }
    set_options(upstream, transfer);
    set_under_way(transfer);
    return transfer;
}

static bool add_field(struct transfer *transfer, const char *name, const char *value)
{
    char line[512];
    int size = snprintf(line, sizeof line, "%s: %s", name, value);
    struct curl_slist *list =
        size < (int)sizeof line ? curl_slist_append(transfer->fields, line) : NULL;
    transfer->fields = list != NULL ? list : transfer->fields;
    return list != NULL;
}

/* For all of an answer; of one that comes in parts, for each silence. */
static void set_patience(struct transfer *transfer)
{
    const long timeout_ms = transfer->upstream->timeout_ms;
    const bool in_parts = transfer->in_parts;
    curl_easy_setopt(transfer->easy, CURLOPT_TIMEOUT_MS, in_parts ? 0L : timeout_ms);
    curl_easy_setopt(transfer->easy, CURLOPT_LOW_SPEED_LIMIT, in_parts ? 1L : 0L);
    curl_easy_setopt(transfer->easy, CURLOPT_LOW_SPEED_TIME, in_parts ? timeout_ms / 1000 : 0L);
}

static bool describe(struct transfer *transfer, const struct csv_fetch *fetch)
{
    const struct csv_upstream *upstream = transfer->upstream;
    char url[2048];
    int size = snprintf(url, sizeof url, "%s%s", upstream->base, fetch->path);
    bool good = size < (int)sizeof url;
    transfer->id = fetch->id;
    transfer->size = 0;
    transfer->size_max = fetch->answer_size_max;
    transfer->too_large = false;
    transfer->in_parts = fetch->in_parts;
    transfer->is_over = false;
    set_patience(transfer);
    transfer->fault[0] = 0;
    for (uint32_t i = 0; i < fetch->field_count; i++) {
        good = good && add_field(transfer, fetch->fields[i].name, fetch->fields[i].value);
    }
    if (fetch->body != NULL) {
        /* "Expect:" takes out the round trip that libcurl would wait for with larger bodies. */
        good = good && (transfer->fields = curl_slist_append(transfer->fields, "Expect:")) != NULL;
        curl_easy_setopt(transfer->easy, CURLOPT_POST, 1L);
        curl_easy_setopt(transfer->easy, CURLOPT_POSTFIELDS, fetch->body);
        curl_easy_setopt(transfer->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)fetch->body_size);
    } else {
        curl_easy_setopt(transfer->easy, CURLOPT_POSTFIELDS, NULL);
        curl_easy_setopt(transfer->easy, CURLOPT_HTTPGET, 1L);
    }
    curl_easy_setopt(transfer->easy, CURLOPT_HTTPHEADER, transfer->fields);
    return good && curl_easy_setopt(transfer->easy, CURLOPT_URL, url) == CURLE_OK;
}

static void no_answer(struct csv_upstream *upstream, uint64_t id, const char *fault)
{
    const struct csv_fetched fetched = {.id = id, .fault = fault};
    csv_caller_take(upstream->caller, now_s(), &fetched);
}

/*
 * Nobody waits for it any more, and the gateway is to know: by the end of the connection, if nobody
 * shares it. libcurl's reset of an HTTP/2 stream leaves only with what it sends or reads next.
 */
static void abandon(struct csv_upstream *upstream, uint64_t id)
{
    for (struct transfer *at = upstream->under_way; at != NULL; at = at->next) {
        if (at->id == id) {
            curl_easy_setopt(at->easy, CURLOPT_FORBID_REUSE, 1L);
            curl_multi_remove_handle(upstream->multi, at->easy);
            curl_easy_setopt(at->easy, CURLOPT_FORBID_REUSE, 0L);
            put_back(at);
            return;
        }
    }
}

void csv_upstream_begin(struct csv_upstream *upstream)
{
    struct csv_fetch fetch;
    uint64_t abandoned;
    while (csv_caller_abandoned(upstream->caller, &abandoned)) {
        abandon(upstream, abandoned);
    }
    while (csv_caller_next(upstream->caller, now_s(), &fetch)) {
        struct transfer *transfer = new_transfer(upstream);
        if (transfer != NULL && describe(transfer, &fetch) &&
            curl_multi_add_handle(upstream->multi, transfer->easy) == CURLM_OK) {
            continue;
        }
        if (transfer != NULL) {
            put_back(transfer);
        }
        no_answer(upstream, fetch.id, "out of memory");
    }
}

static void ended(struct csv_upstream *upstream, struct transfer *transfer, CURLcode code)
{
    if (transfer->is_over) {
        return;
    }
    if (transfer->too_large) {
        no_answer(upstream, transfer->id, "the answer is too large");
    } else if (code != CURLE_OK || status_of(transfer) == 0) {
        no_answer(upstream, transfer->id,
                  transfer->fault[0] != 0 ? transfer->fault : curl_easy_strerror(code));
    } else {
        const struct csv_fetched fetched = fetched_of(transfer, transfer->answer, transfer->size);
        csv_caller_take(upstream->caller, now_s(), &fetched);
    }
}

/* Those that ended go to the caller, which may want something more then. */
static void reap(struct csv_upstream *upstream)
{
    CURLMsg *message;
    int left;
    while ((message = curl_multi_info_read(upstream->multi, &left)) != NULL) {
        struct transfer *transfer = NULL;
        CURLcode code = message->data.result;
        if (message->msg != CURLMSG_DONE) {
            continue;
        }
        curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **)&transfer);
        curl_multi_remove_handle(upstream->multi, transfer->easy);
        ended(upstream, transfer, code);
        put_back(transfer);
    }
    csv_upstream_begin(upstream);
}

/* ---- waiting ---- */

static int want_socket(CURL *easy, curl_socket_t fd, int what, void *state, void *mine)
{
    struct csv_upstream *upstream = state;
    (void)easy;
    void *kept = mine;
    uint32_t events = (what & CURL_POLL_IN) != 0 && what != CURL_POLL_REMOVE ? EPOLLIN : 0;
    events |= (what & CURL_POLL_OUT) != 0 && what != CURL_POLL_REMOVE ? EPOLLOUT : 0;
    upstream->hooks.socket(upstream->hooks.state, fd, what == CURL_POLL_REMOVE ? 0 : events, &kept);
    if (kept != mine) {
        curl_multi_assign(upstream->multi, fd, kept);
    }
    return 0;
}

static int want_time(CURLM *multi, long timeout_ms, void *state)
{
    struct csv_upstream *upstream = state;
    (void)multi;
    upstream->hooks.timer(upstream->hooks.state, timeout_ms);
    return 0;
}

void csv_upstream_ready(struct csv_upstream *upstream, int fd, uint32_t events)
{
    int running;
    int bits = (events & EPOLLIN) != 0 ? CURL_CSELECT_IN : 0;
    bits |= (events & EPOLLOUT) != 0 ? CURL_CSELECT_OUT : 0;
    bits |= (events & (EPOLLERR | EPOLLHUP)) != 0 ? CURL_CSELECT_ERR : 0;
    curl_multi_socket_action(upstream->multi, fd < 0 ? CURL_SOCKET_TIMEOUT : fd, bits, &running);
    reap(upstream);
}

void csv_upstream_wait(struct csv_upstream *upstream, int timeout_ms)
{
    int running;
    curl_multi_perform(upstream->multi, &running);
    if (running != 0) {
        curl_multi_poll(upstream->multi, NULL, 0, timeout_ms, NULL);
        curl_multi_perform(upstream->multi, &running);
    }
    reap(upstream);
}

/* ---- life ---- */

static char *part_of(CURLU *url, CURLUPart part)
{
    char *text = NULL;
    return curl_url_get(url, part, &text, 0) == CURLUE_OK ? text : NULL;
}

/* base and authority; NULL, or what is wrong. */
static const char *read_url(struct csv_upstream *upstream, const char *text)
{
    CURLU *url = curl_url();
    const char *wrong = "not a URL";
    if (url != NULL && curl_url_set(url, CURLUPART_URL, text, 0) == CURLUE_OK) {
        char *scheme = part_of(url, CURLUPART_SCHEME);
        char *host = part_of(url, CURLUPART_HOST);
        char *port = part_of(url, CURLUPART_PORT);
        char *extra[] = {part_of(url, CURLUPART_QUERY), part_of(url, CURLUPART_FRAGMENT),
                         part_of(url, CURLUPART_USER)};
        size_t size = strlen(text);
        wrong = scheme == NULL || (strcmp(scheme, "http") != 0 && strcmp(scheme, "https") != 0)
                    ? "http:// or https:// is expected"
                : extra[0] != NULL || extra[1] != NULL || extra[2] != NULL
                    ? "a URL without user, query and fragment is expected"
                : size > 1024 ? "a shorter URL is expected"
                              : NULL;
        if (wrong == NULL) {
            upstream->version =
                strcmp(scheme, "https") == 0 ? CURL_HTTP_VERSION_2TLS : CURL_HTTP_VERSION_1_1;
            size -= text[size - 1] == '/' ? 1 : 0;
            upstream->base = strndup(text, size);
            size_t room = strlen(host) + 8;
            upstream->authority = malloc(room);
            if (upstream->authority != NULL) {
                (void)snprintf(upstream->authority, room, "%s%s%s", host, port != NULL ? ":" : "",
                               port != NULL ? port : "");
            }
        }
        curl_free(scheme);
        curl_free(host);
        curl_free(port);
        for (size_t i = 0; i < 3; i++) {
            curl_free(extra[i]);
        }
    }
    curl_url_cleanup(url);
    return wrong;
}

static bool join_ca(struct csv_upstream *upstream, const struct csv_upstream_options *options)
{
    size_t size = 1;
    uint32_t count = 0;
    while (count < CSV_UPSTREAM_CA_MAX && options->ca[count] != NULL) {
        size += strlen(options->ca[count++]) + 1;
    }
    if (count == 0) {
        return true;
    }
    upstream->ca = calloc(1, size);
    for (uint32_t i = 0, at = 0; upstream->ca != NULL && i < count; i++) {
        at += (uint32_t)snprintf(upstream->ca + at, size - at, "%s\n", options->ca[i]);
    }
    return upstream->ca != NULL;
}

static bool make_multi(struct csv_upstream *upstream)
{
    upstream->multi = curl_multi_init();
    if (upstream->multi == NULL) {
        return false;
    }
    curl_multi_setopt(upstream->multi, CURLMOPT_PIPELINING, CURLPIPE_MULTIPLEX);
    curl_multi_setopt(upstream->multi, CURLMOPT_MAX_HOST_CONNECTIONS, CONNECTIONS);
    curl_multi_setopt(upstream->multi, CURLMOPT_MAX_CONCURRENT_STREAMS, STREAMS);
    if (upstream->hooks.socket != NULL) {
        curl_multi_setopt(upstream->multi, CURLMOPT_SOCKETFUNCTION, want_socket);
        curl_multi_setopt(upstream->multi, CURLMOPT_SOCKETDATA, upstream);
        curl_multi_setopt(upstream->multi, CURLMOPT_TIMERFUNCTION, want_time);
        curl_multi_setopt(upstream->multi, CURLMOPT_TIMERDATA, upstream);
    }
    return true;
}

csn_err csv_upstream_create(const struct csv_upstream_options *options,
                            struct csv_upstream **upstream_out, const char **detail)
{
    *detail = "";
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
        return CSN_ERR_SYSTEM;
    }
    struct csv_upstream *upstream = calloc(1, sizeof *upstream);
    if (upstream == NULL) {
        return CSN_ERR_MEMORY;
    }
    const char *wrong = read_url(upstream, options->url);
    if (wrong != NULL) {
        *detail = wrong;
        free(upstream);
        return CSN_ERR_ARGUMENT;
    }
    upstream->hooks = options->hooks;
    upstream->timeout_ms = (long)(options->timeout_ms != 0 ? options->timeout_ms : TIMEOUT_MS);
    upstream->version = options->http1 ? CURL_HTTP_VERSION_1_1 : upstream->version;
    if (upstream->base == NULL || upstream->authority == NULL || !join_ca(upstream, options) ||
        !make_multi(upstream)) {
        csv_upstream_destroy(upstream);
        return CSN_ERR_MEMORY;
    }
    *upstream_out = upstream;
    return CSN_OK;
}

void csv_upstream_destroy(struct csv_upstream *upstream)
{
    if (upstream == NULL) {
        return;
    }
    for (struct transfer *transfer; (transfer = upstream->under_way) != NULL;) {
        upstream->under_way = transfer->next;
        curl_multi_remove_handle(upstream->multi, transfer->easy);
        free_transfer(transfer);
    }
    for (struct transfer *transfer; (transfer = upstream->free) != NULL;) {
        upstream->free = transfer->next;
        free_transfer(transfer);
    }
    if (upstream->multi != NULL) {
        curl_multi_cleanup(upstream->multi);
    }
    free(upstream->base);
    free(upstream->authority);
    free(upstream->ca);
    free(upstream);
}

const char *csv_upstream_authority(const struct csv_upstream *upstream)
{
    return upstream->authority;
}

void csv_upstream_serve(struct csv_upstream *upstream, struct csv_caller *caller)
{
    upstream->caller = caller;
}
