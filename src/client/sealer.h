/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sealer.h: a producer's context, for the two files that work on it: sealer.c makes records,
 * replies.c reads what comes back.
 *
 * Secrets: in one page of their own, which a fork wipes in the child.
 */
#ifndef CSV_CLIENT_SEALER_H
#define CSV_CLIENT_SEALER_H

#include "../core/window.h"
#include "sealed.h"
#include <sys/types.h>

#define CSV_SEALER_ALIVE UINT64_C(0x616c697665216373) /* zero in a forked child */
#define CSV_SEALER_BATCH 64u

/* The page that a fork wipes. */
struct csv_sealer_secrets {
    uint64_t alive;
    struct csn_record_secrets context;
    struct csn_record_key key;
    struct csn_record_key reply_key; /* of short answers in the epoch of struct csv_replies */
};

/* What the answer to the last hello said, and which short answers have come since. */
struct csv_replies {
    bool used;
    uint32_t handle;
    uint64_t hello_sequence; /* of that hello: an older one's answer changes nothing any more */
    uint64_t epoch;          /* of the reply key */
    struct csn_short_reply about;
    uint8_t stream[16];
    struct csn_window window;
};

struct csv_sealer {
    struct csn_binding binding;
    struct csv_credential credential;
    uint8_t public_key[32];
    uint64_t grant_version;
    pid_t owner;        /* looked at where the page could not be marked: it takes a system call */
    bool wiped_by_fork; /* the page of secrets is */
    struct csv_sealer_secrets *secrets;
    size_t secrets_size;
    uint8_t encapsulation[32];
    uint8_t salt[16];
    uint8_t context_id[32];
    uint64_t sequence;       /* next data record */
    uint64_t hello_sequence; /* next hello, counted from 0 */
    uint64_t salt_count;     /* records under this salt, of any kind */
    bool finished;           /* the FIN is out */
    bool short_allowed;
    bool salt_sent; /* a full record with this salt went out: short ones may follow */
    uint32_t handle;
    struct csn_gcm_item items[CSV_SEALER_BATCH];
    struct csn_wire_short_aad short_aads[CSV_SEALER_BATCH];
    uint32_t item_index[CSV_SEALER_BATCH];
    struct csv_replies replies;
    struct csv_plain plain;
};

#endif
