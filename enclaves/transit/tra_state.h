/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tra_state.h: the keys of tenants, and what a request in the making is. Shared by the files of
 * this folder; docs/TRANSIT.md is what they do.
 *
 * Keys live in the worker's state, a store for each tenant, because they outlive grants; what a
 * grant says (quotas, roles) is the tenant's state and goes with it. All that changes in a store
 * changes by entries (tra_log.h), live as in a replay of the journal (tra_journal.h).
 *
 * Trust:    a store belongs to one tenant; secrets never leave it but for journals, sealed.
 * Requests are the tenant's, any bytes. Constant time in secrets (keys, plain texts, MACs); not in
 *           lengths, names, JSON structure and statuses.
 * Threads:  one worker.
 */
#ifndef TRA_STATE_H
#define TRA_STATE_H

#include "core/bytes.h"
#include "crypto/aead.h"
#include "crypto/mlkem.h"
#include <caisson/enclave.h>
#include <caisson/enclave_store.h>
#include <caisson/wire/transit.h>
#include <stdbool.h>
#include <string.h>

#define TRA_STORE_COUNT   16u  /* tenants */
#define TRA_KEY_COUNT     128u /* of a tenant */
#define TRA_VERSION_COUNT 512u /* of all its keys */
#define TRA_KEPT_MAX      16u  /* versions of one key */
#define TRA_NONE          0xffffu
#define TRA_SECRET_MAX    64u
#define TRA_PUBLIC_MAX    CSN_MLKEM_PUBLIC_SIZE
#define TRA_CONTEXT_MAX   256u
#define TRA_USES_MAX      (UINT64_C(1) << 40) /* of a version without a limit of its own */
#define TRA_CHUNK         32u                 /* items that are sealed or opened side by side */
#define TRA_CACHE_COUNT   (4 * TRA_CHUNK)
#define TRA_KEM_COUNT     4u
#define TRA_BIRTH_MAX     1600u /* of a certificate */

/* Where and when a version was made: for its birth certificate. */
struct tra_birth {
    uint64_t grant_version;
    uint64_t change;
    uint8_t boot_id[16];
    uint8_t measurement[48];
    uint8_t grant_digest[32];
    uint8_t witness[16]; /* that instance's: tra_bear() */
};

struct tra_version {
    uint32_t number; /* 0: a free slot */
    uint16_t older;  /* index of the version before it, or TRA_NONE */
    uint8_t origin;
    uint8_t secret_size;
    uint64_t uses;
    uint64_t reserved; /* uses up to here are in the journal */
    struct tra_birth birth;
    uint8_t secret[TRA_SECRET_MAX]; /* of ed25519: seed, then public key */
    uint8_t public_key[100];        /* of ml-kem-768: none, it comes from the secret */
};

/* What a key is, but for its versions; as it stands in entries of the journal. */
struct tra_policy_of_key {
    char name[CSN_WIRE_TRANSIT_NAME_SIZE];
    uint8_t id[16];
    uint16_t type;
    uint16_t flags;
    uint32_t operations;
    uint64_t purposes;
    uint64_t max_uses;
    uint32_t min_version;
    uint32_t reserved;
};
_Static_assert(sizeof(struct tra_policy_of_key) == 112, "no padding");

struct tra_key {
    bool used;
    uint16_t newest_at; /* index of the newest version, or TRA_NONE */
    uint32_t newest;
    uint32_t count;  /* of versions that are kept */
    uint64_t serial; /* keys are listed in the order in which they were made */
    struct tra_policy_of_key is;
};

/* Under what a journal is opened: of the grant. */
struct tra_opening {
    uint8_t secret[32]; /* from it comes the journal's key */
    bool has_counter;
    struct csn_wire_counter counter;
};

