/* SPDX-License-Identifier: Apache-2.0 */
/* verb_cmw.c: `caisson cmw`: evidence into a RATS conceptual message wrapper, and out of one. */
#include "envelope.h"
#include <stdlib.h>
#include <string.h>

static const char help[] =
    "usage: caisson cmw wrap --type T [--form json|cbor|tag] FILE [-o FILE]\n"
    "       caisson cmw open FILE [-o FILE] [--json]\n"
    "\n"
    "Wraps evidence in a RATS conceptual message wrapper (RFC 9999), the envelope that "
    "attestation\n"
    "services exchange, and takes it out again. `caisson verify` opens wrappers by itself.\n"
    "\n"
    "  --type T           what the evidence is: snp tdx sgx nitro cca azure-snp azure-tdx gcs-jwt\n"
    "                     tpm caisson; it becomes the media type\n"
    "  --form F           json (default), cbor, or tag (only for gcs-jwt)\n"
    "  -o, --output FILE  where the result goes (default: stdout)\n"
    "  --json             open: print what the type says, too, and the evidence in hex\n"
    "\n"
    "A wrapper is signed by nobody: what it says of its contents is a hint.\n"
    "\n"
    "Example\n"
    "  caisson cmw wrap --type nitro document.cose -o document.cmw\n"
    "  caisson cmw open document.cmw -o document.cose\n"
    "\n"
    "Exit codes: 0 ok, 1 file not readable or writable, 2 usage, 3 not a wrapper of one piece of\n"
    "evidence.\n";

struct cmw {
    const char *type;
    const char *form;
    const char *output;
    bool json;
    uint8_t *bytes; /* what was read; freed with the process */
    size_t size;
};

static int print_json(uint32_t format, const uint8_t *bytes, size_t size)
{
    printf("{\"format\":\"%s\",\"size\":%zu,\"evidence\":\"", csv_format_name(format), size);
    cli_print_hex(stdout, bytes, size);
    puts("\"}");
    return CLI_OK;
}

static int finish(const struct cmw *cmw, const void *bytes, size_t size)
{
    const char *path = cmw->output != NULL ? cmw->output : "-";
    return cli_write_file(path, bytes, size, false) ? CLI_OK : CLI_FAILURE;
}

static int open_wrapper(const struct cmw *cmw)
{
    size_t size = 0;
    uint32_t format = CSV_FORMAT_AUTO;
    uint8_t *evidence = malloc(cmw->size + 1); /* a wrapper is larger than what it holds */
    if (evidence == NULL) {
        return cli_fail(CLI_FAILURE, "out of memory");
    }
    csn_err err = csv_cmw_open(cmw->bytes, cmw->size, evidence, cmw->size, &size, &format);
    int code = err != CSN_OK ? cli_fail(CLI_INVALID, "not a wrapper of one piece of evidence")
               : cmw->json && cmw->output == NULL ? print_json(format, evidence, size)
                                                  : finish(cmw, evidence, size);
    if (code == CLI_OK && cmw->json && cmw->output != NULL) {
        code = print_json(format, evidence, size);
    }
    free(evidence);
    return code;
}

static int wrap(const struct cmw *cmw)
{
    struct cli_envelope envelope = {csv_format_number(cmw->type), cmw->form, "--form"};
    uint8_t *made = NULL;
    size_t size = 0;
    if (cmw->type == NULL || envelope.format == CSV_FORMAT_AUTO || envelope.format == UINT32_MAX) {
        return cli_fail(CLI_USAGE, "wrap wants --type T, what the evidence is; see --help");
    }
    int code = cli_envelope_make(&envelope, cmw->bytes, cmw->size, &made, &size);
    if (code == CLI_OK) {
        code = finish(cmw, made, size);
        free(made);
    }
    return code;
}

static int run(int argc, char **argv)
{
    struct cmw cmw = {0};
    const struct cli_option options[] = {
        {"--type", &cmw.type, NULL},     {"--form", &cmw.form, NULL}, {"-o", &cmw.output, NULL},
        {"--output", &cmw.output, NULL}, {"--json", NULL, &cmw.json},
    };
    const char *operands[2];
    size_t count;
    bool done;
    int code = cli_options(&cli_cmw, argc, argv, options, sizeof options / sizeof options[0],
                           operands, 2, &count, &done);
    if (code != CLI_OK || done) {
        return code;
    }
    bool opens = count == 2 && strcmp(operands[0], "open") == 0;
    if (!opens && (count != 2 || strcmp(operands[0], "wrap") != 0)) {
        return cli_fail(CLI_USAGE, "wants wrap or open, and a FILE");
    }
    cmw.bytes = cli_read_file(operands[1], CSV_PART_SIZE_MAX, &cmw.size);
    if (cmw.bytes == NULL) {
        return CLI_FAILURE;
    }
    code = opens ? open_wrapper(&cmw) : wrap(&cmw);
    free(cmw.bytes);
    return code;
}

const struct cli_verb cli_cmw = {.name = "cmw",
                                 .summary = "put evidence into an envelope, or take it out",
                                 .help = help,
                                 .run = run};
