/* SPDX-License-Identifier: Apache-2.0 */
/* outside.c: see outside.h. Not every kernel lists children, so all processes are asked. */
#define _GNU_SOURCE
#include "outside.h"
#include "core/event.h"
#include "host/enclave.h"
#include <dirent.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#define TRIES_MAX   20000u
#define PAUSE_NS    500000L
#define QUIET_LOOKS 4u

static bool is_process(const struct csn_enclave *enclave)
{
    return strcmp(enclave->backend->name, "process") == 0;
}

/* Calls visit with each numeric name in a folder; true if any call was. */
static bool each_number(const char *folder, bool (*visit)(int number, int argument), int argument)
{
    bool any = false;
    DIR *entries = opendir(folder);
    struct dirent *entry;
    while (entries != NULL && (entry = readdir(entries)) != NULL) {
        if (entry->d_name[0] >= '0' && entry->d_name[0] <= '9') {
            any = visit(atoi(entry->d_name), argument) || any;
        }
    }
    if (entries != NULL) {
        closedir(entries);
    }
    return any;
}

/* ---- processes ---- */

static int parent_of(int process)
{
    char path[64];
    char text[512] = "";
    int parent = 0;
    snprintf(path, sizeof path, "/proc/%d/stat", process);
    FILE *file = fopen(path, "r");
    if (file != NULL) {
        text[fread(text, 1, sizeof text - 1, file)] = 0;
        fclose(file);
        const char *name_end = strrchr(text, ')');
        if (name_end == NULL || sscanf(name_end, ") %*c %d", &parent) != 1) {
            parent = 0;
        }
    }
    return parent;
}

static bool signal_if_child(int process, int number)
{
    return parent_of(process) == (int)getpid() && kill(process, number) == 0;
}

/* ---- virtual CPUs ---- */

/* A virtual CPU's descriptor becomes /dev/null: the next KVM_RUN of its thread is refused. */
static bool take_cpu(int descriptor, int null)
{
    char path[64];
    char target[64] = "";
    snprintf(path, sizeof path, "/proc/self/fd/%d", descriptor);
    return readlink(path, target, sizeof target - 1) > 0 &&
           strncmp(target, "anon_inode:kvm-vcpu", 19) == 0 && dup2(null, descriptor) == descriptor;
}

static bool take_cpus(void)
{
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    assert_true(null >= 0);
    bool any = each_number("/proc/self/fd", take_cpu, null);
    close(null);
    return any;
}

/* The first bytes of a file of this process about one of its threads; "" where there is none. */
static void read_about(int thread, const char *name, char text[32])
{
    char path[64];
    snprintf(path, sizeof path, "/proc/self/task/%d/%s", thread, name);
    FILE *file = fopen(path, "r");
    size_t size = file == NULL ? 0 : fread(text, 1, 31, file);
    text[size] = 0;
    if (file != NULL) {
        fclose(file);
    }
}

/*
 * True for a thread other than this one that does not sleep in futex(). The kernel lists a worker
 * of its own among the threads of whoever has a micro-VM; ours have the program's name.
 */
static bool is_busy(int thread, int main_thread)
{
    char ours[32];
    char name[32];
    char call[32];
    int number = 0;
    read_about(main_thread, "comm", ours);
    read_about(thread, "comm", name);
    read_about(thread, "syscall", call);
    return thread != main_thread && strcmp(name, ours) == 0 &&
           (sscanf(call, "%d", &number) != 1 || number != SYS_futex);
}

static bool kick(int thread, int number)
{
    return thread != (int)getpid() && syscall(SYS_tgkill, getpid(), thread, number) == 0;
}

static void pause_shortly(void)
{
    const struct timespec pause = {.tv_nsec = PAUSE_NS};
    nanosleep(&pause, NULL);
}

static void wait_until_parked(void)
{
    uint32_t quiet = 0;
    for (uint32_t i = 0; i < TRIES_MAX && quiet < QUIET_LOOKS; i++) {
        quiet = each_number("/proc/self/task", is_busy, (int)getpid()) ? 0 : quiet + 1;
        pause_shortly();
    }
    assert_int_equal(quiet, QUIET_LOOKS);
}

/* ---- either ---- */

static bool has_ended(const struct csn_enclave *enclave)
{
    struct csn_fate fate;
    assert_int_equal(csn_enclave_fate(enclave, &fate), CSN_OK);
    return fate.kind != CSN_FATE_RUNNING;
}

void outside_hold(struct csn_enclave *enclave)
{
    if (is_process(enclave)) {
        assert_true(each_number("/proc", signal_if_child, SIGSTOP));
        return;
    }
    wait_until_parked();
    assert_true(take_cpus());
}

void outside_end(struct csn_enclave *enclave)
{
    if (is_process(enclave)) {
        assert_true(each_number("/proc", signal_if_child, SIGKILL));
    } else {
        (void)take_cpus(); /* none left where it was held */
    }
    for (uint32_t i = 0; i < TRIES_MAX && !has_ended(enclave); i++) {
        if (!is_process(enclave)) {
            (void)each_number("/proc/self/task", kick, SIGURG);
            (void)csn_event_signal(enclave->channels[0].worker_event);
            enclave->backend->wake(enclave->instance, 0);
        }
        pause_shortly();
    }
    assert_true(has_ended(enclave));
}

void outside_check_fate(const struct csn_enclave *enclave)
{
    struct csn_fate fate;
    assert_int_equal(csn_enclave_fate(enclave, &fate), CSN_OK);
    if (is_process(enclave)) {
        assert_int_equal(fate.kind, CSN_FATE_KILLED);
        assert_int_equal(fate.code, SIGKILL);
    } else {
        assert_int_equal(fate.kind, CSN_FATE_UNKNOWN);
        assert_non_null(strstr(fate.detail.text, "KVM_RUN: ENOTTY"));
    }
}
