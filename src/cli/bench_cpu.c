/* SPDX-License-Identifier: Apache-2.0 */
/* bench_cpu.c: descendants and their CPU time, in ns, from /proc. */
#include "bench.h"
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PROCESS_MAX    8192u
#define GENERATION_MAX 4u /* launcher, enclave, and room for what lies between */

struct process {
    int pid;
    int parent;
    bool ours;
};

/* Reads a small file of /proc; false when the process has gone. */
static bool read_small(const char *path, char *text, size_t size)
{
    FILE *file = fopen(path, "r");
    if (file == NULL) {
        return false;
    }
    size_t got = fread(text, 1, size - 1, file);
    fclose(file);
    text[got] = 0;
    return got != 0;
}

static size_t list_processes(struct process *list)
{
    char path[64];
    char text[512];
    size_t count = 0;
    struct dirent *entry;
    DIR *folder = opendir("/proc");
    while (folder != NULL && count < PROCESS_MAX && (entry = readdir(folder)) != NULL) {
        int pid = atoi(entry->d_name);
        snprintf(path, sizeof path, "/proc/%d/stat", pid);
        if (pid <= 0 || !read_small(path, text, sizeof text)) {
            continue;
        }
        /* The name is in parentheses and may hold any character; state and parent follow it. */
        const char *after = strrchr(text, ')');
        int parent;
        if (after != NULL && sscanf(after + 1, " %*c %d", &parent) == 1) {
            list[count++] = (struct process){.pid = pid, .parent = parent};
        }
    }
    if (folder != NULL) {
        closedir(folder);
    }
    return count;
}

static void mark_descendants(struct process *list, size_t count)
{
    const int own = (int)getpid();
    for (unsigned generation = 0; generation < GENERATION_MAX; generation++) {
        for (size_t i = 0; i < count; i++) {
            for (size_t k = 0; !list[i].ours && k < count; k++) {
                list[i].ours =
                    list[i].parent == own || (list[k].ours && list[i].parent == list[k].pid);
            }
        }
    }
}

/* schedstat is finer than the clock ticks of stat. */
uint64_t bench_process_ns(int pid)
{
    char path[128];
    char text[128];
    uint64_t sum = 0;
    struct dirent *entry;
    snprintf(path, sizeof path, "/proc/%d/task", pid);
    DIR *folder = opendir(path);
    while (folder != NULL && (entry = readdir(folder)) != NULL) {
        int thread = atoi(entry->d_name);
        snprintf(path, sizeof path, "/proc/%d/task/%d/schedstat", pid, thread);
        if (thread > 0 && read_small(path, text, sizeof text)) {
            sum += strtoull(text, NULL, 10);
        }
    }
    if (folder != NULL) {
        closedir(folder);
    }
    return sum;
}

uint64_t bench_descendants_ns(uint32_t *count)
{
    static struct process list[PROCESS_MAX];
    size_t found = list_processes(list);
    uint64_t sum = 0;
    *count = 0;
    mark_descendants(list, found);
    for (size_t i = 0; i < found; i++) {
        if (list[i].ours) {
            sum += bench_process_ns(list[i].pid);
            (*count)++;
        }
    }
    return sum;
}

int bench_descendant(void)
{
    static struct process list[PROCESS_MAX];
    size_t found = list_processes(list);
    mark_descendants(list, found);
    for (size_t i = 0; i < found; i++) {
        if (list[i].ours) {
            return list[i].pid;
        }
    }
    return 0;
}
