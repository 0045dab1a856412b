/* SPDX-License-Identifier: Apache-2.0 */
/* predict_snp.c: `caisson predict snp`: launch digest and ID block of an SEV-SNP guest. */
#include "predict.h"
#include "predict/snp_id.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const char help[] =
    "usage: caisson predict snp --firmware FILE [--kernel FILE [--initrd FILE] [--append TEXT]]\n"
    "           [--vcpus N] [--vcpu-type NAME | --vcpu-signature HEX] [--guest-features HEX]\n"
    "           [--vmm qemu|ec2|gce] [--firmware-digest HEX] [--id-block FILE --id-auth FILE]\n"
    "           [--json]\n\n"
    "Prints the launch digest that reports of such a guest carry as MEASUREMENT. Give each input\n"
    "as the host will: a kernel only where the host loads it directly.\n\n"
    "  $ caisson predict snp --firmware OVMF.fd --vcpus 4 --vcpu-type EPYC-Milan\n"
    "  $ caisson predict snp --firmware OVMF.fd --kernel vmlinuz --initrd initrd.img \\\n"
    "        --append 'console=ttyS0' --vcpus 2 --vcpu-type EPYC-v4 --guest-features 0x1\n"
    "  $ caisson predict snp --id-block block.bin --id-auth auth.bin --json\n\n"
    "  --firmware FILE          OVMF built with SNP support; whole, as it is mapped below 4 GiB\n"
    "  --firmware-digest HEX    the digest over the firmware's pages, where only the last of them\n"
    "                           are at hand\n"
    "  --kernel, --initrd FILE  loaded by the host; their hashes are measured\n"
    "  --append TEXT            the kernel's command line\n"
    "  --vcpus N                1 to 4096; 1 if not given\n"
    "  --vcpu-type NAME         QEMU's name: EPYC, EPYC-Rome, EPYC-Milan, EPYC-Genoa, -vN allowed\n"
    "  --vcpu-signature HEX     CPUID 1 EAX instead; needed for qemu if no type is given\n"
    "  --guest-features HEX     SEV_FEATURES; 0x1 if not given\n"
    "  --vmm NAME               who starts the guest; qemu if not given\n"
    "  --id-block, --id-auth    check an ID block, print its key digests; with --firmware, its\n"
    "                           digest must be the one computed\n\n"
    "Exit codes: 0 ok, 1 file not readable, 2 usage, 3 a file refused or a signature wrong.\n";

struct wish {
    const char *firmware;
    const char *firmware_digest;
    const char *kernel;
    const char *initrd;
    const char *append;
    const char *vcpus;
    const char *type;
    const char *signature;
    const char *features;
    const char *host;
    const char *block;
    const char *auth;
    bool json;
};

/* Files, and what was made of them. */
struct work {
    uint8_t *files[5];
    uint8_t firmware_digest[48];
    struct csv_snp_launch launch;
    bool digest_made;
    uint8_t digest[48];
    bool id_read;
    struct csv_snp_id id;
};

static int parse_hex_number(const char *option, const char *text, uint64_t maximum, uint64_t *value)
{
    char *end;
    errno = 0;
    unsigned long long number = strtoull(text, &end, 16);
    bool plain = text[0] != '-' && text[0] != '+' && text[0] != ' ';
    if (!plain || end == text || *end != 0 || errno != 0 || number > maximum) {
        return cli_fail(CLI_USAGE, "%s wants a hexadecimal number, not '%s'", option, text);
    }
    *value = number;
    return CLI_OK;
}

static int parse_host(const char *name, enum csv_snp_host *host)
{
    static const char *const names[] = {"qemu", "ec2", "gce"};
    for (unsigned i = 0; i < 3; i++) {
        if (name == NULL || strcmp(name, names[i]) == 0) {
            *host = (enum csv_snp_host)i;
            return CLI_OK;
        }
    }
    return cli_fail(CLI_USAGE, "--vmm wants qemu, ec2 or gce, not '%s'", name);
}

