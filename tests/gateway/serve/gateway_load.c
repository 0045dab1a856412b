/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gateway_load.c: clients that ask a gateway over and over, each for itself, and open what they
 * get: a tool for serve_test.py, which does things to the gateway meanwhile.
 *
 * gateway_load PORT PATH TOKEN CLIENTS, until SIGTERM. Prints one JSON object then. An answer that
 * does not open, or is not the echo of what this client sent, is `foreign`, and must not be.
 */
#include "sealed_request.h"
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define ROOM      16384u
#define CODES     600u
#define NS_PER_MS UINT64_C(1000000)
#define PAUSE_US  2000u

#define SECONDS_MAX 120u /* whoever started it has gone */

struct client {
    pthread_t thread;
    int fd;
    uint8_t keys[64];
    uint32_t keys_size;
    struct sealed_request request;
    char answer[ROOM];
    size_t size; /* of the answer, head and all */
    size_t head_size;
    size_t body_size;
    uint64_t good, foreign, broken, refused_inside;
    uint64_t codes[CODES];
    uint64_t last_good_ns, gap_ns;
};

static uint16_t port;
static const char *path, *token;
static int is_ended; /* atomic: a signal sets it, threads look */

static void on_term(int signal)
{
    __atomic_store_n(&is_ended, signal, __ATOMIC_RELAXED);
}

static uint64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * UINT64_C(1000000000) + (uint64_t)now.tv_nsec;
}

/* ---- one exchange over HTTP/1.1 ---- */

