/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tsm_init.c: the first and only process of a test kernel: our producers against the kernel's own
 * configfs-tsm and an ioctl of the kernel's own layout. Prints TAP on the console.
 *
 * Static, and without libcrypto: only what talks to the kernel is in here.
 */
#include "tsm_semantics.h"
#include <caisson/evidence.h>
#include <caisson/verify.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define ROOT CSN_EVIDENCE_TSM_ROOT

static unsigned points;
static struct csn_evidence_tsm tsm = {ROOT, CSN_EVIDENCE_PRIVLEVEL_UNSET};
static struct csn_evidence_platform platform;
static uint8_t report_data[64];

static void point(bool good, const char *name, const char *why)
{
    printf("%sok %u - %s\n", good ? "" : "not ", ++points, name);
    if (!good) {
        printf("# %s\n", why);
    }
}

static bool load(const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    bool good = fd >= 0 && (syscall(SYS_finit_module, fd, "", 0) == 0 || errno == EEXIST);
    if (!good) {
        printf("# %s: %s\n", path, strerror(errno));
    }
    if (fd >= 0) {
        close(fd);
    }
    return good;
}

static void set(const char *parameter, const char *value)
{
    char path[128];
    snprintf(path, sizeof path, "/sys/module/csn_provider/parameters/%s", parameter);
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0 || write(fd, value, strlen(value)) < 0) {
        printf("# %s: %s\n", path, strerror(errno));
    }
    close(fd);
}

static csn_err report(void)
{
    csn_err result = csn_evidence_tsm.prepare(&tsm, &platform);
    return result == CSN_OK ? csn_evidence_tsm.sign(&tsm, report_data, &platform) : result;
}

/* The report that was made is of this size and over our data, from that level. */
static bool is_ours(size_t size, uint8_t level)
{
    struct csn_wire_evidence_part part;
    memcpy(&part, platform.bytes, sizeof part);
    const uint8_t *bytes = platform.bytes + sizeof part;
    return part.kind == CSV_PART_EVIDENCE && part.size == size && bytes[0x30] == level &&
           memcmp(bytes + 0x50, report_data, 64) == 0;
}

static atomic_bool racing;
static atomic_ulong foreign_writes;

/* Another writer of every entry that it can guess the name of. */
static void *race(void *state)
{
    (void)state;
    uint8_t foreign[64];
    memset(foreign, 0xee, sizeof foreign);
    for (unsigned serial = 0; atomic_load(&racing); serial = (serial + 1) % 600) {
        char path[128];
        snprintf(path, sizeof path, ROOT "/caisson-%ld-%u/inblob", (long)getpid(), serial);
        for (int i = 0; i < 20; i++) {
            int fd = open(path, O_WRONLY | O_CLOEXEC);
            if (fd < 0) {
                break;
            }
            if (write(fd, foreign, sizeof foreign) == (ssize_t)sizeof foreign) {
                atomic_fetch_add(&foreign_writes, 1);
            }
            close(fd);
        }
    }
    return NULL;
}

static void check_race(void)
{
    pthread_t thread;
    unsigned made = 0;
    unsigned wrong = 0;
    unsigned failed = 0;
    atomic_store(&racing, true);
    pthread_create(&thread, NULL, race, NULL);
    for (int i = 0; i < 200; i++) {
        csn_err result = report();
        made += result == CSN_OK ? 1 : 0;
        wrong += result == CSN_OK && !is_ours(1184, 0) ? 1 : 0;
        failed += result != CSN_OK && result != CSN_ERR_LIMIT ? 1 : 0;
    }
    atomic_store(&racing, false);
    pthread_join(thread, NULL);
    printf("# 200 reports against a writer: %u made, %lu foreign writes\n", made,
           atomic_load(&foreign_writes));
    point(wrong == 0 && failed == 0, "a racing writer never gets a report", platform.detail);
}

static void check_tsm(void)
{
    csn_err result = report();
    point(result == CSN_OK && is_ours(1184, 0) && platform.type == CSN_WIRE_EVIDENCE_SNP,
          "a report over our data", platform.detail);
    tsm.privlevel = 2;
    result = report();
    point(result == CSN_OK && is_ours(1184, 2), "the privilege level is ours", platform.detail);
    tsm.privlevel = CSN_EVIDENCE_PRIVLEVEL_UNSET;
    set("size", "32768");
    result = report();
    point(result == CSN_OK && is_ours(32768, 0), "the largest report", platform.detail);
    set("size", "32769");
    result = report();
    point(result == CSN_ERR_SYSTEM && strstr(platform.detail, strerror(EFBIG)) != NULL,
          "a larger one is an error of the system", platform.detail);
    set("size", "1183");
    point(report() == CSN_ERR_FORMAT, "a cut report is refused", platform.detail);
    set("size", "1184");
    set("aux_size", "8000");
    result = report();
    point(result == CSN_OK && platform.size == 8 + 1184 + 8 + 8000, "certificates ride along",
          platform.detail);
    set("aux_size", "0");
    check_race();
}

static void check_nsm(void)
{
    static const struct csn_evidence_nsm nsm = {.path = "/dev/nsm"};
    csn_err result = csn_evidence_nsm.prepare(&nsm, &platform);
    result = result == CSN_OK ? csn_evidence_nsm.sign(&nsm, report_data, &platform) : result;
    /* the document is the request, which ends with "public_key": null */
    bool good = result == CSN_OK && platform.size > 64 + 8 &&
                memcmp(platform.bytes + platform.size - 11, "public_key\xf6", 11) == 0 &&
                memcmp(platform.bytes + platform.size - 12 - 64, report_data, 64) == 0;
    point(good, "an ioctl of the kernel's own layout", platform.detail);
}

int main(void)
{
    mkdir("/proc", 0755);
    mkdir("/sys", 0755);
    mkdir("/dev", 0755);
    mount("dev", "/dev", "devtmpfs", 0, NULL);
    mount("proc", "/proc", "proc", 0, NULL);
    mount("sysfs", "/sys", "sysfs", 0, NULL);
    int console = open("/dev/console", O_RDWR);
    if (console >= 0) {
        dup2(console, 0);
        dup2(console, 1);
        dup2(console, 2);
    }
    setvbuf(stdout, NULL, _IOLBF, 0);
    memset(report_data, 0x5a, sizeof report_data);
    puts("TAP begins");
    bool ready = load("/mods/configfs.ko") && load("/mods/tsm.ko") &&
                 mount("none", "/sys/kernel/config", "configfs", 0, NULL) == 0;
    point(ready, "configfs-tsm is there", strerror(errno));
    point(report() == CSN_ERR_MISSING && strstr(platform.detail, "no platform") != NULL,
          "no provider, no entry", platform.detail);
    point(load("/mods/csn_provider.ko"), "a provider registers", "");
    const char *fault = tsm_semantics(ROOT);
    point(fault == NULL, "what the double does is what the kernel does", fault);
    check_tsm();
    check_nsm();
    printf("1..%u\nTAP ends\n", points);
    fflush(stdout);
    usleep(200000);
    reboot(RB_AUTOBOOT);
    return 0;
}
