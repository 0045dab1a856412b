/* SPDX-License-Identifier: Apache-2.0 */
/* verb_model.c: `caisson model`: a model's weights to a sealed file, and what such a file is. */
#include "cli.h"
#include "pack/pack.h"
#include "seed.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static const char help[] =
    "usage: caisson model pack --key KEYFILE MODEL OUTPUT [--force] [--json]\n"
    "       caisson model show FILE [--key KEYFILE] [--json]\n"
    "\n"
    "pack seals a model's weights into a file that a host may keep: chunks of AES-256-GCM under a\n"
    "key of the file's own, which only the key file leads to. What it prints is the digest: a\n"
    "policy names the file by it, the grant carries the key to the measured enclave, and the\n"
    "evidence of that enclave then says the digest. MODEL is GGUF, or boosted trees as XGBoost\n"
    "(JSON or UBJSON) or LightGBM (text) saves them, which are packed on the way. A GGUF is laid\n"
    "out for the enclave's kernels. What an enclave would not take is refused, with the reason\n"
    "and the place. If OUTPUT is a folder, the file gets the name that an enclave asks for: its\n"
    "digest.\n"
    "\n"
    "show prints what a sealed file says of itself, and its digest; with the key it also opens "
    "all\n"
    "of it and holds the content to what the packer sealed.\n"
    "\n"
    "  --key FILE           from `caisson keygen weights FILE`; one key may do for many files\n"
    "  --force              overwrite an existing file\n"
    "  --json               print one JSON object\n"
    "\n"
    "Exit codes: 0 ok, 1 failure, 2 usage, 3 not a sealed file, damaged, or of another key.\n"
    "\n"
    "Example\n"
    "  caisson keygen weights weights.key\n"
    "  caisson model pack --key weights.key fraud.ubj store/\n"
    "  caisson model show store/5d09... --key weights.key\n";

struct wish {
    const char *key;
    bool force;
    bool json;
};

/* ---- pack ---- */

struct source {
    void *bytes;
    size_t size;
};

/* Mapped, for it may be larger than what this program should hold. */
static bool map(const char *path, struct source *source)
{
    struct stat status;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    bool good = fd >= 0 && fstat(fd, &status) == 0;
    if (good && status.st_size > 0) {
        source->size = (size_t)status.st_size;
        source->bytes = mmap(NULL, source->size, PROT_READ, MAP_PRIVATE, fd, 0);
        good = source->bytes != MAP_FAILED;
    }
    if (!good) {
        cli_fail(0, "%s: %s", path, strerror(errno));
    } else if (source->size == 0) {
        cli_fail(0, "%s: empty", path);
        good = false;
    }
    if (fd >= 0) {
        close(fd);
    }
    return good;
}

/* Where the file is written first: beside its place, or in the folder. */
static char *temporary_name(const char *output, bool is_folder)
{
    const size_t size = strlen(output) + 16;
    char *name = malloc(size);
    if (name != NULL) {
        snprintf(name, size, is_folder ? "%s/.pack.XXXXXX" : "%s.XXXXXX", output);
    }
    return name;
}

static char *final_name(const char *output, bool is_folder, const uint8_t digest[32])
{
    const size_t length = strlen(output);
    char *name = malloc(length + 2 + 64 + 1);
    if (name != NULL) {
        memcpy(name, output, length + 1);
        if (is_folder) {
            name[length] = '/';
            for (size_t i = 0; i < 32; i++) {
                snprintf(name + length + 1 + 2 * i, 3, "%02x", digest[i]);
            }
        }
    }
    return name;
}

/* In one step, and over nothing that is there already unless that is wanted. */
static bool put_in_place(const char *made, const char *name, bool force)
{
    bool good = force ? rename(made, name) == 0 : link(made, name) == 0;
    if (!good) {
        cli_fail(0, "%s: %s%s", name, strerror(errno),
                 errno == EEXIST ? "; --force overwrites it" : "");
    }
    return good;
}

/* *name: of the file that was written; malloc'd. */
static bool write_file(const struct csn_pack_content *content, const uint8_t key[32],
                       const char *output, bool force, uint8_t digest[32], char **name)
{
    struct stat status;
    const bool is_folder = stat(output, &status) == 0 && S_ISDIR(status.st_mode);
    char *made = temporary_name(output, is_folder);
    int fd = made != NULL ? mkstemp(made) : -1;
    if (fd < 0) {
        cli_fail(0, "%s: %s", output, strerror(errno));
        free(made);
        return false;
    }
    csn_err err = csn_pack_seal(content, key, fd, digest);
    bool good = err == CSN_OK && fchmod(fd, 0644) == 0 && fsync(fd) == 0;
    if (!good) {
        cli_fail(0, "%s: %s", output,
                 err == CSN_OK || err == CSN_ERR_SYSTEM ? strerror(errno) : csn_err_name(err));
    }
    good = close(fd) == 0 && good;
    *name = good ? final_name(output, is_folder, digest) : NULL;
    good = *name != NULL && put_in_place(made, *name, force);
    unlink(made);
    free(made);
    return good;
}

static const char *kind_name(uint32_t kind)
{
    return kind == CSN_WIRE_WEIGHTS_TREES ? "trees" : "gguf";
}

