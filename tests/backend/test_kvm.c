/* SPDX-License-Identifier: Apache-2.0 */
/* test_kvm.c: what a guest may touch, how it ends, and that ending it leaves nothing behind. */
#define _GNU_SOURCE
#include "kvm_rig.h"
#include <caisson/wire/channel.h>
#include <dirent.h>
#include <linux/futex.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cmocka.h>

#define CODE(...) {__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__})
#define LOW32(a)                                                                                   \
    (uint8_t)((uint64_t)(a)), (uint8_t)((uint64_t)(a) >> 8), (uint8_t)((uint64_t)(a) >> 16),       \
        (uint8_t)((uint64_t)(a) >> 24)
#define WORD64(a)  LOW32(a), LOW32((uint64_t)(a) >> 32)
#define READ(a)    CODE(0x48, 0xb8, WORD64(a), 0x8b, 0x00)
#define WRITE(a)   CODE(0x48, 0xb8, WORD64(a), 0xc6, 0x00, 0x01)
#define EXECUTE(a) CODE(0x48, 0xb8, WORD64(a), 0xff, 0xe0)

#define STACK_LOW  (CSN_MAP_STACKS + CSN_MAP_PAGE_SIZE)
#define FS_BLOCK   (STACK_LOW + 0x2000)
#define RINGS_SIZE 0x2000

/* AddressSanitizer keeps what was freed for a while; it has a leak check of its own. */
#ifdef __SANITIZE_ADDRESS__
#define RESIDENT_GROWTH_MAX 131072 /* pages */
#else
#define RESIDENT_GROWTH_MAX 256 /* pages */
#endif

struct attempt {
    const char *name;
    uint8_t code[24];
    size_t size;
    enum csn_fate_kind kind;
    uint32_t vector;
    uint32_t code_or_error;
    uint64_t address;
    bool hardware; /* exact only where KVM runs guests in hardware; elsewhere any halt will do */
};

#define PF(error, address) CSN_FATE_FAULT, 14, error, address, false
#define GP                 CSN_FATE_FAULT, 13, 0, 0, false
#define PORT(port)         CSN_FATE_SYSCALL, 0, port, 0, false

