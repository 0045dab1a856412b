/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kvm_fate.c: from the last exit of a virtual CPU to words. A fault is told by the guest's own
 * stub, because a host that runs real TEEs could not read registers either; for all else KVM's
 * word is all there is, and after a shutdown nothing of the CPU's state is relied on.
 */
#define _GNU_SOURCE
#include "backend/detail.h"
#include "kvm_instance.h"
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>

#define FATE_VECTOR_PAGE_FAULT UINT64_C(14)

static const char *fate_vector_name(uint64_t vector)
{
    static const char *const names[] = {
        [0] = "division",        [1] = "debug",          [2] = "NMI",
        [3] = "breakpoint",      [4] = "overflow",       [5] = "bound range",
        [6] = "invalid opcode",  [7] = "no coprocessor", [8] = "double fault",
        [10] = "invalid TSS",    [11] = "no segment",    [12] = "stack segment",
        [13] = "protection",     [14] = "page fault",    [16] = "x87",
        [17] = "alignment",      [18] = "machine check", [19] = "SIMD",
        [20] = "virtualization", [21] = "control flow",
    };
    const char *name = vector < sizeof names / sizeof names[0] ? names[vector] : NULL;
    return name != NULL ? name : "interrupt";
}

static void fate_of_fault(const struct csn_kvm_worker *worker, struct csn_fate *fate)
{
    struct csn_kvm_fault fault;
    memcpy(&fault, worker->fault, sizeof fault);
    fate->kind = CSN_FATE_FAULT;
    fate->code = (uint32_t)fault.error;
    fate->vector = (uint32_t)fault.vector;
    fate->instruction = fault.instruction;
    fate->address = fault.vector == FATE_VECTOR_PAGE_FAULT ? fault.address : 0;
    csn_detail_set(&fate->detail, CSN_OK,
                   "worker %u: %s (vector %u, error 0x%x) at 0x%llx, address 0x%llx, CPL %u",
                   worker->index, fate_vector_name(fault.vector), fate->vector, fate->code,
                   (unsigned long long)fate->instruction, (unsigned long long)fate->address,
                   (unsigned)(fault.code_selector & 3));
}

static void fate_of_stop(const struct csn_kvm_worker *worker, uint32_t code, struct csn_fate *fate)
{
    uint32_t state = __atomic_load_n(&worker->instance->boot->made.state, __ATOMIC_ACQUIRE);
    bool refused = state == CSN_WIRE_STATE_REFUSED;
    fate->kind = refused ? CSN_FATE_REFUSED : CSN_FATE_PANIC;
    fate->code = code;
    csn_detail_set(&fate->detail, CSN_OK, "worker %u %s with code %u", worker->index,
                   refused ? "refused to start" : "stopped itself", code);
}

static void fate_of_port(const struct csn_kvm_worker *worker, struct csn_fate *fate)
{
    const struct kvm_run *run = worker->run;
    bool out = run->io.direction == KVM_EXIT_IO_OUT;
    uint32_t value = 0;
    if (out && run->io.size == sizeof value && run->io.count == 1) {
        memcpy(&value, (const uint8_t *)run + run->io.data_offset, sizeof value);
        if (run->io.port == CSN_KVM_PORT_STOP) {
            fate_of_stop(worker, value, fate);
            return;
        }
        if (run->io.port == CSN_KVM_PORT_FAULT) {
            fate_of_fault(worker, fate);
            return;
        }
    }
    fate->kind = CSN_FATE_SYSCALL;
    fate->code = run->io.port;
    csn_detail_set(&fate->detail, CSN_OK, "worker %u: %s of %u bytes, port 0x%x, value 0x%x",
                   worker->index, out ? "OUT" : "IN", run->io.size, run->io.port, value);
}

void csn_kvm_fate_of_exit(struct csn_kvm_worker *worker, int run_error, struct csn_fate *fate)
{
    const struct kvm_run *run = worker->run;
    *fate = (struct csn_fate){.kind = CSN_FATE_UNKNOWN};
    if (run_error == 0 && run->exit_reason == KVM_EXIT_IO) {
        fate_of_port(worker, fate);
        return;
    }
    struct kvm_regs registers = {0};
    if (run->exit_reason != KVM_EXIT_SHUTDOWN && ioctl(worker->fd, KVM_GET_REGS, &registers) == 0) {
        fate->instruction = registers.rip;
    }
    if (run_error != 0) {
        csn_detail_set(&fate->detail, CSN_OK, "worker %u: KVM_RUN: %s at 0x%llx", worker->index,
                       csn_errno_name(run_error), (unsigned long long)fate->instruction);
        return;
    }
    fate->code = run->exit_reason;
    switch (run->exit_reason) {
    case KVM_EXIT_SHUTDOWN:
        csn_detail_set(&fate->detail, CSN_OK, "worker %u: shutdown (triple fault)", worker->index);
        break;
    case KVM_EXIT_MMIO:
        fate->address = run->mmio.phys_addr;
        csn_detail_set(&fate->detail, CSN_OK, "worker %u: no memory at physical 0x%llx",
                       worker->index, (unsigned long long)run->mmio.phys_addr);
        break;
    case KVM_EXIT_INTERNAL_ERROR:
        csn_detail_set(&fate->detail, CSN_OK, "worker %u: KVM internal error %u at 0x%llx",
                       worker->index, run->internal.suberror,
                       (unsigned long long)fate->instruction);
        break;
    case KVM_EXIT_FAIL_ENTRY:
        csn_detail_set(&fate->detail, CSN_OK, "worker %u: entry failed, reason 0x%llx",
                       worker->index,
                       (unsigned long long)run->fail_entry.hardware_entry_failure_reason);
        break;
    default:
        csn_detail_set(&fate->detail, CSN_OK, "worker %u: exit reason %u at 0x%llx", worker->index,
                       run->exit_reason, (unsigned long long)fate->instruction);
    }
}

/* Fields 10 (minor) and 12 (major) of the thread's stat line, counted behind its name. */
uint64_t csn_kvm_page_faults(struct csn_kvm_worker *worker)
{
    char path[64], text[1024];
    pid_t tid = atomic_load(&worker->tid);
    uint64_t faults = atomic_load(&worker->page_faults);
    snprintf(path, sizeof path, "/proc/self/task/%d/stat", (int)tid);
    FILE *file = tid != 0 ? fopen(path, "re") : NULL;
    if (file == NULL) {
        return faults;
    }
    size_t size = fread(text, 1, sizeof text - 1, file);
    text[size] = '\0';
    const char *behind = strrchr(text, ')');
    unsigned long long minor = 0, major = 0;
    if (behind != NULL &&
        sscanf(behind + 1, " %*c %*d %*d %*d %*d %*d %*u %llu %*u %llu", &minor, &major) == 2) {
        faults = minor + major;
    }
    fclose(file);
    return faults;
}