/* Of one tenant. */
struct tra_store {
    _Alignas(64) uint8_t journal[CSE_JOURNAL_SIZE];
    bool used;
    bool granted;    /* once; until then a refusal gives the place back */
    bool durable;    /* there is a journal, and nothing counts without it */
    bool has_import; /* the import key was drawn */
    uint8_t tenant[32];
    struct tra_opening opening;
    uint8_t import_secret[32];
    uint8_t import_public[32];
    bool has_witness; /* the key of witnesses was drawn; it is nowhere but here */
    uint8_t witness_key[32];
    uint64_t change;    /* how many changes there were */
    uint64_t uses_here; /* while this instance lives */
    uint32_t key_count;
    uint32_t version_count;
    struct tra_key keys[TRA_KEY_COUNT];
    struct tra_version versions[TRA_VERSION_COUNT];
};

/*
 * Whose key a sealer has: of a version, a use, a context and a salt. The tenant, because ids come
 * out of its journal, which it could have written itself: with the id of another tenant's key.
 */
struct tra_sealer_of {
    uint8_t tenant[32];
    uint8_t key_id[16];
    uint8_t context[32]; /* digest; zeros without one */
    uint8_t salt[24];
    uint32_t version;
    uint16_t use;
    uint16_t seals; /* 1: the salt is ours */
};
_Static_assert(sizeof(struct tra_sealer_of) == 112, "no padding");

/* A key that was derived for texts. */
struct tra_sealer {
    uint64_t clock; /* of the last use; 0: empty */
    struct tra_sealer_of of;
    uint64_t counter; /* next */
    struct csn_gcm_key key;
};

/* An ML-KEM key pair, expanded. */
struct tra_kem {
    uint64_t clock;
    uint8_t tenant[32]; /* as above */
    uint8_t key_id[16];
    uint32_t version;
    struct csn_mlkem_key key;
};

struct tra_worker {
    bool tested; /* self-tests of what the start does not test */
    uint64_t clock;
    uint32_t sealer_at; /* that of the last item: mostly that of the next one */
    struct tra_store stores[TRA_STORE_COUNT];
    struct tra_sealer sealers[TRA_CACHE_COUNT];
    struct tra_kem kems[TRA_KEM_COUNT];
};

/* ---- what a grant says ---- */

struct tra_grant {
    uint32_t ready; /* 1 once a policy was built */
    uint32_t key_max;
    uint32_t version_max;
    uint64_t use_max; /* 0: no quota */
    uint64_t seed;    /* for names in JSON */
    struct tra_store *store;
    uint32_t role_count;
    struct csn_wire_transit_role roles[CSN_WIRE_TRANSIT_ROLE_MAX];
};

/* ---- a request ---- */

struct tra_item {
    const uint8_t *input;
    const uint8_t *extra;
    const uint8_t *context;
    uint32_t input_size;
    uint32_t extra_size;
    uint32_t context_size;
    uint32_t version; /* asked for, 0: the newest; then: used */
    uint8_t *output;  /* with the room that tra_rooms() says */
    uint8_t *second;
    uint32_t output_size;
    uint32_t second_size;
    cse_status status;
};

struct tra_work {
    struct cse_call *call;
    struct tra_worker *worker;
    struct tra_grant *grant;
    struct tra_store *store;
    struct tra_key *key; /* NULL: random */
    uint32_t operation;
    uint32_t hash;
    uint32_t flags;
    uint32_t size; /* wanted of each item: derive, agree, datakey, random */
    struct tra_item *items;
    uint32_t count;
};

/* Of a text that ends, or that fills its 64 bytes. */
static inline uint32_t tra_length(const char *text)
{
    uint32_t size = 0;
    while (size < CSN_WIRE_TRANSIT_NAME_SIZE && text[size] != 0) {
        size++;
    }
    return size;
}

