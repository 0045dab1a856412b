/* SPDX-License-Identifier: Apache-2.0 */
/*
 * module.h: what the files of libcaisson-pkcs11.so share.
 *
 *   init.c       the library's life, forks, interfaces        slot.c     the one slot and its token
 *   session.c    sessions, login                              keys.c     the table of keys
 *   object.c     objects, attributes, search                  template.c attributes as given
 *   sign.c, verify.c, seal.c, digest.c, hash.c, derive.c      operations
 *   generate.c   making and destroying keys                   absent.c   what is not supported
 *   service.c    operations as requests to a transit enclave  lanes.c, link_*.c  how they get there
 *   settings.c   the configuration
 *
 * Trust:    runs in the program's process, with its credential. Everything that a caller hands in
 *           (handles, templates, sizes, pointers that are NULL) is checked; a pointer that is not
 *           NULL has to be one, as PKCS #11 has it.
 * Threads:  any. One lock for both tables, one for each session; the table's lock is never held
 *           while the enclave is asked. Order: session, then table.
 * Forks:    a child has nothing: its calls are CKR_CRYPTOKI_NOT_INITIALIZED until it calls
 *           C_Initialize() itself.
 */
#ifndef CSV_PKCS11_MODULE_H
#define CSV_PKCS11_MODULE_H

#include "cryptoki.h"
#include "hash.h"
#include "service.h"
#include "settings.h"
#include <pthread.h>
#include <stdbool.h>

#define P11_SLOT         1UL
#define P11_SESSION_MAX  4096u
#define P11_KEY_MAX      65536u
#define P11_ID_MAX       32u
#define P11_BUFFER_MAX   P11_MESSAGE_MAX
#define P11_SESSION_NAME "session-" /* names of keys that end with their session */
#define P11_VALUE_MAX    64u        /* bytes of a secret that the program itself holds */

/* ---- keys ---- */

enum p11_part {
    P11_PART_SECRET = 0, /* the private half, or the secret key */
    P11_PART_PUBLIC = 1,
    P11_PART_CERTIFICATE = 2,
};

/*
 * One that is gone leaves the table at once, and memory when no thread is in a session and no
 * operation holds it: so a pointer stays good as long as a session is held.
 */
struct p11_key {
    struct p11_key_info info;
    char label[CSN_WIRE_TRANSIT_NAME_SIZE];
    uint8_t id[P11_ID_MAX];
    uint32_t id_size;
    uint32_t place;          /* in the table */
    uint64_t serial;         /* of all keys that were ever in it: part of the handle */
    uint32_t holds;          /* operations that have it */
    struct p11_key *next;    /* among those that are gone */
    CK_SESSION_HANDLE owner; /* 0: a key of the token; else gone with that session */
    bool is_gone;            /* under the table's lock */
    bool hides_public;       /* the public half was destroyed in this process */
    bool is_seen;            /* of the listing under way */
    /* A secret of the program itself (of C_DeriveKey): the enclave does not know it. */
    uint8_t value[P11_VALUE_MAX];
    uint32_t value_size;  /* 0: a key of the enclave */
    void *verifier;       /* of curves.c, made at the first use */
    uint8_t *certificate; /* DER, from a file that the settings name, or NULL */
    uint32_t certificate_size;
};

struct p11_object {
    struct p11_key *key;
    enum p11_part part;
};

/* ---- sessions ---- */

enum p11_kind {
    P11_ENCRYPT,
    P11_DECRYPT,
    P11_DIGEST,
    P11_SIGN,
    P11_VERIFY,
    P11_MESSAGE_ENCRYPT,
    P11_MESSAGE_DECRYPT,
    P11_KIND_COUNT,
};

struct p11_operation {
    bool is_active;
    bool is_multiple; /* an update came: only updates and the final call follow */
    CK_MECHANISM_TYPE mechanism;
    const struct p11_key *key;
    struct p11_hash hash; /* of what came so far, where the mechanism hashes here */
    uint8_t *bytes;       /* what came so far, where it goes to the enclave as it is */
    size_t size, room;
    uint8_t *extra; /* associated data */
    size_t extra_size;
};

