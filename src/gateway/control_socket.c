/* SPDX-License-Identifier: Apache-2.0 */
/* control_socket.c: see control_socket.h. */
#include "control_socket.h"
#include "backend/detail.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define HEAD_SIZE 8u

bool csn_control_address(const char *path, struct sockaddr_un *address)
{
    memset(address, 0, sizeof *address);
    address->sun_family = AF_UNIX;
    if (strlen(path) >= sizeof address->sun_path) {
        return false;
    }
    memcpy(address->sun_path, path, strlen(path));
    return true;
}

int csn_control_dial(const struct sockaddr_un *address)
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

int csn_control_listen(const char *path, struct csn_detail *detail)
{
    struct sockaddr_un address;
    struct stat status;
    if (!csn_control_address(path, &address)) {
        (void)csn_detail_set(detail, CSN_ERR_ARGUMENT, "%.150s: too long for a socket's path",
                             path);
        return -1;
    }
    if (lstat(path, &status) == 0 && S_ISSOCK(status.st_mode)) {
        int peer = csn_control_dial(&address);
        if (peer >= 0) {
            close(peer);
            (void)csn_detail_set(detail, CSN_ERR_STATE, "%.150s: another process serves it", path);
            return -1;
        }
        unlink(path);
    }
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    mode_t before = umask(0177);
    bool good = fd >= 0 && bind(fd, (const struct sockaddr *)&address, sizeof address) == 0;
    umask(before);
    if (!good || listen(fd, 8) != 0) {
        (void)csn_detail_set(detail, CSN_ERR_SYSTEM, "%.150s: %s", path, strerror(errno));
        if (fd >= 0) {
            close(fd);
        }
        return -1;
    }
    return fd;
}

static bool read_exactly(int fd, void *bytes, size_t size)
{
    uint8_t *target = bytes;
    while (size != 0) {
        ssize_t got = read(fd, target, size);
        if (got == 0 || (got < 0 && errno != EINTR)) {
            return false;
        }
        target += got > 0 ? got : 0;
        size -= got > 0 ? (size_t)got : 0;
    }
    return true;
}

static bool write_exactly(int fd, const void *bytes, size_t size)
{
    const uint8_t *source = bytes;
    while (size != 0) {
        ssize_t put = send(fd, source, size, MSG_NOSIGNAL);
        if (put == 0 || (put < 0 && errno != EINTR)) {
            return false;
        }
        source += put > 0 ? put : 0;
        size -= put > 0 ? (size_t)put : 0;
    }
    return true;
}

bool csn_control_read(int fd, uint32_t *type, uint8_t **bytes, uint32_t *size)
{
    uint8_t head[HEAD_SIZE];
    if (!read_exactly(fd, head, sizeof head)) {
        return false;
    }
    memcpy(type, head, 4);
    memcpy(size, head + 4, 4);
    if (*size > CSN_CONTROL_SIZE_MAX) {
        return false;
    }
    *bytes = malloc((size_t)*size + 1);
    if (*bytes == NULL || !read_exactly(fd, *bytes, *size)) {
        free(*bytes);
        *bytes = NULL;
        return false;
    }
    (*bytes)[*size] = 0;
    return true;
}

bool csn_control_write(int fd, uint32_t type, const void *bytes, uint32_t size)
{
    uint8_t head[HEAD_SIZE];
    memcpy(head, &type, 4);
    memcpy(head + 4, &size, 4);
    return write_exactly(fd, head, sizeof head) && write_exactly(fd, bytes, size);
}
