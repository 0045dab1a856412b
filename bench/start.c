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
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define STARTS       15u
#define SLICE_USUAL  1000u
#define LIMIT_NS     1e7 /* the goal of the process backend: 10 ms */
#define PAYLOAD      64u
#define QEMU_POLL_NS 1000000L
#define QEMU_NS_MAX  UINT64_C(30000000000)

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

/* ---- QEMU microvm: from exec to the end of a guest that goes straight down again ---- */

/*
 * The kernel finds no root and is told to reboot at once when it panics (-no-reboot: QEMU ends):
 * its whole way up and nothing of a user space, which favours QEMU. With KVM it has the clock of
 * its hypervisor; emulated it needs a timer of its own, and the frequency of the TSC.
 *
 * Where KVM boots no kernel there is a lower bound: firmware of three instructions that ends QEMU,
 * from which on a kernel would have to boot.
 */
struct qemu {
    const char *name;
    const char *machine;
    const char *accelerator;
    const char *cpu;
    const char *append; /* NULL: no kernel, but the firmware */
    unsigned boots;
    int exit_code;
    double target;
};
static const struct qemu qemus[] = {
    {"QEMU microvm", "microvm,acpi=off,pit=off,pic=off,rtc=off", "kvm", "host",
     "panic=-1 quiet reboot=t", STARTS, 0, 50},
    {"QEMU microvm without KVM", "microvm,pit=on,pic=on", "tcg", "qemu64",
     "panic=-1 quiet reboot=t tsc_early_khz=2000000", 3, 0, 0},
};
static const struct qemu qemu_bare = {"QEMU microvm, no kernel",
                                      "microvm,acpi=off,pit=off,pic=off,rtc=off",
                                      "kvm",
                                      "host,arch-capabilities=off",
                                      NULL,
                                      STARTS,
                                      1,
                                      0};

static const char *qemu_kernel;
static char qemu_firmware[PATH_MAX];
static const struct qemu *qemu; /* of the row under way; NULL: none that boots */

/* ns; 0: it does not come to its end, in time or at all. */
static double qemu_boot_ns(const struct qemu *machine)
{
    bool has_kernel = machine->append != NULL;
    const char *const arguments[] = {"qemu-system-x86_64",
                                     "-M",
                                     machine->machine,
                                     "-accel",
                                     machine->accelerator,
                                     "-cpu",
                                     machine->cpu,
                                     "-m",
                                     "128",
                                     "-nodefaults",
                                     "-no-user-config",
                                     "-nographic",
                                     "-no-reboot",
                                     has_kernel ? "-kernel" : "-bios",
                                     has_kernel ? qemu_kernel : qemu_firmware,
                                     has_kernel ? "-append" : "-device",
                                     has_kernel ? machine->append : "isa-debug-exit,iobase=0xf4",
                                     NULL};
    const struct timespec pause = {.tv_nsec = QEMU_POLL_NS};
    posix_spawn_file_actions_t quiet;
    pid_t child;
    int status = -1;
    posix_spawn_file_actions_init(&quiet);
    for (int fd = 0; fd <= 2; fd++) {
        posix_spawn_file_actions_addopen(&quiet, fd, "/dev/null", O_RDWR, 0);
    }
    uint64_t begin = bench_wall_ns();
    bench_require(posix_spawnp(&child, arguments[0], &quiet, NULL,
                               (char *const *)(uintptr_t)arguments, environ) == 0,
                  "qemu-system-x86_64 does not run");
    posix_spawn_file_actions_destroy(&quiet);
    while (waitpid(child, &status, WNOHANG) == 0) {
        if (bench_wall_ns() - begin > QEMU_NS_MAX) {
            kill(child, SIGKILL);
            waitpid(child, NULL, 0);
            return 0;
        }
        nanosleep(&pause, NULL);
    }
    return WIFEXITED(status) && WEXITSTATUS(status) == machine->exit_code
               ? (double)(bench_wall_ns() - begin)
               : 0;
}

static double qemu_ns(void)
{
    static double boots[STARTS]; /* few where they are long, and then taken again */
    static unsigned calls;
    static const struct qemu *last;
    if (last != qemu) {
        memset(boots, 0, sizeof boots);
        last = qemu;
    }
    unsigned index = calls++ % qemu->boots;
    if (qemu->boots == STARTS || boots[index] <= 0) {
        boots[index] = qemu_boot_ns(qemu);
    }
    bench_require(boots[index] > 0, "QEMU does not come to its end");
    return boots[index];
}

static bool is_there(const char *tool)
{
    char command[256];
    snprintf(command, sizeof command, "command -v %s >/dev/null 2>&1", tool);
    return system(command) == 0;
}