struct p11_session {
    pthread_mutex_t lock;
    CK_SESSION_HANDLE handle;
    CK_FLAGS flags;
    uint32_t users; /* under the table's lock: threads that hold it or wait for it */
    bool is_closed; /* under both */
    bool has_keys;  /* some may belong to it */
    bool is_searching;
    CK_OBJECT_HANDLE *found; /* of the search under way */
    size_t found_count, found_next;
    struct p11_operation operations[P11_KIND_COUNT];
    uint8_t *random; /* P11_RANDOM_MAX bytes from the enclave, each handed out once, or NULL */
    uint32_t random_left;
};

/* ---- the module ---- */

struct p11_module {
    struct p11_settings settings;
    struct p11_service *service;
    struct p11_session *sessions[P11_SESSION_MAX];
    uint32_t session_count, rw_session_count;
    uint32_t session_high; /* places from here on were never used */
    uint32_t users;        /* threads in sessions: nothing ends before they have left */
    bool is_ending;
    CK_ULONG serial; /* of the newest session */
    bool is_logged_in;
    struct p11_key **keys;        /* NULL: a place that is free */
    struct p11_key *gone;         /* to be freed */
    uint32_t key_count, key_room; /* places from key_count on were never used, or are free */
    uint64_t key_serial;
    pthread_mutex_t listing; /* one at a time */
    int64_t listed_ms;       /* when the keys were asked for last; 0: never */
};

/*
 * The module, with the table's lock held, or NULL: not initialized in this process. p11_unlock()
 * after the former.
 */
struct p11_module *p11_lock(void);
void p11_unlock(void);

/*
 * A session, held: no other thread is in it, and it is not closed. CKR_CRYPTOKI_NOT_INITIALIZED,
 * CKR_SESSION_HANDLE_INVALID, CKR_SESSION_CLOSED. After CKR_OK: p11_leave().
 */
CK_RV p11_enter(CK_SESSION_HANDLE handle, struct p11_session **session);
void p11_leave(struct p11_session *session);
/* The service of the module whose session is held. */
struct p11_service *p11_service(void);
/* With the lock held: closes every session, or waits until the last thread has left it. */
void p11_close_sessions(struct p11_module *module);
void p11_operation_end(struct p11_operation *operation);
/* Begins one: CKR_OPERATION_ACTIVE where one is under way. */
CK_RV p11_operation_begin(struct p11_session *session, enum p11_kind kind,
                          CK_MECHANISM_TYPE mechanism, const struct p11_key *key);
/* The one under way, or CKR_OPERATION_NOT_INITIALIZED. */
CK_RV p11_operation_get(struct p11_session *session, enum p11_kind kind,
                        struct p11_operation **operation);
/*
 * All of an operation whose data come in one piece (C_Sign, C_Encrypt and so on); end() does the
 * work, and ends the operation unless only the size was asked for.
 */
typedef CK_RV (*p11_end)(struct p11_operation *operation, const CK_BYTE *data, CK_ULONG data_size,
                         CK_BYTE *output, CK_ULONG *output_size);
CK_RV p11_operation_whole(CK_SESSION_HANDLE session, enum p11_kind kind, p11_end end,
                          const CK_BYTE *data, CK_ULONG data_size, CK_BYTE *output,
                          CK_ULONG *output_size);
/* More of what goes to the enclave as it is. CKR_DATA_LEN_RANGE: more than fits. */
CK_RV p11_operation_add(struct p11_operation *operation, const void *bytes, size_t size);

/* An output of size bytes: CKR_OK if *room has them (then *room = size); else *room = size. */
CK_RV p11_room(const CK_BYTE *output, CK_ULONG *room, CK_ULONG size);

/* ---- keys.c ---- */