static int parse_cpu(const struct wish *wish, struct csv_snp_launch *launch)
{
    uint64_t signature = 0;
    if (wish->type != NULL && wish->signature != NULL) {
        return cli_fail(CLI_USAGE, "--vcpu-type and --vcpu-signature exclude each other");
    }
    if (wish->type != NULL) {
        signature = csv_snp_cpuid_signature(wish->type);
        if (signature == 0) {
            return cli_fail(CLI_USAGE, "unknown --vcpu-type %s; give --vcpu-signature", wish->type);
        }
    } else if (wish->signature != NULL) {
        int code = parse_hex_number("--vcpu-signature", wish->signature, UINT32_MAX, &signature);
        if (code != CLI_OK) {
            return code;
        }
    } else if (launch->host == CSV_SNP_HOST_QEMU) {
        return cli_fail(CLI_USAGE, "which processor? --vcpu-type or --vcpu-signature");
    }
    launch->cpuid_signature = (uint32_t)signature;
    return CLI_OK;
}

static int parse_launch(const struct wish *wish, struct work *work)
{
    struct csv_snp_launch *launch = &work->launch;
    uint64_t vcpus = 1;
    int code = parse_host(wish->host, &launch->host);
    launch->features = CSV_SNP_FEATURES_BASE;
    launch->command_line = wish->append;
    if (wish->kernel == NULL && (wish->initrd != NULL || wish->append != NULL)) {
        return cli_fail(CLI_USAGE, "--initrd and --append are of a --kernel");
    }
    if (code == CLI_OK) {
        code = parse_cpu(wish, launch);
    }
    if (code == CLI_OK && wish->vcpus != NULL) {
        code = cli_number("--vcpus", wish->vcpus, 1, CSV_SNP_VCPU_MAX, &vcpus);
    }
    if (code == CLI_OK && wish->features != NULL) {
        code = parse_hex_number("--guest-features", wish->features, UINT64_MAX, &launch->features);
    }
    if (code == CLI_OK && wish->firmware_digest != NULL) {
        code = cli_hex("--firmware-digest", wish->firmware_digest, work->firmware_digest, 48);
        launch->firmware_digest = work->firmware_digest;
    }
    launch->vcpu_count = (uint32_t)vcpus;
    return code;
}

static bool load(uint8_t **file, const char *path, struct csv_bytes *bytes)
{
    if (path == NULL) {
        return true;
    }
    *file = cli_read_file(path, CSV_SNP_FIRMWARE_MAX, &bytes->size);
    bytes->at = *file;
    return *file != NULL;
}

static int compute_digest(const struct wish *wish, struct work *work)
{
    struct csv_snp_launch *launch = &work->launch;
    const char *why;
    int code = parse_launch(wish, work);
    if (code != CLI_OK) {
        return code;
    }
    if (!load(&work->files[0], wish->firmware, &launch->firmware) ||
        !load(&work->files[1], wish->kernel, &launch->kernel) ||
        !load(&work->files[2], wish->initrd, &launch->initrd)) {
        return CLI_FAILURE;
    }
    launch->kernel_given = wish->kernel != NULL;
    if (!csv_snp_launch_digest(launch, work->digest, &why)) {
        return cli_fail(CLI_INVALID, "%s: %s", wish->firmware, why);
    }
    work->digest_made = true;
    return CLI_OK;
}

static int read_id(const struct wish *wish, struct work *work)
{
    struct csv_bytes block;
    struct csv_bytes auth;
    const char *why;
    if (wish->block == NULL || wish->auth == NULL) {
        return cli_fail(CLI_USAGE, "--id-block and --id-auth belong together");
    }
    if (!load(&work->files[3], wish->block, &block) || !load(&work->files[4], wish->auth, &auth)) {
        return CLI_FAILURE;
    }
    if (!csv_snp_id_read(block, auth, &work->id, &why)) {
        return cli_fail(CLI_INVALID, "%s: %s", wish->block, why);
    }
    work->id_read = true;
    return CLI_OK;
}

static void print_field(bool json, const char *name, const uint8_t *bytes, size_t size, bool first)
{
    if (json) {
        printf("%s\"%s\":\"", first ? "" : ",", name);
    } else {
        printf("%-18s ", name);
    }
    cli_print_hex(stdout, bytes, size);
    fputs(json ? "\"" : "\n", stdout);
}

