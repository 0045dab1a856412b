/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_process.c: is an enclave process what it is said to be, and does its end have the right
 * name?
 */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../skip.h"
#include "backend/capability.h"
#include "backend/memory.h"
#include "backend/process/instance.h"
#include "harness.h"
#include "image/image.h"
#include <caisson/wire/channel.h>
#include <dirent.h>
#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* Parts of many huge pages, and one over for the last. */
#define LARGE_POOL_SIZE ((uint64_t)(33 * 3 + 1) << 21)
#define UNCOUNTED_SIZE  ((uint64_t)8 << 20)

static void started(struct harness *harness, const char *name, uint32_t require)
{
    csn_err err = harness_start(harness, &csn_backend_process, name, require);
    if (err != CSN_OK) {
        print_message("# %s: %s: %s\n", name, csn_err_name(err), harness->detail.text);
    }
    assert_int_equal(err, CSN_OK);
}

struct fate_case {
    const char *image;
    enum csn_fate_kind kind;
    uint32_t code;
};

static void test_fates(void **state)
{
    (void)state;
    static const struct fate_case cases[] = {
        {"flags", CSN_FATE_PANIC, 100},          {"panic", CSN_FATE_PANIC, 7},
        {"fault_null", CSN_FATE_FAULT, SIGSEGV}, {"fault_text", CSN_FATE_FAULT, SIGSEGV},
        {"fault_exec", CSN_FATE_FAULT, SIGSEGV}, {"fault_guard", CSN_FATE_FAULT, SIGSEGV},
        {"fault_div", CSN_FATE_FAULT, SIGFPE},   {"fault_ud", CSN_FATE_FAULT, SIGILL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct harness harness;
        struct csn_fate fate;
        started(&harness, cases[i].image, 0);
        harness_fate(&harness, &fate);
        print_message("# %s: kind %d code %u: %s\n", cases[i].image, (int)fate.kind, fate.code,
                      fate.detail.text);
        assert_int_equal(fate.kind, cases[i].kind);
        assert_int_equal(fate.code, cases[i].code);
        harness_stop(&harness);
    }
}

static void test_refused(void **state)
{
    (void)state;
    struct harness harness;
    assert_int_equal(harness_start(&harness, &csn_backend_process, "refuse", 0), CSN_ERR_CRASHED);
    assert_non_null(strstr(harness.detail.text, "refused to start"));
    harness_stop(&harness);
}

static void test_killed_and_stopped(void **state)
{
    (void)state;
    struct harness harness;
    struct csn_fate fate;
    started(&harness, "spin", 0);
    harness.backend->fate(harness.instance, &fate);
    assert_int_equal(fate.kind, CSN_FATE_RUNNING);
    assert_int_equal(kill(harness.instance->pid, SIGKILL), 0);
    harness_fate(&harness, &fate);
    assert_int_equal(fate.kind, CSN_FATE_KILLED);
    assert_int_equal(fate.code, SIGKILL);
    harness_stop(&harness);

    started(&harness, "spin", 0);
    harness.backend->stop(harness.instance);
    harness.backend->stop(harness.instance);
    harness.backend->fate(harness.instance, &fate);
    assert_int_equal(fate.kind, CSN_FATE_STOPPED);
    harness_stop(&harness);
}

static void test_measurement(void **state)
{
    (void)state;
    struct harness harness;
    struct csn_image image;
    uint8_t expected[48];
    started(&harness, "idle", 0);
    assert_int_equal(
        csn_image_measure_file(harness.image, harness.image_size, &image, expected, NULL), CSN_OK);
    assert_memory_equal(harness.report.measurement, expected, sizeof expected);
    struct csn_wire_boot *boot = harness.backend->boot(harness.instance);
    assert_memory_equal(boot->given.measurement, expected, sizeof expected);
    harness_stop(&harness);
}

static void test_park_and_wake(void **state)
{
    (void)state;
    struct harness harness;
    struct csn_enclave_counters before, after;
    started(&harness, "workers", 0);
    for (uint32_t worker = 0; worker < 4; worker++) {
        assert_true(harness_parked(&harness, worker, 1));
    }
    harness.backend->counters(harness.instance, &before);
    for (uint32_t round = 0; round < 50; round++) {
        for (uint32_t worker = 0; worker < 4; worker++) {
            harness_bump(&harness, worker);
            assert_true(harness_parked(&harness, worker, 2 + round));
        }
    }
    harness.backend->counters(harness.instance, &after);
    assert_true(after.gate_calls - before.gate_calls >= 200);
    assert_true(before.page_faults > 0);
    print_message("# page faults while waking: %llu\n",
                  (unsigned long long)(after.page_faults - before.page_faults));
    assert_int_equal(after.page_faults, before.page_faults);
    harness_stop(&harness);
}

/* A parked wait survives being stopped and continued at any moment. */
static void test_stop_continue(void **state)
{
    (void)state;
    struct harness harness;
    struct csn_fate fate;
    started(&harness, "idle", 0);
    assert_true(harness_parked(&harness, 0, 1));
    pid_t pid = harness.instance->pid;
    for (uint32_t i = 0; i < 2000; i++) {
        assert_int_equal(kill(pid, SIGSTOP), 0);
        if (i % 3 == 0) {
            kill(pid, SIGUSR1); /* blocked: nothing happens */
            kill(pid, SIGTERM);
        }
        if (i % 16 == 0) {
            harness_bump(&harness, 0);
        }
        assert_int_equal(kill(pid, SIGCONT), 0);
    }
    struct csn_wire_boot *boot = harness.backend->boot(harness.instance);
    uint64_t parks = __atomic_load_n(&boot->stats[0].parks, __ATOMIC_RELAXED);
    harness_bump(&harness, 0);
    assert_true(harness_parked(&harness, 0, parks + 1));
    harness.backend->fate(harness.instance, &fate);
    assert_int_equal(fate.kind, CSN_FATE_RUNNING);
    harness_stop(&harness);
}

struct expected_line {
    uint64_t start;
    uint64_t end;
    char mode[5];
};

static uint32_t expect_lines(const struct harness *harness, struct expected_line lines[32])
{
    struct csn_image image;
    uint32_t count = 0;
    assert_int_equal(csn_image_parse(harness->image, harness->image_size, &image, NULL), CSN_OK);
    for (uint32_t i = 0; i < image.segment_count; i++) {
        const struct csn_image_segment *segment = &image.segments[i];
        struct expected_line *line = &lines[count++];
        line->start = segment->address;
        line->end = (segment->address + segment->memory_size + 4095) & ~UINT64_C(4095);
        snprintf(line->mode, sizeof line->mode, "%c%c%cp",
                 (segment->permissions & CSN_IMAGE_READ) != 0 ? 'r' : '-',
                 (segment->permissions & CSN_IMAGE_WRITE) != 0 ? 'w' : '-',
                 (segment->permissions & CSN_IMAGE_EXECUTE) != 0 ? 'x' : '-');
    }
    lines[count++] = (struct expected_line){CSN_MAP_GATE, CSN_MAP_GATE + 4096, "r-xp"};
    lines[count++] = (struct expected_line){CSN_MAP_BOOT, CSN_MAP_BOOT + CSN_MAP_BOOT_SIZE, "rw-s"};
    for (uint32_t worker = 0; worker < image.manifest.worker_count; worker++) {
        lines[count++] = (struct expected_line){
            csn_map_stack_low(worker),
            csn_map_fs_block(worker, image.manifest.stack_size) + CSN_MAP_PAGE_SIZE, "rw-p"};
    }
    lines[count++] =
        (struct expected_line){CSN_MAP_POOL, CSN_MAP_POOL + image.manifest.pool_size, "rw-p"};
    lines[count++] =
        (struct expected_line){CSN_MAP_RINGS, CSN_MAP_RINGS + harness->rings_size, "rw-s"};
    return count;
}

/* Exactly the listed regions. The kernel's own vsyscall line cannot be unmapped; see filter. */
static void test_maps(void **state)
{
    (void)state;
    struct harness harness;
    struct expected_line lines[32];
    char path[64], text[512];
    started(&harness, "workers", 0);
    assert_true(harness_parked(&harness, 0, 1));
    uint32_t expected = expect_lines(&harness, lines);
    snprintf(path, sizeof path, "/proc/%d/maps", (int)harness.instance->pid);
    FILE *file = fopen(path, "r");
    if (file == NULL) {
        harness_stop(&harness);
        print_message("# reading %s needs root (it is not dumpable)\n", path);
        skip();
    }
    uint32_t count = 0;
    while (fgets(text, sizeof text, file) != NULL) {
        unsigned long long start = 0, end = 0;
        char mode[8] = "";
        print_message("# %s", text);
        if (strstr(text, "[vsyscall]") != NULL) {
            continue;
        }
        assert_int_equal(sscanf(text, "%llx-%llx %4s", &start, &end, mode), 3);
        assert_true(count < expected);
        assert_true(start == lines[count].start && end == lines[count].end);
        assert_string_equal(mode, lines[count].mode);
        count++;
    }
    fclose(file);
    assert_int_equal(count, expected);
    harness_stop(&harness);
}

static uint32_t count_entries(const char *path)
{
    uint32_t count = 0;
    DIR *folder = opendir(path);
    assert_non_null(folder);
    while (readdir(folder) != NULL) {
        count++;
    }
    closedir(folder);
    return count - 2; /* . and .. */
}

static void read_text(pid_t pid, const char *name, char *text, size_t size)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/%s", (int)pid, name);
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    text[fread(text, 1, size - 1, file)] = '\0';
    fclose(file);
}