static const struct attempt attempts[] = {
    {"read page 0", READ(8), PF(4, 8)},
    {"write text", WRITE(CSN_MAP_IMAGE), PF(7, CSN_MAP_IMAGE)},
    {"write gate", WRITE(CSN_MAP_GATE), PF(7, CSN_MAP_GATE)},
    {"read behind gate", READ(CSN_MAP_GATE + 0x1000), PF(4, CSN_MAP_GATE + 0x1000)},
    {"read behind image", READ(CSN_MAP_IMAGE + 0x2000), PF(4, CSN_MAP_IMAGE + 0x2000)},
    {"execute data", EXECUTE(CSN_MAP_IMAGE + 0x1000), PF(0x15, CSN_MAP_IMAGE + 0x1000)},
    {"execute pool", EXECUTE(CSN_MAP_POOL), PF(0x15, CSN_MAP_POOL)},
    {"execute stack", EXECUTE(STACK_LOW), PF(0x15, STACK_LOW)},
    {"execute rings", EXECUTE(CSN_MAP_RINGS), PF(0x15, CSN_MAP_RINGS)},
    {"execute boot", EXECUTE(CSN_MAP_BOOT), PF(0x15, CSN_MAP_BOOT)},
    {"stack guard", WRITE(STACK_LOW - 1), PF(6, STACK_LOW - 1)},
    {"behind the FS page", WRITE(FS_BLOCK + 0x1000), PF(6, FS_BLOCK + 0x1000)},
    {"behind the pool", WRITE(CSN_MAP_POOL + 0x201000), PF(6, CSN_MAP_POOL + 0x201000)},
    {"behind the rings", READ(CSN_MAP_RINGS + RINGS_SIZE), PF(4, CSN_MAP_RINGS + RINGS_SIZE)},
    {"behind boot", READ(CSN_MAP_BOOT + 0x10000), PF(4, CSN_MAP_BOOT + 0x10000)},
    {"read GDT", READ(CSN_KVM_GDT), PF(5, CSN_KVM_GDT)},
    {"write IDT", WRITE(CSN_KVM_IDT), PF(7, CSN_KVM_IDT)},
    {"execute stub", EXECUTE(CSN_KVM_STUB), PF(0x15, CSN_KVM_STUB)},
    {"write TSS", WRITE(CSN_KVM_WORKERS), PF(7, CSN_KVM_WORKERS)},
    {"read CPL 0 stack", READ(CSN_KVM_WORKERS + 0x2000), PF(5, CSN_KVM_WORKERS + 0x2000)},
    {"not canonical", READ(UINT64_C(1) << 63), GP},
    {"OUT port 0x80", CODE(0xe7, 0x80), GP},
    {"OUT fault port", CODE(0xe7, CSN_KVM_PORT_FAULT), GP},
    {"OUT port 0xcf8", CODE(0xba, LOW32(0xcf8), 0xef), GP},
    {"IN other port", CODE(0xe5, 0x60), GP},
    {"OUT over the end of stop", CODE(0xe7, CSN_KVM_PORT_STOP + 1), GP},
    {"IN park port", CODE(0xe5, CSN_KVM_PORT_PARK), PORT(CSN_KVM_PORT_PARK)},
    {"OUT of one byte", CODE(0xe6, CSN_KVM_PORT_PARK), PORT(CSN_KVM_PORT_PARK)},
    {"OUT between ports", CODE(0xe7, CSN_KVM_PORT_PARK + 2), PORT(CSN_KVM_PORT_PARK + 2)},
    {"wake channel 2 of 2", CODE(0xb8, LOW32(2), 0xe7, CSN_KVM_PORT_WAKE), PORT(CSN_KVM_PORT_WAKE)},
    {"wake channel -1", CODE(0xb8, LOW32(-1), 0xe7, CSN_KVM_PORT_WAKE), PORT(CSN_KVM_PORT_WAKE)},
    {"CLI", CODE(0xfa), GP},
    {"STI", CODE(0xfb), GP},
    {"HLT", CODE(0xf4), GP},
    {"RDMSR", CODE(0x0f, 0x32), GP},
    {"WRMSR", CODE(0x0f, 0x30), GP},
    {"MOV from CR3", CODE(0x0f, 0x20, 0xd8), GP},
    {"XSETBV", CODE(0x31, 0xc9, 0x31, 0xd2, 0xb8, LOW32(7), 0x0f, 0x01, 0xd1), GP},
    {"UD2", CODE(0x0f, 0x0b), CSN_FATE_FAULT, 6, 0, 0, false},
    {"SYSCALL", CODE(0x0f, 0x05), CSN_FATE_FAULT, 6, 0, 0, true},
    {"WRFSBASE", CODE(0xf3, 0x48, 0x0f, 0xae, 0xd0), CSN_FATE_FAULT, 6, 0, 0, true},
    {"TILERELEASE", CODE(0xc4, 0xe2, 0x78, 0x49, 0xc0), CSN_FATE_FAULT, 6, 0, 0, true},
    {"DIV", CODE(0x31, 0xc9, 0x31, 0xd2, 0xf7, 0xf1), CSN_FATE_FAULT, 0, 0, 0, false},
    {"INT3", CODE(0xcc), CSN_FATE_FAULT, 13, 3 << 3 | 2, 0, true},
    {"INT 0x80", CODE(0xcd, 0x80), CSN_FATE_FAULT, 13, 0x80 << 3 | 2, 0, true},
    {"INT 14", CODE(0xcd, 14), CSN_FATE_FAULT, 13, 14 << 3 | 2, 0, true},
    {"stop 5", CODE(0xb8, LOW32(5), 0xe7, CSN_KVM_PORT_STOP), CSN_FATE_PANIC, 0, 5, 0, false},
};

