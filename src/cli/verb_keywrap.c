/* SPDX-License-Identifier: Apache-2.0 */
/* verb_keywrap.c: `caisson keywrap`: a key's secret half, sealed for the transit enclave. */
#include "appraise.h"
#include "evidence_input.h"
#include "key_secret.h"
#include <caisson/wire/transit.h>
#include <cjson/cJSON.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

static const char help[] =
    "usage: caisson keywrap --import-key FILE --tenant ID --name NAME --key-type TYPE\n"
    "                       SECRET (--evidence FILE --image ELF … | --unverified)\n"
    "\n"
    "Seals the secret half of a key that was made elsewhere to a transit enclave, and prints the\n"
    "body of the request that imports it. Who carries that body to the enclave need not be "
    "trusted\n"
    "with the secret: it is bound to tenant, name and type, and the enclave alone opens it.\n"
    "\n"
    "  --import-key FILE    the answer of GET /v1/transit/import-key; or its public key alone, in\n"
    "                       base64, which can only be used with --unverified (\"-\": stdin)\n"
    "  --tenant ID          whose key it will be: 64 hex digits, as caisson keygen tenant prints\n"
    "  --name NAME          the key's name, 1 to 63 of A-Z a-z 0-9 . _ -\n"
    "  --key-type TYPE      aes-256, hmac, ff1, ed25519, p-256, p-384, x25519 or ml-kem-768\n"
    "  SECRET               a file that nobody else may read, or \"-\": the bare bytes; of "
    "ed25519,\n"
    "                       p-256, p-384 and x25519 also PEM (PKCS#8, SEC 1), no passphrase\n"
    "  --json               changes nothing: the output is JSON\n"
    "\n"
    "Whose import key it is\n"
    "The enclave states its import key under the key that its evidence names. With evidence that\n"
    "is checked, and nothing is sealed to a key of anybody else:\n" CLI_EVIDENCE_INPUT_HELP
    "  --policy FILE        what is accepted (docs/POLICY.md); or, without a "
    "file:\n" CLI_APPRAISE_HELP
    "  --unverified         seal without that check: whoever gave you the import key may then be\n"
    "                       the one who reads the secret\n"
    "\n"
    "Exit codes: 0 sealed, 1 failure, 2 usage, 3 evidence or import key refused, 4 not checked.\n"
    "\n"
    "Example, through a proxy of an officer at 127.0.0.1:8390\n"
    "  curl -s http://127.0.0.1:8390/v1/transit/import-key > import-key\n"
    "  caisson keywrap --import-key import-key --tenant $tenant --name web --key-type p-256 \\\n"
    "      web.pem --evidence bundle --nonce $nonce --image transit.elf --insecure-dev \\\n"
    "      --root $root |\n"
    "      curl -s http://127.0.0.1:8390/v1/transit/keys/web/import \\\n"
    "          -H content-type:application/json -d @-\n";

#define STATEMENT_LABEL "caisson-import-key-v1"
#define ANSWER_SIZE_MAX (UINT64_C(64) << 10)
#define SEALED_MAX      (CSV_KEY_SECRET_MAX + CSV_KEY_BESIDE)
#define BASE64_SIZE(n)  (((n) + 2) / 3 * 4)

struct wish {
    const char *import_key;
    const char *tenant_text;
    const char *name;
    const char *type_text;
    bool unverified;
    bool json;
    uint8_t tenant[32];
    uint32_t type;
    struct cli_appraise appraise;
    struct cli_evidence_input in;
};

struct import_key {
    bool stated;
    uint8_t public_key[32];
    uint8_t statement[64];
};

/* ---- the import key ---- */

