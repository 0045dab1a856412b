/* SPDX-License-Identifier: Apache-2.0 */
/*
 * service.h: what the module wants of whoever keeps the keys. service.c asks a transit enclave;
 * tests put a keeper of their own in its place.
 *
 * Trust:    public halves, names and statuses are the enclave's word, verified and sealed on the
 *           way (call.h). Sizes are checked before they get here.
 * Threads:  every function from any thread; several calls may be under way.
 * Results:  CK_RV; p11_service_why() has words for people.
 */
#ifndef CSV_PKCS11_SERVICE_H
#define CSV_PKCS11_SERVICE_H

#include "cryptoki.h"
#include <caisson/wire/transit.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define P11_PUBLIC_MAX    97u    /* 04 | x | y of P-384 */
#define P11_SIGNATURE_MAX 96u    /* r and s of P-384 */
#define P11_MESSAGE_MAX   49152u /* bytes of one message that goes to the enclave */
#define P11_RANDOM_MAX    4096u  /* bytes of one call of random */
#define P11_SEALED_BESIDE (CSN_WIRE_TRANSIT_SEALED_BESIDE)

struct p11_settings;
struct p11_service;

struct p11_key_info {
    char name[CSN_WIRE_TRANSIT_NAME_SIZE]; /* terminated */
    uint8_t id[16];
    uint32_t type;       /* enum csn_wire_transit_type */
    uint32_t operations; /* mask of 1 << enum csn_wire_transit_operation */
    uint32_t version;    /* the newest, which is what objects stand for */
    bool derived;
    bool deletable;
    bool imported;
    uint32_t public_size; /* 0: no public half, or it was not asked for */
    uint8_t public_key[P11_PUBLIC_MAX];
};

/* Reaches nobody yet. CKR_HOST_MEMORY, CKR_GENERAL_ERROR (settings: the reason is in *why). */
CK_RV p11_service_create(const struct p11_settings *settings, struct p11_service **service,
                         const char **why);
/* After the last call came back. NULL allowed. */
void p11_service_destroy(struct p11_service *service);
/* In a child of whoever made it: gives back memory, touches no socket and no ring. */
void p11_service_forget(struct p11_service *service);

/* Each key of the tenant that this credential may see, oldest first, without its public half. */
typedef CK_RV (*p11_key_taker)(void *state, const struct p11_key_info *info);
CK_RV p11_service_list(struct p11_service *service, p11_key_taker take, void *state);
/* info->name in; all of it out. CKR_KEY_HANDLE_INVALID: there is none. */
CK_RV p11_service_info(struct p11_service *service, struct p11_key_info *info);
/* name, type, operations, deletable in; all of it out. */
CK_RV p11_service_create_key(struct p11_service *service, struct p11_key_info *info);
CK_RV p11_service_delete_key(struct p11_service *service, const struct p11_key_info *info);

struct p11_bytes {
    const uint8_t *bytes;
    size_t size;
};
/* One item of one operation with the version of info. */
struct p11_use {
    uint32_t operation;   /* enum csn_wire_transit_operation */
    uint32_t hash;        /* enum csn_wire_transit_hash */
    uint32_t flags;       /* CSN_WIRE_TRANSIT_PREHASHED, BARE */
    uint32_t output_size; /* wanted: of random */
    struct p11_bytes input, extra;
};
/*
 * *size: room at output, then what came. CKR_ENCRYPTED_DATA_INVALID: does not open;
 * CKR_KEY_FUNCTION_NOT_PERMITTED: the key, or the credential, may not; CKR_BUFFER_TOO_SMALL: more
 * came than there is room for. info NULL: random.
 */
CK_RV p11_service_use(struct p11_service *service, const struct p11_key_info *info,
                      const struct p11_use *use, uint8_t *output, size_t *size);

/* True once after a key was not there any more: what is known of the keys is old. */
bool p11_service_was_surprised(struct p11_service *service);
/* What went wrong last, in this thread; "" if nothing did. */
const char *p11_service_why(void);

#endif