static void test_attempts(void **state)
{
    (void)state;
    uint32_t wrong = 0;
    for (size_t i = 0; i < sizeof attempts / sizeof attempts[0]; i++) {
        const struct attempt *attempt = &attempts[i];
        struct rig rig;
        struct csn_fate fate;
        struct csn_detail detail = {""};
        rig_code(&rig, attempt->code, attempt->size, 1);
        assert_int_equal(csn_kvm_start(rig.instance, &detail), CSN_OK);
        rig_wait(&rig, &fate);
        /* By paravirtualization (no XSAVE offered) some run natively, or meet another end. */
        bool loose = attempt->hardware && rig.instance->xcr0 == 0;
        if (loose) {
            printf("# %s, without hardware virtualization: %s\n", attempt->name, fate.detail.text);
            wrong += fate.kind != CSN_FATE_FAULT;
        } else if (fate.kind != attempt->kind || fate.vector != attempt->vector ||
                   fate.code != attempt->code_or_error || fate.address != attempt->address) {
            printf("# %s: %s\n", attempt->name, fate.detail.text);
            wrong++;
        }
        rig_close(&rig);
    }
    assert_int_equal(wrong, 0);
}

static void check_fault(const char *name, uint32_t vector, uint64_t address)
{
    struct rig rig;
    struct csn_fate fate;
    struct csn_enclave_report report;
    struct csn_detail detail = {""};
    assert_int_equal(rig_image(&rig, name, 0, &report, &detail), CSN_OK);
    rig_wait(&rig, &fate);
    assert_int_equal(fate.kind, CSN_FATE_FAULT);
    assert_int_equal(fate.vector, vector);
    if (address != 0) {
        assert_int_equal(fate.address, address);
    }
    if (strcmp(name, "fault_exec") != 0) {
        assert_in_range(fate.instruction, CSN_MAP_IMAGE, CSN_MAP_IMAGE_END - 1);
    } else {
        assert_int_equal(fate.instruction, fate.address);
    }
    rig_close(&rig);
}

static void test_fault_images(void **state)
{
    (void)state;
    check_fault("fault_null", 14, 8);
    check_fault("fault_text", 14, CSN_MAP_IMAGE);
    check_fault("fault_exec", 14, 0);
    check_fault("fault_div", 0, 0);
    check_fault("fault_ud", 6, 0);
    check_fault("fault_guard", 14, STACK_LOW - 1);
}

static void check_stop_code(const char *name, uint32_t code)
{
    struct rig rig;
    struct csn_fate fate;
    struct csn_enclave_report report;
    struct csn_detail detail = {""};
    assert_int_equal(rig_image(&rig, name, 0, &report, &detail), CSN_OK);
    rig_wait(&rig, &fate);
    assert_int_equal(fate.kind, CSN_FATE_PANIC);
    assert_int_equal(fate.code, code);
    rig_close(&rig);
}

static void test_stop_codes(void **state)
{
    (void)state;
    check_stop_code("panic", 7);
    check_stop_code("flags", 100);
    struct rig rig;
    struct csn_enclave_report report;
    struct csn_detail detail = {""};
    assert_int_equal(rig_image(&rig, "refuse", 0, &report, &detail), CSN_ERR_CRASHED);
    assert_null(rig.instance);
    rig_close(&rig);
}

static void test_report_and_stop(void **state)
{
    (void)state;
    static const char *const names[] = {"spin", "idle", "workers"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        struct rig rig;
        struct csn_fate fate;
        struct csn_enclave_report report;
        struct csn_detail detail = {""};
        uint8_t measurement[48];
        assert_int_equal(rig_image(&rig, names[i], 0, &report, &detail), CSN_OK);
        assert_int_equal(
            csn_image_measure_file(rig.file, rig.file_size, &rig.image, measurement, NULL), CSN_OK);
        assert_memory_equal(report.measurement, measurement, sizeof measurement);
        assert_int_equal(report.backend_id, CSN_WIRE_BACKEND_KVM);
        csn_backend_kvm.fate(rig.instance, &fate);
        assert_int_equal(fate.kind, CSN_FATE_RUNNING);
        csn_backend_kvm.stop(rig.instance);
        csn_backend_kvm.stop(rig.instance);
        csn_backend_kvm.fate(rig.instance, &fate);
        assert_int_equal(fate.kind, CSN_FATE_STOPPED);
        rig_close(&rig);
    }
}

