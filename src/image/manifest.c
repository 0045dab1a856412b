/* SPDX-License-Identifier: Apache-2.0 */
/*
 * manifest.c: the rules of a manifest, so that nobody after the loader has to doubt a size again.
 *
 * Trust:   the manifest is measured but not yet believed; every field is checked alone, then the
 *          sums that others build from them are checked for fit. No recursion, no allocation.
 */
#include "../core/bytes.h"
#include "image.h"
#include <caisson/wire/channel.h>
#include <caisson/wire/grant.h>
#include <caisson/wire/map.h>
#include <caisson/wire/record.h>
#include <stdbool.h>

#define MANIFEST_LINE_COUNT_MAX    (UINT32_C(1) << 26)
#define MANIFEST_MESSAGE_SIZE_MIN  64u
#define MANIFEST_OUTPUTS_MAX       1024u
#define MANIFEST_TENANT_COUNT_MAX  65536u
#define MANIFEST_CONTEXT_COUNT_MAX 1048576u
#define MANIFEST_STACK_SIZE_MIN    UINT64_C(0x4000)
#define MANIFEST_RINGS_SIZE_MAX    (UINT64_C(1) << 36)

#define FIELD(name) ((uint64_t)offsetof(struct csn_wire_manifest, name))

static bool in_range(uint64_t value, uint64_t least, uint64_t most)
{
    return value >= least && value <= most;
}

static bool is_power_of_two(uint32_t value)
{
    return value != 0 && (value & (value - 1)) == 0;
}

static bool is_page_multiple(uint64_t value)
{
    return (value & (CSN_MAP_PAGE_SIZE - 1)) == 0;
}

static bool name_is_good(const char name[CSN_WIRE_NAME_SIZE])
{
    uint32_t length = 0;
    while (length < CSN_WIRE_NAME_SIZE && name[length] != 0) {
        char c = name[length];
        if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') && c != '-') {
            return false;
        }
        length++;
    }
    if (length == 0 || length == CSN_WIRE_NAME_SIZE) {
        return false;
    }
    return csn_is_zero_ct(name + length, CSN_WIRE_NAME_SIZE - length);
}

/* A ring of line_count lines that takes count messages of size bytes whatever the wrap costs. */
static bool ring_is_good(uint32_t line_count, uint32_t size, uint32_t count)
{
    return is_power_of_two(line_count) && line_count <= MANIFEST_LINE_COUNT_MAX &&
           line_count >= ((uint64_t)count + 1) * csn_wire_lines(size);
}

struct manifest_rule {
    const char *what;
    uint64_t where;
    bool holds;
};

static csn_err first_broken(const struct manifest_rule *rules, uint32_t count,
                            struct csn_image_fault *fault)
{
    for (uint32_t i = 0; i < count; i++) {
        if (!rules[i].holds) {
            if (fault != NULL) {
                fault->what = rules[i].what;
                fault->where = rules[i].where;
            }
            return CSN_ERR_FORMAT;
        }
    }
    return CSN_OK;
}