/* Base64 of exactly size bytes, at most 64, and as it would be written: libcrypto reads others. */
static bool read_base64(const char *text, size_t text_size, uint8_t *bytes, size_t size)
{
    uint8_t read[66];
    uint8_t again[BASE64_SIZE(64) + 1];
    if (text_size != BASE64_SIZE(size) ||
        EVP_DecodeBlock(read, (const uint8_t *)text, (int)text_size) < 0) {
        return false;
    }
    EVP_EncodeBlock(again, read, (int)size);
    memcpy(bytes, read, size);
    return memcmp(again, text, text_size) == 0;
}

static bool read_member(const cJSON *object, const char *name, uint8_t *bytes, size_t size)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, name);
    return cJSON_IsString(item) &&
           read_base64(item->valuestring, strlen(item->valuestring), bytes, size);
}

static int read_import_key(const char *path, struct import_key *key)
{
    size_t size = 0;
    char *text = (char *)cli_read_file(path, ANSWER_SIZE_MAX, &size);
    if (text == NULL) {
        return CLI_FAILURE;
    }
    bool good;
    cJSON *object = cJSON_ParseWithLength(text, size);
    if (cJSON_IsObject(object)) {
        key->stated = cJSON_GetObjectItemCaseSensitive(object, "statement") != NULL;
        good = read_member(object, "public_key", key->public_key, 32) &&
               (!key->stated || read_member(object, "statement", key->statement, 64));
    } else {
        good = read_base64(text, strcspn(text, "\r\n"), key->public_key, 32);
    }
    cJSON_Delete(object);
    free(text);
    return good ? CLI_OK
                : cli_fail(CLI_FAILURE, "%s: not the answer of GET /v1/transit/import-key", path);
}

/* ---- whose it is ---- */

static int check_statement(const struct wish *wish, const struct import_key *key,
                           const struct csv_verdict *verdict)
{
    uint8_t bytes[64];
    memcpy(bytes, wish->tenant, 32);
    memcpy(bytes + 32, key->public_key, 32);
    csn_err err =
        csv_verdict_statement_check(verdict, STATEMENT_LABEL, bytes, sizeof bytes, key->statement);
    if (err == CSN_OK) {
        return CLI_OK;
    }
    return err == CSN_ERR_AUTH
               ? cli_fail(CLI_INVALID,
                          "%s: the instance that the evidence is of did not state "
                          "this import key for this tenant",
                          wish->import_key)
               : cli_fail(CLI_UNVERIFIED, "the statement was not checked: %s", csn_err_name(err));
}

static int check(struct wish *wish, const struct import_key *key)
{
    struct csv_verdict *verdict = NULL;
    if (!key->stated) {
        return cli_fail(CLI_UNVERIFIED, "%s has no statement to check", wish->import_key);
    }
    int code = cli_appraise_policy(&wish->appraise);
    code = code == CLI_OK ? cli_evidence_input_read(&wish->in) : code;
    if (code != CLI_OK) {
        return code;
    }
    csn_err err = csv_appraise(wish->appraise.policy, wish->in.input, wish->in.format, &verdict);
    if (verdict == NULL) {
        return cli_fail(CLI_UNVERIFIED, "not appraised: %s", csn_err_name(err));
    }
    if (csv_verdict_result(verdict) == CSV_VALID) {
        code = check_statement(wish, key, verdict);
    } else {
        code = cli_appraise_report(verdict, stderr, false, false);
    }
    csv_verdict_free(verdict);
    return code;
}

static int check_or_say(struct wish *wish, const struct import_key *key)
{
    if (!wish->unverified) {
        return wish->in.evidence != NULL
                   ? check(wish, key)
                   : cli_fail(CLI_UNVERIFIED, "whose import key this is was not checked, and "
                                              "nothing sealed: give --evidence and what you "
                                              "accept, or --unverified");
    }
    if (wish->in.evidence != NULL) {
        return cli_fail(CLI_USAGE, "--evidence and --unverified exclude one another");
    }
    return cli_fail(CLI_OK, "warning: whose import key this is was not checked");
}

/* ---- sealing ---- */