static const char *signed_text(bool good, bool json)
{
    return good ? (json ? "true" : "valid") : (json ? "false" : "NOT VALID");
}

static void print_id(const struct csv_snp_id *id, bool json, bool first)
{
    print_field(json, "id_measurement", id->measurement, 48, first);
    print_field(json, "family_id", id->family_id, 16, false);
    print_field(json, "image_id", id->image_id, 16, false);
    print_field(json, "id_key_digest", id->id_key_digest, 48, false);
    if (id->author_given) {
        print_field(json, "author_key_digest", id->author_key_digest, 48, false);
    }
    printf(json ? ",\"guest_svn\":%u,\"policy\":\"0x%llx\",\"id_block_signed\":%s"
                : "guest_svn          %u\npolicy             0x%llx\nid_block_signed    %s\n",
           id->guest_svn, (unsigned long long)id->policy, signed_text(id->block_signed, json));
    if (id->author_given) {
        printf(json ? ",\"id_key_signed\":%s" : "id_key_signed      %s\n",
               signed_text(id->key_signed, json));
    }
}

static int finish(const struct wish *wish, const struct work *work)
{
    if (wish->json) {
        putchar('{');
        if (work->digest_made) {
            print_field(true, "measurement", work->digest, 48, true);
        }
        if (work->id_read) {
            print_id(&work->id, true, !work->digest_made);
        }
        puts("}");
    } else if (work->id_read) {
        if (work->digest_made) {
            print_field(false, "measurement", work->digest, 48, true);
        }
        print_id(&work->id, false, true);
    } else {
        cli_print_hex(stdout, work->digest, 48);
        putchar('\n');
    }
    if (!work->id_read) {
        return CLI_OK;
    }
    if (work->digest_made && memcmp(work->digest, work->id.measurement, 48) != 0) {
        return cli_fail(CLI_INVALID, "the ID block is of another launch digest");
    }
    bool good = work->id.block_signed && (!work->id.author_given || work->id.key_signed);
    return good ? CLI_OK : cli_fail(CLI_INVALID, "a signature of the ID block is not valid");
}

static int run(int argc, char **argv)
{
    struct wish wish = {0};
    struct work work = {0};
    bool done;
    size_t count;
    const struct cli_option options[] = {
        {"--firmware", &wish.firmware, NULL},
        {"--firmware-digest", &wish.firmware_digest, NULL},
        {"--kernel", &wish.kernel, NULL},
        {"--initrd", &wish.initrd, NULL},
        {"--append", &wish.append, NULL},
        {"--vcpus", &wish.vcpus, NULL},
        {"--vcpu-type", &wish.type, NULL},
        {"--vcpu-signature", &wish.signature, NULL},
        {"--guest-features", &wish.features, NULL},
        {"--vmm", &wish.host, NULL},
        {"--id-block", &wish.block, NULL},
        {"--id-auth", &wish.auth, NULL},
        {"--json", NULL, &wish.json},
    };
    int code = cli_options(&cli_predict_snp, argc, argv, options,
                           sizeof options / sizeof options[0], NULL, 0, &count, &done);
    if (code != CLI_OK || done) {
        return code;
    }
    if (wish.firmware == NULL && wish.block == NULL && wish.auth == NULL) {
        return cli_fail(CLI_USAGE, "what? --firmware FILE, or --id-block and --id-auth");
    }
    if (wish.firmware != NULL) {
        code = compute_digest(&wish, &work);
    }
    if (code == CLI_OK && (wish.block != NULL || wish.auth != NULL)) {
        code = read_id(&wish, &work);
    }
    if (code == CLI_OK) {
        code = finish(&wish, &work);
    }
    for (size_t i = 0; i < 5; i++) {
        free(work.files[i]);
    }
    return code;
}

const struct cli_verb cli_predict_snp = {
    .name = "predict snp",
    .summary = "launch digest of an SEV-SNP guest",
    .help = help,
    .run = run,
};
