/* SPDX-License-Identifier: Apache-2.0 */
/* capability.c: what this machine offers the process backend, and how to get the rest. */
#define _GNU_SOURCE
#include "backend/capability.h"

#include "backend/detail.h"
#include "instance.h"
#include <errno.h>
#include <linux/seccomp.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#define CAPABILITY_MEMFD_SECRET 447

static bool capability_seccomp(void)
{
    uint32_t action = SECCOMP_RET_KILL_PROCESS;
    return syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action) == 0;
}

csn_err csn_process_probe(struct csn_detail *detail)
{
    if (!capability_seccomp()) {
        return csn_detail_set(detail, CSN_ERR_MISSING,
                              "no seccomp that kills a process: needs Linux 4.14 with "
                              "CONFIG_SECCOMP_FILTER, and a container that allows seccomp(2)");
    }
    /* With an impossible range close_range() says EINVAL where it exists, and closes nothing. */
    if (syscall(SYS_close_range, 2, 1, 0) == 0 || errno != EINVAL) {
        return csn_detail_set(detail, CSN_ERR_MISSING, "no close_range(2): needs Linux 5.9");
    }
    csn_detail_set(detail, CSN_OK, "seccomp and close_range are there");
    return CSN_OK;
}

static void capability_namespaces(struct csn_capability *line)
{
    const char *how = "";
    line->name = "process: namespaces";
    line->works = csn_process_namespaces_probe(&how);
    csn_detail_set(&line->detail, CSN_OK, "%s", how);
}

static void capability_uid(struct csn_capability *line)
{
    line->name = "process: own user id";
    line->works = geteuid() == 0;
    csn_detail_set(&line->detail, CSN_OK, "%s",
                   line->works ? "the launcher is root, each enclave gets its own"
                               : "enclaves run as the caller's user; start the launcher as root");
}

static void capability_locked(struct csn_capability *line)
{
    struct rlimit limit = {0};
    line->name = "process: locked memory";
    getrlimit(RLIMIT_MEMLOCK, &limit);
    line->works = geteuid() == 0 || limit.rlim_cur == RLIM_INFINITY || limit.rlim_cur > 0;
    if (geteuid() == 0 || limit.rlim_cur == RLIM_INFINITY) {
        csn_detail_set(&line->detail, CSN_OK, "%s",
                       geteuid() == 0 ? "root, where CAP_IPC_LOCK is held" : "no limit");
    } else {
        csn_detail_set(
            &line->detail, CSN_OK,
            "up to %llu KiB: compare with `caisson size IMAGE`; for more raise `ulimit -l` "
            "or LimitMEMLOCK=",
            (unsigned long long)limit.rlim_cur / 1024);
    }
}

static void capability_huge(struct csn_capability *line)
{
    char text[128] = "";
    line->name = "process: huge pages";
    FILE *file = fopen("/sys/kernel/mm/transparent_hugepage/enabled", "re");
    if (file != NULL) {
        size_t size = fread(text, 1, sizeof text - 1, file);
        text[size] = '\0';
        text[strcspn(text, "\n")] = '\0';
        fclose(file);
    }
    line->works = strstr(text, "[madvise]") != NULL || strstr(text, "[always]") != NULL;
    csn_detail_set(&line->detail, CSN_OK, "transparent_hugepage: %.60s%s",
                   text[0] != '\0' ? text : "absent",
                   line->works ? ""
                               : "; write madvise into "
                                 "/sys/kernel/mm/transparent_hugepage/enabled");
}

static void capability_secret(struct csn_capability *line)
{
    line->name = "process: secret memory";
    long fd = syscall(CAPABILITY_MEMFD_SECRET, 0);
    line->works = fd >= 0;
    csn_detail_set(&line->detail, CSN_OK, "%s",
                   fd >= 0 ? "memfd_secret works; used where it is required by name, instead of "
                             "huge pages"
                           : "no memfd_secret: needs Linux 5.14, CONFIG_SECRETMEM and the boot "
                             "option secretmem.enable=1");
    if (fd >= 0) {
        close((int)fd);
    }
}

uint32_t csn_process_capabilities(struct csn_capability *capabilities, uint32_t count_max)
{
    static void (*const asks[])(struct csn_capability *) = {capability_namespaces, capability_uid,
                                                            capability_locked, capability_huge,
                                                            capability_secret};
    const uint32_t count = sizeof asks / sizeof asks[0];
    for (uint32_t i = 0; i < count && i < count_max; i++) {
        capabilities[i] = (struct csn_capability){.name = ""};
        asks[i](&capabilities[i]);
    }
    return count;
}