/* Of a handle; CKR_OBJECT_HANDLE_INVALID. The session is held. */
CK_RV p11_object_get(CK_OBJECT_HANDLE handle, struct p11_object *object);
/* The same for an operation: CKR_KEY_HANDLE_INVALID. */
CK_RV p11_key_get(CK_OBJECT_HANDLE handle, enum p11_part part, const struct p11_key **key);
/* Puts a copy in. */
CK_RV p11_key_put(const struct p11_key *key, const struct p11_key **kept);
CK_OBJECT_HANDLE p11_handle(const struct p11_key *key, enum p11_part part);
/* With the lock: takes it out. */
void p11_key_drop(struct p11_module *module, struct p11_key *key);
/* With the lock, and no thread in a session: frees those that are gone and not held. */
void p11_keys_bury(struct p11_module *module);
/* Of an operation that begins or ends. */
void p11_key_hold(const struct p11_key *key, bool holds);
/* Asks the enclave which keys there are, unless it was asked a moment ago. */
CK_RV p11_keys_refresh(void);
/* Keys that belong to a session: out of the table, and out of the enclave. */
void p11_keys_end(struct p11_module *module, CK_SESSION_HANDLE owner);
void p11_keys_free(struct p11_module *module);
/* Label and id from a name, and a name from them: see docs/PKCS11.md. false: cannot be a name. */
void p11_name_read(struct p11_key *key);
bool p11_name_make(const char *label, size_t label_size, const uint8_t *id, size_t id_size,
                   char name[CSN_WIRE_TRANSIT_NAME_SIZE]);
/* What the object is, in PKCS #11's numbers. */
CK_ULONG p11_key_type(const struct p11_key *key);
bool p11_key_has_public(const struct p11_key *key);
/* With the lock: and that half is an object now. */
bool p11_shows_public(const struct p11_key *key);
static inline bool p11_key_may(const struct p11_key *key, uint32_t operation)
{
    return (key->info.operations >> operation & 1) != 0;
}

/* ---- template.c ---- */

const struct ck_attribute *p11_find(const struct ck_attribute *items, CK_ULONG count,
                                    CK_ATTRIBUTE_TYPE type);
/* Value of a boolean: fallback if it is not there. CKR_ATTRIBUTE_VALUE_INVALID. */
CK_RV p11_bool(const struct ck_attribute *items, CK_ULONG count, CK_ATTRIBUTE_TYPE type,
               bool fallback, bool *value);
CK_RV p11_number(const struct ck_attribute *items, CK_ULONG count, CK_ATTRIBUTE_TYPE type,
                 CK_ULONG fallback, CK_ULONG *value);
/* CKR_ARGUMENTS_BAD: no array where there should be one, or a value without bytes. */
CK_RV p11_template_check(const struct ck_attribute *items, CK_ULONG count);

/* One attribute of an object: bytes, in a place that lives for the call. */
struct p11_value {
    CK_ULONG number;
    CK_BBOOL truth;
    uint8_t small[P11_PUBLIC_MAX + 8];
    const void *bytes;
    CK_ULONG size;
    void *owned; /* freed by whoever asked */
};
/* CKR_ATTRIBUTE_TYPE_INVALID: the object has no such attribute; CKR_ATTRIBUTE_SENSITIVE. */
CK_RV p11_attribute(const struct p11_object *object, CK_ATTRIBUTE_TYPE type,
                    struct p11_value *value);

/* ---- certificate.c ---- */

/* The certificate that the settings name for a key, if there is one and it can be read. */
void p11_certificate_find(const struct p11_settings *settings, struct p11_key *key);
/* CKA_SUBJECT, CKA_ISSUER, CKA_SERIAL_NUMBER: DER, malloc'd. */
uint8_t *p11_certificate_part(const struct p11_key *key, CK_ATTRIBUTE_TYPE type, CK_ULONG *size);

/* ---- curves.c ---- */

/* DER of the curve's name (EC_PARAMS) of a type of transit's; NULL: not a curve. */
const uint8_t *p11_curve_params(uint32_t type, CK_ULONG *size);
/* The type whose name this is: of EC_PARAMS as DER, an OID or a PrintableString. 0: none. */
uint32_t p11_curve_type(const struct ck_attribute *params);
/* Checks a signature with a public half. CKR_SIGNATURE_INVALID. */
CK_RV p11_ecdsa_verify(const struct p11_key *key, const uint8_t *digest, size_t digest_size,
                       const uint8_t *signature, size_t size);
CK_RV p11_eddsa_verify(const struct p11_key *key, const uint8_t *message, size_t message_size,
                       const uint8_t *signature);
void p11_verifier_free(void *verifier); /* NULL allowed */
/* What ECDSA makes of a digest of another length than the curve's: size bytes at target. */
void p11_ecdsa_fit(const uint8_t *digest, size_t digest_size, uint8_t *target, size_t size);

#endif
