/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bare_kvm.h: the least that KVM can do: one page, one virtual CPU in real mode, one OUT that
 * exits and jumps back to itself. What a start costs, and what a call by an exit costs.
 */
#ifndef CSN_BENCH_BARE_KVM_H
#define CSN_BENCH_BARE_KVM_H

#include <stdbool.h>

struct bare_kvm {
    int device;
    int vm;
    int cpu;
    void *page;
    void *run;
    int run_size;
};

/* From nothing to the first exit; false where /dev/kvm does not open. Other failures end it. */
bool bare_kvm_start(struct bare_kvm *machine);
/* Into the guest and out again. */
void bare_kvm_exit(struct bare_kvm *machine);
void bare_kvm_stop(struct bare_kvm *machine);

#endif
