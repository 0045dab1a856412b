/* SPDX-License-Identifier: Apache-2.0 */
/* seed.c: files of secrets, made once and replaced only as a whole. */
#include "seed.h"
#include "cli.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#define SEED_FILE_SIZE 40u

bool cli_seed_read(const char *path, const char *magic, uint8_t seed[32])
{
    size_t size = 0;
    uint8_t *bytes = cli_read_secret(path, SEED_FILE_SIZE, &size);
    if (bytes == NULL) {
        return false;
    }
    bool good = size == SEED_FILE_SIZE && memcmp(bytes, magic, 8) == 0;
    if (good) {
        memcpy(seed, bytes + 8, 32);
    } else {
        cli_fail(0, "%s: not a %s key file; see caisson keygen --help", path,
                 strcmp(magic, CLI_SEED_ROOT) == 0     ? "root"
                 : strcmp(magic, CLI_SEED_SIGNER) == 0 ? "signer"
                                                       : "weights");
    }
    explicit_bzero(bytes, size);
    free(bytes);
    return good;
}

/* Writes and closes; the bytes are on their way to the disk before a rename makes them count. */
static bool fill(int fd, const void *bytes, size_t size)
{
    bool good = cli_write_exactly(fd, bytes, size) && fsync(fd) == 0;
    return close(fd) == 0 && good;
}

static bool replace(const char *path, const void *bytes, size_t size)
{
    size_t length = strlen(path) + 8;
    char *name = malloc(length);
    if (name == NULL) {
        return false;
    }
    snprintf(name, length, "%s.XXXXXX", path);
    int fd = mkstemp(name); /* 0600 */
    bool good = fd >= 0 && fill(fd, bytes, size) && rename(name, path) == 0;
    if (!good && fd >= 0) {
        int kept = errno;
        unlink(name);
        errno = kept;
    }
    free(name);
    return good;
}

bool cli_secret_write(const char *path, const void *bytes, size_t size, bool force)
{
    bool good;
    if (force) {
        good = replace(path, bytes, size);
    } else {
        int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
        good = fd >= 0 && fill(fd, bytes, size);
    }
    if (!good) {
        bool exists = errno == EEXIST;
        cli_fail(0, "%s: %s%s", path, strerror(errno),
                 exists ? "; --force overwrites it, and what it protects is lost" : "");
    }
    return good;
}

bool cli_seed_create(const char *path, const char *magic, bool force, uint8_t seed[32])
{
    uint8_t file[SEED_FILE_SIZE];
    memcpy(file, magic, 8);
    if (getrandom(file + 8, 32, 0) != 32) {
        cli_fail(0, "no randomness: %s", strerror(errno));
        return false;
    }
    bool good = cli_secret_write(path, file, sizeof file, force);
    if (good) {
        memcpy(seed, file + 8, 32);
    }
    explicit_bzero(file, sizeof file);
    return good;
}
