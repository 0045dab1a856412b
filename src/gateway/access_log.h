/* SPDX-License-Identifier: Apache-2.0 */
/*
 * access_log.h: one line of JSON for each request. It has no content: of the path only what of it
 * was understood (route, service, label), of sizes only their class, of headers only the trace id.
 */
#ifndef CSN_GATEWAY_ACCESS_LOG_H
#define CSN_GATEWAY_ACCESS_LOG_H

#include <caisson/host.h>
#include <stdbool.h>
#include <stdint.h>

#define CSN_ACCESS_LOG_ROOM (64u << 10)

struct csn_access_log {
    int fd; /* -1: none */
    bool with_clients;
    bool is_owned;
    uint32_t used;
    uint64_t dropped; /* lines, because the file took none */
    bool is_torn;     /* the last line in the file has no end */
    char bytes[CSN_ACCESS_LOG_ROOM];
};

struct csn_access {
    uint64_t now_s;
    uint32_t now_ms;
    const char *method;
    const char *route;
    const char *service; /* NULL: none */
    const char *tenant;  /* its label; NULL: none */
    const char *client;
    const char *trace; /* 32 hex digits, not terminated; NULL: none */
    uint32_t status;   /* 0: the client left */
    uint32_t version;  /* of HTTP */
    bool is_tls;
    uint64_t duration_ns;
    uint64_t size_in;
    uint64_t size_out;
};

/*
 * path: "-" is standard output, NULL no log. Appends. Of a log that is open: closes its file and
 * goes on in the new one; after CSN_ERR_SYSTEM it goes on in the old one. Zeroed at first, fd -1.
 */
CSN_MUST_USE csn_err csn_access_log_open(struct csn_access_log *log, const char *path,
                                         bool with_clients, struct csn_detail *detail);
void csn_access_log_close(struct csn_access_log *log);
void csn_access_log_add(struct csn_access_log *log, const struct csn_access *access);
/* Writes what has gathered; once in each turn of the loop at most, and before it sleeps. */
void csn_access_log_flush(struct csn_access_log *log);

/* The size class: 0, or a power of two that is not smaller, 256 at least. */
uint64_t csn_access_size_class(uint64_t size);

#endif
