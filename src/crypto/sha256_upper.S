/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sha256_upper.S: a SHA-256 block of four messages side by side, or of three, with the SHA
 * extensions and the 32 registers of AVX-512 (VL and BW).
 *
 * The SHA instructions can name the lower sixteen registers only. The states stay there; the
 * schedules are in the upper ones and come down by copies, which take no time in the core. A
 * compiler does not see that, and what it sends through memory instead costs a third of the speed.
 *
 * csn_sha256_upper_4(rdi = struct lane[4], esi = finish), csn_sha256_upper_3(struct lane[3], ...):
 * the two functions of that type in sha256_shani.c.
 */
#define LANE_SIZE  128 /* abef, cdgh, outer_abef, outer_cdgh, w[4] */
#define LANE_OUTER 32
#define LANE_W     64

/* Lane 0 to 3: its state, its words, and what is lent to it. */
#define ABEF_0 %xmm1
#define CDGH_0 %xmm2
#define ABEF_1 %xmm3
#define CDGH_1 %xmm4
#define ABEF_2 %xmm5
#define CDGH_2 %xmm6
#define ABEF_3 %xmm7
#define CDGH_3 %xmm8
#define NEXT_0 %xmm9
#define REST_0 %xmm10
#define NEXT_1 %xmm11
#define REST_1 %xmm12
#define NEXT_2 %xmm13
#define REST_2 %xmm14
#define NEXT_3 %xmm9
#define REST_3 %xmm10
#define W_0_0  %xmm16
#define W_0_1  %xmm17
#define W_0_2  %xmm18
#define W_0_3  %xmm19
#define W_1_0  %xmm20
#define W_1_1  %xmm21
#define W_1_2  %xmm22
#define W_1_3  %xmm23
#define W_2_0  %xmm24
#define W_2_1  %xmm25
#define W_2_2  %xmm26
#define W_2_3  %xmm27
#define W_3_0  %xmm28
#define W_3_1  %xmm29
#define W_3_2  %xmm30
#define W_3_3  %xmm31

    .macro load base, abef, cdgh, w0, w1, w2, w3
    vmovdqa \base(%rdi), \abef
    vmovdqa \base + 16(%rdi), \cdgh
    vmovdqa64 \base + LANE_W(%rdi), \w0
    vmovdqa64 \base + LANE_W + 16(%rdi), \w1
    vmovdqa64 \base + LANE_W + 32(%rdi), \w2
    vmovdqa64 \base + LANE_W + 48(%rdi), \w3
    .endm

/* The state before the block is at rdx: the inner or the outer one. */
    .macro add base, abef, cdgh
    vpaddd \base(%rdi,%rdx), \abef, \abef
    vpaddd \base + 16(%rdi,%rdx), \cdgh, \cdgh
    .endm

    .macro store base, abef, cdgh
    vmovdqa \abef, \base(%rdi)
    vmovdqa \cdgh, \base + 16(%rdi)
    .endm

/* The digest becomes the words of the outer block, the state that of the outer key. */
    .macro turn base, abef, cdgh, next, rest, w0, w1, w2, w3
    vpshufd $0x1b, \abef, \next
    vpshufd $0xb1, \cdgh, \rest
    vpblendw $0xf0, \rest, \next, %xmm0
    vmovdqa64 %xmm0, \w0
    vpalignr $8, \next, \rest, \w1
    vmovdqa64 padding(%rip), \w2
    vmovdqa64 padding + 16(%rip), \w3
    vmovdqa \base + LANE_OUTER(%rdi), \abef
    vmovdqa \base + LANE_OUTER + 16(%rdi), \cdgh
    .endm

/* Four rounds with the words w and the constants at rcx + k. */
    .macro rounds k, abef, cdgh, w
    vpaddd \k(%rcx), \w, %xmm0
    sha256rnds2 %xmm0, \abef, \cdgh
    vpshufd $14, %xmm0, %xmm0
    sha256rnds2 %xmm0, \cdgh, \abef
    .endm

/* The same, and w0 becomes the words sixteen rounds on: sigma0, the word seven back, sigma1. */
    .macro rounds_and_words k, abef, cdgh, next, rest, w0, w1, w2, w3
    vpaddd \k(%rcx), \w0, %xmm0
    vmovdqa64 \w0, \next
    vmovdqa64 \w1, \rest
    sha256rnds2 %xmm0, \abef, \cdgh
    vpshufd $14, %xmm0, %xmm0
    sha256msg1 \rest, \next
    vpalignr $4, \w2, \w3, \rest
    vpaddd \rest, \next, \next
    vmovdqa64 \w3, \rest
    sha256rnds2 %xmm0, \cdgh, \abef
    sha256msg2 \rest, \next
    vmovdqa64 \next, \w0
    .endm

