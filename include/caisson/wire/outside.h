/* SPDX-License-Identifier: Apache-2.0 */
/*
 * outside.h: what an enclave with the store flag asks its host to keep, and the sealed journal in
 * which it does so (docs/WIRE.md, section 17).
 *
 * Each worker has one more channel, of index channel_count. Over it the enclave asks (out ring) and
 * the host answers (in ring): one answer for each ask, in the order of the asks, under the ask's
 * tag, which counts up from 1 and never comes twice.
 *
 * An object is a name, 1 to 64 characters of a-z, 0-9 and '-', and bytes. The enclave believes
 * nothing of what comes back: objects hold what it sealed, or what it has a digest of.
 */
#ifndef CAISSON_WIRE_OUTSIDE_H
#define CAISSON_WIRE_OUTSIDE_H

#include <stddef.h>
#include <stdint.h>

#define CSN_WIRE_OBJECT_NAME_MAX  64u
#define CSN_WIRE_OBJECT_SIZE_MAX  (UINT64_C(1) << 46)
#define CSN_WIRE_OUTSIDE_TPM_SIZE 4096u /* of the largest TPM command or response */

enum csn_wire_outside_operation {
    CSN_WIRE_OUTSIDE_SIZE = 1, /* value: bytes of the object; MISSING if there is none */
    CSN_WIRE_OUTSIDE_READ = 2, /* size bytes from offset on; fewer only at the object's end */
    /* The object is cut to offset bytes, and those that follow are put behind; made if missing. */
    CSN_WIRE_OUTSIDE_APPEND = 3,
    CSN_WIRE_OUTSIDE_SYNC = 4, /* all that was answered OK survives a loss of power from here on */
    /* Bytes of what will replace the object, at offset; offset 0 begins anew. */
    CSN_WIRE_OUTSIDE_PART = 5,
    CSN_WIRE_OUTSIDE_REPLACE = 6, /* those parts are the object, durably, or it is as before */
    CSN_WIRE_OUTSIDE_REMOVE = 7,  /* durably; OK if there is none */
    CSN_WIRE_OUTSIDE_TPM = 8,     /* a command as a TPM takes it; its response comes back */
};
#define CSN_WIRE_OUTSIDE_OPERATION_LAST CSN_WIRE_OUTSIDE_TPM

struct csn_wire_outside_ask {
    uint32_t operation;
    uint32_t size;   /* READ: bytes that are wanted; else: of those that follow */
    uint64_t offset; /* READ, APPEND, PART; REPLACE: bytes of the whole; else zero */
    char object[CSN_WIRE_OBJECT_NAME_MAX]; /* filled up with zeros; all of them for TPM */
};
_Static_assert(sizeof(struct csn_wire_outside_ask) == 80, "size");

enum csn_wire_outside_status {
    CSN_WIRE_OUTSIDE_OK = 0,
    CSN_WIRE_OUTSIDE_MISSING = 1, /* no such object */
    CSN_WIRE_OUTSIDE_NONE = 2,    /* the host was given no store, or no TPM */
    CSN_WIRE_OUTSIDE_FULL = 3,    /* no space for it; the object may end with a part of it */
    CSN_WIRE_OUTSIDE_FAILED = 4,  /* the medium or the TPM failed */
    CSN_WIRE_OUTSIDE_REFUSED =
        5, /* not a valid ask, or a TPM command that the host lets nobody send */
};
#define CSN_WIRE_OUTSIDE_STATUS_LAST CSN_WIRE_OUTSIDE_REFUSED

struct csn_wire_outside_answer {
    uint32_t status;
    uint32_t size;  /* of the bytes that follow */
    uint64_t value; /* SIZE: bytes of the object; else zero */
};
_Static_assert(sizeof(struct csn_wire_outside_answer) == 16, "size");

/* ---- the journal ---- */

#define CSN_WIRE_JOURNAL_MAGIC UINT32_C(0x4a4e5343) /* "CSNJ" */
#define CSN_WIRE_JOURNAL_ALIGN 32u                  /* records begin at multiples of it */

