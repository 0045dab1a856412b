/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kvm_gate.S: the gate page (CPL 3) and the fault stub page (CPL 0), copied to their places.
 *
 * Both pages, in this order, are the backend's measurement. The gate checks nothing: it runs with
 * the rights of the image, and what it passes out is checked outside.
 */
#include "kvm_map.h"

    .section .rodata.kvm_gate, "a", @progbits
    .balign 4096
    .globl csn_kvm_gate
    .hidden csn_kvm_gate
csn_kvm_gate:

/* park(rdi = event word, esi = seen): each worker has one event word, so the address is known. */
    movl %esi, %eax
    outl %eax, $CSN_KVM_PORT_PARK
    ret

/* wake(rdi = event word, esi = channel) */
    .org 0x80, 0xcc
    movl %esi, %eax
    outl %eax, $CSN_KVM_PORT_WAKE
    ret

/* stop(edi = code): never resumed; if it were, an invalid instruction ends it */
    .org 0x100, 0xcc
    movl %edi, %eax
    outl %eax, $CSN_KVM_PORT_STOP
    ud2

    .org 4096, 0xcc

/*
 * The stub. Every vector enters on the worker's own stack page (IST 1). The CPU and these
 * instructions together leave a struct csn_kvm_fault at its very top; nothing ever returns.
 */
    .globl csn_kvm_stub
    .hidden csn_kvm_stub
csn_kvm_stub:
    .set vector, 0
    .rept CSN_KVM_VECTOR_COUNT
    .org 4096 + vector * CSN_KVM_VECTOR_SIZE, 0xcc
    /* Vectors 8, 10..14, 17, 21, 29 and 30 come with an error code. */
    .if (vector == 8) || ((vector >= 10) && (vector <= 14)) || (vector == 17) || (vector == 21) || \
        (vector == 29) || (vector == 30)
    .else
    .byte 0x6a, 0 /* push $0 */
    .endif
    .byte 0x68 /* push $vector */
    .long vector
    .byte 0xe9 /* jmp halt */
    .long halt - . - 4
    .set vector, vector + 1
    .endr

    .org 4096 + CSN_KVM_VECTOR_COUNT * CSN_KVM_VECTOR_SIZE, 0xcc
halt:
    movq %cr2, %rax
    pushq %rax
    movl $1, %eax
    outl %eax, $CSN_KVM_PORT_FAULT
1:  hlt
    jmp 1b

    .org 8192, 0xcc
    .section .note.GNU-stack, "", @progbits