/* No descriptor, no environment, no privilege, every signal blocked, with 1,000 to inherit. */
static void test_nothing_inherited(void **state)
{
    (void)state;
    struct harness harness;
    char path[64], text[8192];
    int fds[1000];
    for (size_t i = 0; i < 1000; i++) {
        fds[i] = dup(0); /* without close-on-exec */
    }
    setenv("CAISSON_TEST_SECRET", "must not be inherited", 1);
    started(&harness, "idle", 0);
    for (size_t i = 0; i < 1000; i++) {
        close(fds[i]);
    }
    pid_t pid = harness.instance->pid;
    read_text(pid, "status", text, sizeof text);
    assert_non_null(strstr(text, "NoNewPrivs:\t1"));
    assert_non_null(strstr(text, "Seccomp:\t2"));
    assert_non_null(strstr(text, "Seccomp_filters:\t1"));
    assert_non_null(strstr(text, "CapPrm:\t0000000000000000"));
    assert_non_null(strstr(text, "CapEff:\t0000000000000000"));
    assert_non_null(strstr(text, "CapInh:\t0000000000000000"));
    assert_non_null(strstr(text, "SigBlk:\tfffffffffffbfeff")); /* all but KILL and STOP */
    assert_non_null(strstr(text, "SigCgt:\t0000000000000000"));
    assert_non_null(strstr(text, "SigIgn:\t0000000000000000"));
    read_text(pid, "limits", text, sizeof text);
    assert_non_null(strstr(text, "Max core file size        0                    0"));
    assert_non_null(strstr(text, "Max open files            0                    0"));
    snprintf(path, sizeof path, "/proc/%d/fd", (int)pid);
    if (access(path, R_OK) == 0 && geteuid() == 0) {
        assert_int_equal(count_entries(path), 0);
        read_text(pid, "environ", text, sizeof text);
        assert_string_equal(text, "");
    } else {
        print_message("# descriptors and environment not seen: needs root\n");
    }
    harness_stop(&harness);
}