static void print(const struct wish *wish, const char *path, uint32_t kind, uint64_t size,
                  const uint8_t digest[32])
{
    if (wish->json) {
        fputs("{\"file\":", stdout);
        cli_json_string(stdout, path);
        printf(",\"kind\":\"%s\",\"size\":%llu,\"digest\":\"", kind_name(kind),
               (unsigned long long)size);
        cli_print_hex(stdout, digest, 32);
        printf("\",\"opened\":%s}\n", wish->key != NULL ? "true" : "false");
        return;
    }
    cli_print_hex(stdout, digest, 32);
    putchar('\n');
    fprintf(stderr, "%s: %s, %llu bytes\n", path, kind_name(kind), (unsigned long long)size);
}

static int pack(const struct wish *wish, const char *input, const char *output)
{
    struct source source = {0};
    struct csn_pack_content content = {0};
    struct csn_import_fault fault;
    uint8_t key[CSN_WEIGHTS_KEY_SIZE];
    uint8_t digest[32];
    char *name = NULL;
    if (!cli_seed_read(wish->key, CLI_SEED_WEIGHTS, key) || !map(input, &source)) {
        return CLI_FAILURE;
    }
    int code = CLI_FAILURE;
    const char *format = csn_pack_format_name(csn_pack_format_of(source.bytes, source.size));
    if (csn_pack_content(source.bytes, source.size, &content, &fault) != CSN_OK) {
        cli_fail(0, "%s: %s: %s: %s", input, format, csn_import_reason_name(fault.reason),
                 fault.place);
    } else if (write_file(&content, key, output, wish->force, digest, &name)) {
        print(wish, name, content.kind, content.size, digest);
        code = CLI_OK;
    }
    explicit_bzero(key, sizeof key);
    free(name);
    free(content.made);
    munmap(source.bytes, source.size);
    return code;
}

/* ---- show ---- */

static int fail_file(const char *path, csn_err err)
{
    return err == CSN_ERR_SYSTEM || err == CSN_ERR_MEMORY
               ? cli_fail(CLI_FAILURE, "%s: %s", path, strerror(errno))
               : cli_fail(CLI_INVALID, "%s: %s", path,
                          err == CSN_ERR_AUTH ? "damaged, or sealed under another key"
                                              : "not a sealed file of this version, or cut");
}

/* All of it, as an enclave would, and the content too. */
static csn_err open_all(int fd, const struct csn_wire_weights *header, const uint8_t key[32],
                        const uint8_t digest[32])
{
    struct csn_wire_weights_ref ref = {.kind = header->kind, .flags = CSN_WIRE_WEIGHTS_CHECK};
    uint64_t size = 0;
    csn_err err = CSN_ERR_MEMORY;
    memcpy(ref.digest, digest, 32);
    memcpy(ref.key, key, 32);
    void *memory = mmap(NULL, header->content_size, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory != MAP_FAILED) {
        err = csn_pack_open(fd, &ref, memory, header->content_size, &size);
        explicit_bzero(memory, size);
        munmap(memory, header->content_size);
    }
    explicit_bzero(&ref, sizeof ref);
    return err;
}

static int show(const struct wish *wish, const char *path)
{
    struct csn_wire_weights header;
    uint8_t digest[32];
    uint8_t key[CSN_WEIGHTS_KEY_SIZE];
    if (wish->key != NULL && !cli_seed_read(wish->key, CLI_SEED_WEIGHTS, key)) {
        return CLI_FAILURE;
    }
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return cli_fail(CLI_FAILURE, "%s: %s", path, strerror(errno));
    }
    csn_err err = csn_pack_digest(fd, &header, digest);
    if (err == CSN_OK && wish->key != NULL) {
        err = lseek(fd, 0, SEEK_SET) == 0 ? open_all(fd, &header, key, digest) : CSN_ERR_SYSTEM;
    }
    explicit_bzero(key, sizeof key);
    close(fd);
    if (err != CSN_OK) {
        return fail_file(path, err);
    }
    print(wish, path, header.kind, header.content_size, digest);
    return CLI_OK;
}

static int run(int argc, char **argv)
{
    static struct wish wish;
    const struct cli_option options[] = {
        {"--key", &wish.key, NULL},
        {"--force", NULL, &wish.force},
        {"--json", NULL, &wish.json},
    };
    const char *operands[3];
    size_t count;
    bool done;
    int code = cli_options(&cli_model, argc, argv, options, sizeof options / sizeof options[0],
                           operands, 3, &count, &done);
    if (code != CLI_OK || done) {
        return code;
    }
    code = cli_client_init();
    if (code != CLI_OK) {
        return code;
    }
    if (count == 3 && strcmp(operands[0], "pack") == 0 && wish.key != NULL) {
        return pack(&wish, operands[1], operands[2]);
    }
    if (count == 2 && strcmp(operands[0], "show") == 0) {
        return show(&wish, operands[1]);
    }
    return cli_fail(
        CLI_USAGE, "wants pack --key KEYFILE MODEL OUTPUT, or show FILE; see caisson model --help");
}

const struct cli_verb cli_model = {
    .name = "model", .summary = "seal a model's weights for an enclave", .help = help, .run = run};