/* ---- park and wake ---- */

/* Parks on its word, counts, wakes channel 1, and again. rbx: the event word. */
static const uint8_t park_code[] = {
    0x48,
    0xbb,
    WORD64(CSN_MAP_RINGS), /* mov rings, rbx */
    0x8b,
    0x33, /* mov (rbx), esi */
    0xb8,
    LOW32(CSN_GATE_PARK),
    0xff,
    0xd0, /* call park */
    0x48,
    0xff,
    0x04,
    0x25,
    LOW32(CSN_MAP_BOOT + offsetof(struct csn_wire_boot, stats)),
    0xbe,
    LOW32(1),
    0xb8,
    LOW32(CSN_GATE_WAKE),
    0xff,
    0xd0, /* wake(_, 1) */
    0xeb,
    0xe1, /* jmp back */
};

struct sleeper {
    uint32_t *word;
    long result;
};

static void *sleep_on(void *argument)
{
    struct sleeper *sleeper = argument;
    sleeper->result = syscall(SYS_futex, sleeper->word, FUTEX_WAIT, 0, NULL, NULL, 0);
    return NULL;
}

static void test_park_and_wake(void **state)
{
    (void)state;
    struct rig rig;
    struct csn_detail detail = {""};
    struct csn_enclave_counters counters;
    rig_code(&rig, park_code, sizeof park_code, 1);
    uint8_t *rings = rig.rings.base;
    uint64_t *count = &rig.instance->boot->stats[0].inputs;
    struct sleeper sleeper = {.word = (void *)(rings +
                                               csn_wire_channel_offset(&rig.image.manifest, 0, 1) +
                                               CSN_WIRE_CHANNEL_HOST_EVENT)};
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, sleep_on, &sleeper), 0);
    assert_int_equal(csn_kvm_start(rig.instance, &detail), CSN_OK);
    for (uint64_t i = 0; i < 50; i++) {
        /* It has seen the word and is parked, or about to: each round is a park and a wake. */
        assert_true(rig_reaches((const uint64_t *)&rig.instance->workers[0].gate_calls, 2 * i + 1));
        assert_int_equal(__atomic_load_n(count, __ATOMIC_ACQUIRE), i);
        __atomic_fetch_add((uint32_t *)(void *)rings, 1, __ATOMIC_SEQ_CST);
        csn_backend_kvm.wake(rig.instance, 0);
        assert_true(rig_reaches(count, i + 1));
    }
    /* Wakes go on until the sleeper is up: it may have gone to sleep after the last one. */
    while (pthread_tryjoin_np(thread, NULL) != 0) {
        __atomic_fetch_add((uint32_t *)(void *)rings, 1, __ATOMIC_SEQ_CST);
        csn_backend_kvm.wake(rig.instance, 0);
    }
    assert_int_equal(sleeper.result, 0);
    assert_int_equal(__atomic_load_n(sleeper.word, __ATOMIC_ACQUIRE), 0);
    csn_backend_kvm.counters(rig.instance, &counters);
    assert_true(counters.gate_calls >= 100);
    assert_int_equal(counters.exits_other, 0);
    csn_backend_kvm.stop(rig.instance);
    rig_close(&rig);
}

/* ---- a hostile monitor ---- */

