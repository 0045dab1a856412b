/* SPDX-License-Identifier: Apache-2.0 */
/*
 * init.c: the library's life, forks, and the tables of functions that callers get.
 *
 * Whether the module is initialized stands on a page that the kernel empties in every child
 * (MADV_WIPEONFORK), whichever way it was forked: a child that goes on with its parent's keys,
 * nonces and connections would use them twice.
 */
#include "core/bytes.h"
#include "module.h"
#include <caisson/client.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define ALIVE UINT64_C(0x6361697373306e31)

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;     /* of the tables */
static pthread_mutex_t starting = PTHREAD_MUTEX_INITIALIZER; /* of C_Initialize() */
static uint64_t *life;                                       /* on a page that a fork empties */
static struct p11_module *module;

/* ---- alive or not ---- */

/* In a child: a thread that is not there may have held them. */
static void renew_locks(void)
{
    static const pthread_mutex_t fresh = PTHREAD_MUTEX_INITIALIZER;
    memcpy(&lock, &fresh, sizeof lock);
    memcpy(&starting, &fresh, sizeof starting);
}

static bool make_life(void)
{
    if (life == NULL) {
        void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (page == MAP_FAILED) {
            return false;
        }
        if (madvise(page, 4096, MADV_WIPEONFORK) != 0) {
            munmap(page, 4096);
            return false;
        }
        (void)pthread_atfork(NULL, NULL, renew_locks); /* without it, forks are riskier, no more */
        __atomic_store_n(&life, page, __ATOMIC_RELEASE);
    }
    return true;
}

static bool is_alive(void)
{
    const uint64_t *page = __atomic_load_n(&life, __ATOMIC_ACQUIRE);
    return page != NULL && __atomic_load_n(page, __ATOMIC_ACQUIRE) == ALIVE;
}

struct p11_module *p11_lock(void)
{
    /* Before the lock: in a child it may be one that a thread of the parent holds for ever. */
    if (!is_alive()) {
        return NULL;
    }
    pthread_mutex_lock(&lock);
    if (!is_alive() || module == NULL) {
        pthread_mutex_unlock(&lock);
        return NULL;
    }
    return module;
}

void p11_unlock(void)
{
    pthread_mutex_unlock(&lock);
}

struct p11_service *p11_service(void)
{
    return module->service; /* as long as a session is held, nobody takes it away */
}

/* ---- C_Initialize, C_Finalize ---- */

/* Locks of the caller's own are not used: whoever offers nothing else is told so. */
static CK_RV check_args(const struct ck_initialize_args *args)
{
    if (args == NULL) {
        return CKR_OK;
    }
    int count = (args->create_mutex != NULL) + (args->destroy_mutex != NULL) +
                (args->lock_mutex != NULL) + (args->unlock_mutex != NULL);
    if (args->reserved != NULL || (count != 0 && count != 4)) {
        return CKR_ARGUMENTS_BAD;
    }
    return count == 4 && (args->flags & CKF_OS_LOCKING_OK) == 0 ? CKR_CANT_LOCK : CKR_OK;
}

/* What a parent left in this child: its memory, and nothing else of it. */
static void forget_parent(void)
{
    if (module != NULL) {
        p11_service_forget(module->service);
        module = NULL; /* sessions and keys stay where they are: their locks may be held */
    }
}

static void say(const struct p11_module *made, const char *why)
{
    if (made->settings.debug || getenv("CAISSON_PKCS11_DEBUG") != NULL) {
        fprintf(stderr, "caisson-pkcs11: %s\n", why);
    }
}

