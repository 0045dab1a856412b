/* SPDX-License-Identifier: Apache-2.0 */
/* route.c: see route.h. */
#include "route.h"
#include "config.h"
#include <string.h>

static bool equals(const struct csn_http1_text *text, const char *string)
{
    return text->size == strlen(string) && memcmp(text->bytes, string, text->size) == 0;
}

/* Takes "/NAME" from the front of what is left. */
static bool take_name(struct csn_http1_text *rest, struct csn_http1_text *name)
{
    if (rest->size == 0 || rest->bytes[0] != '/') {
        return false;
    }
    const char *begin = rest->bytes + 1;
    const char *end = memchr(begin, '/', rest->size - 1);
    name->bytes = begin;
    name->size = end != NULL ? (size_t)(end - begin) : rest->size - 1;
    rest->bytes += 1 + name->size;
    rest->size -= 1 + name->size;
    return csn_config_is_name(name->bytes, name->size);
}

/* [/SERVICE[/LABEL]] and nothing after it. */
static bool take_names(struct csn_http1_text rest, struct csn_route *route)
{
    return rest.size == 0 ||
           (take_name(&rest, &route->service) &&
            (rest.size == 0 || (take_name(&rest, &route->label) && rest.size == 0)));
}

struct csn_route csn_route_read(const struct csn_http1_text *path)
{
    static const struct {
        const char *prefix;
        enum csn_route_kind kind;
    } rows[] = {{"/gateway", CSN_ROUTE_GATEWAY}, {"/records", CSN_ROUTE_RECORDS}};
    struct csn_route route = {.kind = CSN_ROUTE_NONE};
    if (equals(path, "/.well-known/ohttp-gateway")) {
        route.kind = CSN_ROUTE_GATEWAY;
        return route;
    }
    if (equals(path, "/.well-known/caisson/evidence")) {
        route.kind = CSN_ROUTE_EVIDENCE;
        return route;
    }
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        size_t size = strlen(rows[i].prefix);
        if (path->size < size || memcmp(path->bytes, rows[i].prefix, size) != 0) {
            continue;
        }
        const struct csn_http1_text rest = {path->bytes + size, path->size - size};
        if (take_names(rest, &route)) {
            route.kind = rows[i].kind;
            return route;
        }
    }
    return (struct csn_route){.kind = CSN_ROUTE_NONE};
}

struct csn_http1_text csn_route_query(const struct csn_http1_text *query, const char *key)
{
    struct csn_http1_text found = {NULL, 0};
    size_t key_size = strlen(key);
    uint32_t count = 0;
    size_t at = 0;
    while (at < query->size) {
        const char *begin = query->bytes + at;
        const char *end = memchr(begin, '&', query->size - at);
        size_t size = end != NULL ? (size_t)(end - begin) : query->size - at;
        if (size > key_size && begin[key_size] == '=' && memcmp(begin, key, key_size) == 0) {
            found = (struct csn_http1_text){begin + key_size + 1, size - key_size - 1};
            count++;
        }
        at += size + 1;
    }
    return count == 1 ? found : (struct csn_http1_text){NULL, 0};
}
