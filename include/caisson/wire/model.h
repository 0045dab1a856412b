/* SPDX-License-Identifier: Apache-2.0 */
/*
 * model.h: the compiled policy of the model enclave, as it stands in a grant (docs/MODEL.md has the
 * source form and what each setting means).
 *
 * All of a policy is this struct. What a flag does not say is there is zero, and the enclave
 * refuses the policy otherwise. Little-endian. Changes: version 1, first.
 */
#ifndef CAISSON_WIRE_MODEL_H
#define CAISSON_WIRE_MODEL_H

#include <caisson/wire/weights.h>

#define CSN_WIRE_MODEL_MAGIC   UINT32_C(0x444d5343) /* "CSMD" */
#define CSN_WIRE_MODEL_VERSION 1u

#define CSN_WIRE_MODEL_SESSION_MAX 16u /* answers in the making, of all tenants */

/* flags: any other bit set is refused */
#define CSN_WIRE_MODEL_LANGUAGE       1u /* the tenant uses the language model of that digest */
#define CSN_WIRE_MODEL_LANGUAGE_KEY   2u /* and brings its key */
#define CSN_WIRE_MODEL_LANGUAGE_SHARE 4u /* tenants without the key may use it as well */
#define CSN_WIRE_MODEL_TREES          8u /* the same for boosted trees */
#define CSN_WIRE_MODEL_TREES_KEY      16u
#define CSN_WIRE_MODEL_TREES_SHARE    32u
#define CSN_WIRE_MODEL_FLAGS_ALL      63u

struct csn_wire_model_policy {
    uint32_t magic;
    uint32_t version;
    uint32_t flags;
    uint32_t session_max; /* answers in the making at a time; 0: half of the image's */
    uint32_t token_max;   /* tokens of an answer; 0: what the context holds */
    uint32_t reserved;    /* zero */
    struct csn_wire_weights_ref language;
    struct csn_wire_weights_ref trees;
};
_Static_assert(sizeof(struct csn_wire_model_policy) == 168, "size");
_Static_assert(offsetof(struct csn_wire_model_policy, language) == 24, "offset");
_Static_assert(offsetof(struct csn_wire_model_policy, trees) == 96, "offset");

#endif
