/* SPDX-License-Identifier: Apache-2.0 */
/* verb_inspect.c: `caisson inspect`: what an image says and is, and who signed it. */
#include "cli.h"
#include "image_file.h"
#include <stdlib.h>
#include <string.h>

static const char help[] =
    "usage: caisson inspect IMAGE [--signature IMAGE.sig] [--json]\n\n"
    "Shows an image as the loader sees it: measurement, manifest, segments with their "
    "permissions;\n"
    "with --signature also who signed it, and whether the signature is genuine and about this "
    "very\n"
    "image. Where the loader would refuse, the reason and the offset in the file are printed.\n\n"
    "  $ caisson inspect build/enclaves/echo.elf\n"
    "  $ caisson inspect hello.elf --signature hello.elf.sig\n\n"
    "A good signature says who signed. Whether that signer counts is the verifier's policy\n"
    "(caisson verify --help).\n\n"
    "Exit codes: 0 ok, 1 file not readable, 2 usage, 3 image refused or signature not good.\n";

struct value {
    const char *name;
    uint64_t value;
};
#define VALUE_COUNT 22u

static void list_values(const struct csn_wire_manifest *m, struct value values[VALUE_COUNT])
{
    const struct value all[VALUE_COUNT] = {
        {"abi_version", m->abi_version},
        {"security_version", m->security_version},
        {"stack_size", m->stack_size},
        {"pool_size", m->pool_size},
        {"worker_count", m->worker_count},
        {"channel_count", m->channel_count},
        {"input_line_count", m->input_line_count},
        {"output_line_count", m->output_line_count},
        {"input_size_max", m->input_size_max},
        {"output_size_max", m->output_size_max},
        {"outputs_per_input_max", m->outputs_per_input_max},
        {"tenant_count_max", m->tenant_count_max},
        {"context_count_max", m->context_count_max},
        {"credential_count_max", m->credential_count_max},
        {"consumer_count_max", m->consumer_count_max},
        {"policy_size_max", m->policy_size_max},
        {"tenant_state_size", m->tenant_state_size},
        {"scratch_size", m->scratch_size},
        {"output_scale", m->output_scale},
        {"output_extra", m->output_extra},
        {"worker_state_size", m->worker_state_size},
        {"held_max", m->held_max},
    };
    memcpy(values, all, sizeof all);
}

static const struct {
    uint32_t bit;
    const char *name;
} flag_names[] = {{CSN_WIRE_FLAG_DEBUG, "debug"},
                  {CSN_WIRE_FLAG_SINGLE_TENANT, "single-tenant"},
                  {CSN_WIRE_FLAG_DETERMINISTIC, "deterministic"},
                  {CSN_WIRE_FLAG_STORE, "store"}};

static void print_permissions(uint32_t permissions, char text[4])
{
    text[0] = permissions & CSN_IMAGE_READ ? 'r' : '-';
    text[1] = permissions & CSN_IMAGE_WRITE ? 'w' : '-';
    text[2] = permissions & CSN_IMAGE_EXECUTE ? 'x' : '-';
    text[3] = 0;
}

/* Signature beside an image: what was found. */
struct signed_by {
    bool given;
    struct csn_wire_signature signature;
    const char *verdict; /* "good", or what is wrong */
};

static int read_signature(const char *path, const struct cli_image *file, struct signed_by *by)
{
    size_t size;
    uint8_t *bytes = cli_read_file(path, 65536, &size);
    if (bytes == NULL) {
        return CLI_FAILURE;
    }
    by->given = true;
    if (size == sizeof by->signature) {
        memcpy(&by->signature, bytes, size);
    }
    free(bytes);
    csn_err error = csn_signature_verify(&by->signature, size);
    if (error == CSN_ERR_FORMAT) {
        by->verdict = "not a signature file";
    } else if (error != CSN_OK) {
        by->verdict = "forged or damaged: the key does not fit the fields";
    } else if (csn_signature_match(&by->signature, &file->image, file->measurement) != CSN_OK) {
        by->verdict = "genuine, but about another image";
    } else {
        by->verdict = "good";
        return CLI_OK;
    }
    return cli_fail(CLI_INVALID, "%s: %s", path, by->verdict);
}