#define LOAD(l)                                                                                    \
    load (LANE_SIZE*l), ABEF_##l, CDGH_##l, W_##l##_0, W_##l##_1, W_##l##_2, W_##l##_3
#define ADD(l) add (LANE_SIZE*l), ABEF_##l, CDGH_##l
#define TURN(l)                                                                                    \
    turn (LANE_SIZE*l), ABEF_##l, CDGH_##l, NEXT_##l, REST_##l, W_##l##_0, W_##l##_1, W_##l##_2,   \
        W_##l##_3
#define STORE(l) store (LANE_SIZE*l), ABEF_##l, CDGH_##l
#define ROUNDS(l, k, a) rounds k, ABEF_##l, CDGH_##l, W_##l##_##a
#define WORDS(l, k, a, b, c, d)                                                                    \
    rounds_and_words k, ABEF_##l, CDGH_##l, NEXT_##l, REST_##l, W_##l##_##a, W_##l##_##b,          \
        W_##l##_##c, W_##l##_##d

#define EACH_3(DO) DO(0); DO(1); DO(2)
#define EACH_4(DO) EACH_3(DO); DO(3)
#define ROUNDS_3(k, a) ROUNDS(0, k, a); ROUNDS(1, k, a); ROUNDS(2, k, a)
#define ROUNDS_4(k, a) ROUNDS_3(k, a); ROUNDS(3, k, a)
#define WORDS_3(k, a, b, c, d)                                                                     \
    WORDS(0, k, a, b, c, d); WORDS(1, k, a, b, c, d); WORDS(2, k, a, b, c, d)
#define WORDS_4(k, a, b, c, d) WORDS_3(k, a, b, c, d); WORDS(3, k, a, b, c, d)

#define HASH(name, EACH, ROUNDS, WORDS)                                                            \
    .balign 64;                                                                                    \
    .globl name;                                                                                   \
    .hidden name;                                                                                  \
    .type name, @function;                                                                         \
name:                                                                                              \
    xorl %edx, %edx;                                                                               \
    EACH(LOAD);                                                                                    \
1:  leaq csn_sha256_constants(%rip), %rcx;                                                         \
    movl $3, %eax;                                                                                 \
    .balign 64;                                                                                    \
2:  WORDS(0, 0, 1, 2, 3);                                                                          \
    WORDS(16, 1, 2, 3, 0);                                                                         \
    WORDS(32, 2, 3, 0, 1);                                                                         \
    WORDS(48, 3, 0, 1, 2);                                                                         \
    addq $64, %rcx;                                                                                \
    decl %eax;                                                                                     \
    jnz 2b;                                                                                        \
    ROUNDS(0, 0);                                                                                  \
    ROUNDS(16, 1);                                                                                 \
    ROUNDS(32, 2);                                                                                 \
    ROUNDS(48, 3);                                                                                 \
    EACH(ADD);                                                                                     \
    testl %esi, %esi;                                                                              \
    jz 3f;                                                                                         \
    xorl %esi, %esi;                                                                               \
    movl $LANE_OUTER, %edx;                                                                        \
    EACH(TURN);                                                                                    \
    jmp 1b;                                                                                        \
3:  EACH(STORE);                                                                                   \
    wipe;                                                                                          \
    ret;                                                                                           \
    .size name, . - name

/* Nothing else in an image uses these: words of a message would stay in them for ever. */
    .macro wipe
    .irp n, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
    vpxord %xmm\n, %xmm\n, %xmm\n
    .endr
    .endm

    .text
    HASH(csn_sha256_upper_3, EACH_3, ROUNDS_3, WORDS_3)
    HASH(csn_sha256_upper_4, EACH_4, ROUNDS_4, WORDS_4)

/* Words 8 to 15 of an outer block: the end of the text, and its length of 96 bytes. */
    .section .rodata
    .balign 16
padding:
    .long 0x80000000, 0, 0, 0
    .long 0, 0, 0, 8 * 96

    .section .note.GNU-stack, "", @progbits
