/* SPDX-License-Identifier: Apache-2.0 */
/* access_log.c: see access_log.h. */
#include "access_log.h"
#include "backend/detail.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define LINE_MAX_SIZE 768u

csn_err csn_access_log_open(struct csn_access_log *log, const char *path, bool with_clients,
                            struct csn_detail *detail)
{
    bool is_file = path != NULL && strcmp(path, "-") != 0;
    int fd = is_file        ? open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640)
             : path != NULL ? STDOUT_FILENO
                            : -1;
    if (is_file && fd < 0) {
        return csn_detail_set(detail, CSN_ERR_SYSTEM, "%.150s: %s", path, strerror(errno));
    }
    csn_access_log_close(log);
    log->fd = fd;
    log->is_owned = is_file;
    log->with_clients = with_clients;
    return CSN_OK;
}

void csn_access_log_close(struct csn_access_log *log)
{
    csn_access_log_flush(log);
    if (log->is_owned) {
        close(log->fd);
    }
    log->fd = -1;
    log->is_owned = false;
}

static bool is_file(int fd)
{
    struct stat about;
    return fstat(fd, &about) == 0 && S_ISREG(about.st_mode);
}

/* What is no file may have a reader who does not read: it takes whole lines, or is left alone. */
static uint32_t next_piece(const struct csn_access_log *log, const char *bytes, uint32_t size)
{
    struct pollfd polled = {.fd = log->fd, .events = POLLOUT};
    if (is_file(log->fd)) {
        return size;
    }
    if (poll(&polled, 1, 0) != 1 || (polled.revents & POLLOUT) == 0) {
        return 0;
    }
    size = size < PIPE_BUF ? size : PIPE_BUF;
    while (size != 0 && bytes[size - 1] != '\n') {
        size--;
    }
    return size;
}

static uint64_t count_lines(const char *bytes, uint32_t size)
{
    uint64_t count = 0;
    for (uint32_t i = 0; i < size; i++) {
        count += bytes[i] == '\n' ? 1 : 0;
    }
    return count;
}

/* Neither a full disk nor a reader that sleeps stops the service: then lines are lost. */
void csn_access_log_flush(struct csn_access_log *log)
{
    uint32_t done = 0;
    if (log->is_torn && log->used != 0 && next_piece(log, "\n", 1) != 0) {
        log->is_torn = write(log->fd, "\n", 1) != 1;
    }
    while (done < log->used && log->fd >= 0) {
        uint32_t size = next_piece(log, log->bytes + done, log->used - done);
        ssize_t put = size != 0 ? write(log->fd, log->bytes + done, size) : 0;
        done += put > 0 ? (uint32_t)put : 0;
        if (put <= 0 && (size == 0 || errno != EINTR)) {
            log->is_torn = log->is_torn || (done != 0 && log->bytes[done - 1] != '\n');
            log->dropped += count_lines(log->bytes + done, log->used - done);
            break;
        }
    }
    log->used = 0;
}

uint64_t csn_access_size_class(uint64_t size)
{
    uint64_t found = 256;
    while (found < size && found < UINT64_C(1) << 62) {
        found *= 2;
    }
    return size == 0 ? 0 : found;
}

/* Names, labels and addresses have no byte that JSON would escape. */
static int add_text(char *line, size_t room, const char *key, const char *value, size_t size)
{
    return value == NULL ? 0 : snprintf(line, room, ",\"%s\":\"%.*s\"", key, (int)size, value);
}

static size_t clamp(int more, size_t room)
{
    return more < 0 ? 0 : (size_t)more < room ? (size_t)more : room - 1;
}

void csn_access_log_add(struct csn_access_log *log, const struct csn_access *access)
{
    struct tm when;
    time_t seconds = (time_t)access->now_s;
    if (log->fd < 0) {
        return;
    }
    if (log->used + LINE_MAX_SIZE > sizeof log->bytes) {
        csn_access_log_flush(log);
    }
    char *line = log->bytes + log->used;
    size_t room = LINE_MAX_SIZE;
    gmtime_r(&seconds, &when);
    size_t at = strftime(line, room, "{\"time\":\"%Y-%m-%dT%H:%M:%S", &when);
    at += clamp(snprintf(line + at, room - at,
                         ".%03uZ\",\"method\":\"%s\",\"route\":\"%s\",\"status\":%u,"
                         "\"ms\":%.3f,\"http\":%u,\"tls\":%s,\"in\":%llu,\"out\":%llu",
                         access->now_ms, access->method, access->route, access->status,
                         (double)access->duration_ns / 1e6, access->version,
                         access->is_tls ? "true" : "false",
                         (unsigned long long)csn_access_size_class(access->size_in),
                         (unsigned long long)csn_access_size_class(access->size_out)),
                room - at);
    at += clamp(add_text(line + at, room - at, "service", access->service, 63), room - at);
    at += clamp(add_text(line + at, room - at, "tenant", access->tenant, 63), room - at);
    at += clamp(add_text(line + at, room - at, "trace", access->trace, 32), room - at);
    if (log->with_clients) {
        at += clamp(add_text(line + at, room - at, "client", access->client, 45), room - at);
    }
    memcpy(line + at, "}\n", 2);
    log->used += (uint32_t)at + 2;
}
