/* SPDX-License-Identifier: Apache-2.0 */
/* watch.c: see watch.h. */
#define _GNU_SOURCE
#include "watch.h"
#include "backend/kvm/kvm_instance.h"
#include "cli/bench.h"
#include "host/enclave.h"
#include "measure.h"
#include <ctype.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define POLL_NS   10000000L
#define POLLS_MAX 1000u
#define LINE_SIZE 1024

extern char **environ;

static bool is_kvm(const struct csn_enclave *enclave)
{
    return enclave->backend->id == CSN_WIRE_BACKEND_KVM;
}

pid_t watch_thread(const struct csn_enclave *enclave)
{
    return is_kvm(enclave) ? atomic_load(&enclave->instance->workers[0].tid) : bench_descendant();
}

/* ---- strace ---- */

static bool is_traced(pid_t thread)
{
    char path[64];
    char line[256];
    int tracer = 0;
    snprintf(path, sizeof path, "/proc/%d/status", (int)thread);
    FILE *file = fopen(path, "re");
    while (file != NULL && fgets(line, sizeof line, file) != NULL) {
        if (sscanf(line, "TracerPid: %d", &tracer) == 1) {
            break;
        }
    }
    if (file != NULL) {
        fclose(file);
    }
    return tracer != 0;
}

static bool spawn(struct watch *watch, pid_t thread)
{
    char number[16];
    snprintf(number, sizeof number, "%d", (int)thread);
    const char *const arguments[] = {"strace", "-q", "-o", watch->path, "-p", number, NULL};
    posix_spawn_file_actions_t quiet;
    posix_spawn_file_actions_init(&quiet);
    posix_spawn_file_actions_addopen(&quiet, 2, "/dev/null", O_WRONLY, 0);
    int error = posix_spawnp(&watch->strace, arguments[0], &quiet, NULL,
                             (char *const *)(uintptr_t)arguments, environ);
    posix_spawn_file_actions_destroy(&quiet);
    return error == 0;
}

bool watch_begin(struct watch *watch, pid_t thread, const char **why)
{
    const struct timespec pause = {.tv_nsec = POLL_NS};
    snprintf(watch->path, sizeof watch->path, "/tmp/caisson-watch-XXXXXX");
    int file = mkstemp(watch->path);
    bench_require(file >= 0, "no temporary file");
    close(file);
    *why = "there is no strace";
    if (thread > 0 && spawn(watch, thread)) {
        *why = "strace may not attach";
        for (unsigned i = 0; i < POLLS_MAX && waitpid(watch->strace, NULL, WNOHANG) == 0; i++) {
            if (is_traced(thread)) {
                nanosleep(&pause, NULL); /* the interrupted call begins again */
                return true;
            }
            nanosleep(&pause, NULL);
        }
    }
    unlink(watch->path);
    return false;
}

/* A line is a call that came back, unless strace left while it was under way. */
static void count_line(const char *line, struct watch_calls *calls)
{
    if (!islower((unsigned char)line[0]) || strchr(line, '(') == NULL ||
        strstr(line, "<detached") != NULL) {
        return;
    }
    if (strncmp(line, "futex(", 6) == 0) {
        calls->futex++;
    } else if (strstr(line, "KVM_RUN") != NULL) {
        calls->run++;
    } else {
        calls->other++;
    }
}

void watch_end(struct watch *watch, struct watch_calls *calls)
{
    char line[LINE_SIZE];
    *calls = (struct watch_calls){0};
    kill(watch->strace, SIGINT);
    bench_require(waitpid(watch->strace, NULL, 0) == watch->strace, "strace does not end");
    FILE *file = fopen(watch->path, "re");
    bench_require(file != NULL, watch->path);
    while (fgets(line, sizeof line, file) != NULL) {
        count_line(line, calls);
    }
    fclose(file);
    unlink(watch->path);
}

/* ---- KVM ---- */

static uint64_t *counter_of(struct watch_kvm *counts, const char *name)
{
    const struct {
        const char *name;
        uint64_t *target;
    } wanted[] = {
        {"exits", &counts->exits},
        {"fpu_reload", &counts->returns},
        {"pf_taken", &counts->page_faults},
    };
    for (size_t i = 0; i < sizeof wanted / sizeof wanted[0]; i++) {
        if (strcmp(wanted[i].name, name) == 0) {
            return wanted[i].target;
        }
    }
    return NULL;
}

static unsigned read_counters(int file, struct watch_kvm *counts)
{
    struct kvm_stats_header header;
    union {
        struct kvm_stats_desc desc;
        char bytes[sizeof(struct kvm_stats_desc) + 256];
    } entry = {.bytes = {0}};
    unsigned found = 0;
    if (pread(file, &header, sizeof header, 0) != (ssize_t)sizeof header ||
        header.name_size >= sizeof entry - sizeof entry.desc) {
        return 0;
    }
    size_t size = sizeof entry.desc + header.name_size;
    for (uint32_t i = 0; i < header.num_desc; i++) {
        off_t at = (off_t)header.desc_offset + (off_t)(i * size);
        if (pread(file, &entry, size, at) != (ssize_t)size) {
            return 0;
        }
        uint64_t *target = counter_of(counts, entry.bytes + sizeof entry.desc);
        at = (off_t)header.data_offset + (off_t)entry.desc.offset;
        found += target != NULL && pread(file, target, sizeof *target, at) == sizeof *target;
    }
    return found;
}

bool watch_kvm_read(const struct csn_enclave *enclave, struct watch_kvm *counts)
{
    *counts = (struct watch_kvm){0};
    if (!is_kvm(enclave)) {
        return false;
    }
    int file = ioctl(enclave->instance->workers[0].fd, KVM_GET_STATS_FD, 0);
    if (file < 0) {
        return false;
    }
    unsigned found = read_counters(file, counts);
    close(file);
    return found == 3;
}
