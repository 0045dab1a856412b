/* SPDX-License-Identifier: Apache-2.0 */
/* filter.c: the system call list of an enclave process, as a BPF program. */
#include "filter.h"

#include "gate_page.h"
#include <caisson/wire/map.h>
#include <linux/audit.h>
#include <linux/futex.h>
#include <linux/seccomp.h>

#define FILTER_NR_FUTEX      202u
#define FILTER_NR_EXIT_GROUP 231u

#define FILTER_OFFSET_NR     offsetof(struct seccomp_data, nr)
#define FILTER_OFFSET_ARCH   offsetof(struct seccomp_data, arch)
#define FILTER_OFFSET_IP     offsetof(struct seccomp_data, instruction_pointer)
#define FILTER_OFFSET_ARG(n) (offsetof(struct seccomp_data, args) + 8u * (n))
#define FILTER_HIGH(offset)  ((offset) + 4u) /* little-endian: the upper half lies behind */

struct filter_writer {
    struct sock_filter *program;
    uint32_t count;
};

static void filter_put(struct filter_writer *writer, uint16_t code, uint8_t on_true,
                       uint8_t on_false, uint32_t value)
{
    if (writer->count < CSN_FILTER_SIZE_MAX) {
        writer->program[writer->count] =
            (struct sock_filter){.code = code, .jt = on_true, .jf = on_false, .k = value};
    }
    writer->count++;
}

/* Go on if the word at offset is value, else kill on the spot. */
static void filter_need(struct filter_writer *writer, size_t offset, uint32_t value)
{
    filter_put(writer, BPF_LD | BPF_W | BPF_ABS, 0, 0, (uint32_t)offset);
    filter_put(writer, BPF_JMP | BPF_JEQ | BPF_K, 1, 0, value);
    filter_put(writer, BPF_RET | BPF_K, 0, 0, SECCOMP_RET_KILL_PROCESS);
}

/* The two words of an instruction pointer below 4 GiB: the upper one must be zero. */
static void filter_need_site(struct filter_writer *writer, uint32_t site)
{
    filter_need(writer, FILTER_OFFSET_IP, (uint32_t)(CSN_MAP_GATE + site));
}

_Static_assert(CSN_MAP_GATE + CSN_MAP_GATE_SIZE <= UINT32_MAX, "one half is enough");
_Static_assert((CSN_MAP_RINGS & UINT32_MAX) == 0, "the ring region begins on a 4 GiB border");

uint32_t csn_process_filter(struct sock_filter program[CSN_FILTER_SIZE_MAX], uint64_t rings_size)
{
    if (rings_size < sizeof(uint32_t) || rings_size > CSN_FILTER_RINGS_SIZE_MAX) {
        return 0;
    }
    struct filter_writer writer = {.program = program};

    filter_need(&writer, FILTER_OFFSET_ARCH, AUDIT_ARCH_X86_64);
    filter_need(&writer, FILTER_HIGH(FILTER_OFFSET_IP), 0);

    filter_put(&writer, BPF_LD | BPF_W | BPF_ABS, 0, 0, FILTER_OFFSET_NR);
    filter_put(&writer, BPF_JMP | BPF_JEQ | BPF_K, 0, 4, FILTER_NR_EXIT_GROUP);
    filter_need_site(&writer, CSN_GATE_SITE_STOP);
    filter_put(&writer, BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW);

    filter_put(&writer, BPF_JMP | BPF_JEQ | BPF_K, 1, 0, FILTER_NR_FUTEX);
    filter_put(&writer, BPF_RET | BPF_K, 0, 0, SECCOMP_RET_KILL_PROCESS);
    filter_need(&writer, FILTER_HIGH(FILTER_OFFSET_ARG(0)), (uint32_t)(CSN_MAP_RINGS >> 32));
    filter_put(&writer, BPF_LD | BPF_W | BPF_ABS, 0, 0, FILTER_OFFSET_ARG(0));
    filter_put(&writer, BPF_JMP | BPF_JGT | BPF_K, 0, 1, (uint32_t)(rings_size - sizeof(uint32_t)));
    filter_put(&writer, BPF_RET | BPF_K, 0, 0, SECCOMP_RET_KILL_PROCESS);
    filter_need(&writer, FILTER_HIGH(FILTER_OFFSET_ARG(1)), 0);

    filter_put(&writer, BPF_LD | BPF_W | BPF_ABS, 0, 0, FILTER_OFFSET_ARG(1));
    filter_put(&writer, BPF_JMP | BPF_JEQ | BPF_K, 0, 4, FUTEX_WAKE);
    filter_need_site(&writer, CSN_GATE_SITE_WAKE);
    filter_put(&writer, BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW);

    filter_put(&writer, BPF_JMP | BPF_JEQ | BPF_K, 1, 0, FUTEX_WAIT);
    filter_put(&writer, BPF_RET | BPF_K, 0, 0, SECCOMP_RET_KILL_PROCESS);
    /* No timeout: a timed wait would resume through restart_syscall, which is not allowed. */
    filter_need(&writer, FILTER_OFFSET_ARG(3), 0);
    filter_need(&writer, FILTER_HIGH(FILTER_OFFSET_ARG(3)), 0);
    filter_need_site(&writer, CSN_GATE_SITE_PARK);
    filter_put(&writer, BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW);

    return writer.count <= CSN_FILTER_SIZE_MAX ? writer.count : 0;
}
