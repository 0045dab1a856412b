/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kvm_machine.c: memory, tables and registers of a micro-VM. No device, no interrupt controller,
 * no timer, no firmware: it starts in 64-bit mode at CPL 3, at the image's entry.
 */
#define _GNU_SOURCE
#include "backend/detail.h"
#include "kvm_instance.h"
#include <caisson/wire/channel.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#define MACHINE_TSS_ADDRESS                                                                        \
    0xfffbd000ul /* three pages that VMX may need; nothing of ours is there */

#define MACHINE_CR0  UINT64_C(0x80050033) /* PG, AM, WP, NE, ET, MP, PE */
#define MACHINE_EFER UINT64_C(0xd00)      /* LME, LMA, NXE; no SYSCALL */

#define MACHINE_TSS_SIZE        104u
#define MACHINE_TSS_IST1        0x24u
#define MACHINE_TSS_RSP0        0x04u
#define MACHINE_TSS_BITMAP_BASE 0x66u
/* Bitmap bytes up to the last of our ports, and the byte of ones that must follow. */
#define MACHINE_BITMAP_SIZE (CSN_KVM_PORT_FAULT / 8u + 1u)
#define MACHINE_TSS_LIMIT   (MACHINE_TSS_SIZE + MACHINE_BITMAP_SIZE)

csn_err csn_kvm_new(const struct csn_wire_manifest *manifest, struct csn_instance **target,
                    struct csn_detail *detail)
{
    struct csn_instance *instance = calloc(1, sizeof *instance);
    if (instance == NULL) {
        return csn_detail_set(detail, CSN_ERR_MEMORY, "an instance");
    }
    instance->manifest = *manifest;
    instance->device = -1;
    instance->vm = -1;
    for (uint32_t i = 0; i < CSN_MAP_WORKER_COUNT_MAX; i++) {
        instance->workers[i].fd = -1;
        instance->workers[i].index = i;
        instance->workers[i].instance = instance;
    }
    atomic_flag_clear(&instance->ending);
    *target = instance;
    return CSN_OK;
}

void csn_kvm_free(struct csn_instance *instance)
{
    if (instance == NULL) {
        return;
    }
    for (uint32_t i = 0; i < CSN_MAP_WORKER_COUNT_MAX; i++) {
        struct csn_kvm_worker *worker = &instance->workers[i];
        if (worker->run != NULL) {
            munmap(worker->run, instance->run_size);
        }
        if (worker->fd >= 0) {
            close(worker->fd);
        }
    }
    if (instance->vm >= 0) {
        close(instance->vm);
    }
    if (instance->device >= 0) {
        close(instance->device);
    }
    csn_memory_unmap(&instance->memory);
    free(instance);
}

/* ---- the device ---- */

static csn_err machine_refused(const char *device, int number, struct csn_detail *detail)
{
    switch (number) {
    case ENOENT:
    case ENXIO:
    case ENODEV:
        return csn_detail_set(detail, CSN_ERR_MISSING,
                              "no %s: load kvm_intel or kvm_amd, and enable VT-x or AMD-V in the "
                              "firmware (in a VM: nested virtualization)",
                              device);
    case EACCES:
    case EPERM:
        return csn_detail_set(detail, CSN_ERR_MISSING,
                              "%s may not be opened: add the user to its group "
                              "(usermod -aG kvm USER, then log in again)",
                              device);
    default:
        return csn_detail_set(detail, CSN_ERR_MISSING, "opening %s: %s", device,
                              csn_errno_name(number));
    }
}

static csn_err machine_open(struct csn_instance *instance, const char *device,
                            struct csn_detail *detail)
{
    static const struct {
        int number;
        const char *name;
    } needed[] = {
        {KVM_CAP_USER_MEMORY, "KVM_CAP_USER_MEMORY"},
        {KVM_CAP_EXT_CPUID, "KVM_CAP_EXT_CPUID"},
        {KVM_CAP_XCRS, "KVM_CAP_XCRS"},
        {KVM_CAP_IMMEDIATE_EXIT, "KVM_CAP_IMMEDIATE_EXIT"},
    };
    instance->device = open(device, O_RDWR | O_CLOEXEC);
    if (instance->device < 0) {
        return machine_refused(device, errno, detail);
    }
    int version = ioctl(instance->device, KVM_GET_API_VERSION, 0);
    if (version != KVM_API_VERSION) {
        return csn_detail_set(detail, CSN_ERR_MISSING, "%s has API version %d, not %d", device,
                              version, KVM_API_VERSION);
    }
    for (size_t i = 0; i < sizeof needed / sizeof needed[0]; i++) {
        if (ioctl(instance->device, KVM_CHECK_EXTENSION, needed[i].number) <= 0) {
            return csn_detail_set(detail, CSN_ERR_MISSING, "%s lacks %s: needs Linux 4.13", device,
                                  needed[i].name);
        }
    }
    int size = ioctl(instance->device, KVM_GET_VCPU_MMAP_SIZE, 0);
    if (size < (int)sizeof(struct kvm_run)) {
        return csn_detail_set(detail, CSN_ERR_SYSTEM, "KVM_GET_VCPU_MMAP_SIZE says %d", size);
    }
    instance->run_size = (size_t)size;
    return CSN_OK;
}

