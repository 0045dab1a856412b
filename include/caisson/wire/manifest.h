/* SPDX-License-Identifier: Apache-2.0 */
/*
 * manifest.h: what an image says about itself, in an ELF note that is part of the measurement.
 *
 * Every size that the loader, the rings and the pool use comes from here, never from the host.
 * Little-endian, no padding that is not named. Changes: version 1, first.
 */
#ifndef CAISSON_WIRE_MANIFEST_H
#define CAISSON_WIRE_MANIFEST_H

#include <stddef.h>
#include <stdint.h>

#define CSN_WIRE_ABI_VERSION    UINT32_C(1)
#define CSN_WIRE_MANIFEST_MAGIC UINT32_C(0x4d4e5343) /* "CSNM" */
#define CSN_WIRE_NOTE_NAME      "Caisson"            /* 8 bytes with its NUL */
#define CSN_WIRE_NOTE_TYPE      UINT32_C(1)
#define CSN_WIRE_NAME_SIZE      32

/* flags: any other bit set is refused */
#define CSN_WIRE_FLAG_DEBUG         UINT32_C(1) /* verifiers refuse it unless told otherwise */
#define CSN_WIRE_FLAG_SINGLE_TENANT UINT32_C(2) /* the first grant locks the enclave */
#define CSN_WIRE_FLAG_DETERMINISTIC UINT32_C(4) /* handlers may serve idempotent records */
#define CSN_WIRE_FLAG_STORE         UINT32_C(8) /* one more channel per worker: wire/outside.h */
#define CSN_WIRE_FLAGS_ALL          UINT32_C(15)

#define CSN_WIRE_OUTPUT_SCALE_MAX 256u
#define CSN_WIRE_OUTPUT_EXTRA_MAX 1048576u
#define CSN_WIRE_HELD_MAX         4096u
#define CSN_WIRE_OUTPUT_ROOM_MIN  32u /* of the smallest class: the answer to a FIN fits always */

struct csn_wire_manifest {
    uint32_t magic;
    uint32_t abi_version;
    char name[CSN_WIRE_NAME_SIZE]; /* lower case, digits and '-', NUL padded, at least one NUL */
    uint32_t security_version;
    uint32_t flags;
    uint64_t stack_size;            /* bytes per worker, multiple of 4 KiB, at most 1 MiB */
    uint64_t pool_size;             /* bytes, multiple of 4 KiB */
    uint32_t worker_count;          /* 1..64 */
    uint32_t channel_count;         /* channels per worker, 1..64 */
    uint32_t input_line_count;      /* lines of 64 bytes in each in ring, power of two */
    uint32_t output_line_count;     /* lines of 64 bytes in each out ring, power of two */
    uint32_t input_size_max;        /* bytes of the largest ring message in */
    uint32_t output_size_max;       /* bytes of the largest ring message out */
    uint32_t outputs_per_input_max; /* ring messages that one input may yield */
    uint32_t tenant_count_max;      /* tenants at a time, each with its own arena */
    uint32_t context_count_max;     /* cached contexts per tenant */
    uint32_t credential_count_max;  /* credentials per tenant */
    uint32_t consumer_count_max;    /* consumers per tenant */
    uint32_t policy_size_max;       /* bytes of service configuration per tenant */
    uint64_t tenant_state_size;     /* bytes of service state per tenant */
    uint64_t scratch_size;          /* bytes per worker, reset after each record */
    /* Room for an output's payload, by its input's size class: csn_wire_output_room(). */
    uint32_t
        output_scale; /* sixteenths of the input's capacity, at most 256; 16: as much as came in */
    uint32_t
        output_extra; /* bytes beside that, at most 1 MiB; with scale 0 all answers are alike */
    uint64_t worker_state_size; /* bytes of service state per worker */
    uint32_t held_max;          /* calls per worker whose answers come later, at most 4,096 */
    uint8_t reserved[84];       /* zero */
};

_Static_assert(sizeof(struct csn_wire_manifest) == 232, "manifest is 232 bytes");
_Static_assert(offsetof(struct csn_wire_manifest, security_version) == 40, "offset");
_Static_assert(offsetof(struct csn_wire_manifest, stack_size) == 48, "offset");
_Static_assert(offsetof(struct csn_wire_manifest, worker_count) == 64, "offset");
_Static_assert(offsetof(struct csn_wire_manifest, tenant_state_size) == 112, "offset");
_Static_assert(offsetof(struct csn_wire_manifest, output_scale) == 128, "offset");
_Static_assert(offsetof(struct csn_wire_manifest, worker_state_size) == 136, "offset");
_Static_assert(offsetof(struct csn_wire_manifest, reserved) == 148, "offset");

#endif
