/* SPDX-License-Identifier: Apache-2.0 */
/*
 * module_driver.c: a program that uses a PKCS #11 module as programs do: loaded, by its tables.
 * usage: module_driver MODULE make|sign|traced|threads|forks|survive LABEL [COUNT]
 *
 * Exit: 0 if all was well; else 1, and what was not on stdout.
 */
#include "pkcs11/cryptoki.h"
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static struct ck_functions *module;
static const char *label;

#define NEED(call)                                                                                 \
    do {                                                                                           \
        CK_RV need_rv = (call);                                                                    \
        if (need_rv != CKR_OK) {                                                                   \
            printf("%s: 0x%lx\n", #call, need_rv);                                                 \
            fflush(stdout);                                                                        \
            _exit(1);                                                                              \
        }                                                                                          \
    } while (0)

static CK_SESSION_HANDLE open_session(void)
{
    CK_SESSION_HANDLE session = 0;
    NEED(module->C_OpenSession(1, CKF_SERIAL_SESSION | CKF_RW_SESSION, NULL, NULL, &session));
    return session;
}

static CK_OBJECT_HANDLE find(CK_SESSION_HANDLE session, CK_ULONG kind)
{
    struct ck_attribute items[] = {{CKA_CLASS, &kind, sizeof kind},
                                   {CKA_LABEL, (void *)(unsigned long)label, strlen(label)}};
    CK_OBJECT_HANDLE found = 0;
    CK_ULONG count = 0;
    NEED(module->C_FindObjectsInit(session, items, 2));
    NEED(module->C_FindObjects(session, &found, 1, &count));
    NEED(module->C_FindObjectsFinal(session));
    return count == 1 ? found : 0;
}

static void make(CK_SESSION_HANDLE session)
{
    static CK_BYTE p256[] = {6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7};
    CK_BBOOL yes = CK_TRUE;
    CK_OBJECT_HANDLE pair[2];
    struct ck_mechanism mechanism = {CKM_EC_KEY_PAIR_GEN, NULL, 0};
    struct ck_attribute public_items[] = {{CKA_EC_PARAMS, p256, sizeof p256}};
    struct ck_attribute private_items[] = {
        {CKA_TOKEN, &yes, 1},
        {CKA_SIGN, &yes, 1},
        {CKA_LABEL, (void *)(unsigned long)label, strlen(label)}};
    NEED(module->C_GenerateKeyPair(session, &mechanism, public_items, 1, private_items, 3, &pair[0],
                                   &pair[1]));
}

/* Signs what nobody signed before, and checks it with the public half. */
static CK_RV sign_once(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE key, CK_OBJECT_HANDLE public)
{
    static unsigned number;
    unsigned mine = __atomic_add_fetch(&number, 1, __ATOMIC_RELAXED);
    struct ck_mechanism mechanism = {CKM_ECDSA_SHA256, NULL, 0};
    CK_BYTE text[64] = {0};
    CK_BYTE signature[64];
    CK_ULONG size = sizeof signature;
    memcpy(text, &mine, sizeof mine);
    CK_RV rv = module->C_SignInit(session, &mechanism, key);
    rv = rv == CKR_OK ? module->C_Sign(session, text, sizeof text, signature, &size) : rv;
    rv = rv == CKR_OK ? module->C_VerifyInit(session, &mechanism, public) : rv;
    return rv == CKR_OK ? module->C_Verify(session, text, sizeof text, signature, size) : rv;
}

static void sign(unsigned count)
{
    CK_SESSION_HANDLE session = open_session();
    CK_OBJECT_HANDLE key = find(session, CKO_PRIVATE_KEY);
    CK_OBJECT_HANDLE public = find(session, CKO_PUBLIC_KEY);
    for (unsigned i = 0; i < count; i++) {
        NEED(sign_once(session, key, public));
        if (i == 0) {
            printf("signs\n");
            fflush(stdout);
        }
    }
    NEED(module->C_CloseSession(session));
}

/* How many mappings of rings the process has. */
static unsigned count_rings(void)
{
    char line[512];
    unsigned count = 0;
    FILE *maps = fopen("/proc/self/maps", "re");
    while (maps != NULL && fgets(line, sizeof line, maps) != NULL) {
        count += strstr(line, "caisson-rings") != NULL;
    }
    if (maps != NULL) {
        fclose(maps);
    }
    return count;
}

static void *in_thread(void *state)
{
    (void)state;
    sign(50);
    return NULL;
}

static void threads(void)
{
    pthread_t all[6];
    for (int i = 0; i < 6; i++) {
        if (pthread_create(&all[i], NULL, in_thread, NULL) != 0) {
            _exit(1);
        }
    }
    for (int i = 0; i < 6; i++) {
        pthread_join(all[i], NULL);
    }
}

/* Children that begin anew, while the parent goes on; what lies where the rings lay is theirs. */
static void forks(void)
{
    sign(3);
    for (int i = 0; i < 4; i++) {
        int status = -1;
        pid_t pid = fork();
        if (pid == 0) {
            if (count_rings() != 0 || module->C_GetInfo(NULL) == CKR_OK) {
                _exit(2);
            }
            char *own = malloc((size_t)64 << 20); /* where there is room now */
            memset(own, 1, (size_t)64 << 20);
            NEED(module->C_Initialize(NULL));
            sign(3);
            for (size_t k = 0; k < (size_t)64 << 20; k += 4096) {
                if (own[k] != 1) {
                    _exit(3);
                }
            }
            free(own);
            NEED(module->C_Finalize(NULL));
            _exit(0);
        }
        sign(3);
        if (waitpid(pid, &status, 0) != pid || status != 0) {
            printf("a child: 0x%x\n", (unsigned)status);
            _exit(1);
        }
    }
}

/* Until a line comes from outside, who changes what is there meanwhile. */
static void survive(void)
{
    char line[16];
    unsigned failures = 0;
    CK_SESSION_HANDLE session = open_session();
    make(session);
    sign(2);
    if (fgets(line, sizeof line, stdin) == NULL) {
        _exit(1);
    }
    for (unsigned i = 0; i < 100; i++) {
        CK_OBJECT_HANDLE key = find(session, CKO_PRIVATE_KEY);
        CK_OBJECT_HANDLE public = find(session, CKO_PUBLIC_KEY);
        if (key == 0) { /* of an instance without a store: gone with it */
            make(session);
            continue;
        }
        CK_RV rv = sign_once(session, key, public);
        failures += rv != CKR_OK;
        if (rv != CKR_OK) {
            printf("time %u: 0x%lx\n", i, rv);
        }
    }
    printf("%u failed\n", failures);
    fflush(stdout);
    if (failures > 2) {
        _exit(1);
    }
}

int main(int argc, char **argv)
{
    CK_RV (*get)(struct ck_functions * *list);
    void *library = argc > 3 ? dlopen(argv[1], RTLD_NOW) : NULL;
    if (library == NULL) {
        printf("%s\n", argc > 3 ? dlerror() : "usage: MODULE WHAT LABEL [COUNT]");
        return 1;
    }
    *(void **)&get = dlsym(library, "C_GetFunctionList");
    label = argv[3];
    NEED(get(&module));
    NEED(module->C_Initialize(NULL));
    if (strcmp(argv[2], "make") == 0) {
        make(open_session());
        sign(1);
    } else if (strcmp(argv[2], "sign") == 0) {
        sign(argc > 4 ? (unsigned)strtoul(argv[4], NULL, 10) : 1);
    } else if (strcmp(argv[2], "traced") == 0) {
        sign(2);
        printf("rings %u\n", count_rings());
    } else if (strcmp(argv[2], "threads") == 0) {
        threads();
    } else if (strcmp(argv[2], "forks") == 0) {
        forks();
    } else {
        survive();
    }
    NEED(module->C_Finalize(NULL));
    dlclose(library);
    return 0;
}