/* ---- memory ---- */

static void machine_descriptors(const struct csn_instance *instance, uint32_t worker_count)
{
    uint8_t *memory = instance->memory.base;
    uint64_t *gdt = (void *)csn_kvm_layout_find(&instance->layout, memory, CSN_KVM_GDT);
    /* All are marked as accessed: the CPU would otherwise write to a read-only page. */
    gdt[CSN_KVM_SELECTOR_CODE0 / 8] = UINT64_C(0x00af9b000000ffff);
    gdt[CSN_KVM_SELECTOR_DATA0 / 8] = UINT64_C(0x00cf93000000ffff);
    gdt[CSN_KVM_SELECTOR_DATA3 / 8] = UINT64_C(0x00cff3000000ffff);
    gdt[CSN_KVM_SELECTOR_CODE3 / 8] = UINT64_C(0x00affb000000ffff);
    /* The task registers are set from outside; the descriptor at TSS stays empty. */

    uint64_t *idt = (void *)csn_kvm_layout_find(&instance->layout, memory, CSN_KVM_IDT);
    for (uint64_t vector = 0; vector < CSN_KVM_VECTOR_COUNT; vector++) {
        uint64_t entry = CSN_KVM_STUB + vector * CSN_KVM_VECTOR_SIZE;
        /* A present interrupt gate of DPL 0, on IST 1: INT n from CPL 3 is a fault of its own. */
        idt[2 * vector] = (entry & 0xffff) | (uint64_t)CSN_KVM_SELECTOR_CODE0 << 16 |
                          UINT64_C(0x8e01) << 32 | (entry >> 16 & 0xffff) << 48;
        idt[2 * vector + 1] = entry >> 32;
    }

    for (uint32_t worker = 0; worker < worker_count; worker++) {
        uint64_t address = CSN_KVM_WORKERS + (uint64_t)worker * CSN_KVM_WORKER_STRIDE;
        uint64_t top = address + CSN_KVM_WORKER_STACK + CSN_MAP_PAGE_SIZE;
        uint8_t *tss = csn_kvm_layout_find(&instance->layout, memory, address);
        const uint16_t bitmap = MACHINE_TSS_SIZE;
        memcpy(tss + MACHINE_TSS_RSP0, &top, sizeof top);
        memcpy(tss + MACHINE_TSS_IST1, &top, sizeof top);
        memcpy(tss + MACHINE_TSS_BITMAP_BASE, &bitmap, sizeof bitmap);
        memset(tss + MACHINE_TSS_SIZE, 0xff, MACHINE_BITMAP_SIZE + 1);
        tss[MACHINE_TSS_SIZE + CSN_KVM_PORT_PARK / 8] = 0x00; /* park and wake */
        tss[MACHINE_TSS_SIZE + CSN_KVM_PORT_STOP / 8] = 0xf0; /* stop, not the stub's */
    }
}

_Static_assert(CSN_KVM_PORT_PARK % 8 == 0 && CSN_KVM_PORT_WAKE == CSN_KVM_PORT_PARK + 4,
               "one byte");
_Static_assert(CSN_KVM_PORT_STOP % 8 == 0 && CSN_KVM_PORT_FAULT == CSN_KVM_PORT_STOP + 4,
               "one byte");

