/* SPDX-License-Identifier: Apache-2.0 */
/*
 * entry.S: the first instructions of an image. rdi is the boot region, esi the worker index.
 *
 * Trust:   the launcher set rsp and the FS base; everything else that a caller may leave behind
 *          (flags, floating-point control, registers) is put into a known state here.
 * Threads: every worker enters here once.
 */
#include "../core/registers.S"
#include "entry.h"

    .section .text.start, "ax", @progbits
    .globl _start
    .type _start, @function
_start:
    /* Direction, trap, alignment check and nested task off; the reserved bit 1 is always set. */
    pushq $2
    popfq
    fninit
    ldmxcsr mxcsr_start

    /* Keep boot region and worker index out of the way of the generator. */
    movq %rdi, %r12
    movl %esi, %r13d

    /*
     * A canary before the first protected function. Two words must come, differ, and not be the
     * all-ones that a broken generator returns; a stuck one is refused after sixteen tries.
     */
    movl $16, %ebx
draw:
    rdrand %rax
    jnc again
    rdrand %rdx
    jnc again
    cmpq %rax, %rdx
    je again
    cmpq $-1, %rax
    je again
    xorb %al, %al /* a zero byte first, so that no string copy can reproduce the canary */
    movq %rax, %fs:0x28
    jmp go
again:
    decl %ebx
    jnz draw
    movl $CSE_ENTRY_STOP_ENTROPY, %edi
    call cse_refuse
    ud2

go:
    movq %r12, %rdi
    movl %r13d, %esi
    xorl %eax, %eax
    csn_clear_registers
    call cse_start
    ud2
    .size _start, . - _start

    .section .rodata.start, "a", @progbits
    .balign 4
mxcsr_start:
    .long 0x1f80 /* all exceptions masked, round to nearest, no flush to zero */

    .section .note.GNU-stack, "", @progbits
