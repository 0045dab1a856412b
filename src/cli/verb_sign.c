/* SPDX-License-Identifier: Apache-2.0 */
/* verb_sign.c: `caisson sign`: a detached Ed25519 signature of a measured image. */
#include "cli.h"
#include "image_file.h"
#include "seed.h"
#include <stdlib.h>
#include <string.h>

static const char help[] =
    "usage: caisson sign IMAGE --key SEEDFILE [-o IMAGE.sig] [--json]\n\n"
    "Signs what the image measures to, with its name, security version and flags. The image is "
    "not\n"
    "touched: the signature is a file of its own, 192 bytes. The signer id is the public key.\n\n"
    "  $ caisson keygen signer signer.key\n"
    "  $ caisson sign hello.elf --key signer.key        # writes hello.elf.sig\n"
    "  $ caisson inspect hello.elf --signature hello.elf.sig\n\n"
    "An image that a loader would refuse is not signed.\n\n"
    "Exit codes: 0 ok, 1 file or key not readable, 2 usage, 3 image refused.\n";

/* IMAGE.sig, malloc'd. */
static char *default_target(const char *image)
{
    size_t size = strlen(image);
    char *target = malloc(size + sizeof ".sig");
    if (target != NULL) {
        memcpy(target, image, size);
        memcpy(target + size, ".sig", sizeof ".sig");
    }
    return target;
}

static void print_json(const char *path, const char *target,
                       const struct csn_wire_signature *signature)
{
    fputs("{\"image\":", stdout);
    cli_json_string(stdout, path);
    fputs(",\"signature\":", stdout);
    cli_json_string(stdout, target);
    fputs(",\"signer\":\"", stdout);
    cli_print_hex(stdout, signature->signer_key, sizeof signature->signer_key);
    fputs("\",\"measurement\":\"", stdout);
    cli_print_hex(stdout, signature->measurement, sizeof signature->measurement);
    printf("\",\"security_version\":%u}\n", signature->security_version);
}

static int sign(const char *path, const char *key, const char *target, bool json)
{
    uint8_t seed[32];
    struct cli_image file;
    struct csn_wire_signature signature;
    int code = cli_image_read(path, &file, json);
    if (code != CLI_OK) {
        return code;
    }
    if (!cli_seed_read(key, CLI_SEED_SIGNER, seed)) {
        cli_image_free(&file);
        return CLI_FAILURE;
    }
    csn_signature_make(&signature, &file.image, file.measurement, seed);
    explicit_bzero(seed, sizeof seed);
    cli_image_free(&file);
    /* A signature that does not verify here would only be found out far away. */
    if (csn_signature_verify(&signature, sizeof signature) != CSN_OK) {
        return cli_fail(CLI_FAILURE, "the signature made does not verify: nothing written");
    }
    if (!cli_write_file(target, &signature, sizeof signature, false)) {
        return CLI_FAILURE;
    }
    if (json && strcmp(target, "-") != 0) {
        print_json(path, target, &signature);
    } else {
        fputs("signer ", stderr);
        cli_print_hex(stderr, signature.signer_key, sizeof signature.signer_key);
        fprintf(stderr, "\nwrote  %s\n", target);
    }
    return CLI_OK;
}

static int run(int argc, char **argv)
{
    bool json = false;
    bool done;
    const char *path = NULL;
    const char *key = NULL;
    const char *target = NULL;
    size_t count;
    const struct cli_option options[] = {
        {"--json", NULL, &json}, {"--key", &key, NULL}, {"-o", &target, NULL}};
    int code = cli_options(&cli_sign, argc, argv, options, 3, &path, 1, &count, &done);
    if (code != CLI_OK || done) {
        return code;
    }
    if (count != 1 || key == NULL) {
        return cli_fail(CLI_USAGE, "wants an image and a key: caisson sign IMAGE --key SEEDFILE");
    }
    char *made = target == NULL ? default_target(path) : NULL;
    if (target == NULL && made == NULL) {
        return cli_fail(CLI_FAILURE, "out of memory");
    }
    code = sign(path, key, made ? made : target, json);
    free(made);
    return code;
}

const struct cli_verb cli_sign = {
    .name = "sign",
    .summary = "sign an image's measurement with an Ed25519 key",
    .help = help,
    .run = run,
};