static csn_err machine_fill(struct csn_instance *instance, const struct csn_image *image,
                            const uint8_t *bytes, struct csn_detail *detail)
{
    const struct csn_kvm_layout *layout = &instance->layout;
    uint8_t *memory = instance->memory.base;
    for (uint32_t i = 0; i < image->segment_count; i++) {
        const struct csn_image_segment *segment = &image->segments[i];
        memcpy(csn_kvm_layout_find(layout, memory, segment->address), bytes + segment->file_offset,
               segment->file_size);
    }
    memcpy(csn_kvm_layout_find(layout, memory, CSN_MAP_GATE), csn_kvm_gate, CSN_MAP_PAGE_SIZE);
    memcpy(csn_kvm_layout_find(layout, memory, CSN_KVM_STUB), csn_kvm_gate + CSN_MAP_PAGE_SIZE,
           CSN_MAP_PAGE_SIZE);
    machine_descriptors(instance, image->manifest.worker_count);
    if (!csn_kvm_layout_tables(layout, memory)) {
        return csn_detail_set(detail, CSN_ERR_INTERNAL, "page tables of %llu pages are too few",
                              (unsigned long long)layout->table_count_max);
    }
    instance->boot = (void *)csn_kvm_layout_find(layout, memory, CSN_MAP_BOOT);
    return CSN_OK;
}

static csn_err machine_slots(const struct csn_instance *instance, struct csn_detail *detail)
{
    const struct csn_kvm_layout *layout = &instance->layout;
    const struct kvm_userspace_memory_region slots[] = {
        {.slot = 0,
         .guest_phys_addr = CSN_KVM_PHYSICAL,
         .memory_size = instance->memory.size,
         .userspace_addr = (uintptr_t)instance->memory.base},
        {.slot = 1,
         .guest_phys_addr = layout->rings_physical,
         .memory_size = layout->rings_size,
         .userspace_addr = (uintptr_t)instance->rings},
    };
    for (size_t i = 0; i < sizeof slots / sizeof slots[0]; i++) {
        if (ioctl(instance->vm, KVM_SET_USER_MEMORY_REGION, &slots[i]) != 0) {
            return csn_detail_set(detail, CSN_ERR_SYSTEM, "memory slot %u of %llu bytes: %s",
                                  slots[i].slot, (unsigned long long)slots[i].memory_size,
                                  csn_errno_name(errno));
        }
    }
    return CSN_OK;
}

/* ---- registers ---- */

static csn_err machine_system_registers(const struct csn_kvm_worker *worker,
                                        struct csn_detail *detail)
{
    const struct csn_instance *instance = worker->instance;
    struct kvm_sregs system;
    if (ioctl(worker->fd, KVM_GET_SREGS, &system) != 0) {
        return csn_detail_set(detail, CSN_ERR_SYSTEM, "KVM_GET_SREGS: %s", csn_errno_name(errno));
    }
    const struct kvm_segment data = {.limit = UINT32_MAX,
                                     .selector = CSN_KVM_SELECTOR_DATA3,
                                     .present = 1,
                                     .type = 3,
                                     .dpl = 3,
                                     .db = 1,
                                     .s = 1,
                                     .g = 1};
    system.cr0 = MACHINE_CR0;
    system.cr3 = CSN_KVM_PHYSICAL + instance->layout.tables;
    system.cr4 = instance->cr4;
    system.efer = MACHINE_EFER;
    system.cs = (struct kvm_segment){.limit = UINT32_MAX,
                                     .selector = CSN_KVM_SELECTOR_CODE3,
                                     .present = 1,
                                     .type = 11,
                                     .dpl = 3,
                                     .s = 1,
                                     .l = 1,
                                     .g = 1};
    system.ss = system.ds = system.es = system.fs = system.gs = data;
    system.fs.base = csn_map_fs_block(worker->index, instance->manifest.stack_size);
    system.tr = (struct kvm_segment){.base = CSN_KVM_WORKERS +
                                             (uint64_t)worker->index * CSN_KVM_WORKER_STRIDE,
                                     .limit = MACHINE_TSS_LIMIT,
                                     .selector = CSN_KVM_SELECTOR_TSS,
                                     .present = 1,
                                     .type = 11};
    system.ldt = (struct kvm_segment){.unusable = 1};
    system.gdt = (struct kvm_dtable){.base = CSN_KVM_GDT, .limit = CSN_KVM_SELECTOR_TSS + 15};
    system.idt = (struct kvm_dtable){.base = CSN_KVM_IDT, .limit = CSN_MAP_PAGE_SIZE - 1};
    if (ioctl(worker->fd, KVM_SET_SREGS, &system) != 0) {
        return csn_detail_set(detail, CSN_ERR_SYSTEM, "KVM_SET_SREGS: %s", csn_errno_name(errno));
    }
    return CSN_OK;
}