static void print_text(const struct cli_image *file, const struct signed_by *by)
{
    const struct csn_image *image = &file->image;
    struct value values[VALUE_COUNT];
    char name[CSN_WIRE_NAME_SIZE + 1];
    char permissions[4];
    cli_image_name(image, name);
    printf("name                   %s\nmeasurement            ", name);
    cli_print_hex(stdout, file->measurement, sizeof file->measurement);
    printf("\nflags                 ");
    for (size_t i = 0; i < sizeof flag_names / sizeof flag_names[0]; i++) {
        printf("%s%s", image->manifest.flags & flag_names[i].bit ? " " : "",
               image->manifest.flags & flag_names[i].bit ? flag_names[i].name : "");
    }
    printf("%s\n", image->manifest.flags == 0 ? " none" : "");
    list_values(&image->manifest, values);
    for (size_t i = 0; i < VALUE_COUNT; i++) {
        printf("%-22s %llu\n", values[i].name, (unsigned long long)values[i].value);
    }
    printf("entry                  0x%llx\n\nsegments   address            memory      file\n",
           (unsigned long long)image->entry);
    for (uint32_t i = 0; i < image->segment_count; i++) {
        print_permissions(image->segments[i].permissions, permissions);
        printf("  %s      0x%-14llx %9llu %9llu\n", permissions,
               (unsigned long long)image->segments[i].address,
               (unsigned long long)image->segments[i].memory_size,
               (unsigned long long)image->segments[i].file_size);
    }
    if (by->given) {
        printf("\nsignature              %s\nsigner                 ", by->verdict);
        cli_print_hex(stdout, by->signature.signer_key, sizeof by->signature.signer_key);
        putchar('\n');
    }
    puts("\nThe loader takes this image.");
}

static void print_manifest_json(const struct csn_image *image)
{
    struct value values[VALUE_COUNT];
    list_values(&image->manifest, values);
    fputs(",\"flags\":[", stdout);
    bool first = true;
    for (size_t i = 0; i < sizeof flag_names / sizeof flag_names[0]; i++) {
        if (image->manifest.flags & flag_names[i].bit) {
            printf("%s\"%s\"", first ? "" : ",", flag_names[i].name);
            first = false;
        }
    }
    fputs("],\"manifest\":{", stdout);
    for (size_t i = 0; i < VALUE_COUNT; i++) {
        printf("%s\"%s\":%llu", i ? "," : "", values[i].name, (unsigned long long)values[i].value);
    }
    putchar('}');
}

static void print_json(const struct cli_image *file, const struct signed_by *by)
{
    const struct csn_image *image = &file->image;
    char name[CSN_WIRE_NAME_SIZE + 1];
    char permissions[4];
    cli_image_name(image, name);
    fputs("{\"name\":", stdout);
    cli_json_string(stdout, name);
    fputs(",\"measurement\":\"", stdout);
    cli_print_hex(stdout, file->measurement, sizeof file->measurement);
    putchar('"');
    print_manifest_json(image);
    printf(",\"entry\":%llu,\"segments\":[", (unsigned long long)image->entry);
    for (uint32_t i = 0; i < image->segment_count; i++) {
        print_permissions(image->segments[i].permissions, permissions);
        printf("%s{\"permissions\":\"%s\",\"address\":%llu,\"memory_size\":%llu,"
               "\"file_size\":%llu}",
               i ? "," : "", permissions, (unsigned long long)image->segments[i].address,
               (unsigned long long)image->segments[i].memory_size,
               (unsigned long long)image->segments[i].file_size);
    }
    putchar(']');
    if (by->given) {
        fputs(",\"signature\":", stdout);
        cli_json_string(stdout, by->verdict);
        fputs(",\"signer\":\"", stdout);
        cli_print_hex(stdout, by->signature.signer_key, sizeof by->signature.signer_key);
        putchar('"');
    }
    puts("}");
}

static int run(int argc, char **argv)
{
    bool json = false;
    const char *signature = NULL;
    const struct cli_option options[] = {{"--json", NULL, &json},
                                         {"--signature", &signature, NULL}};
    struct cli_image file;
    struct signed_by by = {.given = false};
    int code = cli_image_begin(&cli_inspect, argc, argv, options, 2, &json, &file);
    if (code != CLI_OK || file.bytes == NULL) {
        return code;
    }
    if (signature != NULL) {
        code = read_signature(signature, &file, &by);
    }
    if (code != CLI_FAILURE) {
        (json ? print_json : print_text)(&file, &by);
    }
    cli_image_free(&file);
    return code;
}

const struct cli_verb cli_inspect = {
    .name = "inspect",
    .summary = "show an image's manifest, segments and signature",
    .help = help,
    .run = run,
};
