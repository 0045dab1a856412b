/* SPDX-License-Identifier: Apache-2.0 */
/* web.c: see web.h. */
#define _GNU_SOURCE
#include "web.h"
#include "children.h"
#include "measure.h"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#define HEAD_MAX       4096u
#define ANSWER_SECONDS 20
#define LOAD_NS        UINT64_C(60000000000)
#define CONNECTIONS    "8"
#define STREAMS        "32"
#define NAME_ROOM      64u

/* ---- one ---- */

static int connected(uint16_t port)
{
    const struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    const struct timeval time = {.tv_sec = ANSWER_SECONDS};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bench_require(fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &time, sizeof time) == 0 &&
                      connect(fd, (const struct sockaddr *)&address, sizeof address) == 0,
                  "cannot connect");
    return fd;
}

static void send_all(int fd, const void *bytes, size_t size)
{
    for (size_t sent = 0; sent < size;) {
        ssize_t got = send(fd, (const char *)bytes + sent, size - sent, MSG_NOSIGNAL);
        bench_require(got > 0, "a request does not go out");
        sent += (size_t)got;
    }
}

static void send_request(int fd, const struct web_request *request)
{
    char head[HEAD_MAX];
    int size = snprintf(head, sizeof head, "%s %s HTTP/1.1\r\nHost: localhost\r\n",
                        request->body == NULL ? "GET" : "POST", request->path);
    for (size_t i = 0; i < WEB_FIELDS_MAX && request->fields[i] != NULL; i++) {
        size += snprintf(head + size, sizeof head - (size_t)size, "%s\r\n", request->fields[i]);
        bench_require(size < (int)sizeof head, "a head that long");
    }
    if (request->body != NULL) {
        size += snprintf(head + size, sizeof head - (size_t)size, "Content-Length: %zu\r\n",
                         request->size);
    }
    size += snprintf(head + size, sizeof head - (size_t)size, "Connection: close\r\n\r\n");
    bench_require(size < (int)sizeof head, "a head that long");
    send_all(fd, head, (size_t)size);
    send_all(fd, request->body, request->size);
}

void web_ask(const struct web_request *request, struct web_answer *answer)
{
    static char bytes[WEB_ANSWER_MAX + 1];
    size_t size = 0;
    ssize_t got;
    int fd = connected(request->port);
    send_request(fd, request);
    while ((got = recv(fd, bytes + size, WEB_ANSWER_MAX - size, 0)) > 0) {
        size += (size_t)got;
    }
    close(fd);
    bytes[size] = 0;
    char *end = memmem(bytes, size, "\r\n\r\n", 4);
    bench_require(got == 0 && end != NULL && strncmp(bytes, "HTTP/1.1 ", 9) == 0,
                  "no answer over HTTP/1.1");
    end[2] = 0;
    *answer = (struct web_answer){.status = (uint32_t)strtoul(bytes + 9, NULL, 10),
                                  .head = bytes,
                                  .body = (uint8_t *)end + 4,
                                  .size = size - (size_t)(end + 4 - bytes)};
}

bool web_field(const struct web_answer *answer, const char *name, char *value, size_t room)
{
    size_t size = strlen(name);
    for (const char *line = answer->head; (line = strstr(line, "\r\n")) != NULL;) {
        line += 2;
        if (strncasecmp(line, name, size) == 0 && line[size] == ':') {
            line += size + 1 + strspn(line + size + 1, " ");
            size_t length = strcspn(line, "\r");
            snprintf(value, room, "%.*s", (int)length, line);
            return length < room;
        }
    }
    return false;
}

/* ---- many ---- */

bool web_can_load(void)
{
    return children_find("h2load") != NULL;
}

/* Bytes of all bodies: "11.20MB (11744051) data" ends the line; -1: it is not there. */
static double traffic(const char *text)
{
    const char *at = strstr(text, ") data");
    while (at != NULL && at > text && *at != '(') {
        at--;
    }
    return at == NULL ? -1 : strtod(at + 1, NULL);
}

/* "finished in 1.03s, 9700.00 req/s, 11.2MB/s" and what follows. */
static double read_result(const struct web_load *load, const char *text)
{
    char wanted[2][96];
    snprintf(wanted[0], sizeof wanted[0], "%u succeeded, 0 failed, 0 errored, 0 timeout",
             load->count);
    snprintf(wanted[1], sizeof wanted[1], "status codes: %u 2xx, 0 3xx, 0 4xx, 0 5xx", load->count);
    const char *line = strstr(text, "finished in ");
    const char *rate = line == NULL ? NULL : strstr(line, ", ");
    double data_size = traffic(text);
    bool good = strstr(text, wanted[0]) != NULL && strstr(text, wanted[1]) != NULL &&
                rate != NULL && data_size == (double)load->answer_size * load->count;
    if (!good) {
        fprintf(stderr, "%s: not %u answers of %zu bytes:\n%s", load->name, load->count,
                load->answer_size, text);
        exit(1);
    }
    double per_second = strtod(rate + 2, NULL);
    bench_require(per_second > 0, "h2load took no time");
    return 1e9 / per_second;
}

double web_load(const struct web_load *load)
{
    char count[16];
    char url[256];
    char files[2][NAME_ROOM];
    const struct web_request *request = &load->request;
    const char *argv[24] = {
        children_find("h2load"), "-t1", "-c" CONNECTIONS, "-m" STREAMS, "-n", count};
    size_t at = 6;
    bench_require(argv[0] != NULL, "no h2load");
    snprintf(count, sizeof count, "%u", load->count);
    snprintf(url, sizeof url, "%s://127.0.0.1:%u%s", load->is_tls ? "https" : "http", request->port,
             request->path);
    snprintf(files[0], NAME_ROOM, "%s.load", load->name);
    snprintf(files[1], NAME_ROOM, "%s.body", load->name);
    for (size_t i = 0; i < WEB_FIELDS_MAX && request->fields[i] != NULL; i++) {
        argv[at++] = "-H";
        argv[at++] = request->fields[i];
    }
    if (request->body != NULL) {
        children_write(files[1], request->body, request->size);
        argv[at++] = "-d";
        argv[at++] = children_path(files[1]);
    }
    argv[at++] = url;
    pid_t child = children_start(files[0], argv);
    bool done = children_wait(child, LOAD_NS);
    strcat(files[0], ".log");
    const char *text = children_read(files[0]);
    if (!done) {
        fprintf(stderr, "%s: h2load does not end well:\n%s", load->name, text);
        exit(1);
    }
    return read_result(load, text);
}