/* Each field alone, so that the sums below cannot overflow. */
static csn_err check_fields(const struct csn_wire_manifest *m, struct csn_image_fault *fault)
{
    const struct manifest_rule rules[] = {
        {"manifest magic", FIELD(magic), m->magic == CSN_WIRE_MANIFEST_MAGIC},
        {"manifest of another ABI version", FIELD(abi_version),
         m->abi_version == CSN_WIRE_ABI_VERSION},
        {"manifest name", FIELD(name), name_is_good(m->name)},
        {"manifest flag that is not defined", FIELD(flags), (m->flags & ~CSN_WIRE_FLAGS_ALL) == 0},
        {"manifest stack size", FIELD(stack_size),
         is_page_multiple(m->stack_size) &&
             in_range(m->stack_size, MANIFEST_STACK_SIZE_MIN, CSN_MAP_STACK_SIZE_MAX)},
        {"manifest pool size", FIELD(pool_size),
         is_page_multiple(m->pool_size) &&
             in_range(m->pool_size, CSN_MAP_PAGE_SIZE, CSN_MAP_POOL_SIZE_MAX)},
        {"manifest worker count", FIELD(worker_count),
         in_range(m->worker_count, 1, CSN_MAP_WORKER_COUNT_MAX)},
        {"manifest channel count", FIELD(channel_count), in_range(m->channel_count, 1, 64)},
        {"manifest largest input", FIELD(input_size_max),
         in_range(m->input_size_max, MANIFEST_MESSAGE_SIZE_MIN, CSN_WIRE_HEAD_SIZE_MASK)},
        {"manifest largest output", FIELD(output_size_max),
         in_range(m->output_size_max, MANIFEST_MESSAGE_SIZE_MIN, CSN_WIRE_HEAD_SIZE_MASK)},
        {"manifest outputs per input", FIELD(outputs_per_input_max),
         in_range(m->outputs_per_input_max, 1, MANIFEST_OUTPUTS_MAX)},
        {"manifest tenant count", FIELD(tenant_count_max),
         in_range(m->tenant_count_max, 1, MANIFEST_TENANT_COUNT_MAX)},
        {"manifest context count", FIELD(context_count_max),
         in_range(m->context_count_max, 1, MANIFEST_CONTEXT_COUNT_MAX)},
        {"manifest credential count", FIELD(credential_count_max),
         in_range(m->credential_count_max, 1, CSN_WIRE_CREDENTIAL_COUNT_MAX)},
        {"manifest consumer count", FIELD(consumer_count_max),
         m->consumer_count_max <= CSN_WIRE_CONSUMER_COUNT_MAX},
        {"manifest policy size", FIELD(policy_size_max),
         m->policy_size_max <= CSN_WIRE_GRANT_SIZE_MAX},
        {"manifest tenant state size", FIELD(tenant_state_size),
         m->tenant_state_size <= m->pool_size},
        {"manifest worker state size", FIELD(worker_state_size),
         m->worker_state_size <= m->pool_size},
        {"manifest held calls", FIELD(held_max), m->held_max <= CSN_WIRE_HELD_MAX},
        {"manifest scratch size", FIELD(scratch_size), m->scratch_size <= m->pool_size},
        {"manifest output scale", FIELD(output_scale),
         m->output_scale <= CSN_WIRE_OUTPUT_SCALE_MAX},
        {"manifest output extra", FIELD(output_extra),
         m->output_extra <= CSN_WIRE_OUTPUT_EXTRA_MAX},
        {"manifest reserved bytes", FIELD(reserved),
         csn_is_zero_ct(m->reserved, sizeof m->reserved)},
    };
    return first_broken(rules, sizeof rules / sizeof rules[0], fault);
}

/* What others add up: rings, the smallest that a worker's share of the pool must hold. */
static csn_err check_sums(const struct csn_wire_manifest *m, struct csn_image_fault *fault)
{
    uint64_t states = 0;
    uint64_t least = 0;
    uint64_t share = m->pool_size / m->worker_count;
    bool fits = csn_mul_u64(m->tenant_state_size, m->tenant_count_max, &states) &&
                csn_add_u64(states, m->scratch_size, &least) &&
                csn_add_u64(least, m->worker_state_size, &least) && least <= share;
    const struct manifest_rule rules[] = {
        {"manifest input ring below two largest inputs", FIELD(input_line_count),
         ring_is_good(m->input_line_count, m->input_size_max, 1)},
        {"manifest output ring too small for the outputs of one input", FIELD(output_line_count),
         ring_is_good(m->output_line_count, m->output_size_max, m->outputs_per_input_max)},
        {"manifest output smaller than the answer to a ping of the largest input",
         FIELD(output_size_max), m->output_size_max >= (uint64_t)m->input_size_max + 8},
        {"manifest output room below what every answer needs", FIELD(output_scale),
         csn_wire_output_room(m, 0) >= CSN_WIRE_OUTPUT_ROOM_MIN},
        {"manifest pool too small for scratch, worker and tenant states", FIELD(pool_size), fits},
        {"manifest rings larger than their range", FIELD(channel_count),
         csn_wire_rings_size(m) <= MANIFEST_RINGS_SIZE_MAX},
    };
    return first_broken(rules, sizeof rules / sizeof rules[0], fault);
}

csn_err csn_manifest_check(const struct csn_wire_manifest *manifest, struct csn_image_fault *fault)
{
    CSN_TRY(check_fields(manifest, fault));
    return check_sums(manifest, fault);
}