/* mov dx, 0xf4; xor eax, eax; out dx, al; hlt: at the reset vector of 64 KiB. */
static bool make_firmware(void)
{
    static const uint8_t code[] = {0xba, 0xf4, 0x00, 0x31, 0xc0, 0xee, 0xf4};
    static uint8_t firmware[65536];
    int file = memfd_create("firmware", MFD_CLOEXEC);
    memcpy(firmware + sizeof firmware - 16, code, sizeof code);
    snprintf(qemu_firmware, sizeof qemu_firmware, "/proc/%d/fd/%d", (int)getpid(), file);
    return file >= 0 && write(file, firmware, sizeof firmware) == (ssize_t)sizeof firmware;
}

/* kernel/vmlinuz beside this program, unless the environment names another. */
static void find_qemu(void)
{
    static char path[PATH_MAX + 64];
    char folder[PATH_MAX];
    sealed_folder(folder);
    snprintf(path, sizeof path, "%s/kernel/vmlinuz", folder);
    qemu_kernel = getenv("CAISSON_BENCH_KERNEL");
    if (qemu_kernel == NULL) {
        qemu_kernel = path;
    }
    if (!is_there("qemu-system-x86_64") || !make_firmware()) {
        fprintf(stderr, "start: no QEMU: its rows are left out\n");
        return;
    }
    if (access(qemu_kernel, R_OK) != 0) {
        fprintf(stderr, "start: no kernel for QEMU: its boots are left out\n");
        return;
    }
    for (size_t i = 0; i < sizeof qemus / sizeof qemus[0] && qemu == NULL; i++) {
        qemu = qemu_boot_ns(&qemus[i]) > 0 ? &qemus[i] : NULL;
        if (qemu == NULL) {
            fprintf(stderr, "start: this machine boots no %s\n", qemus[i].name);
        }
    }
}

/* ---- rows ---- */

static void compare(const struct bench_row *row, const struct rig *rig, double (*other)(void),
                    bool real_time)
{
    static struct bench_samples samples;
    samples = (struct bench_samples){.count = STARTS};
    for (unsigned i = 0; i < STARTS; i++) {
        bench_real_time(real_time);
        samples.other[i] = other();
        bench_real_time(false);
        samples.real_time = bench_real_time(real_time);
        samples.ours[i] = first_reply_ns(rig);
        bench_real_time(false);
    }
    bench_report(row, &samples);
}

static void compare_qemu(const char *what, const struct rig *rig)
{
    const struct qemu *booted = qemu;
    qemu = &qemu_bare;
    if (qemu_firmware[0] != 0 && qemu_boot_ns(qemu) > 0) {
        const struct bench_row row = {11,         what,         "create to first sealed reply",
                                      qemu->name, BENCH_FASTER, 0};
        compare(&row, rig, qemu_ns, true);
    }
    qemu = booted;
    if (qemu != NULL) {
        const struct bench_row row = {11,         what,         "create to first sealed reply",
                                      qemu->name, BENCH_FASTER, qemu->target};
        compare(&row, rig, qemu_ns, false); /* QEMU would keep that class for seconds */
    }
}

static void run_kvm(const struct rig *rig)
{
    const struct bench_row bare = {
        11, "start, kvm", "create to first sealed reply", "bare KVM + a key", BENCH_COST, 6};
    compare(&bare, rig, bare_ns, true);
    compare_qemu("start, kvm", rig);
}

static void run_process(const struct rig *rig)
{
    const struct bench_row limit = {11,      "start, process", "create to first sealed reply",
                                    "10 ms", BENCH_COST,       1};
    compare(&limit, rig, limit_ns, true);
    compare_qemu("start, process", rig);
}

/* The rig with the small pool, for rows of larger ones. */
static const struct rig *small;

static double small_ns(void)
{
    return first_reply_ns(small);
}

static void run_pool(const struct rig *rig, const char *pool, const char *image)
{
    struct rig large = {.backend = rig->backend};
    char what[64];
    snprintf(what, sizeof what, "start, %s, pool of %s", rig->backend, pool);
    const struct bench_row row = {11,         what, "create to first sealed reply", "pool of 1 MiB",
                                  BENCH_COST, 0};
    sealed_image_find(&large.image, image);
    sealed_tenant_new(&large.tenant, &large.image, true);
    small = rig;
    compare(&row, &large, small_ns, true);
    sealed_tenant_free(&large.tenant);
    sealed_image_free(&large.image);
}

static void run_pools(const struct rig *rig)
{
    run_pool(rig, "256 MiB", "small_256m");
    if (bench_scaled(SLICE_USUAL) == SLICE_USUAL) { /* not where figures mean nothing */
        run_pool(rig, "1 GiB", "small_1g");
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
    find_qemu();
    if (has_kvm) {
        bare_kvm_stop(&machine);
        rig.backend = "kvm";
        run_kvm(&rig);
        run_pools(&rig);
    } else {
        fprintf(stderr, "start: no /dev/kvm: its rows are left out\n");
    }
    rig.backend = "process";
    run_process(&rig);
    run_pools(&rig);
    sealed_tenant_free(&rig.tenant);
    sealed_image_free(&rig.image);
    return 0;
}
