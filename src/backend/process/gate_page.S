/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gate_page.S: the gate page of the process backend: position independent, copied to its place.
 *
 * Trust:   everything that leaves the enclave leaves through the first three entries; the filter
 *          allows their system call instructions and no others, so that the last steps further
 *          down are dead once they have run.
 * Threads: each entry uses registers only.
 */
#include "../../core/registers.S"
#include "gate_page.h"

    .section .rodata.gate_page, "a", @progbits
    .balign 4096
    .globl csn_gate_page
csn_gate_page:

/* park(rdi = event word, esi = seen): futex(word, FUTEX_WAIT, seen, no timeout) */
    movl %esi, %edx
    xorl %esi, %esi
    xorl %r10d, %r10d
    movl $202, %eax
    .org CSN_GATE_SITE_PARK - 2, 0x90
    syscall
    ret

/* wake(rdi = event word): futex(word, FUTEX_WAKE, 1) */
    .org 0x80, 0xcc
    movl $1, %esi
    movl $1, %edx
    xorl %r10d, %r10d
    movl $202, %eax
    .org CSN_GATE_SITE_WAKE - 2, 0x90
    syscall
    ret

/* stop(edi = code): exit_group(code); if the kernel came back, an invalid instruction ends it */
    .org 0x100, 0xcc
    movl $231, %eax
    .org CSN_GATE_SITE_STOP - 2, 0x90
    syscall
    ud2

/*
 * enter(rbx = struct csn_gate_last, r12 = entry, r13 = top of stack): waits until the other
 * threads have left the stub, unmaps all gaps (the stub itself is in one), installs the filter on
 * all threads at once, lets them go and enters the image as worker 0.
 */
    .org CSN_GATE_ENTER, 0xcc
    movq %r13, %rsp
2:  movl CSN_GATE_LAST_READY(%rbx), %eax /* pairs with the lock incl in join */
    cmpl CSN_GATE_LAST_THREADS(%rbx), %eax
    je 3f
    pause
    jmp 2b
3:  leaq CSN_GATE_LAST_GAPS(%rbx), %r14
    movq CSN_GATE_LAST_GAP_COUNT(%rbx), %r15
1:  movq 0(%r14), %rdi
    movq 8(%r14), %rsi
    movl $11, %eax /* munmap */
    syscall
    testq %rax, %rax
    jnz 9f
    addq $16, %r14
    decq %r15
    jnz 1b

    movq CSN_GATE_LAST_PLAN(%rbx), %rdi
    movl $CSN_PLAN_STEP_GONE, CSN_PLAN_STEP(%rdi)
    movl $4096, %esi
    movl $11, %eax /* munmap of the plan page itself, the last thing that is not listed */
    syscall
    testq %rax, %rax
    jnz 8f
    movl $1, %edi /* seccomp(SET_MODE_FILTER, TSYNC, program) */
    movl $1, %esi
    movq CSN_GATE_LAST_FILTER(%rbx), %rdx
    movl $317, %eax
    syscall
    testq %rax, %rax
    jnz 8f
    movl $1, CSN_GATE_LAST_GO(%rbx)
    xorl %esi, %esi
    jmp 7f

8:  movl $CSN_GATE_EXIT_FILTER, %edi
    movl $231, %eax
    syscall
    ud2
9:  movq CSN_GATE_LAST_PLAN(%rbx), %rcx
    negl %eax
    movl %eax, CSN_PLAN_ERROR(%rcx)
    movl $1, %edi
    movl $231, %eax
    syscall
    ud2

/* Into the image: rdi = boot region, esi = worker, rsp = top of stack, all else zero. */
7:  movl $0x30000000, %edi
    movq %r13, %rsp
    movq %r12, %rax
    csn_clear_registers
    jmp *%rax

/*
 * join(rbx = struct csn_gate_last, r12 = entry, r13 = top of stack, ebp = worker): a new thread
 * says that it is here and spins, without a system call, until the filter is in force.
 */
    .org CSN_GATE_JOIN, 0xcc
    lock incl CSN_GATE_LAST_READY(%rbx)
4:  cmpl $0, CSN_GATE_LAST_GO(%rbx) /* pairs with the store after the filter in enter */
    jne 5f
    pause
    jmp 4b
5:  movl %ebp, %esi
    jmp 7b

    .org 4096, 0xcc
    .section .note.GNU-stack, "", @progbits