static CK_RV begin(void)
{
    const char *why = "out of memory";
    struct p11_module *made = calloc(1, sizeof *made);
    if (made == NULL) {
        return CKR_HOST_MEMORY;
    }
    CK_RV rv = CKR_GENERAL_ERROR;
    if (csv_client_init() != CSN_OK) {
        why = "this processor lacks what the cryptography needs, or fails its tests";
    } else if (p11_settings_read(&made->settings, &why)) {
        rv = p11_service_create(&made->settings, &made->service, &why);
    }
    if (rv != CKR_OK) {
        say(made, why);
        free(made);
        return rv;
    }
    pthread_mutex_init(&made->listing, NULL);
    module = made;
    __atomic_store_n(life, ALIVE, __ATOMIC_RELEASE);
    return CKR_OK;
}

CK_RV C_Initialize(void *args)
{
    CK_RV rv = check_args(args);
    if (rv != CKR_OK) {
        return rv;
    }
    pthread_mutex_lock(&starting);
    if (is_alive()) {
        rv = CKR_CRYPTOKI_ALREADY_INITIALIZED;
    } else {
        forget_parent();
        rv = make_life() ? begin() : CKR_HOST_MEMORY;
    }
    pthread_mutex_unlock(&starting);
    return rv;
}

CK_RV C_Finalize(void *reserved)
{
    if (reserved != NULL) {
        return CKR_ARGUMENTS_BAD;
    }
    struct p11_module *ended = p11_lock();
    if (ended == NULL) {
        return CKR_CRYPTOKI_NOT_INITIALIZED;
    }
    ended->is_ending = true;
    p11_close_sessions(ended);
    __atomic_store_n(life, 0, __ATOMIC_RELEASE);
    module = NULL;
    p11_unlock();
    p11_service_destroy(ended->service);
    p11_keys_free(ended);
    pthread_mutex_destroy(&ended->listing);
    csn_wipe(ended, sizeof *ended);
    free(ended);
    return CKR_OK;
}

/* ---- tables ---- */

#define ENTRY(name, parameters) .name = name,

static struct ck_functions functions_240 = {.version = {2, 40}, CK_FUNCTIONS_240(ENTRY)};
static struct ck_functions_300 functions_300 = {.version = {3, 0},
                                                CK_FUNCTIONS_240(ENTRY) CK_FUNCTIONS_300(ENTRY)};

static CK_UTF8CHAR interface_name[] = "PKCS 11";
/* The newest comes first: it is what is given to who names no version. */
static struct ck_interface interfaces[] = {
    {interface_name, &functions_300, CKF_INTERFACE_FORK_SAFE},
    {interface_name, &functions_240, CKF_INTERFACE_FORK_SAFE},
};
#define INTERFACE_COUNT (sizeof interfaces / sizeof interfaces[0])

CK_RV C_GetFunctionList(struct ck_functions **list)
{
    if (list == NULL) {
        return CKR_ARGUMENTS_BAD;
    }
    *list = &functions_240;
    return CKR_OK;
}

CK_RV C_GetInterfaceList(struct ck_interface *list, CK_ULONG *count)
{
    if (count == NULL) {
        return CKR_ARGUMENTS_BAD;
    }
    CK_ULONG room = *count;
    *count = INTERFACE_COUNT;
    if (list == NULL) {
        return CKR_OK;
    }
    if (room < INTERFACE_COUNT) {
        return CKR_BUFFER_TOO_SMALL;
    }
    memcpy(list, interfaces, sizeof interfaces);
    return CKR_OK;
}

CK_RV C_GetInterface(CK_UTF8CHAR *name, struct ck_version *version, struct ck_interface **interface,
                     CK_FLAGS flags)
{
    if (interface == NULL) {
        return CKR_ARGUMENTS_BAD;
    }
    for (size_t i = 0; i < INTERFACE_COUNT; i++) {
        /* Both kinds of table begin with their version. */
        const struct ck_version *has = interfaces[i].functions;
        if ((name == NULL || strcmp((const char *)name, (const char *)interface_name) == 0) &&
            (version == NULL || (version->major == has->major && version->minor == has->minor)) &&
            (flags & ~interfaces[i].flags) == 0) {
            *interface = &interfaces[i];
            return CKR_OK;
        }
    }
    return CKR_ARGUMENTS_BAD;
}