/* ---- tra_kind.c: what types there are ---- */
struct tra_kind {
    const char *name;
    uint32_t operations; /* that a key of it can have */
    uint32_t usual;      /* that it has when none are named */
    uint8_t secret_min;  /* of a secret that is imported */
    uint8_t secret_max;
    uint8_t drawn;        /* bytes of one that is generated */
    uint16_t public_size; /* 0: it has no public half */
    uint32_t curve;       /* csn_ec_curve, or 0 */
};
/* NULL: no such type. */
const struct tra_kind *tra_kind(uint32_t type);
/* By its name; 0: none. */
uint32_t tra_kind_find(const uint8_t *name, uint32_t size);
/*
 * Fills in secret and public half from bytes that were drawn or imported. False: no secret of that
 * type (of a curve: out of range).
 */
bool tra_kind_take(uint32_t type, const uint8_t *bytes, uint32_t size, struct tra_version *version);
/* The public half, at most TRA_PUBLIC_MAX bytes; returns its size. */
uint32_t tra_kind_public(const struct tra_work *work, const struct tra_version *version,
                         uint8_t *bytes);
/* The number of an operation by its name; 0: none. */
uint32_t tra_operation_find(const uint8_t *name, uint32_t size);
/* Once for a worker, before the first key. */
bool tra_self_test(struct tra_worker *worker);

/* ---- tra_store.c: keys and versions by name and number ---- */
bool tra_is_name(const char *name, uint32_t size);
struct tra_key *tra_find(struct tra_store *store, const char *name, uint32_t size);
struct tra_version *tra_version(struct tra_store *store, const struct tra_key *key,
                                uint32_t number);
struct tra_version *tra_oldest(struct tra_store *store, const struct tra_key *key);
/* The tenant's store; a free one is made its own. NULL: all are taken. */
struct tra_store *tra_store_of(struct tra_worker *worker, const uint8_t tenant[32]);
/* The key that was made next after that serial number, or NULL. */
struct tra_key *tra_next(struct tra_store *store, uint64_t serial);
/* Of a tenant whose first grant is refused: all of it, wiped; the place is free again. */
void tra_store_drop(struct tra_store *store);
/* Every key and version, wiped. */
void tra_store_clear(struct tra_store *store);

/* ---- tra_may.c: who may use what ---- */
/*
 * The key of a request, for an operation on it. NOT_FOUND, RIGHTS (the credential or its roles) or
 * POLICY (the key itself); *key stays as it was then.
 */
cse_status tra_may_use(struct tra_work *work, const char *name, uint32_t size);
/* The same for what needs no key: create, list, random, import-key. */
cse_status tra_may(const struct tra_work *work, const char *name, uint32_t size);
/* The version that an item may use; NULL: not there, or below the minimum. */
struct tra_version *tra_pick(const struct tra_work *work, uint32_t number);
/* One use of a version's secret: OK, BUDGET, or UNAVAILABLE. */
cse_status tra_take_use(struct tra_work *work, struct tra_version *version);
/* Uses of a version that are reserved at a time. */
uint64_t tra_block(uint64_t max_uses);

/* ---- tra_derive.c: keys of a version, never the secret itself ---- */
enum tra_use {
    TRA_USE_DATA = CSN_WIRE_TRANSIT_SEALED_DATA,
    TRA_USE_DATA_KEY = CSN_WIRE_TRANSIT_SEALED_KEY,
    TRA_USE_DERIVE = 3,
    TRA_USE_MAC = 4,
};
/* size: at most 1,024 bytes of key. */
void tra_derive(const struct tra_work *work, const struct tra_version *version, enum tra_use use,
                const struct tra_item *item, uint8_t *key, uint32_t size);
/* A sealer of this version: with salt, that one; NULL: one whose salt is drawn. NULL: no random. */
struct tra_sealer *tra_sealer(struct tra_work *work, const struct tra_version *version,
                              enum tra_use use, const struct tra_item *item, const uint8_t *salt);
/* It seals, and its salt is good for another text. */
bool tra_sealer_lasts(const struct tra_sealer *sealer);
const struct csn_mlkem_key *tra_kem(const struct tra_work *work, const struct tra_version *version);
/* All that was derived from keys of this id, or (NULL) from all, is wiped. */
void tra_forget(struct tra_worker *worker, const uint8_t key_id[16]);

