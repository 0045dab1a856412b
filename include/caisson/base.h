/* SPDX-License-Identifier: Apache-2.0 */
/*
 * base.h: results and attributes that every part of Caisson shares.
 *
 * Trust:    none of its own; the codes say whose fault a failure is.
 * Builds:   hosted and freestanding, C11 and C++17.
 */
#ifndef CAISSON_BASE_H
#define CAISSON_BASE_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
#define CSN_EXTERN_C_BEGIN extern "C" {
#define CSN_EXTERN_C_END   }
#else
#define CSN_EXTERN_C_BEGIN
#define CSN_EXTERN_C_END
#endif

#define CSN_MUST_USE __attribute__((warn_unused_result))
#define CSN_API      __attribute__((visibility("default")))
#define CSN_NORETURN __attribute__((noreturn))

/*
 * One result type for the whole project. The high byte is the kind, so that callers can switch on
 * csn_err_kind() instead of on each code. Outputs are untouched on error unless a function says
 * otherwise.
 */
typedef enum csn_err {
    CSN_OK = 0,

    /* Transient: nothing is wrong, try again when something has changed. */
    CSN_AGAIN = 0x0101, /* empty, full or without credit; state unchanged */
    CSN_BUSY = 0x0102,  /* a budget or quota is used up; other callers are not affected */

    /* Caller: the arguments are wrong; calling again with the same ones fails again. */
    CSN_ERR_ARGUMENT = 0x0201, /* a value outside its documented range */
    CSN_ERR_SPACE = 0x0202,    /* the target is too small; the size needed is reported */
    CSN_ERR_STATE = 0x0203,    /* not allowed now (before start, after stop, twice) */
    CSN_ERR_LIMIT = 0x0204,    /* a fixed limit (manifest, counter, AEAD use) is reached */

    /* Peer: foreign bytes are wrong; they were rejected and nothing else was lost. */
    CSN_ERR_PEER = 0x0301,       /* the other end broke a protocol; sticky for that channel */
    CSN_ERR_FORMAT = 0x0302,     /* framing, version, magic, lengths */
    CSN_ERR_AUTH = 0x0303,       /* a signature, tag or commitment does not verify */
    CSN_ERR_UNKNOWN = 0x0304,    /* a key id, tenant, credential or operation that we do not hold */
    CSN_ERR_REPLAY = 0x0305,     /* an old or repeated record, grant or nonce */
    CSN_ERR_POLICY = 0x0306,     /* genuine, but not allowed by the policy in force */
    CSN_ERR_SUITE = 0x0307,      /* an algorithm or suite that this build does not accept */
    CSN_ERR_EVIDENCE = 0x0308,   /* evidence is invalid (verification failed) */
    CSN_ERR_UNVERIFIED = 0x0309, /* could not verify: something needed is missing */

    /* System: the machine or the library below failed. */
    CSN_ERR_SYSTEM = 0x0401,   /* a system call failed; the detail text says which and why */
    CSN_ERR_MISSING = 0x0402,  /* the machine lacks a feature that is required here */
    CSN_ERR_MEMORY = 0x0403,   /* out of memory or of a fixed pool */
    CSN_ERR_ENTROPY = 0x0404,  /* the random source is unhealthy; nothing was started */
    CSN_ERR_CRASHED = 0x0405,  /* the enclave stopped; its fate says why */
    CSN_ERR_INTERNAL = 0x0406, /* a self-check failed: a bug or a broken CPU */
} csn_err;

enum csn_err_kind {
    CSN_KIND_OK = 0,
    CSN_KIND_TRANSIENT = 1,
    CSN_KIND_CALLER = 2,
    CSN_KIND_PEER = 3,
    CSN_KIND_SYSTEM = 4,
};

static inline enum csn_err_kind csn_err_kind(csn_err err)
{
    return (enum csn_err_kind)((unsigned)err >> 8);
}

CSN_EXTERN_C_BEGIN
/* A short lower-case name of err ("peer", "format", …), static; never NULL. Any thread. */
CSN_API const char *csn_err_name(csn_err err);
CSN_EXTERN_C_END

/* The only macro that hides control flow: leaves the function with the first failure. */
#define CSN_TRY(expression)                                                                        \
    do {                                                                                           \
        csn_err csn_try_result = (expression);                                                     \
        if (csn_try_result != CSN_OK) {                                                            \
            return csn_try_result;                                                                 \
        }                                                                                          \
    } while (0)

#endif