static csn_err machine_registers(const struct csn_kvm_worker *worker, uint64_t entry,
                                 struct csn_detail *detail)
{
    struct kvm_xcrs control = {.nr_xcrs = 1};
    control.xcrs[0].value = worker->instance->xcr0;
    if (control.xcrs[0].value != 0 && ioctl(worker->fd, KVM_SET_XCRS, &control) != 0) {
        return csn_detail_set(detail, CSN_ERR_SYSTEM, "KVM_SET_XCRS: %s", csn_errno_name(errno));
    }
    /* Interrupts stay off and IOPL stays 0 for life. */
    const struct kvm_regs registers = {
        .rip = entry,
        .rsp = csn_map_fs_block(worker->index, worker->instance->manifest.stack_size),
        .rdi = CSN_MAP_BOOT,
        .rsi = worker->index,
        .rflags = 2,
    };
    if (ioctl(worker->fd, KVM_SET_REGS, &registers) != 0) {
        return csn_detail_set(detail, CSN_ERR_SYSTEM, "KVM_SET_REGS: %s", csn_errno_name(errno));
    }
    return CSN_OK;
}

csn_err csn_kvm_enter(struct csn_kvm_worker *worker, uint64_t entry, struct csn_detail *detail)
{
    CSN_TRY(machine_system_registers(worker, detail));
    return machine_registers(worker, entry, detail);
}

static csn_err machine_worker(struct csn_kvm_worker *worker, struct csn_detail *detail)
{
    struct csn_instance *instance = worker->instance;
    worker->fd = ioctl(instance->vm, KVM_CREATE_VCPU, (unsigned long)worker->index);
    if (worker->fd < 0) {
        return csn_detail_set(detail, CSN_ERR_SYSTEM, "virtual CPU %u: %s", worker->index,
                              csn_errno_name(errno));
    }
    void *run = mmap(NULL, instance->run_size, PROT_READ | PROT_WRITE, MAP_SHARED, worker->fd, 0);
    if (run == MAP_FAILED) {
        return csn_detail_set(detail, CSN_ERR_MEMORY, "state of virtual CPU %u: %s", worker->index,
                              csn_errno_name(errno));
    }
    worker->run = run;
    return csn_kvm_cpuid(instance, worker->fd, detail);
}

static csn_err machine_place(struct csn_kvm_worker *worker, uint64_t entry,
                             struct csn_detail *detail)
{
    struct csn_instance *instance = worker->instance;
    worker->event =
        (void *)(instance->rings + csn_wire_worker_offset(&instance->manifest, worker->index) +
                 CSN_WIRE_EVENT_WORD);
    uint64_t top = CSN_KVM_WORKERS + (uint64_t)worker->index * CSN_KVM_WORKER_STRIDE +
                   CSN_KVM_WORKER_STACK + CSN_MAP_PAGE_SIZE;
    worker->fault = (void *)csn_kvm_layout_find(&instance->layout, instance->memory.base,
                                                top - sizeof *worker->fault);
    return csn_kvm_enter(worker, entry, detail);
}

csn_err csn_kvm_fill(struct csn_instance *instance, const struct csn_image *image,
                     const uint8_t *bytes, void *rings, struct csn_detail *detail)
{
    instance->rings = rings;
    if (!csn_kvm_layout_make(image, &instance->layout)) {
        return csn_detail_set(detail, CSN_ERR_ARGUMENT, "the image's sizes do not fit");
    }
    CSN_TRY(csn_memory_map(instance->layout.size, &instance->memory, detail));
    return machine_fill(instance, image, bytes, detail);
}

csn_err csn_kvm_build(struct csn_instance *instance, const char *device, struct csn_detail *detail)
{
    CSN_TRY(machine_open(instance, device, detail));
    instance->vm = ioctl(instance->device, KVM_CREATE_VM, 0);
    if (instance->vm < 0) {
        return csn_detail_set(detail, CSN_ERR_SYSTEM, "KVM_CREATE_VM: %s", csn_errno_name(errno));
    }
    /* Only some CPUs need it and only some kernels have it: no answer matters. */
    ioctl(instance->vm, KVM_SET_TSS_ADDR, MACHINE_TSS_ADDRESS);
    for (uint32_t i = 0; i < instance->manifest.worker_count; i++) {
        CSN_TRY(machine_worker(&instance->workers[i], detail));
    }
    return CSN_OK;
}

csn_err csn_kvm_connect(struct csn_instance *instance, uint64_t entry, struct csn_detail *detail)
{
    CSN_TRY(machine_slots(instance, detail));
    for (uint32_t i = 0; i < instance->manifest.worker_count; i++) {
        CSN_TRY(machine_place(&instance->workers[i], entry, detail));
    }
    return CSN_OK;
}
