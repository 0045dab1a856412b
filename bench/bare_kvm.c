/* SPDX-License-Identifier: Apache-2.0 */
/* bare_kvm.c: see bare_kvm.h. */
#define _GNU_SOURCE
#include "bare_kvm.h"
#include "measure.h"
#include <fcntl.h>
#include <linux/kvm.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#define PAGE_SIZE  4096u
#define GUEST_PORT 0x10

/* mov dx, port; again: out dx, al; jmp again */
static const unsigned char guest_code[] = {0xba, GUEST_PORT, 0x00, 0xee, 0xeb, 0xfd};

static void set_registers(const struct bare_kvm *machine)
{
    struct kvm_sregs system;
    const struct kvm_regs regs = {.rip = 0, .rflags = 2};
    bench_require(ioctl(machine->cpu, KVM_GET_SREGS, &system) == 0, "KVM_GET_SREGS");
    system.cs.base = 0;
    system.cs.selector = 0;
    bench_require(ioctl(machine->cpu, KVM_SET_SREGS, &system) == 0 &&
                      ioctl(machine->cpu, KVM_SET_REGS, &regs) == 0,
                  "registers");
}

bool bare_kvm_start(struct bare_kvm *machine)
{
    machine->device = open("/dev/kvm", O_RDWR | O_CLOEXEC);
    if (machine->device < 0) {
        return false;
    }
    machine->vm = ioctl(machine->device, KVM_CREATE_VM, 0);
    machine->page =
        mmap(NULL, PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    bench_require(machine->vm >= 0 && machine->page != MAP_FAILED, "KVM_CREATE_VM");
    memcpy(machine->page, guest_code, sizeof guest_code);
    const struct kvm_userspace_memory_region slot = {
        .memory_size = PAGE_SIZE, .userspace_addr = (unsigned long)machine->page};
    bench_require(ioctl(machine->vm, KVM_SET_USER_MEMORY_REGION, &slot) == 0, "memory");
    machine->cpu = ioctl(machine->vm, KVM_CREATE_VCPU, 0);
    machine->run_size = ioctl(machine->device, KVM_GET_VCPU_MMAP_SIZE, 0);
    bench_require(machine->cpu >= 0 && machine->run_size > 0, "KVM_CREATE_VCPU");
    machine->run =
        mmap(NULL, (size_t)machine->run_size, PROT_READ | PROT_WRITE, MAP_SHARED, machine->cpu, 0);
    bench_require(machine->run != MAP_FAILED, "the run page");
    set_registers(machine);
    bare_kvm_exit(machine);
    return true;
}

void bare_kvm_exit(struct bare_kvm *machine)
{
    const struct kvm_run *run = machine->run;
    bench_require(ioctl(machine->cpu, KVM_RUN, 0) == 0 && run->exit_reason == KVM_EXIT_IO &&
                      run->io.port == GUEST_PORT,
                  "KVM_RUN: another exit than the guest's OUT");
}

void bare_kvm_stop(struct bare_kvm *machine)
{
    munmap(machine->run, (size_t)machine->run_size);
    munmap(machine->page, PAGE_SIZE);
    close(machine->cpu);
    close(machine->vm);
    close(machine->device);
}
