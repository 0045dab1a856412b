/* SPDX-License-Identifier: Apache-2.0 */
/* pkcs11.c: libcaisson-pkcs11.so with keys in an enclave, beside SoftHSM2 in this process. */
#include "children.h"
#include "measure.h"
#include "pkcs11_token.h"
#include "sealed.h"
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const char help[] =
    "usage: pkcs11 [--json] [--seconds N] [--ordinary] [--backend NAME] [--http]\n\n"
    "Each operation of PKCS #11 through the same calls of two modules: libcaisson-pkcs11.so, "
    "whose\n"
    "keys are in a transit enclave of a gateway on this machine, and SoftHSM2 (Debian's "
    "softhsm2),\n"
    "whose keys are in this process and its files. Keys are of the token on both sides. Time is\n"
    "that of the clock, of one thread that waits for each answer.\n"
    "  --backend NAME  process (default) or kvm\n"
    "  --http          through the gateway's HTTP, not its rings\n\n";

#define SLICE_NS UINT64_C(8000000)
#define TEXT_MAX 4096u

struct side {
    struct pkcs11_token token;
    CK_BYTE text[TEXT_MAX];
    CK_BYTE output[TEXT_MAX + 256];
    CK_BYTE sealed[TEXT_MAX + 256];
    CK_ULONG sealed_size, text_size;
    CK_MECHANISM_TYPE mechanism;
    CK_OBJECT_HANDLE key;
};

static struct side ours, other;

/* ---- what is measured: one of it ---- */

static void sign(struct side *side)
{
    struct ck_mechanism mechanism = {side->mechanism, NULL, 0};
    const struct pkcs11_token *token = &side->token;
    side->sealed_size = sizeof side->sealed;
    PKCS11_NEED(token->calls->C_SignInit(token->session, &mechanism, side->key));
    PKCS11_NEED(token->calls->C_Sign(token->session, side->text, side->text_size, side->sealed,
                                     &side->sealed_size));
}

static void verify(struct side *side)
{
    struct ck_mechanism mechanism = {side->mechanism, NULL, 0};
    const struct pkcs11_token *token = &side->token;
    PKCS11_NEED(token->calls->C_VerifyInit(token->session, &mechanism, side->key));
    PKCS11_NEED(token->calls->C_Verify(token->session, side->text, side->text_size, side->sealed,
                                       side->sealed_size));
}

static CK_BYTE iv[12] = {1};
static struct ck_gcm_params gcm = {iv, sizeof iv, 96, NULL, 0, 128};

static void encrypt(struct side *side)
{
    struct ck_mechanism mechanism = {CKM_AES_GCM, &gcm, sizeof gcm};
    const struct pkcs11_token *token = &side->token;
    side->sealed_size = sizeof side->sealed;
    PKCS11_NEED(token->calls->C_EncryptInit(token->session, &mechanism, token->aes));
    PKCS11_NEED(token->calls->C_Encrypt(token->session, side->text, side->text_size, side->sealed,
                                        &side->sealed_size));
}

static void decrypt(struct side *side)
{
    struct ck_mechanism mechanism = {CKM_AES_GCM, &gcm, sizeof gcm};
    const struct pkcs11_token *token = &side->token;
    CK_ULONG size = sizeof side->output;
    PKCS11_NEED(token->calls->C_DecryptInit(token->session, &mechanism, token->aes));
    PKCS11_NEED(token->calls->C_Decrypt(token->session, side->sealed, side->sealed_size,
                                        side->output, &size));
}

static void derive(struct side *side)
{
    static CK_BBOOL no = CK_FALSE;
    static CK_BBOOL yes = CK_TRUE;
    static CK_ULONG kind = CKO_SECRET_KEY;
    static CK_ULONG type = CKK_GENERIC_SECRET;
    static CK_ULONG size = 32;
    struct pkcs11_token *token = &side->token;
    struct ck_ecdh1_derive_params params = {1 /* CKD_NULL */, 0, NULL, token->point_size,
                                            token->point};
    struct ck_mechanism mechanism = {CKM_ECDH1_DERIVE, &params, sizeof params};
    struct ck_attribute items[] = {{CKA_CLASS, &kind, sizeof kind},
                                   {CKA_KEY_TYPE, &type, sizeof type},
                                   {CKA_TOKEN, &no, 1},
                                   {CKA_SENSITIVE, &no, 1},
                                   {CKA_EXTRACTABLE, &yes, 1},
                                   {CKA_VALUE_LEN, &size, sizeof size}};
    CK_OBJECT_HANDLE made = 0;
    PKCS11_NEED(
        token->calls->C_DeriveKey(token->session, &mechanism, token->agree[1], items, 6, &made));
    PKCS11_NEED(token->calls->C_DestroyObject(token->session, made));
}

