/* SPDX-License-Identifier: Apache-2.0 */
/* tsm_semantics.c: see tsm_semantics.h. */
#include "tsm_semantics.h"
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define EXPECT(condition)                                                                          \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            return #condition;                                                                     \
        }                                                                                          \
    } while (0)

static char entry[256];
static uint8_t data[80];
static uint8_t got[40000];

static int open_attribute(const char *name, int flags)
{
    char path[320];
    snprintf(path, sizeof path, "%s/%s", entry, name);
    return open(path, flags | O_CLOEXEC);
}

/* Size of the attribute, or the negative error. */
static ssize_t get(const char *name)
{
    int fd = open_attribute(name, O_RDONLY);
    ssize_t size = fd < 0 ? -1 : read(fd, got, sizeof got);
    size = size < 0 ? -errno : size;
    if (fd >= 0) {
        close(fd);
    }
    return size;
}

static ssize_t put(const char *name, const void *bytes, size_t size)
{
    int fd = open_attribute(name, O_WRONLY);
    ssize_t result = fd < 0 ? -1 : write(fd, bytes, size);
    result = result < 0 ? -errno : result;
    if (fd >= 0) {
        close(fd);
    }
    return result;
}

static bool generation_is(const char *text)
{
    ssize_t size = get("generation");
    return size == (ssize_t)strlen(text) && memcmp(got, text, strlen(text)) == 0;
}

static const char *writes(void)
{
    EXPECT(generation_is("0\n"));
    EXPECT(get("outblob") == -EINVAL);
    int fd = open_attribute("inblob", O_WRONLY);
    EXPECT(write(fd, data, 64) == 64);
    EXPECT(generation_is("0\n")); /* not before the close */
    EXPECT(close(fd) == 0);
    EXPECT(generation_is("1\n"));
    EXPECT(put("inblob", data, 65) == -EFBIG);
    EXPECT(generation_is("2\n")); /* the failed write counts, with nothing in it */
    EXPECT(get("outblob") == -EINVAL);
    EXPECT(put("inblob", data, 32) == 32);
    EXPECT(get("outblob") == -EINVAL); /* the driver's word */
    EXPECT(put("privlevel", "4", 1) == -EINVAL);
    EXPECT(generation_is("3\n")); /* refused by write itself, and not counted */
    EXPECT(put("privlevel", "2", 1) == 1);
    EXPECT(generation_is("4\n"));
    EXPECT(open_attribute("inblob", O_RDONLY) == -1 && errno == EACCES);
    EXPECT(open_attribute("outblob", O_WRONLY) == -1 && errno == EACCES);
    return NULL;
}

static const char *reads(void)
{
    uint8_t other[64];
    memset(other, 0xee, sizeof other);
    EXPECT(put("inblob", data, 64) == 64);
    int fd = open_attribute("outblob", O_RDONLY);
    EXPECT(fd >= 0);
    EXPECT(put("inblob", other, 64) == 64);
    EXPECT(read(fd, got, 100) == 100); /* made at the first read, not when it was opened */
    EXPECT(got[0x50] == 0xee);
    EXPECT(put("inblob", data, 64) == 64);
    EXPECT(pread(fd, got, sizeof got, 0) == 1184); /* and then it stays what it was */
    EXPECT(got[0x50] == 0xee);
    close(fd);
    EXPECT(get("outblob") == 1184);
    EXPECT(memcmp(got + 0x50, data, 64) == 0 && got[0x30] == 2);
    EXPECT(get("auxblob") == 0);
    EXPECT(get("provider") == 10 && memcmp(got, "sev_guest\n", 10) == 0);
    return NULL;
}

const char *tsm_semantics(const char *root)
{
    snprintf(entry, sizeof entry, "%s/semantics", root);
    for (size_t i = 0; i < sizeof data; i++) {
        data[i] = (uint8_t)(i + 1);
    }
    EXPECT(mkdir(entry, 0700) == 0);
    EXPECT(mkdir(entry, 0700) == -1 && errno == EEXIST);
    const char *fault = writes();
    fault = fault == NULL ? reads() : fault;
    return rmdir(entry) == 0 ? fault : "rmdir";
}