static void test_protections(void **state)
{
    (void)state;
    struct harness harness;
    char text[8192];
    started(&harness, "idle", 0);
    uint32_t held = harness.report.protections;
    print_message("# protections held: 0x%x\n", held);
    read_text(harness.instance->pid, "status", text, sizeof text);
    const char *line = strstr(text, "Uid:");
    unsigned uid = 0;
    assert_non_null(line);
    assert_int_equal(sscanf(line, "Uid: %u", &uid), 1);
    if (geteuid() == 0) {
        assert_true((uid >= 0x70000000u) == ((held & CSN_PROTECT_OWN_UID) != 0));
    }
    harness_stop(&harness);
    /* What holds may be required; what cannot hold is a typed refusal. */
    started(&harness, "idle", held);
    assert_int_equal(harness.report.protections & held, held);
    harness_stop(&harness);
    assert_int_equal(harness_start(&harness, &csn_backend_process, "idle",
                                   CSN_PROTECT_SECRET | CSN_PROTECT_HUGE_PAGES),
                     CSN_ERR_MISSING);
    assert_non_null(strstr(harness.detail.text, "huge-pages"));
    harness_stop(&harness);
}

static void test_secret_memory(void **state)
{
    (void)state;
    struct harness harness;
    csn_err err = harness_start(&harness, &csn_backend_process, "idle", CSN_PROTECT_SECRET);
    if (err == CSN_ERR_MISSING) {
        print_message("# %s\n", harness.detail.text);
        harness_stop(&harness);
        skip();
    }
    assert_int_equal(err, CSN_OK);
    assert_true((harness.report.protections & CSN_PROTECT_SECRET) != 0);
    assert_true(harness_parked(&harness, 0, 1));
    harness_stop(&harness);
}