static void digest(struct side *side)
{
    struct ck_mechanism mechanism = {CKM_SHA256, NULL, 0};
    const struct pkcs11_token *token = &side->token;
    CK_ULONG size = sizeof side->output;
    PKCS11_NEED(token->calls->C_DigestInit(token->session, &mechanism));
    PKCS11_NEED(
        token->calls->C_Digest(token->session, side->text, side->text_size, side->output, &size));
}

static void random_bytes(struct side *side)
{
    PKCS11_NEED(side->token.calls->C_GenerateRandom(side->token.session, side->output, 32));
}

static void find(struct side *side)
{
    static CK_ULONG kind = CKO_PRIVATE_KEY;
    static char label[] = "p256";
    const struct pkcs11_token *token = &side->token;
    struct ck_attribute items[] = {{CKA_CLASS, &kind, sizeof kind}, {CKA_LABEL, label, 4}};
    CK_OBJECT_HANDLE found = 0;
    CK_ULONG count = 0;
    PKCS11_NEED(token->calls->C_FindObjectsInit(token->session, items, 2));
    PKCS11_NEED(token->calls->C_FindObjects(token->session, &found, 1, &count));
    PKCS11_NEED(token->calls->C_FindObjectsFinal(token->session));
    bench_require(count == 1, "pkcs11: a key is not found");
}

static void attributes(struct side *side)
{
    CK_BYTE point[80];
    const struct pkcs11_token *token = &side->token;
    struct ck_attribute item = {CKA_EC_POINT, point, sizeof point};
    PKCS11_NEED(token->calls->C_GetAttributeValue(token->session, token->agree[0], &item, 1));
}

static void session(struct side *side)
{
    const struct pkcs11_token *token = &side->token;
    CK_SESSION_HANDLE opened = 0;
    PKCS11_NEED(token->calls->C_OpenSession(token->slot, CKF_SERIAL_SESSION, NULL, NULL, &opened));
    PKCS11_NEED(token->calls->C_CloseSession(opened));
}

static void make_key(struct side *side)
{
    static CK_BBOOL yes = CK_TRUE;
    static CK_ULONG size = 32;
    const struct pkcs11_token *token = &side->token;
    struct ck_mechanism mechanism = {CKM_AES_KEY_GEN, NULL, 0};
    struct ck_attribute items[] = {{CKA_TOKEN, &yes, 1}, {CKA_VALUE_LEN, &size, sizeof size}};
    CK_OBJECT_HANDLE made = 0;
    PKCS11_NEED(token->calls->C_GenerateKey(token->session, &mechanism, items, 2, &made));
    PKCS11_NEED(token->calls->C_DestroyObject(token->session, made));
}

/* ---- slices ---- */

/* ns of one, of a slice of at least SLICE_NS and one operation. */
static double slice(struct side *side, void (*one)(struct side *side))
{
    uint64_t start = bench_wall_ns();
    uint64_t length = bench_scaled(SLICE_NS);
    uint64_t count = 0;
    uint64_t now;
    do {
        one(side);
        count++;
        now = bench_wall_ns();
    } while (now - start < length);
    return (double)(now - start) / (double)count;
}

static void measure(const char *what, void (*one)(struct side *side))
{
    static struct bench_samples samples;
    const struct bench_row row = {.goal = 26,
                                  .what = what,
                                  .ours = "keys in an enclave",
                                  .other = "SoftHSM2",
                                  .kind = BENCH_FASTER,
                                  .target = 1};
    memset(&samples, 0, sizeof samples);
    size_t pairs = bench_pairs(SLICE_NS);
    one(&ours);
    one(&other);
    for (size_t i = 0; i < pairs; i++) {
        samples.real_time = bench_real_time(true);
        samples.ours[i] = slice(&ours, one);
        samples.other[i] = slice(&other, one);
        bench_real_time(false);
    }
    samples.count = pairs;
    bench_report(&row, &samples);
}

