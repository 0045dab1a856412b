/* SPDX-License-Identifier: Apache-2.0 */
/* seed.c: reading and writing secret key files; every copy made here is wiped. */
#include "seed.h"
#include "cli.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define SEED_MAGIC "CSNSEED1"

bool cli_seed_read(const char *path, uint8_t seed[CLI_SEED_SIZE])
{
    uint8_t bytes[CLI_SEED_FILE_SIZE + 1];
    memset(seed, 0, CLI_SEED_SIZE);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        cli_fail(0, "%s: %s", path, strerror(errno));
        return false;
    }
    bool whole = cli_read_exactly(fd, bytes, CLI_SEED_FILE_SIZE);
    bool longer = whole && cli_read_exactly(fd, bytes + CLI_SEED_FILE_SIZE, 1);
    close(fd);
    bool good = whole && !longer && memcmp(bytes, SEED_MAGIC, 8) == 0;
    if (good) {
        memcpy(seed, bytes + 8, CLI_SEED_SIZE);
    } else {
        cli_fail(0, "%s: not a key file of caisson keygen (8 bytes \"%s\", 32 bytes of seed)", path,
                 SEED_MAGIC);
    }
    explicit_bzero(bytes, sizeof bytes);
    return good;
}

bool cli_seed_write(const char *path, const uint8_t seed[CLI_SEED_SIZE])
{
    uint8_t bytes[CLI_SEED_FILE_SIZE];
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0) {
        cli_fail(0, "%s: %s", path, strerror(errno));
        return false;
    }
    memcpy(bytes, SEED_MAGIC, 8);
    memcpy(bytes + 8, seed, CLI_SEED_SIZE);
    bool good = cli_write_exactly(fd, bytes, sizeof bytes);
    explicit_bzero(bytes, sizeof bytes);
    if (close(fd) != 0 || !good) {
        cli_fail(0, "%s: %s", path, strerror(errno));
        unlink(path);
        return false;
    }
    return true;
}
