/* SPDX-License-Identifier: Apache-2.0 */
/*
 * registers.S: a macro for other assembler files to include: what must not be carried over a change
 * of trust domain. Registers that pass an argument or an address (rax, rdi, rsi, rsp) are left.
 */
    .macro csn_clear_registers
    xorl %ebx, %ebx
    xorl %ecx, %ecx
    xorl %edx, %edx
    xorl %ebp, %ebp
    xorl %r8d, %r8d
    xorl %r9d, %r9d
    xorl %r10d, %r10d
    xorl %r11d, %r11d
    xorl %r12d, %r12d
    xorl %r13d, %r13d
    xorl %r14d, %r14d
    xorl %r15d, %r15d
    .endm