enum csn_wire_journal_kind {
    CSN_WIRE_JOURNAL_RECORD = 1, /* what the service appended */
    CSN_WIRE_JOURNAL_OPENED = 2, /* struct csn_wire_journal_opened */
    CSN_WIRE_JOURNAL_HEAD = 3,   /* of a snapshot: struct csn_wire_journal_head */
    CSN_WIRE_JOURNAL_PART = 4,   /* of a snapshot: what the service saved */
    CSN_WIRE_JOURNAL_END = 5,    /* of a snapshot: the last one, empty */
};

/*
 * One record: this header, size bytes of ciphertext, 16 of tag, zeros up to a multiple of 32.
 * AES-256-GCM-SIV, the header is the associated data.
 * key = HKDF-SHA-256(the grant's domain secret, info = "caisson-journal-key-v1" | tenant | name).
 * chain of the first record = H("caisson-journal-chain-v1" | tenant | name | kind u32 |
 * generation), kind being RECORD for a log and HEAD for a snapshot; of each other one = H(chain of
 * that before | number | its tag). A log that goes on after a snapshot goes on with chain and
 * number.
 */
struct csn_wire_journal {
    uint32_t magic;
    uint32_t kind;
    uint32_t size; /* of plaintext and ciphertext */
    uint32_t reserved;
    uint64_t number;     /* of a log from 1 on, never twice; of a snapshot from 1 on */
    uint64_t generation; /* snapshots made before */
    uint64_t counter;    /* what the counter is at when the record is acknowledged; 0: none */
    uint64_t synced;     /* records of this log up to this number are durable */
    uint8_t chain[32];   /* of all before it */
    uint8_t mark[32];    /* what the TPM's mark is at before it is counted; zeros: none */
    uint8_t nonce[12];   /* random */
    uint32_t reserved2;
};
_Static_assert(sizeof(struct csn_wire_journal) == 128, "size");

/* Who writes from here on, and under which counter. */
struct csn_wire_journal_opened {
    uint8_t boot_id[16];
    uint32_t worker;
    uint32_t reserved;
    uint8_t guard[32]; /* H("caisson-journal-guard-v1" | struct csn_wire_counter); zeros: none */
};
_Static_assert(sizeof(struct csn_wire_journal_opened) == 56, "size");

/*
 * What is counted together extends the mark once: by HMAC-SHA-256(mark key, chain behind it), where
 * mark key = HKDF-SHA-256(domain secret, info = "caisson-journal-mark-v1" | tenant | name).
 */

/* Which log a snapshot stands for: that of the generation before, up to a record. */
struct csn_wire_journal_head {
    uint64_t number; /* of the last record in it */
    uint64_t counter;
    uint8_t chain[32]; /* behind it */
    uint8_t guard[32]; /* of the last OPENED before it */
    uint8_t mark[32];  /* of the last record */
};
_Static_assert(sizeof(struct csn_wire_journal_head) == 112, "size");

/* ---- a counter in a TPM ---- */

/*
 * What a grant says of the counter that guards one journal: whose it is and which it is. The TPM
 * proves itself by the endorsement key, to which the enclave encrypts the session's salt; an index
 * proves itself by its name, a hash over its attributes. One journal, one pair of indices.
 *
 * The counter only rises, also if its index is removed and made again; the mark is extended by what
 * only the enclave knows, so that of two journals at one count one is the other's forgery.
 */
struct csn_wire_counter {
    uint32_t key_handle;   /* where the TPM keeps the endorsement key loaded: a persistent handle */
    uint32_t index;        /* NV index: type counter, written */
    uint32_t mark_index;   /* NV index: type extend, of SHA-256, written */
    uint32_t reserved;     /* zero */
    uint64_t base;         /* the counter's value while the journal is empty */
    uint8_t key[64];       /* the endorsement key, P-256: x, y */
    uint8_t name[34];      /* of the index: 0x000b, SHA-256 of its public area */
    uint8_t mark_name[34]; /* of the other */
    uint8_t reserved2[4];  /* zero */
};
_Static_assert(sizeof(struct csn_wire_counter) == 160, "size");

#endif
