/* SPDX-License-Identifier: Apache-2.0 */
/* admin.c: what administrators may look at, on a listener of its own. */
#include "gateway_state.h"
#include <stdlib.h>
#include <string.h>

struct page {
    const char *path;
    const char *type;
    const char *policy; /* Content-Security-Policy */
    size_t (*write)(const struct csn_view *view, char *bytes, size_t room);
};

static const struct page pages[] = {
    {"/", CSN_VIEW_PAGE_TYPE, CSN_VIEW_PAGE_POLICY, csn_view_page},
    {"/view.json", CSN_VIEW_JSON_TYPE, CSN_VIEW_DATA_POLICY, csn_view_json},
    {"/metrics", CSN_VIEW_METRICS_TYPE, CSN_VIEW_DATA_POLICY, csn_view_metrics},
};

static struct csn_http1_text text_of(const char *string)
{
    return (struct csn_http1_text){.bytes = string, .size = strlen(string)};
}

static void answer_text(struct csn_exchange *exchange, uint32_t status, const char *text)
{
    const struct csn_answer_head head = {.status = status,
                                         .content_type = "text/plain; charset=utf-8"};
    csn_exchange_answer(exchange, &head, text, strlen(text));
}

static void answer_page(struct csn_gateway *gateway, struct csn_exchange *exchange,
                        const struct page *page)
{
    const struct csn_answer_head head = {
        .status = 200,
        .content_type = page->type,
        .more = {{text_of("content-security-policy"), text_of(page->policy)},
                 {text_of("x-content-type-options"), text_of("nosniff")}},
        .more_count = 2};
    csn_gateway_look(gateway);
    size_t size = page->write(&gateway->view, NULL, 0);
    char *bytes = malloc(size + 1);
    if (bytes == NULL) {
        csn_exchange_problem(exchange, 503, NULL, "Out of memory", NULL);
        return;
    }
    (void)page->write(&gateway->view, bytes, size + 1);
    csn_exchange_answer(exchange, &head, bytes, size);
    free(bytes);
}

static bool is_path(const struct csn_exchange *exchange, const char *path)
{
    return exchange->path.size == strlen(path) &&
           memcmp(exchange->path.bytes, path, exchange->path.size) == 0;
}

/*
 * A web page whose name was made to point here comes with that name: an address, or localhost, is
 * nobody's. Over TLS the certificate sees to it.
 */
static bool is_for_us(const struct csn_exchange *exchange)
{
    static const char local[] = "localhost";
    const struct csn_http1_text *host = &exchange->host;
    const size_t size = sizeof local - 1;
    bool good = host->size != 0;
    for (size_t i = 0; i < host->size; i++) {
        good = good && memchr("0123456789.:", host->bytes[i], 12) != NULL;
    }
    bool is_local = host->size >= size && memcmp(host->bytes, local, size) == 0 &&
                    (host->size == size || host->bytes[size] == ':');
    bool is_six = host->size != 0 && host->bytes[0] == '[';
    return exchange->is_tls || good || is_local || is_six;
}

static size_t begin(void *state, struct csn_exchange *exchange)
{
    struct csn_gateway *gateway = state;
    if (!is_for_us(exchange)) {
        csn_exchange_problem(exchange, 403, NULL, "Ask for this by address, or as localhost", NULL);
        return SIZE_MAX;
    }
    if (exchange->method != CSN_HTTP1_GET) {
        csn_exchange_problem(exchange, 405, NULL, "GET is for this", NULL);
        return SIZE_MAX;
    }
    if (is_path(exchange, "/healthz")) {
        answer_text(exchange, 200, "ok\n");
        return SIZE_MAX;
    }
    if (is_path(exchange, "/readyz")) {
        bool ready = csn_gateway_is_ready(gateway);
        answer_text(exchange, ready ? 200 : 503, ready ? "ready\n" : "not ready\n");
        return SIZE_MAX;
    }
    for (size_t i = 0; i < sizeof pages / sizeof pages[0]; i++) {
        if (is_path(exchange, pages[i].path)) {
            answer_page(gateway, exchange, &pages[i]);
            return SIZE_MAX;
        }
    }
    csn_exchange_problem(exchange, 404, NULL, "Nothing is here", NULL);
    return SIZE_MAX;
}

static void request(void *state, struct csn_exchange *exchange)
{
    (void)state;
    csn_exchange_problem(exchange, 404, NULL, "Nothing is here", NULL);
}

static void gone(void *state, struct csn_exchange *exchange)
{
    (void)state;
    (void)exchange;
}

static void done(void *state, const struct csn_exchange *exchange)
{
    (void)state;
    (void)exchange;
}

const struct csn_service csn_admin_service = {
    .begin = begin, .request = request, .gone = gone, .done = done};
