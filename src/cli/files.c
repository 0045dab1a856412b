/* SPDX-License-Identifier: Apache-2.0 */
/* files.c: whole files in and out, with messages that name the file. */
#include "cli.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

bool cli_read_exactly(int fd, void *bytes, size_t size)
{
    uint8_t *target = bytes;
    while (size != 0) {
        ssize_t got = read(fd, target, size);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got <= 0) {
            return false;
        }
        target += got;
        size -= (size_t)got;
    }
    return true;
}

bool cli_write_exactly(int fd, const void *bytes, size_t size)
{
    const uint8_t *source = bytes;
    while (size != 0) {
        ssize_t put = write(fd, source, size);
        if (put < 0 && errno == EINTR) {
            continue;
        }
        if (put <= 0) {
            return false;
        }
        source += put;
        size -= (size_t)put;
    }
    return true;
}

static uint8_t *read_all(int fd, const char *path, size_t size_max, size_t *size)
{
    size_t capacity = 65536;
    size_t used = 0;
    uint8_t *bytes = malloc(capacity + 1);
    while (bytes != NULL) {
        ssize_t got = read(fd, bytes + used, capacity - used);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got < 0 || used + (size_t)got > size_max) {
            cli_fail(0, got < 0 ? "%s: %s" : "%s: too large%.0s", path, strerror(errno));
            free(bytes);
            return NULL;
        }
        if (got == 0) {
            bytes[used] = 0;
            *size = used;
            return bytes;
        }
        used += (size_t)got;
        if (used == capacity) {
            capacity *= 2;
            uint8_t *larger = realloc(bytes, capacity + 1);
            if (larger == NULL) {
                break;
            }
            bytes = larger;
        }
    }
    free(bytes);
    cli_fail(0, "%s: out of memory", path);
    return NULL;
}

/* As ssh has it: my own file, and anybody else has a right to it. Pipes have no such rights. */
static bool is_exposed(int fd, const char *path)
{
    struct stat status;
    if (fstat(fd, &status) != 0) {
        cli_fail(0, "%s: %s", path, strerror(errno));
        return true;
    }
    if (!S_ISREG(status.st_mode) || status.st_uid != geteuid() || (status.st_mode & 077) == 0) {
        return false;
    }
    cli_fail(0,
             "%s: a secret key, and its mode %04o lets others at it; if nobody took it: "
             "chmod 600 %s",
             path, (unsigned)status.st_mode & 07777, path);
    return true;
}

static uint8_t *read_path(const char *path, size_t size_max, size_t *size, bool secret)
{
    bool input = strcmp(path, "-") == 0;
    int fd = input ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        cli_fail(0, "%s: %s", path, strerror(errno));
        return NULL;
    }
    uint8_t *bytes = secret && is_exposed(fd, path) ? NULL : read_all(fd, path, size_max, size);
    if (!input) {
        close(fd);
    }
    return bytes;
}

uint8_t *cli_read_file(const char *path, size_t size_max, size_t *size)
{
    return read_path(path, size_max, size, false);
}

uint8_t *cli_read_secret(const char *path, size_t size_max, size_t *size)
{
    return read_path(path, size_max, size, true);
}

bool cli_write_file(const char *path, const void *bytes, size_t size, bool secret)
{
    bool output = strcmp(path, "-") == 0;
    int fd = output ? STDOUT_FILENO
                    : open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, secret ? 0600 : 0644);
    bool good = fd >= 0 && cli_write_exactly(fd, bytes, size);
    if (!output && fd >= 0) {
        good = close(fd) == 0 && good;
    }
    if (!good) {
        cli_fail(0, "%s: %s", path, strerror(errno));
    }
    return good;
}
