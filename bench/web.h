/* SPDX-License-Identifier: Apache-2.0 */
/*
 * web.h: one HTTP/1.1 request to a port of this machine, in a connection of its own; and many of
 * them over HTTP/2, by h2load.
 *
 * Ends the program when something does not work, as sealed.h does. One thread.
 */
#ifndef CSN_BENCH_WEB_H
#define CSN_BENCH_WEB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define WEB_FIELDS_MAX 4u
#define WEB_ANSWER_MAX 262144u

struct web_request {
    uint16_t port;
    const char *path;
    const char *fields[WEB_FIELDS_MAX]; /* "Name: value" */
    const void *body;                   /* NULL: GET */
    size_t size;
};

/* Of the last answer; valid until the next. */
struct web_answer {
    uint32_t status;
    const char *head; /* terminated */
    const uint8_t *body;
    size_t size;
};

void web_ask(const struct web_request *request, struct web_answer *answer);
/* The value of a field of the head, copied; false: it is not there. */
bool web_field(const struct web_answer *answer, const char *name, char *value, size_t room);

/* h2load, always with the same settings but for what is asked. */
struct web_load {
    const char *name; /* of its files in the folder */
    struct web_request request;
    bool is_tls;
    uint32_t count;     /* requests */
    size_t answer_size; /* of each body: checked */
};

bool web_can_load(void);
/* ns for a request. All answers must be 2xx and of that size, or the program ends. */
double web_load(const struct web_load *load);

#endif
