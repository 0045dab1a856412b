/* SPDX-License-Identifier: Apache-2.0 */
/*
 * control.c: frames over a unix stream socket, both ends.
 *
 * Trust: neither end trusts the other; every size is checked before it is used.
 */
#include "control.h"
#include "cli.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define HEAD_SIZE     8u
#define DIAL_TRIES    100u /* five seconds */
#define DIAL_PAUSE_NS 50000000L

static bool address_of(const char *path, struct sockaddr_un *address)
{
    memset(address, 0, sizeof *address);
    address->sun_family = AF_UNIX;
    if (strlen(path) >= sizeof address->sun_path) {
        cli_fail(0, "%s: a socket's path has at most %zu bytes", path,
                 sizeof address->sun_path - 1);
        return false;
    }
    memcpy(address->sun_path, path, strlen(path));
    return true;
}

/* Connected, or -1 with errno. */
static int dial(const struct sockaddr_un *address)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd >= 0 && connect(fd, (const struct sockaddr *)address, sizeof *address) != 0) {
        int kept = errno;
        close(fd);
        errno = kept;
        return -1;
    }
    return fd;
}

int cli_control_connect(const char *path)
{
    struct sockaddr_un address;
    if (!address_of(path, &address)) {
        return -1;
    }
    int fd = dial(&address);
    /* A run that was started just before has its socket once the enclave serves. */
    for (uint32_t i = 0; fd < 0 && (errno == ENOENT || errno == ECONNREFUSED) && i < DIAL_TRIES;
         i++) {
        nanosleep(&(struct timespec){.tv_nsec = DIAL_PAUSE_NS}, NULL);
        fd = dial(&address);
    }
    if (fd < 0) {
        cli_fail(0, "%s: %s; is caisson run there?", path, strerror(errno));
    }
    return fd;
}

int cli_control_listen(const char *path)
{
    struct sockaddr_un address;
    struct stat status;
    if (!address_of(path, &address)) {
        return -1;
    }
    if (lstat(path, &status) == 0 && S_ISSOCK(status.st_mode)) {
        int peer = dial(&address);
        if (peer >= 0) {
            close(peer);
            cli_fail(0, "%s: another caisson run serves it", path);
            return -1;
        }
        unlink(path);
    }
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    mode_t before = umask(0177);
    bool good = fd >= 0 && bind(fd, (const struct sockaddr *)&address, sizeof address) == 0;
    umask(before);
    if (!good || listen(fd, 8) != 0) {
        cli_fail(0, "%s: %s", path, strerror(errno));
        if (fd >= 0) {
            close(fd);
        }
        return -1;
    }
    return fd;
}

bool cli_control_read(int fd, uint32_t *type, uint8_t **bytes, uint32_t *size)
{
    uint8_t head[HEAD_SIZE];
    if (!cli_read_exactly(fd, head, sizeof head)) {
        return false;
    }
    memcpy(type, head, 4);
    memcpy(size, head + 4, 4);
    if (*size > CLI_CONTROL_SIZE_MAX) {
        return false;
    }
    *bytes = malloc((size_t)*size + 1);
    if (*bytes == NULL || !cli_read_exactly(fd, *bytes, *size)) {
        free(*bytes);
        *bytes = NULL;
        return false;
    }
    (*bytes)[*size] = 0;
    return true;
}

bool cli_control_reply(int fd, uint32_t type, const void *bytes, uint32_t size)
{
    uint8_t head[HEAD_SIZE];
    memcpy(head, &type, 4);
    memcpy(head + 4, &size, 4);
    return cli_write_exactly(fd, head, sizeof head) && cli_write_exactly(fd, bytes, size);
}

uint8_t *cli_control_call(int fd, uint32_t type, const void *bytes, uint32_t size,
                          uint32_t *reply_size)
{
    uint32_t reply_type = 0;
    uint8_t *reply = NULL;
    if (!cli_control_reply(fd, type, bytes, size) ||
        !cli_control_read(fd, &reply_type, &reply, reply_size)) {
        cli_fail(0, "the control socket was closed before the answer came");
        return NULL;
    }
    if (reply_type == type) {
        return reply;
    }
    if (reply_type == CLI_CONTROL_ERROR) {
        for (uint32_t i = 0; i < *reply_size; i++) { /* a host's words: no codes for a terminal */
            reply[i] = reply[i] >= 0x20 && reply[i] < 0x7f ? reply[i] : '?';
        }
        cli_fail(0, "caisson run answers: %s", (const char *)reply);
    } else {
        cli_fail(0, "the control socket answered with type %u, not %u", reply_type, type);
    }
    free(reply);
    return NULL;
}