static bool dial(struct client *client)
{
    const struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    const struct timeval patience = {.tv_sec = 40};
    if (client->fd >= 0) {
        return true;
    }
    client->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    setsockopt(client->fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    setsockopt(client->fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
    if (connect(client->fd, (const struct sockaddr *)&address, sizeof address) != 0) {
        close(client->fd);
        client->fd = -1;
    }
    return client->fd >= 0;
}

static void hang_up(struct client *client)
{
    if (client->fd >= 0) {
        close(client->fd);
    }
    client->fd = -1;
}

/* Head and body of one answer, and not a byte after it. */
static bool read_answer(struct client *client)
{
    client->size = client->head_size = client->body_size = 0;
    while (client->head_size == 0 || client->size < client->head_size + client->body_size) {
        ssize_t got = client->size < ROOM - 1
                          ? read(client->fd, client->answer + client->size, ROOM - 1 - client->size)
                          : 0;
        if (got <= 0) {
            return false;
        }
        client->size += (size_t)got;
        client->answer[client->size] = 0;
        char *end = client->head_size == 0 ? strstr(client->answer, "\r\n\r\n") : NULL;
        if (end != NULL) {
            const char *length = strcasestr(client->answer, "\r\ncontent-length:");
            client->head_size = (size_t)(end - client->answer) + 4;
            client->body_size = length != NULL && length < end ? strtoul(length + 17, NULL, 10) : 0;
        }
    }
    return client->size == client->head_size + client->body_size;
}

/* Status, or 0: the connection broke. */
static uint32_t exchange(struct client *client, const char *method, const void *body, size_t size)
{
    char head[512];
    int head_size = snprintf(
        head, sizeof head, "%s %s HTTP/1.1\r\nHost: gateway.example\r\n%s%s%zu\r\n\r\n", method,
        path, body != NULL ? "Content-Type: message/ohttp-req\r\n" : "", "Content-Length: ", size);
    if (body == NULL) {
        head_size =
            snprintf(head, sizeof head, "GET %s HTTP/1.1\r\nHost: gateway.example\r\n\r\n", path);
    }
    bool good = dial(client) && send(client->fd, head, (size_t)head_size, MSG_NOSIGNAL) > 0 &&
                (body == NULL || send(client->fd, body, size, MSG_NOSIGNAL) == (ssize_t)size) &&
                read_answer(client);
    if (!good) {
        hang_up(client);
        return 0;
    }
    uint32_t status = (uint32_t)strtoul(client->answer + 9, NULL, 10);
    char *end = client->answer + client->head_size - 2;
    const char *close_field = strcasestr(client->answer, "\r\nconnection: close");
    if (close_field != NULL && close_field < end) {
        hang_up(client);
    }
    return status < CODES ? status : 0;
}

/* ---- a client ---- */

static void get_keys(struct client *client)
{
    if (exchange(client, "GET", NULL, 0) == 200 && client->body_size <= sizeof client->keys) {
        memcpy(client->keys, client->answer + client->head_size, client->body_size);
        client->keys_size = (uint32_t)client->body_size;
    } else {
        client->keys_size = 0;
        usleep(PAUSE_US);
    }
}

static void note_good(struct client *client)
{
    uint64_t now = now_ns();
    uint64_t gap = now - client->last_good_ns;
    client->gap_ns = client->last_good_ns != 0 && gap > client->gap_ns ? gap : client->gap_ns;
    client->last_good_ns = now;
    client->good++;
}

static void ask(struct client *client)
{
    uint8_t content[1024];
    struct csn_bhttp_message message;
    uint32_t size = 0;
    (void)!getrandom(content, sizeof content, 0);
    memcpy(&size, content, 2);
    size = 16 + size % (sizeof content - 16);
    if (!sealed_request_make(&client->request, client->keys, client->keys_size, "/v1/echo", token,
                             content, size)) {
        client->keys_size = 0;
        return;
    }
    uint32_t status = exchange(client, "POST", client->request.bytes, client->request.size);
    client->broken += status == 0 ? 1 : 0;
    if (status != 200) {
        client->codes[status]++;
        client->keys_size = 0; /* whatever it was: look for new ones */
        return;
    }
    if (!sealed_request_open(&client->request, (uint8_t *)client->answer + client->head_size,
                             (uint32_t)client->body_size, &message)) {
        client->foreign++;
    } else if (message.status != 200) {
        client->refused_inside++; /* an enclave that this tenant has not granted to yet */
        usleep(PAUSE_US);
    } else if (message.content.size != size || memcmp(message.content.bytes, content, size) != 0) {
        client->foreign++;
    } else {
        note_good(client);
    }
}

static void *run(void *state)
{
    struct client *client = state;
    while (__atomic_load_n(&is_ended, __ATOMIC_RELAXED) == 0) {
        if (client->keys_size == 0) {
            get_keys(client);
        } else {
            ask(client);
        }
    }
    hang_up(client);
    return NULL;
}

static void report(const struct client *clients, uint32_t count)
{
    struct client all = {.good = 0};
    for (uint32_t i = 0; i < count; i++) {
        all.good += clients[i].good;
        all.foreign += clients[i].foreign;
        all.broken += clients[i].broken;
        all.refused_inside += clients[i].refused_inside;
        all.gap_ns = clients[i].gap_ns > all.gap_ns ? clients[i].gap_ns : all.gap_ns;
        for (uint32_t code = 1; code < CODES; code++) {
            all.codes[code] += clients[i].codes[code];
        }
    }
    printf("{\"good\":%llu,\"foreign\":%llu,\"broken\":%llu,\"inside\":%llu,\"gap_ms\":%.1f,"
           "\"refused\":{",
           (unsigned long long)all.good, (unsigned long long)all.foreign,
           (unsigned long long)all.broken, (unsigned long long)all.refused_inside,
           (double)all.gap_ns / (double)NS_PER_MS);
    const char *comma = "";
    for (uint32_t code = 1; code < CODES; code++) {
        if (all.codes[code] != 0) {
            printf("%s\"%u\":%llu", comma, code, (unsigned long long)all.codes[code]);
            comma = ",";
        }
    }
    puts("}}");
}

int main(int argc, char **argv)
{
    if (argc != 5) {
        fputs("usage: gateway_load PORT PATH TOKEN CLIENTS\n", stderr);
        return 2;
    }
    uint32_t count = (uint32_t)strtoul(argv[4], NULL, 10);
    struct client *clients = calloc(count, sizeof *clients);
    signal(SIGPIPE, SIG_IGN);
    port = (uint16_t)strtoul(argv[1], NULL, 10);
    path = argv[2];
    token = argv[3];
    signal(SIGTERM, on_term);
    alarm(SECONDS_MAX);
    for (uint32_t i = 0; i < count; i++) {
        clients[i].fd = -1;
        pthread_create(&clients[i].thread, NULL, run, &clients[i]);
    }
    for (uint32_t i = 0; i < count; i++) {
        pthread_join(clients[i].thread, NULL);
    }
    report(clients, count);
    free(clients);
    return 0;
}
