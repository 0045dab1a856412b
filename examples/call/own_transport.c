/* SPDX-License-Identifier: Apache-2.0 */
/*
 * own_transport.c: one request through call.h with a transport of one's own.
 * usage: own_transport PORT CREDENTIAL POLICY PATH TEXT
 *
 * The transport is what anybody would bring: here HTTP/1.1 with a gateway on this machine, one
 * exchange after the other, each on a socket of its own. It is trusted with nothing: whatever it
 * loses, cuts or makes up, call.h refuses.
 *
 * Exit: 0 and the content of the answer on stdout; 1 with the reason on stderr.
 */
#include <arpa/inet.h>
#include <caisson/call.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

#define ANSWER_MAX (8u << 20)
#define FILE_MAX   65536u

#define NEED(condition)                                                                            \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "%s:%d: failed: %s\n", __FILE__, __LINE__, #condition);                \
            exit(1);                                                                               \
        }                                                                                          \
    } while (0)

/* ---- the transport ---- */

static char answer[ANSWER_MAX + 1];

/* Writes all of it, and reads until the other end closes. Returns the bytes read, 0 on failure. */
static size_t talk(uint16_t port, const char *head, const void *body, size_t body_size)
{
    const struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr = {htonl(INADDR_LOOPBACK)}};
    size_t size = 0;
    ssize_t got = 1;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (fd >= 0 && connect(fd, (const struct sockaddr *)&address, sizeof address) == 0 &&
        write(fd, head, strlen(head)) == (ssize_t)strlen(head) &&
        (body_size == 0 || write(fd, body, body_size) == (ssize_t)body_size)) {
        while (size < ANSWER_MAX && (got = read(fd, answer + size, ANSWER_MAX - size)) > 0) {
            size += (size_t)got;
        }
    }
    if (fd >= 0) {
        close(fd);
    }
    answer[size] = 0;
    return size;
}

/* The value of a field in the head, terminated in place, or NULL. */
static char *field(char *head, const char *name)
{
    for (char *line = strchr(head, '\n'); line != NULL; line = strchr(line + 1, '\n')) {
        if (strncasecmp(line + 1, name, strlen(name)) == 0 && line[1 + strlen(name)] == ':') {
            char *value = line + strlen(name) + 2;
            value += strspn(value, " ");
            char *copy = strdup(value);
            NEED(copy != NULL);
            copy[strcspn(copy, "\r\n")] = 0;
            return copy;
        }
    }
    return NULL;
}

/* Does what call.h wants done, and tells it what came of it. */
static void exchange(struct csv_caller *caller, uint16_t port, const struct csv_fetch *fetch)
{
    char head[2048];
    int used = snprintf(head, sizeof head, "%s %s HTTP/1.1\r\nHost: 127.0.0.1\r\n", fetch->method,
                        fetch->path);
    for (uint32_t i = 0; i < fetch->field_count; i++) {
        used += snprintf(head + used, sizeof head - (size_t)used, "%s: %s\r\n",
                         fetch->fields[i].name, fetch->fields[i].value);
    }
    if (fetch->body != NULL) {
        used += snprintf(head + used, sizeof head - (size_t)used, "Content-Length: %zu\r\n",
                         fetch->body_size);
    }
    used += snprintf(head + used, sizeof head - (size_t)used, "Connection: close\r\n\r\n");
    struct csv_fetched fetched = {.id = fetch->id, .fault = "no connection"};
    size_t size = talk(port, head, fetch->body, fetch->body_size);
    char *end = strstr(answer, "\r\n\r\n");
    if (size > 12 && end != NULL) {
        *end = 0;
        fetched.status = (uint32_t)strtoul(answer + 9, NULL, 10);
        fetched.content_type = field(answer, "Content-Type");
        fetched.worker = field(answer, "Caisson-Worker");
        fetched.body = end + 4;
        fetched.body_size = size - (size_t)(end + 4 - answer);
    }
    csv_caller_take(caller, time(NULL), &fetched);
    free((void *)(uintptr_t)fetched.content_type);
    free((void *)(uintptr_t)fetched.worker);
}

/* ---- the rest is the same whatever the transport ---- */

static size_t read_file(const char *path, char *bytes)
{
    FILE *stream = fopen(path, "rbe");
    NEED(stream != NULL);
    size_t size = fread(bytes, 1, FILE_MAX, stream);
    fclose(stream);
    return size;
}

static struct csv_caller *make_caller(const char *credential_path, const char *policy_path)
{
    static struct csv_policy *policy; /* outlives the caller */
    static char bytes[FILE_MAX];
    struct csv_credential credential;
    struct csv_policy_mistake mistake = {.text = ""};
    struct csv_caller *caller = NULL;
    size_t size = read_file(credential_path, bytes);
    NEED(csv_credential_decode(bytes, size, &credential) == CSN_OK);
    size = read_file(policy_path, bytes);
    if (csv_policy_parse(bytes, size, &policy, &mistake) != CSN_OK) {
        fprintf(stderr, "%s:%u: %s\n", policy_path, mistake.line, mistake.text);
        exit(1);
    }
    const struct csv_caller_options options = {.policy = policy, .credential = &credential};
    NEED(csv_caller_create(&options, &caller) == CSN_OK);
    return caller;
}

int main(int argc, char **argv)
{
    struct csv_call *call = NULL;
    struct csv_fetch fetch;
    NEED(argc == 6 && csv_client_init() == CSN_OK);
    struct csv_caller *caller = make_caller(argv[2], argv[3]);
    const struct csv_call_request request = {.method = "POST",
                                             .path = argv[4],
                                             .content = argv[5],
                                             .content_size = (uint32_t)strlen(argv[5])};
    NEED(csv_call_start(caller, &request, NULL, &call) == CSN_OK);
    while (csv_caller_next(caller, time(NULL), &fetch)) {
        exchange(caller, (uint16_t)strtoul(argv[1], NULL, 10), &fetch);
    }
    NEED(csv_caller_finished(caller) == call);
    const struct csv_call_response *response = csv_call_response(call);
    if (response != NULL) {
        fwrite(response->content, 1, response->content_size, stdout);
    } else {
        fprintf(stderr, "%s: %s\n", csv_call_problem(call)->title, csv_call_problem(call)->detail);
    }
    int code = response != NULL && response->status < 400 ? 0 : 1;
    csv_caller_destroy(caller);
    return code;
}
