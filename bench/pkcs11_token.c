/* SPDX-License-Identifier: Apache-2.0 */
/* pkcs11_token.c: see pkcs11_token.h. */
#define _GNU_SOURCE
#include "pkcs11_token.h"
#include "children.h"
#include "measure.h"
#include "sealed.h"
#include <dlfcn.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define WAIT_NS  UINT64_C(30000000000)
#define ARGS_MAX 24u

void pkcs11_token_need(CK_RV rv, const char *what)
{
    if (rv != CKR_OK) {
        fprintf(stderr, "pkcs11: %s: 0x%lx\n", what, rv);
        exit(1);
    }
}

/* ---- a gateway ---- */

static char caisson[PATH_MAX + 32];
static char image[PATH_MAX + 32];

/* One command of caisson's, in words; "@NAME" is a file of the folder. Its output: out.log. */
static const char *run(const char *const *words)
{
    const char *argv[ARGS_MAX] = {caisson};
    static char paths[ARGS_MAX][PATH_MAX];
    uint32_t count = 1;
    for (; words[count - 1] != NULL; count++) {
        const char *word = words[count - 1];
        bench_require(count + 1 < ARGS_MAX, "too many words");
        snprintf(paths[count], PATH_MAX, "%s", word[0] == '@' ? children_path(word + 1) : word);
        argv[count] = paths[count];
    }
    pid_t pid = children_start("out", argv);
    if (!children_wait(pid, WAIT_NS)) {
        fprintf(stderr, "caisson %s: %s\n", words[0], children_read("out.log"));
        exit(1);
    }
    return children_read("out.log");
}
#define RUN(...) run((const char *const[]){__VA_ARGS__, NULL})

/* The word of a text that has so many characters of hex. */
static void find_hex(const char *text, size_t digits, char *target)
{
    for (const char *at = text; *at != 0;) {
        size_t size = strspn(at, "0123456789abcdef");
        if (size == digits) {
            memcpy(target, at, size);
            target[size] = 0;
            return;
        }
        at += size != 0 ? size : 1;
    }
    bench_require(false, "no such number in what caisson printed");
}

