/* SPDX-License-Identifier: Apache-2.0 */
/*
 * start.c: goal 11: from image bytes to the first sealed reply that the client opened, evidence,
 * appraisal and grant included, beside the least that KVM can do and beside a QEMU microvm.
 */
#define _GNU_SOURCE
#include "bare_kvm.h"
#include "crypto/curve.h"
#include "measure.h"
#include "sealed.h"
#include <fcntl.h>
#include <limits.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define STARTS      15u
#define LIMIT_NS    1e7 /* the goal of the process backend: 10 ms */
#define PAYLOAD     64u
#define QEMU_STARTS 15u

extern char **environ;

struct rig {
    struct sealed_image image;
    struct sealed_tenant tenant;
    const char *backend;
};

static double first_reply_ns(const struct rig *rig)
{
    static const uint8_t payload[PAYLOAD] = {1, 2, 3};
    struct sealed sealed;
    uint64_t begin = bench_wall_ns();
    sealed_start(&sealed, &rig->image, &rig->tenant, rig->backend);
    sealed_echo(&sealed, payload, sizeof payload);
    uint64_t end = bench_wall_ns();
    sealed_stop(&sealed);
    return (double)(end - begin);
}

/* Create to first exit, and the pair of keys that every enclave makes. */
static double bare_ns(void)
{
    static const uint8_t secret[32] = {9};
    uint8_t key[32];
    struct bare_kvm machine;
    uint64_t begin = bench_wall_ns();
    bench_require(bare_kvm_start(&machine), "/dev/kvm");
    csn_x25519_public(key, secret);
    uint64_t end = bench_wall_ns();
    bare_kvm_stop(&machine);
    return (double)(end - begin);
}

static double limit_ns(void)
{
    return LIMIT_NS;
}

/* ---- QEMU microvm: from exec to the end of a kernel that goes straight down again ---- */

static const char *qemu_kernel;

/*
 * The kernel finds no root and is told to reboot at once when it panics (-no-reboot: QEMU ends):
 * its whole way up and nothing of a user space, which favours QEMU.
 */
static double qemu_ns(void)
{
    const char *const arguments[] = {"qemu-system-x86_64",
                                     "-M",
                                     "microvm,acpi=off,pit=off,pic=off,rtc=off",
                                     "-enable-kvm",
                                     "-cpu",
                                     "host",
                                     "-m",
                                     "128",
                                     "-nodefaults",
                                     "-no-user-config",
                                     "-nographic",
                                     "-no-reboot",
                                     "-kernel",
                                     qemu_kernel,
                                     "-append",
                                     "panic=-1 quiet reboot=t",
                                     NULL};
    posix_spawn_file_actions_t quiet;
    pid_t child;
    int status = -1;
    posix_spawn_file_actions_init(&quiet);
    posix_spawn_file_actions_addopen(&quiet, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&quiet, 1, "/dev/null", O_WRONLY, 0);
    uint64_t begin = bench_wall_ns();
    bench_require(posix_spawnp(&child, arguments[0], &quiet, NULL,
                               (char *const *)(uintptr_t)arguments, environ) == 0 &&
                      waitpid(child, &status, 0) == child && WIFEXITED(status) &&
                      WEXITSTATUS(status) == 0,
                  "qemu-system-x86_64 does not run");
    posix_spawn_file_actions_destroy(&quiet);
    return (double)(bench_wall_ns() - begin);
}

static bool is_there(const char *tool)
{
    char command[256];
    snprintf(command, sizeof command, "command -v %s >/dev/null 2>&1", tool);
    return system(command) == 0;
}

/* kernel/vmlinuz beside this program, unless the environment names another. */
static void find_kernel(void)
{
    static char path[PATH_MAX + 64];
    char program[PATH_MAX];
    ssize_t size = readlink("/proc/self/exe", program, sizeof program - 1);
    bench_require(size > 0, "cannot tell where this program lies");
    program[size] = 0;
    *strrchr(program, '/') = 0;
    snprintf(path, sizeof path, "%s/kernel/vmlinuz", program);
    qemu_kernel = getenv("CAISSON_BENCH_KERNEL");
    if (qemu_kernel == NULL) {
        qemu_kernel = path;
    }
    if (access(qemu_kernel, R_OK) != 0 || !is_there("qemu-system-x86_64")) {
        fprintf(stderr, "start: no QEMU or no kernel for it: its rows are left out\n");
        qemu_kernel = NULL;
    }
}

/* ---- rows ---- */

static void compare(const struct bench_row *row, const struct rig *rig, double (*other)(void),
                    unsigned count)
{
    static struct bench_samples samples;
    samples = (struct bench_samples){.count = count};
    for (unsigned i = 0; i < count; i++) {
        samples.other[i] = other();
        samples.ours[i] = first_reply_ns(rig);
    }
    bench_report(row, &samples);
}

static void run_kvm(const struct rig *rig)
{
    const struct bench_row bare = {
        11, "start, kvm", "create to first sealed reply", "bare KVM + a key", BENCH_COST, 6};
    const struct bench_row qemu = {
        11, "start, kvm", "create to first sealed reply", "QEMU microvm", BENCH_FASTER, 50};
    compare(&bare, rig, bare_ns, STARTS);
    if (qemu_kernel != NULL) {
        compare(&qemu, rig, qemu_ns, QEMU_STARTS);
    }
}

static void run_process(const struct rig *rig, bool has_kvm)
{
    const struct bench_row limit = {11,      "start, process", "create to first sealed reply",
                                    "10 ms", BENCH_COST,       1};
    const struct bench_row qemu = {
        11, "start, process", "create to first sealed reply", "QEMU microvm", BENCH_FASTER, 50};
    compare(&limit, rig, limit_ns, STARTS);
    if (has_kvm && qemu_kernel != NULL) {
        compare(&qemu, rig, qemu_ns, QEMU_STARTS);
    }
}

static const char help[] =
    "usage: start [--json] [--seconds N]\n\n"
    "Goal 11: from image bytes to the first sealed reply, pool of 1 MiB, on each backend, beside "
    "a\n"
    "bare KVM guest's first exit and beside a QEMU microvm that boots the kernel in\n"
    "kernel/ beside this program (make bench-deps fetches Debian's) or which CAISSON_BENCH_KERNEL\n"
    "names; and what larger pools add.\n\n";

int main(int argc, char **argv)
{
    static struct rig rig;
    struct bare_kvm machine;
    bench_begin(argc, argv, help);
    sealed_image_find(&rig.image, "small");
    sealed_tenant_new(&rig.tenant, &rig.image, true);
    bool has_kvm = bare_kvm_start(&machine);
    find_kernel();
    if (has_kvm) {
        bare_kvm_stop(&machine);
        rig.backend = "kvm";
        run_kvm(&rig);
    } else {
        fprintf(stderr, "start: no /dev/kvm: its rows are left out\n");
    }
    rig.backend = "process";
    run_process(&rig, has_kvm);
    sealed_tenant_free(&rig.tenant);
    sealed_image_free(&rig.image);
    return 0;
}
