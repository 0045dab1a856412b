/* SPDX-License-Identifier: Apache-2.0 */
/*
 * watch.h: what others count of an enclave that runs: strace, the kernel, KVM. Nothing of it asks
 * the enclave or its launcher, so that it can contradict them.
 *
 * One thread. What works in the background is a strace of our own, ended by its id.
 */
#ifndef CSN_BENCH_WATCH_H
#define CSN_BENCH_WATCH_H

#include <caisson/host.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct watch {
    pid_t strace;
    char path[64]; /* what it writes */
};

/* System calls that were completed. */
struct watch_calls {
    uint64_t futex;
    uint64_t run;   /* ioctl: KVM_RUN */
    uint64_t other; /* memory is among them */
};

/*
 * Of the first virtual CPU, since its creation. Whatever makes KVM_RUN return puts the guest's FPU
 * state away, which KVM counts (fpu_reload); its counts of single causes depend on the module:
 * kvm_pvm has an OUT among the emulated instructions and not under io_exits.
 */
struct watch_kvm {
    uint64_t exits;       /* from the guest: most never leave the kernel */
    uint64_t returns;     /* to user space */
    uint64_t page_faults; /* nested */
};

/* The thread that runs the first worker: of the enclave's process, or of its virtual CPU. */
pid_t watch_thread(const struct csn_enclave *enclave);
/* False, and why: there is no strace, or it may not attach. */
bool watch_begin(struct watch *watch, pid_t thread, const char **why);
void watch_end(struct watch *watch, struct watch_calls *calls);
/* False if this backend or this kernel has no such statistics. */
bool watch_kvm_read(const struct csn_enclave *enclave, struct watch_kvm *counts);

#endif