/* ---- tra_work.c: the operations ---- */
/* Whether hash, flags and size of the request are the operation's; a size of 0 becomes 32. */
bool tra_fits(struct tra_work *work);
/* Bytes of room that an item's output and second need; false: a size that cannot be. */
bool tra_rooms(const struct tra_work *work, const struct tra_item *item, uint32_t *output,
               uint32_t *second);
/* Does all items: sets status, version and sizes of each. Wipes the output of what failed. */
void tra_work(struct tra_work *work);

/* tra_seal.c, tra_sign.c, tra_mac.c, tra_agree.c, tra_fpe.c: for tra_work() */
void tra_seal_items(struct tra_work *work);
void tra_open_items(struct tra_work *work);
void tra_rewrap_items(struct tra_work *work);
cse_status tra_sign_item(struct tra_work *work, struct tra_item *item);
cse_status tra_verify_item(struct tra_work *work, struct tra_item *item);
/* Whether MACs of the request can be made side by side: by tra_mac_items(). */
bool tra_macs_batch(const struct tra_work *work);
void tra_mac_items(struct tra_work *work);
cse_status tra_mac_item(struct tra_work *work, struct tra_item *item);
cse_status tra_check_mac_item(struct tra_work *work, struct tra_item *item);
cse_status tra_agree_item(struct tra_work *work, struct tra_item *item);
cse_status tra_encapsulate_item(struct tra_work *work, struct tra_item *item);
cse_status tra_decapsulate_item(struct tra_work *work, struct tra_item *item);
cse_status tra_fpe_item(struct tra_work *work, struct tra_item *item);
/* Bytes of a digest; 0: no such hash. HASH_DEFAULT: of the key's type. */
uint32_t tra_hash_size(const struct tra_work *work);
uint32_t tra_hash_of(const struct tra_work *work);
void tra_hash(uint32_t hash, const uint8_t *bytes, uint32_t size, uint8_t digest[64]);

/* ---- tra_manage.c: making, changing and deleting keys ---- */
struct tra_making {
    const char *name;
    uint32_t name_size;
    struct csn_wire_transit_create what;
    const uint8_t *sealed; /* import: HPKE to the import key; NULL: generate */
    uint32_t sealed_size;
};
/* Sets work->key. */
cse_status tra_create(struct tra_work *work, const struct tra_making *making);
cse_status tra_rotate(struct tra_work *work);
/* A further version from a sealed secret. */
cse_status tra_import_version(struct tra_work *work, const uint8_t *sealed, uint32_t size);
cse_status tra_config(struct tra_work *work, const struct csn_wire_transit_config *config);
cse_status tra_delete(struct tra_work *work);
/* Drawn at the first call. */
cse_status tra_import_key(struct tra_work *work, uint8_t public_key[32], uint8_t statement[64]);

/* ---- tra_birth.c ---- */
/* certificate: TRA_BIRTH_MAX bytes. */
cse_status tra_birth(const struct tra_work *work, const struct tra_version *version,
                     uint8_t *certificate, uint32_t *size);
/*
 * What a version is born with: of this instance and grant, and a witness to it, without which no
 * certificate says that it was born here: a tenant can write its own journal, but no witness. Its
 * secret and number are there already. False: no random.
 */
bool tra_bear(const struct tra_work *work, const struct tra_policy_of_key *policy,
              struct tra_version *version);

/* What may be shown of a key and one of its versions. */
void tra_describe(const struct tra_work *work, const struct tra_version *version,
                  struct csn_wire_transit_key *view);

/* ---- entry points ---- */
csn_err tra_take_grant(void *state, const struct cse_grant_view *view);
/* Sets up work but for items. Not OK: the tenant's keys cannot be used now. */
cse_status tra_begin(struct tra_work *work, struct cse_call *call, uint32_t operation);
cse_status tra_binary(struct cse_call *call, const uint8_t *input, uint32_t input_size,
                      uint8_t *output, uint32_t output_size_max, uint32_t *output_size);

#endif