static void write_text(const char *name, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void write_text(const char *name, const char *format, ...)
{
    va_list arguments;
    char *text = NULL;
    va_start(arguments, format);
    int size = vasprintf(&text, format, arguments);
    va_end(arguments);
    bench_require(size >= 0, "no memory");
    children_write(name, text, (size_t)size);
    free(text);
}

static void write_settings(uint16_t port, const char *root, bool rings)
{
    char measured[97];
    find_hex(RUN("measure", image), 96, measured);
    write_text("policy.toml",
               "formats = [\"caisson\"]\n[caisson]\nmeasurements = [\"%s\"]\n"
               "platforms = [\"software\"]\ninsecure_dev = true\nsoftware_roots = [\"%s\"]\n",
               measured, root);
    write_text("pkcs11.conf",
               "gateway = http://127.0.0.1:%u\npolicy = policy.toml\ncredential = app.key\n"
               "%s",
               port, rings ? "rings = rings.sock\n" : "");
    setenv("CAISSON_PKCS11_CONF", children_path("pkcs11.conf"), 1);
}

void pkcs11_token_start_transit(const char *backend, bool rings)
{
    char folder[PATH_MAX];
    char root[65];
    uint16_t port = children_port();
    sealed_folder(folder);
    snprintf(caisson, sizeof caisson, "%s/../caisson", folder);
    snprintf(image, sizeof image, "%s/../enclaves/transit.elf", folder);
    RUN("keygen", "signer", "@signer.key");
    find_hex(RUN("keygen", "root", "@root.key"), 64, root);
    RUN("keygen", "tenant", "@tenant.key");
    RUN("keygen", "producer", "--tenant", "@tenant.key", "--keys", "@app.key");
    RUN("sign", image, "--key", "@signer.key", "-o", "@image.sig");
    write_text("serve.json",
               "{\"listeners\": [{\"port\": %u}],\n"
               " \"services\": [{\"name\": \"transit\", \"image\": \"%s\", \"signature\": "
               "\"image.sig\",\n   \"backend\": \"%s\", \"control\": \"control.sock\", "
               "\"rings\": \"rings.sock\",\n   \"evidence\": {\"root\": \"root.key\"}}]}\n",
               port, image, backend);
    write_settings(port, root, rings);
    const char *argv[] = {caisson, "serve", children_path("serve.json"), NULL};
    children_await(children_start("serve", argv), port, "serve");
    RUN("grant", "--control", "@control.sock", "--tenant", "@tenant.key", "--no-policy",
        "--version", "1", "--image", image, "--insecure-dev", "--root", root, "--statement",
        "@statement");
}

const char *pkcs11_token_softhsm(void)
{
    static const char *const places[] = {"/usr/lib/softhsm/libsofthsm2.so",
                                         "/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so"};
    const char *util = children_find("softhsm2-util");
    const char *found = NULL;
    for (size_t i = 0; found == NULL && i < 2; i++) {
        found = access(places[i], R_OK) == 0 ? places[i] : NULL;
    }
    if (util == NULL || found == NULL) {
        return NULL;
    }
    char folder[PATH_MAX];
    snprintf(folder, sizeof folder, "%s", children_path("."));
    write_text("softhsm2.conf",
               "directories.tokendir = %s\nobjectstore.backend = file\nlog.level = ERROR\n",
               folder);
    setenv("SOFTHSM2_CONF", children_path("softhsm2.conf"), 1);
    const char *argv[] = {util,    "--init-token", "--free",   "--label", "bench",
                          "--pin", "1234",         "--so-pin", "1234",    NULL};
    bench_require(children_wait(children_start("softhsm", argv), WAIT_NS), "no SoftHSM2 token");
    return found;
}

/* ---- keys ---- */

static CK_BBOOL yes = CK_TRUE;

static void make_pair(struct pkcs11_token *token, CK_MECHANISM_TYPE type, void *curve,
                      CK_ULONG curve_size, bool derives, char *label, CK_OBJECT_HANDLE pair[2])
{
    struct ck_mechanism mechanism = {type, NULL, 0};
    struct ck_attribute public_items[] = {
        {CKA_EC_PARAMS, curve, curve_size}, {CKA_TOKEN, &yes, 1}, {CKA_VERIFY, &yes, 1}};
    struct ck_attribute private_items[] = {{CKA_TOKEN, &yes, 1},
                                           {CKA_LABEL, label, strlen(label)},
                                           {derives ? CKA_DERIVE : CKA_SIGN, &yes, 1}};
    PKCS11_NEED(token->calls->C_GenerateKeyPair(token->session, &mechanism, public_items, 3,
                                                private_items, 3, &pair[0], &pair[1]));
}

static CK_OBJECT_HANDLE make_secret(struct pkcs11_token *token, CK_MECHANISM_TYPE type,
                                    CK_ATTRIBUTE_TYPE one, CK_ATTRIBUTE_TYPE other, char *label)
{
    CK_ULONG size = 32;
    CK_OBJECT_HANDLE made = 0;
    struct ck_mechanism mechanism = {type, NULL, 0};
    struct ck_attribute items[] = {{CKA_TOKEN, &yes, 1},
                                   {CKA_LABEL, label, strlen(label)},
                                   {CKA_VALUE_LEN, &size, sizeof size},
                                   {one, &yes, 1},
                                   {other, &yes, 1}};
    PKCS11_NEED(token->calls->C_GenerateKey(token->session, &mechanism, items, 5, &made));
    return made;
}

static void make_keys(struct pkcs11_token *token)
{
    static CK_BYTE p256[] = {6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7};
    static CK_BYTE p384[] = {6, 5, 0x2b, 0x81, 4, 0, 0x22};
    static CK_BYTE ed[] = {19, 12, 'e', 'd', 'w', 'a', 'r', 'd', 's', '2', '5', '5', '1', '9'};
    static char labels[][8] = {"p256", "p384", "ed", "agree", "aes", "mac"};
    make_pair(token, CKM_EC_KEY_PAIR_GEN, p256, sizeof p256, false, labels[0],
              token->pairs[PKCS11_P256]);
    make_pair(token, CKM_EC_KEY_PAIR_GEN, p384, sizeof p384, false, labels[1],
              token->pairs[PKCS11_P384]);
    make_pair(token, CKM_EC_EDWARDS_KEY_PAIR_GEN, ed, sizeof ed, false, labels[2],
              token->pairs[PKCS11_ED25519]);
    make_pair(token, CKM_EC_KEY_PAIR_GEN, p256, sizeof p256, true, labels[3], token->agree);
    token->aes = make_secret(token, CKM_AES_KEY_GEN, CKA_ENCRYPT, CKA_DECRYPT, labels[4]);
    token->mac = make_secret(token, CKM_GENERIC_SECRET_KEY_GEN, CKA_SIGN, CKA_VERIFY, labels[5]);
    struct ck_attribute point = {CKA_EC_POINT, token->point, sizeof token->point};
    PKCS11_NEED(token->calls->C_GetAttributeValue(token->session, token->agree[0], &point, 1));
    token->point_size = point.size;
}

/* The gateway takes a moment after the grant. */
static void await_keys(const struct pkcs11_token *token)
{
    const struct timespec pause = {.tv_nsec = 50000000};
    uint64_t until = bench_wall_ns() + WAIT_NS;
    CK_RV rv;
    while ((rv = token->calls->C_FindObjectsInit(token->session, NULL, 0)) != CKR_OK &&
           bench_wall_ns() < until) {
        nanosleep(&pause, NULL);
    }
    pkcs11_token_need(rv, "nobody shows its keys");
    PKCS11_NEED(token->calls->C_FindObjectsFinal(token->session));
}

void pkcs11_token_open(struct pkcs11_token *token, const char *library)
{
    CK_RV (*get)(struct ck_functions * *list);
    CK_SLOT_ID slots[8];
    CK_ULONG count = 8;
    CK_BYTE pin[] = "1234";
    void *module = dlopen(library, RTLD_NOW | RTLD_LOCAL);
    if (module == NULL) {
        fprintf(stderr, "pkcs11: %s\n", dlerror());
        exit(1);
    }
    *(void **)&get = dlsym(module, "C_GetFunctionList");
    PKCS11_NEED(get(&token->calls));
    PKCS11_NEED(token->calls->C_Initialize(NULL));
    PKCS11_NEED(token->calls->C_GetSlotList(CK_TRUE, slots, &count));
    token->slot = slots[0];
    PKCS11_NEED(token->calls->C_OpenSession(token->slot, CKF_SERIAL_SESSION | CKF_RW_SESSION, NULL,
                                            NULL, &token->session));
    PKCS11_NEED(token->calls->C_Login(token->session, CKU_USER, pin, 4));
    await_keys(token);
    make_keys(token);
}
