/* SPDX-License-Identifier: Apache-2.0 */
/*
 * model_rig.h: the model enclave in this process: the real session and service, a store in memory
 * with a sealed model in it, and tenants that ask. One rig at a time.
 */
#ifndef TESTS_MODEL_RIG_H
#define TESTS_MODEL_RIG_H

#include "../../enclaves/model/mod_state.h"
#include "../enclave/asker.h"
#include "../enclave/solo.h"
#include "../enclave/store_double.h"
#include "../weights/weights_made.h"

#define RIG_TENANTS 3u
#define RIG_CALLS   32u
#define RIG_TEXT    65536u

#define OP_TEXT   1u
#define OP_TALK   2u
#define OP_SCORE  3u
#define OP_MODELS 4u

/* A call that was sent, and what came of it. */
struct rig_call {
    struct csv_sealer *sealer; /* of its own: replies are opened with it */
    uint64_t tag;
    uint32_t parts;     /* that came with content, the last not counted */
    uint32_t part_size; /* of the first, as it is in the ring */
    bool same_sizes;    /* of all but the last */
    bool is_over;
    uint32_t status;
    uint32_t detail;
    uint32_t size;
    char text[RIG_TEXT]; /* all parts, one behind the other, and a zero */
};

struct rig {
    struct store_double store;
    struct cse_outside_port port;
    struct weights_made language;
    struct weights_made trees; /* the model of tests/trees by hand: three features, one output */
    struct fake_tenant tenants[RIG_TENANTS];
    struct csn_wire_model_policy policies[RIG_TENANTS];
    struct rig_call calls[RIG_CALLS];
    uint32_t call_count;
};
extern struct rig rig;

/* The model of that GGUF file, in the store; tenant 0 owns it and shares, 1 and 2 may use it. */
void rig_start(const char *path);
void rig_stop(void);
/* Policy and grant; true: it was accepted. */
bool rig_grant(uint32_t who, const struct csn_wire_model_policy *policy);
/* What names the trees, as rig_policy(); and nothing else. */
struct csn_wire_model_policy rig_tree_policy(uint32_t flags);
/* What names the language model: LANGUAGE and these flags, the key if they say so. */
struct csn_wire_model_policy rig_policy(uint32_t flags);

struct mod_worker *rig_worker(void);
/* Sends one; what comes at once is taken. */
struct rig_call *rig_send(uint32_t who, uint16_t operation, const char *json);
/* One step of the enclave; false: nothing more to do. */
bool rig_step(void);
/* Sends, and steps until it is over. */
struct rig_call *rig_ask(uint32_t who, uint16_t operation, const char *json);
void rig_run(void);
/* Frees what calls hold; they are not to be used any more. */
void rig_forget_calls(void);
/* The host has no more use for its answer. */
void rig_cancel(const struct rig_call *call);

/*
 * The text of an answer (the member's value of that name wherever it stands, all of them joined),
 * decoded. Returns false if there is none.
 */
bool rig_text(const struct rig_call *call, const char *name, char *text);

#endif