/* What probe.c reads behind the worker's event line. */
struct order {
    uint64_t number;
    uint64_t site;
    uint64_t arguments[4];
};

/* One call from inside a running enclave; true if it survived the call. */
static bool survives(const struct order *order, struct csn_fate *fate)
{
    struct harness harness;
    started(&harness, "probe", 0);
    assert_true(harness_parked(&harness, 0, 1));
    memcpy((uint8_t *)harness.rings + CSN_WIRE_LINE_SIZE, order, sizeof *order);
    harness_bump(&harness, 0);
    bool alive = false;
    for (uint32_t i = 0; i < 10000; i++) {
        harness.backend->fate(harness.instance, fate);
        struct csn_wire_boot *boot = harness.backend->boot(harness.instance);
        alive = __atomic_load_n(&boot->stats[0].outputs, __ATOMIC_RELAXED) > 0;
        if (alive || fate->kind != CSN_FATE_RUNNING) {
            break;
        }
        nanosleep(&(struct timespec){.tv_nsec = 20000}, NULL);
    }
    harness_stop(&harness);
    return alive;
}

/* Through each of the gate's own instructions, from inside: only what that instruction is for. */
static void test_probe_inside(void **state)
{
    (void)state;
    static const uint32_t sites[] = {CSN_GATE_SITE_PARK - 2, CSN_GATE_SITE_WAKE - 2};
    static const uint32_t numbers[] = {
        0,   1,   2,   9,   10,  12,  15,  39,  56,  57,  59,  60,  62,  101, 102, 157,       158,
        200, 219, 231, 257, 272, 310, 317, 321, 322, 334, 425, 426, 434, 435, 449, 0x400000ca};
    struct csn_fate fate;
    for (size_t site = 0; site < 2; site++) {
        for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
            struct order order = {.number = numbers[i], .site = CSN_MAP_GATE + sites[site]};
            assert_false(survives(&order, &fate));
            assert_int_equal(fate.kind, CSN_FATE_SYSCALL);
        }
    }
    /* The listed ones: a wait on a word that has moved, a wake; each from its own site only. */
    struct order wait = {.number = 202, .site = CSN_MAP_GATE + CSN_GATE_SITE_PARK - 2};
    wait.arguments[0] = CSN_MAP_RINGS;
    wait.arguments[2] = 77;
    assert_true(survives(&wait, &fate));
    wait.site = CSN_MAP_GATE + CSN_GATE_SITE_WAKE - 2;
    assert_false(survives(&wait, &fate));
    struct order wake = {.number = 202, .site = CSN_MAP_GATE + CSN_GATE_SITE_WAKE - 2};
    wake.arguments[0] = CSN_MAP_RINGS;
    wake.arguments[1] = 1;
    assert_true(survives(&wake, &fate));
    wake.arguments[0] = CSN_MAP_POOL;
    assert_false(survives(&wake, &fate));
    assert_int_equal(fate.kind, CSN_FATE_SYSCALL);
}