static void test_injected_events(void **state)
{
    (void)state;
    static const uint8_t spin[] = {0xeb, 0xfe};
    for (uint32_t vector = 0; vector < 32; vector++) {
        struct rig rig;
        uint32_t value = 0;
        struct kvm_vcpu_events events = {0};
        rig_code(&rig, spin, sizeof spin, 1);
        struct csn_kvm_worker *worker = &rig.instance->workers[0];
        assert_int_equal(ioctl(worker->fd, KVM_GET_VCPU_EVENTS, &events), 0);
        bool has_error = vector == 8 || (vector >= 10 && vector <= 14) || vector == 17 ||
                         vector == 21 || vector == 29 || vector == 30;
        if (vector == 2) {
            assert_int_equal(ioctl(worker->fd, KVM_NMI, 0), 0);
        } else {
            events.exception.injected = 1;
            events.exception.nr = (uint8_t)vector;
            events.exception.has_error_code = has_error;
            if (ioctl(worker->fd, KVM_SET_VCPU_EVENTS, &events) != 0) {
                rig_close(&rig);
                continue; /* KVM does not let anyone inject this one */
            }
        }
        bool stub = csn_kvm_run_to_port(worker, CSN_KVM_PORT_FAULT, &value);
        if (stub) {
            assert_int_equal(worker->fault->vector, vector);
            assert_int_equal(worker->fault->instruction, CSN_MAP_IMAGE);
            assert_int_equal(worker->fault->code_selector, CSN_KVM_SELECTOR_CODE3);
        } else {
            /* Some CPUs refuse the entry: that is a halt as well, and never an I/O of ours. */
            printf("# vector %u: exit reason %u\n", vector, worker->run->exit_reason);
            assert_int_not_equal(worker->run->exit_reason, KVM_EXIT_IO);
        }
        rig_close(&rig);
    }
}

/* ---- nothing is left ---- */

static uint32_t entries_of(const char *path)
{
    uint32_t count = 0;
    DIR *folder = opendir(path);
    assert_non_null(folder);
    while (readdir(folder) != NULL) {
        count++;
    }
    closedir(folder);
    return count;
}

static long resident_pages(void)
{
    long size = 0, resident = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    assert_non_null(file);
    assert_int_equal(fscanf(file, "%ld %ld", &size, &resident), 2);
    fclose(file);
    return resident;
}

static void test_no_leak(void **state)
{
    (void)state;
    static const uint8_t spin[] = {0xeb, 0xfe};
    uint32_t files = 0;
    uint32_t threads = 0;
    long pages = 0;
    for (uint32_t i = 0; i < 1000; i++) {
        struct rig rig;
        struct csn_detail detail = {""};
        if (i == 20) { /* caches of the allocator and of cmocka are warm */
            files = entries_of("/proc/self/fd");
            threads = entries_of("/proc/self/task"); /* ThreadSanitizer has one of its own */
            pages = resident_pages();
        }
        rig_code(&rig, spin, sizeof spin, 2);
        if (i % 2 == 0) { /* every other one is torn down before it ran */
            assert_int_equal(csn_kvm_start(rig.instance, &detail), CSN_OK);
        }
        rig_close(&rig);
    }
    assert_int_equal(entries_of("/proc/self/fd"), files);
    assert_int_equal(entries_of("/proc/self/task"), threads);
    assert_in_range(resident_pages(), 0, pages + RESIDENT_GROWTH_MAX);
}

/* ---- where it cannot run ---- */

static void test_missing(void **state)
{
    (void)state;
    struct csn_detail detail = {""};
    assert_int_equal(csn_kvm_probe_device("/nonexistent/kvm", &detail), CSN_ERR_MISSING);
    assert_non_null(strstr(detail.text, "load kvm_intel"));
    assert_int_equal(csn_kvm_probe_device("/dev/null", &detail), CSN_ERR_MISSING);
    assert_non_null(strstr(detail.text, "API version"));
}

static void test_require(void **state)
{
    (void)state;
    struct rig rig;
    struct csn_enclave_report report;
    struct csn_detail detail = {""};
    assert_int_equal(rig_image(&rig, "idle", CSN_PROTECT_NAMESPACES, &report, &detail),
                     CSN_ERR_MISSING);
    assert_non_null(strstr(detail.text, "namespaces"));
    rig_close(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_missing), /* the one that needs no KVM */
        cmocka_unit_test(test_attempts),      cmocka_unit_test(test_fault_images),
        cmocka_unit_test(test_stop_codes),    cmocka_unit_test(test_report_and_stop),
        cmocka_unit_test(test_park_and_wake), cmocka_unit_test(test_injected_events),
        cmocka_unit_test(test_no_leak),       cmocka_unit_test(test_require),
    };
    size_t count = sizeof tests / sizeof tests[0];
    if (!rig_works()) {
        printf("# SKIP: %zu tests need KVM, see above\n", count - 1);
        count = 1;
    }
    return _cmocka_run_group_tests("kvm", tests, count, NULL, NULL);
}
