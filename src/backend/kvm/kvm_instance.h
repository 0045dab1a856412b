/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kvm_instance.h: one micro-VM, as the launcher sees it.
 *
 * Trust:    the guest is hostile to its host, and the host to the guest: what comes out of a port
 *           is bounds-checked, what the guest holds is never read but the boot region and, after a
 *           fault, the stub's record.
 * Threads:  one thread per worker runs its vCPU with every signal blocked. The first that ends
 *           writes the fate, then stores `dead` with release, then sends the others home.
 * Lifetime: built and torn down by one thread; each field is undone only if it was done.
 */
#ifndef CSN_KVM_INSTANCE_H
#define CSN_KVM_INSTANCE_H

#include "backend/backend.h"
#include "backend/memory.h"
#include "kvm_layout.h"
#include <linux/kvm.h>
#include <pthread.h>
#include <stdatomic.h>

#define CSN_KVM_DEVICE "/dev/kvm"

/* Two pages: the gate, then the stub. kvm_gate.S */
extern const uint8_t csn_kvm_gate[2 * 4096];

/* What CPU and stub leave at the top of a worker's CPL 0 stack. */
struct csn_kvm_fault {
    uint64_t address; /* CR2: means something for vector 14 only */
    uint64_t vector;
    uint64_t error;
    uint64_t instruction;
    uint64_t code_selector;
    uint64_t flags;
    uint64_t stack;
    uint64_t stack_selector;
};
_Static_assert(sizeof(struct csn_kvm_fault) == 64, "eight pushed words");

struct csn_kvm_worker {
    struct csn_instance *instance;
    uint32_t index;
    int fd;
    struct kvm_run *run;
    uint32_t *event; /* this worker's event word in the rings */
    const struct csn_kvm_fault *fault;
    pthread_t thread;
    bool thread_runs;  /* there is something to join */
    _Atomic pid_t tid; /* 0: not in its loop */
    _Atomic uint64_t gate_calls;
    _Atomic uint64_t exits_other;
    _Atomic uint64_t exits_signal;
    _Atomic uint64_t page_faults; /* the thread's last count, stored as it ends */
};

struct csn_instance {
    struct csn_wire_manifest manifest;
    struct csn_kvm_layout layout;
    struct csn_memory memory;
    uint8_t *rings;
    struct csn_wire_boot *boot;
    int device;
    int vm;
    size_t run_size;
    uint64_t xcr0; /* 0: KVM offers guests no XSAVE, and the host's own value is in force */
    uint64_t cr4;
    struct csn_kvm_worker workers[CSN_MAP_WORKER_COUNT_MAX];

    atomic_bool stopping;
    atomic_flag ending; /* taken by the first worker that ends */
    atomic_bool dead;
    struct csn_fate fate; /* valid once dead */
};

/* kvm_machine.c: everything up to the first KVM_RUN. On failure the caller frees. */
CSN_MUST_USE csn_err csn_kvm_new(const struct csn_wire_manifest *manifest,
                                 struct csn_instance **instance, struct csn_detail *detail);
/*
 * The guest's memory, complete, and the machine without memory: two threads may make one each, in
 * any order. Then the one is given to the other, and the virtual CPUs are put at the entry.
 */
CSN_MUST_USE csn_err csn_kvm_fill(struct csn_instance *instance, const struct csn_image *image,
                                  const uint8_t *bytes, void *rings, struct csn_detail *detail);
CSN_MUST_USE csn_err csn_kvm_build(struct csn_instance *instance, const char *device,
                                   struct csn_detail *detail);
CSN_MUST_USE csn_err csn_kvm_connect(struct csn_instance *instance, uint64_t entry,
                                     struct csn_detail *detail);
void csn_kvm_free(struct csn_instance *instance); /* NULL allowed; no thread may run */

/* Puts a worker's vCPU that does not run at an entry, in the state of a start. */
CSN_MUST_USE csn_err csn_kvm_enter(struct csn_kvm_worker *worker, uint64_t entry,
                                   struct csn_detail *detail);

/* kvm_cpuid.c: gives a vCPU its CPUID; sets xcr0 and cr4. */
CSN_MUST_USE csn_err csn_kvm_cpuid(struct csn_instance *instance, int vcpu,
                                   struct csn_detail *detail);

/*
 * kvm_features.c: which CSN_WIRE_FEATURE_* a guest here has, found by running each instruction in
 * one. CSN_ERR_MISSING if a required one is not there. Asked once per process and device.
 */
CSN_MUST_USE csn_err csn_kvm_features(const char *device, uint64_t *features,
                                      struct csn_detail *detail);

/* kvm_run.c */
CSN_MUST_USE csn_err csn_kvm_start(struct csn_instance *instance, struct csn_detail *detail);
void csn_kvm_end(struct csn_instance *instance); /* stop and join; idempotent */
/* Run on this thread until the port is written; false: anything else happened. */
bool csn_kvm_run_to_port(struct csn_kvm_worker *worker, uint16_t port, uint32_t *value);

/* kvm_fate.c: why a worker's vCPU came back for good. */
void csn_kvm_fate_of_exit(struct csn_kvm_worker *worker, int run_error, struct csn_fate *fate);
uint64_t csn_kvm_page_faults(struct csn_kvm_worker *worker);

/* kvm.c, with the device's path as a parameter so that tests can take it away. */
csn_err csn_kvm_probe_device(const char *device, struct csn_detail *detail);
csn_err csn_kvm_create_on(const char *device, const struct csn_backend_config *config,
                          struct csn_instance **instance, struct csn_enclave_report *report,
                          struct csn_detail *detail);

#endif
