/* SPDX-License-Identifier: Apache-2.0 */
/* verb_evidence.c: `caisson evidence`: asks a running enclave's host for a bundle. */
#include "cli.h"
#include "control.h"
#include "envelope.h"
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char help[] =
    "usage: caisson evidence --control SOCKET --nonce HEX [--cmw json|cbor] [-o FILE]\n"
    "\n"
    "Asks a running `caisson run` for evidence over your nonce: 32 bytes (64 hex digits) that you\n"
    "chose at random just now, so that old evidence cannot pass for new. Evidence proves nothing\n"
    "until `caisson verify` has appraised it with the same nonce.\n"
    "\n"
    "  --control SOCKET   as given to caisson run; it has five seconds to appear\n"
    "  --nonce HEX        64 hex digits\n"
    "  --cmw FORM         put the bundle into a RATS conceptual message wrapper (RFC 9999), json\n"
    "                     or cbor; `caisson verify` opens it by itself\n"
    "  -o, --output FILE  where the bundle goes (default: stdout)\n"
    "  --json             print one JSON object with it in hex\n"
    "\n"
    "Example\n"
    "  nonce=$(openssl rand -hex 32)\n"
    "  caisson evidence --control run.sock --nonce $nonce -o bundle\n"
    "  caisson verify bundle --nonce $nonce --image echo.elf --insecure-dev --root $root\n";

struct request {
    const char *control;
    const char *nonce_text;
    const char *form; /* of the wrapper; NULL: none */
    const char *output;
    bool json;
    uint8_t nonce[32];
};

static int deliver(const struct request *request, const uint8_t *bytes, size_t size)
{
    const char *path = request->output != NULL ? request->output : "-";
    if ((request->output != NULL || !request->json) && !cli_write_file(path, bytes, size, false)) {
        return CLI_FAILURE;
    }
    if (request->json) {
        fputs("{\"nonce\":\"", stdout);
        cli_print_hex(stdout, request->nonce, sizeof request->nonce);
        printf("\",\"size\":%zu,\"evidence\":\"", size);
        cli_print_hex(stdout, bytes, size);
        puts("\"}");
    }
    return CLI_OK;
}

static int deliver_wrapped(const struct request *request, const uint8_t *bundle, size_t size)
{
    struct cli_envelope envelope = {CSV_FORMAT_CAISSON, request->form, "--cmw"};
    uint8_t *made = NULL;
    size_t made_size = 0;
    int code = cli_envelope_make(&envelope, bundle, size, &made, &made_size);
    if (code == CLI_OK) {
        code = deliver(request, made, made_size);
        free(made);
    }
    return code;
}

static int ask(const struct request *request)
{
    uint32_t size = 0;
    int fd = cli_control_connect(request->control);
    if (fd < 0) {
        return CLI_FAILURE;
    }
    uint8_t *bundle =
        cli_control_call(fd, CSN_CONTROL_EVIDENCE, request->nonce, sizeof request->nonce, &size);
    int code = bundle == NULL          ? CLI_FAILURE
               : request->form != NULL ? deliver_wrapped(request, bundle, size)
                                       : deliver(request, bundle, size);
    free(bundle);
    close(fd);
    return code;
}

static int run(int argc, char **argv)
{
    struct request request = {0};
    const struct cli_option options[] = {
        {"--control", &request.control, NULL}, {"--nonce", &request.nonce_text, NULL},
        {"--cmw", &request.form, NULL},        {"-o", &request.output, NULL},
        {"--output", &request.output, NULL},   {"--json", NULL, &request.json},
    };
    const char *operands[1];
    size_t count;
    bool done;
    int code = cli_options(&cli_evidence, argc, argv, options, sizeof options / sizeof options[0],
                           operands, 0, &count, &done);
    if (code != CLI_OK || done) {
        return code;
    }
    if (request.control == NULL || request.nonce_text == NULL) {
        return cli_fail(CLI_USAGE, "wants --control SOCKET and --nonce HEX");
    }
    if (request.form != NULL && strcmp(request.form, "json") != 0 &&
        strcmp(request.form, "cbor") != 0) {
        return cli_fail(CLI_USAGE, "--cmw wants json or cbor");
    }
    code = cli_hex("--nonce", request.nonce_text, request.nonce, sizeof request.nonce);
    return code == CLI_OK ? ask(&request) : code;
}

const struct cli_verb cli_evidence = {
    .name = "evidence", .summary = "ask a running enclave for evidence", .help = help, .run = run};
