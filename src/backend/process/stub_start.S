/* SPDX-License-Identifier: Apache-2.0 */
/* stub_start.S: first and last instructions of the stub, where C has no stack or FS to rely on. */
#include "gate_page.h"

    .text
    .globl _start
_start:
    xorl %ebp, %ebp
    movq %rsp, %r12
    andq $-16, %rsp
    leaq stub_fs_block(%rip), %rdi
    call stub_set_fs
    movq %r12, %rdi
    call stub_main
    ud2

/* stub_set_fs(rdi): arch_prctl(ARCH_SET_FS); the canary of the stub itself does not matter. */
    .globl stub_set_fs
stub_set_fs:
    movq %rdi, %rsi
    movl $0x1002, %edi
    movl $158, %eax
    syscall
    ret

/*
 * stub_thread(last, entry, stack, worker, fs): clone with the FS base set by the kernel; the new
 * thread goes straight to the gate page and never touches the stub's stack.
 */
    .globl stub_thread
stub_thread:
    pushq %rbx
    pushq %rbp
    pushq %r12
    pushq %r13
    movq %rdi, %rbx
    movq %rsi, %r12
    movq %rdx, %r13
    movl %ecx, %ebp
    /* CLONE_VM | FS | FILES | SIGHAND | THREAD | SYSVSEM | SETTLS */
    movl $0x000d0f00, %edi
    movq %rdx, %rsi
    xorl %edx, %edx
    xorl %r10d, %r10d
    movl $56, %eax
    syscall
    testq %rax, %rax
    jz 1f
    popq %r13
    popq %r12
    popq %rbp
    popq %rbx
    ret
1:  movl $(0x20000000 + CSN_GATE_JOIN), %eax
    jmp *%rax

/* stub_helper(work, argument, stack, runs): the new thread has nothing but its stack. */
    .globl stub_helper
stub_helper:
    movq %rdi, %r8
    movq %rsi, %r9
    movq %rcx, %r10
    movq %rdx, %rsi
    /* CLONE_VM | FS | FILES | SIGHAND | THREAD | SYSVSEM | CHILD_CLEARTID */
    movl $0x00250f00, %edi
    xorl %edx, %edx
    movl $56, %eax
    syscall
    testq %rax, %rax
    jz 1f
    ret
1:  xorl %ebp, %ebp
    movq %r9, %rdi
    call *%r8
    ud2

/* stub_enter(last, entry, stack, fs): leaves the stub for good. */
    .globl stub_enter
stub_enter:
    movq %rdi, %rbx
    movq %rsi, %r12
    movq %rdx, %r13
    movq %rcx, %rdi
    call stub_set_fs
    movl $(0x20000000 + CSN_GATE_ENTER), %eax
    jmp *%rax

    .section .data
    .balign 64
stub_fs_block:
    .quad stub_fs_block
    .zero 32
    .quad 0x5a17c0de00
    .zero 64

    .section .note.GNU-stack, "", @progbits
