/* SPDX-License-Identifier: Apache-2.0 */
/*
 * demo_cpu.c: how long each stage of the pipeline ran, and how long it was ready to run but had no
 * core, by the kernel's own account (schedstat of each thread).
 *
 * The numbers explain a rate; nothing is judged by them. A stage whose files cannot be read counts
 * as nothing.
 */
#include "demo.h"
#include <dirent.h>
#include <stdlib.h>
#include <unistd.h>

/* Adds what one thread has used so far. */
static void cpu_thread(pid_t process, pid_t thread, struct demo_cpu_stage *stage)
{
    char path[64];
    unsigned long long run = 0;
    unsigned long long wait = 0;
    snprintf(path, sizeof path, "/proc/%d/task/%d/schedstat", (int)process, (int)thread);
    FILE *file = fopen(path, "re");
    if (file == NULL) {
        return;
    }
    if (fscanf(file, "%llu %llu", &run, &wait) == 2) {
        stage->run_ns += run;
        stage->wait_ns += wait;
    }
    fclose(file);
}

/* All threads of a process but one (0: all). */
static void cpu_process(pid_t process, pid_t without, struct demo_cpu_stage *stage)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/task", (int)process);
    DIR *folder = opendir(path);
    if (folder == NULL) {
        return;
    }
    for (const struct dirent *entry = readdir(folder); entry != NULL; entry = readdir(folder)) {
        pid_t thread = (pid_t)strtol(entry->d_name, NULL, 10);
        if (thread > 0 && thread != without) {
            cpu_thread(process, thread, stage);
        }
    }
    closedir(folder);
}

/* The children of all threads of a process, up to count_max. */
static uint32_t cpu_children(pid_t process, pid_t *children, uint32_t count_max)
{
    char path[320];
    uint32_t count = 0;
    snprintf(path, sizeof path, "/proc/%d/task", (int)process);
    DIR *folder = opendir(path);
    if (folder == NULL) {
        return 0;
    }
    for (const struct dirent *entry = readdir(folder); entry != NULL; entry = readdir(folder)) {
        int child = 0;
        snprintf(path, sizeof path, "/proc/%d/task/%s/children", (int)process, entry->d_name);
        FILE *file = fopen(path, "re");
        while (file != NULL && count < count_max && fscanf(file, "%d", &child) == 1) {
            children[count++] = child;
        }
        if (file != NULL) {
            fclose(file);
        }
    }
    closedir(folder);
    return count;
}

void demo_cpu_read(pid_t tenant, pid_t auditor, struct demo_cpu *cpu)
{
    pid_t children[16];
    pid_t host = getpid();
    *cpu = (struct demo_cpu){0};
    cpu_thread(host, host, &cpu->stages[DEMO_CPU_HOST]);
    cpu_process(host, host, &cpu->stages[DEMO_CPU_ENCLAVE]); /* kvm: its threads are ours */
    cpu_process(tenant, 0, &cpu->stages[DEMO_CPU_PRODUCER]);
    uint32_t count = cpu_children(tenant, children, 16);
    for (uint32_t i = 0; i < count; i++) {
        cpu_process(children[i], 0, &cpu->stages[DEMO_CPU_CONSUMER]);
    }
    count = cpu_children(host, children, 16);
    for (uint32_t i = 0; i < count; i++) {
        if (children[i] != tenant && children[i] != auditor) { /* process: it is a child of ours */
            cpu_process(children[i], 0, &cpu->stages[DEMO_CPU_ENCLAVE]);
        }
    }
}

void demo_cpu_since(const struct demo_cpu *before, struct demo_cpu *now)
{
    for (uint32_t i = 0; i < DEMO_CPU_COUNT; i++) {
        now->stages[i].run_ns -= before->stages[i].run_ns;
        now->stages[i].wait_ns -= before->stages[i].wait_ns;
    }
}
