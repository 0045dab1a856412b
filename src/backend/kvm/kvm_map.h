/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kvm_map.h: what the kvm backend adds to the map of an image. Also read by the assembler.
 *
 * Everything at CSN_KVM_SYSTEM and above is for CPL 0 alone. Page tables are not mapped at all.
 */
#ifndef CSN_KVM_MAP_H
#define CSN_KVM_MAP_H

/*
 * Ports of the gate. An access of four bytes asks for four ports of the permission bitmap, so they
 * are four apart. The last is the fault stub's: the bitmap does not give it to CPL 3.
 */
#define CSN_KVM_PORT_PARK  0xe0
#define CSN_KVM_PORT_WAKE  0xe4
#define CSN_KVM_PORT_STOP  0xe8
#define CSN_KVM_PORT_FAULT 0xec

#define CSN_KVM_VECTOR_COUNT 256
#define CSN_KVM_VECTOR_SIZE  12 /* bytes of code per vector in the stub page */

/* Linear addresses of the CPL 0 part. */
#define CSN_KVM_SYSTEM        0x40000000
#define CSN_KVM_GDT           (CSN_KVM_SYSTEM + 0x0000) /* read-only */
#define CSN_KVM_IDT           (CSN_KVM_SYSTEM + 0x1000) /* read-only */
#define CSN_KVM_STUB          (CSN_KVM_SYSTEM + 0x2000) /* read-execute */
#define CSN_KVM_WORKERS       (CSN_KVM_SYSTEM + 0x10000)
#define CSN_KVM_WORKER_STRIDE 0x4000 /* a TSS page, a guard, a stack page, a guard */
#define CSN_KVM_WORKER_STACK  0x2000

/* Guest-physical: the private region begins above all that KVM keeps for itself below 4 GiB. */
#define CSN_KVM_PHYSICAL 0x100000000

#define CSN_KVM_SELECTOR_CODE0 0x08
#define CSN_KVM_SELECTOR_DATA0 0x10
#define CSN_KVM_SELECTOR_DATA3 0x23
#define CSN_KVM_SELECTOR_CODE3 0x2b
#define CSN_KVM_SELECTOR_TSS   0x30

#endif