/* Exit codes: 0 all refused, 1 one way was open, 2 no enclave. Runs as an ordinary user. */
static int try_to_look(uint32_t require)
{
    struct harness harness;
    char path[64], byte = 0;
    if (harness_start(&harness, &csn_backend_process, "idle", require) != CSN_OK) {
        return 2;
    }
    pid_t pid = harness.instance->pid;
    static const char *const names[] = {"mem",     "maps",  "environ", "auxv",       "pagemap",
                                        "syscall", "stack", "smaps",   "personality"};
    int open_ways = 0;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        snprintf(path, sizeof path, "/proc/%d/%s", (int)pid, names[i]);
        int fd = open(path, O_RDONLY | O_CLOEXEC);
        if (fd >= 0 && read(fd, &byte, 1) == 1) {
            print_message("# readable: %s\n", path);
            open_ways++;
        }
        close(fd);
    }
    struct iovec local = {&byte, 1};
    struct iovec remote = {(void *)CSN_MAP_POOL, 1};
    open_ways += process_vm_readv(pid, &local, 1, &remote, 1, 0) >= 0;
    open_ways += ptrace(PTRACE_ATTACH, pid, NULL, NULL) == 0;
    open_ways += syscall(SYS_pidfd_getfd, harness.instance->pidfd, 0, 0) >= 0;
    harness_stop(&harness);
    return open_ways == 0 ? 0 : 1;
}