static void use(CK_MECHANISM_TYPE mechanism, CK_ULONG size, CK_OBJECT_HANDLE our_key,
                CK_OBJECT_HANDLE other_key)
{
    ours.mechanism = other.mechanism = mechanism;
    ours.text_size = other.text_size = size;
    ours.key = our_key;
    other.key = other_key;
}

static void measure_pair(enum pkcs11_pair pair, CK_MECHANISM_TYPE mechanism, const char *signing,
                         const char *verifying)
{
    use(mechanism, 32, ours.token.pairs[pair][1], other.token.pairs[pair][1]);
    measure(signing, sign);
    use(mechanism, 32, ours.token.pairs[pair][0], other.token.pairs[pair][0]);
    measure(verifying, verify);
}

static void measure_all(void)
{
    static const struct {
        CK_ULONG size;
        const char *encrypting, *decrypting;
    } sizes[] = {{64, "encrypt 64 bytes", "decrypt 64 bytes"},
                 {1024, "encrypt 1 KiB", "decrypt 1 KiB"},
                 {4096, "encrypt 4 KiB", "decrypt 4 KiB"}};
    measure_pair(PKCS11_P256, CKM_ECDSA, "P-256 sign", "P-256 verify");
    measure_pair(PKCS11_P384, CKM_ECDSA, "P-384 sign", "P-384 verify");
    measure_pair(PKCS11_ED25519, CKM_EDDSA, "Ed25519 sign", "Ed25519 verify");
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        use(CKM_AES_GCM, sizes[i].size, 0, 0);
        measure(sizes[i].encrypting, encrypt);
        measure(sizes[i].decrypting, decrypt);
    }
    use(CKM_SHA256_HMAC, 64, ours.token.mac, other.token.mac);
    measure("HMAC of 64 bytes", sign);
    measure("HMAC of 64 bytes, verify", verify);
    measure("P-256 ECDH", derive);
    measure("AES key made, deleted", make_key);
    measure("SHA-256 of 64 bytes", digest);
    measure("32 random bytes", random_bytes);
    measure("find a key", find);
    measure("read a public half", attributes);
    measure("session", session);
}

/* --backend NAME and --http, which bench_begin() does not know, are taken out. */
static void read_arguments(int *argc, char **argv, const char **backend, bool *http)
{
    int kept = 1;
    for (int i = 1; i < *argc; i++) {
        if (strcmp(argv[i], "--backend") == 0 && i + 1 < *argc) {
            *backend = argv[++i];
        } else if (strcmp(argv[i], "--http") == 0) {
            *http = true;
        } else {
            argv[kept++] = argv[i];
        }
    }
    argv[kept] = NULL;
    *argc = kept;
}

int main(int argc, char **argv)
{
    const char *backend = "process";
    bool http = false;
    char folder[PATH_MAX];
    char module[PATH_MAX + 64];
    read_arguments(&argc, argv, &backend, &http);
    bench_begin(argc, argv, help);
    const char *softhsm = pkcs11_token_softhsm();
    if (softhsm == NULL) {
        fprintf(stderr, "pkcs11: SoftHSM2 is not here (Debian: softhsm2)\n");
        return 0;
    }
    sealed_folder(folder);
    snprintf(module, sizeof module, "%s/../src/pkcs11/libcaisson-pkcs11.so", folder);
    bool urgent = bench_real_time(true); /* what is started now stays in that class */
    pkcs11_token_start_transit(backend, !http);
    if (urgent) {
        bench_real_time(false);
    }
    pkcs11_token_open(&ours.token, module);
    pkcs11_token_open(&other.token, softhsm);
    memset(ours.text, 0x5a, sizeof ours.text);
    memset(other.text, 0x5a, sizeof other.text);
    measure_all();
    PKCS11_NEED(ours.token.calls->C_Finalize(NULL));
    PKCS11_NEED(other.token.calls->C_Finalize(NULL));
    return 0;
}