static int wrap(const struct wish *wish, const struct import_key *key, const char *path)
{
    uint8_t sealed[SEALED_MAX];
    uint8_t text[BASE64_SIZE(SEALED_MAX) + 1];
    struct cli_key_secret secret = {0};
    struct csv_key_target target = {.name = wish->name, .type = wish->type};
    memcpy(target.import_key, key->public_key, 32);
    memcpy(target.tenant, wish->tenant, 32);
    int code = cli_key_secret_read(path, wish->type, &secret);
    if (code == CLI_OK) {
        csn_err err = csv_key_seal(&target, secret.bytes, secret.size, sealed);
        code = err == CSN_OK ? CLI_OK
                             : cli_fail(CLI_FAILURE, "not sealed: %s",
                                        err == CSN_ERR_AUTH ? "the import key is no public key"
                                                            : csn_err_name(err));
    }
    if (code == CLI_OK) {
        EVP_EncodeBlock(text, sealed, (int)(secret.size + CSV_KEY_BESIDE));
        printf("{\"type\":\"%s\",\"sealed\":\"%s\"}\n", wish->type_text, (const char *)text);
    }
    explicit_bzero(&secret, sizeof secret);
    return code;
}

/* ---- the command ---- */

static int read_wish(struct wish *wish, const char *path)
{
    static const char characters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                     "0123456789._-";
    size_t size = strlen(wish->name);
    wish->type = cli_key_type(wish->type_text);
    if (wish->type == 0) {
        return cli_fail(CLI_USAGE, "--key-type: no such type of key: %s", wish->type_text);
    }
    if (size == 0 || size >= CSN_WIRE_TRANSIT_NAME_SIZE || strspn(wish->name, characters) != size) {
        return cli_fail(CLI_USAGE, "--name wants 1 to 63 of A-Z a-z 0-9 . _ -");
    }
    if (strcmp(path, "-") == 0 && strcmp(wish->import_key, "-") == 0) {
        return cli_fail(CLI_USAGE, "stdin can be the import key or the secret, not both");
    }
    return cli_hex("--tenant", wish->tenant_text, wish->tenant, sizeof wish->tenant);
}

static int run(int argc, char **argv)
{
    static struct wish wish;
    struct import_key key = {0};
    const struct cli_option options[] = {
        CLI_APPRAISE_OPTIONS(wish.appraise),
        CLI_EVIDENCE_INPUT_OPTIONS(wish.in),
        {"--policy", &wish.appraise.policy_path, NULL},
        {"--import-key", &wish.import_key, NULL},
        {"--tenant", &wish.tenant_text, NULL},
        {"--name", &wish.name, NULL},
        {"--key-type", &wish.type_text, NULL},
        {"--unverified", NULL, &wish.unverified},
        {"--json", NULL, &wish.json},
    };
    const char *path = NULL;
    size_t count;
    bool done;
    int code = cli_options(&cli_keywrap, argc, argv, options, sizeof options / sizeof options[0],
                           &path, 1, &count, &done);
    if (code != CLI_OK || done) {
        return code;
    }
    if (count != 1 || wish.import_key == NULL || wish.tenant_text == NULL || wish.name == NULL ||
        wish.type_text == NULL) {
        return cli_fail(CLI_USAGE,
                        "wants --import-key, --tenant, --name, --key-type and the file of "
                        "the secret; see caisson keywrap --help");
    }
    code = read_wish(&wish, path);
    code = code == CLI_OK ? cli_client_init() : code;
    code = code == CLI_OK ? read_import_key(wish.import_key, &key) : code;
    code = code == CLI_OK ? check_or_say(&wish, &key) : code;
    return code == CLI_OK ? wrap(&wish, &key, path) : code;
}

const struct cli_verb cli_keywrap = {.name = "keywrap",
                                     .summary = "seal a key from elsewhere for a transit enclave",
                                     .help = help,
                                     .run = run};