/* The exit code of try_to_look() in a child that is an ordinary user; 3: could not be tried. */
static int look_as_user(uint32_t require)
{
    char path[512];
    snprintf(path, sizeof path, "%s/tests/images/idle.elf", getenv("CAISSON_BUILD"));
    pid_t pid = fork();
    if (pid == 0) {
        if (geteuid() == 0 && (setgroups(0, NULL) != 0 || setresgid(65534, 65534, 65534) != 0 ||
                               setresuid(65534, 65534, 65534) != 0)) {
            _exit(3);
        }
        _exit(access(path, R_OK) == 0 ? try_to_look(require) : 3);
    }
    int status = 0;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

/*
 * Whoever may lock memory has it touched by that; this one may not. 0: a large pool, which several
 * threads touch, is there in full (but for what the kernel has not yet counted).
 */
static int touched_unlocked(void)
{
    const struct rlimit none = {0, 0};
    struct harness harness;
    char text[8192];
    unsigned long long kilobytes = 0;
    if (harness_prepare(&harness, &csn_backend_process, "idle") != CSN_OK) {
        return 1;
    }
    void *note =
        memmem(harness.image, harness.image_size, &harness.manifest, sizeof harness.manifest);
    harness.manifest.pool_size = LARGE_POOL_SIZE;
    memcpy(note, &harness.manifest, sizeof harness.manifest);
    if (setrlimit(RLIMIT_MEMLOCK, &none) != 0 ||
        (geteuid() == 0 && setresuid(65534, 65534, 65534) != 0)) {
        return 2;
    }
    if (harness_create(&harness, 0) != CSN_OK ||
        (harness.report.protections & CSN_PROTECT_LOCKED) != 0) {
        return 3;
    }
    read_text(harness.instance->pid, "status", text, sizeof text);
    const char *line = strstr(text, "VmRSS:");
    bool told = line != NULL && sscanf(line, "VmRSS: %llu kB", &kilobytes) == 1;
    harness_stop(&harness);
    return told && kilobytes * 1024 > LARGE_POOL_SIZE - UNCOUNTED_SIZE ? 0 : 4;
}

static void test_large_pool_is_touched(void **state)
{
    (void)state;
    int status = 0;
    pid_t pid = fork();
    if (pid == 0) {
        _exit(touched_unlocked());
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

/* E1: a process of the same user cannot look in. */
static void test_same_user_cannot_look(void **state)
{
    (void)state;
    int code = look_as_user(0);
    if (code == 3) {
        print_message("# an ordinary user cannot read the build folder: not tried\n");
        skip();
    }
    assert_int_equal(code, 0);
}

/* The control: in a user namespace, which is why none is taken unasked, the same look succeeds. */
static void test_user_namespace_lets_look(void **state)
{
    (void)state;
    int code = look_as_user(CSN_PROTECT_NAMESPACES);
    if (code == 2 || code == 3) {
        print_message("# no user namespace to be had here: not tried\n");
        skip();
    }
    assert_int_equal(code, 1);
}

/* A host that ignores SIGCHLD, or waits for everybody, still learns the fate (Linux 6.15). */
static void test_sigchld_ignored(void **state)
{
    (void)state;
    struct harness harness;
    struct csn_fate fate;
    signal(SIGCHLD, SIG_IGN);
    started(&harness, "panic", 0);
    harness_fate(&harness, &fate);
    signal(SIGCHLD, SIG_DFL);
    print_message("# with SIGCHLD ignored: kind %d: %s\n", (int)fate.kind, fate.detail.text);
    assert_true(fate.kind == CSN_FATE_PANIC || fate.kind == CSN_FATE_UNKNOWN);
    harness_stop(&harness);
}

/* Sealed files keep their size; what the host does to the rings' content kills nobody. */
static void test_seals(void **state)
{
    (void)state;
    struct harness harness;
    struct csn_fate fate;
    started(&harness, "idle", 0);
    assert_true(harness_parked(&harness, 0, 1));
    assert_int_not_equal(ftruncate(harness.rings_fd, 0), 0);
    assert_int_not_equal(ftruncate(harness.rings_fd, (off_t)harness.rings_size * 2), 0);
    assert_int_equal(fallocate(harness.rings_fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0,
                               (off_t)harness.rings_size),
                     0);
    harness_bump(&harness, 0);
    harness_bump(&harness, 0);
    nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL);
    harness.backend->fate(harness.instance, &fate);
    assert_int_equal(fate.kind, CSN_FATE_RUNNING);
    harness_stop(&harness);

    /* Rings of another size, or without seals, are refused by the stub. */
    assert_int_equal(harness_start(&harness, &csn_backend_process, "idle", 0), CSN_OK);
    struct csn_backend_config config = {.image = harness.image,
                                        .image_size = harness.image_size,
                                        .manifest = &harness.manifest,
                                        .rings = harness.rings};
    struct csn_instance *other = NULL;
    struct csn_detail detail;
    struct csn_enclave_report report;
    config.rings_fd = memfd_create("unsealed", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    assert_int_equal(ftruncate(config.rings_fd, (off_t)harness.rings_size), 0);
    assert_int_equal(csn_backend_process.create(&config, &other, &report, &detail), CSN_ERR_SYSTEM);
    assert_non_null(strstr(detail.text, "seals"));
    close(config.rings_fd);
    assert_int_equal(csn_memory_file("short", 4096, &config.rings_fd, &detail), CSN_OK);
    assert_int_equal(csn_backend_process.create(&config, &other, &report, &detail), CSN_ERR_SYSTEM);
    assert_non_null(strstr(detail.text, "rings"));
    close(config.rings_fd);
    /* A broken image is refused by the stub itself, which does not rely on the launcher's look. */
    config.rings_fd = harness.rings_fd;
    ((uint8_t *)harness.image)[0] ^= 1;
    assert_int_equal(csn_backend_process.create(&config, &other, &report, &detail), CSN_ERR_FORMAT);
    harness_stop(&harness);
}

static void test_doctor_lines(void **state)
{
    (void)state;
    struct csn_capability lines[16];
    uint32_t count = csn_process_capabilities(lines, 16);
    assert_true(count == 5);
    for (uint32_t i = 0; i < count; i++) {
        print_message("# %s: %s: %s\n", lines[i].name, lines[i].works ? "yes" : "no",
                      lines[i].detail.text);
        assert_true(lines[i].detail.text[0] != '\0');
    }
}

int main(void)
{
    cpu_set_t allowed;
    if (getenv("CAISSON_SKIP_STATUS") != NULL &&
        (sched_getaffinity(0, sizeof allowed, &allowed) != 0 || CPU_COUNT(&allowed) < 2)) {
        return test_skip("the seeded bugs of the stub need two CPUs");
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_large_pool_is_touched),
        cmocka_unit_test(test_fates),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_killed_and_stopped),
        cmocka_unit_test(test_measurement),
        cmocka_unit_test(test_park_and_wake),
        cmocka_unit_test(test_stop_continue),
        cmocka_unit_test(test_maps),
        cmocka_unit_test(test_nothing_inherited),
        cmocka_unit_test(test_protections),
        cmocka_unit_test(test_secret_memory),
        cmocka_unit_test(test_probe_inside),
        cmocka_unit_test(test_same_user_cannot_look),
        cmocka_unit_test(test_user_namespace_lets_look),
        cmocka_unit_test(test_sigchld_ignored),
        cmocka_unit_test(test_seals),
        cmocka_unit_test(test_doctor_lines),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
