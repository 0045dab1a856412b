/* SPDX-License-Identifier: Apache-2.0 */
/* verb_evidence.c: `caisson evidence`: asks a running enclave's host for a bundle. */
#include "cli.h"
#include "control.h"
#include <stdlib.h>
#include <unistd.h>

static const char help[] =
    "usage: caisson evidence --control SOCKET --nonce HEX [-o FILE]\n"
    "\n"
    "Asks a running `caisson run` for evidence over your nonce: 32 bytes (64 hex digits) that you\n"
    "chose at random just now, so that old evidence cannot pass for new. Evidence proves nothing\n"
    "until `caisson verify` has appraised it with the same nonce.\n"
    "\n"
    "  --control SOCKET   as given to caisson run; it has five seconds to appear\n"
    "  --nonce HEX        64 hex digits\n"
    "  -o, --output FILE  where the bundle goes (default: stdout)\n"
    "  --json             print one JSON object with the bundle in hex\n"
    "\n"
    "Example\n"
    "  nonce=$(openssl rand -hex 32)\n"
    "  caisson evidence --control run.sock --nonce $nonce -o bundle\n"
    "  caisson verify bundle --nonce $nonce --image echo.elf --insecure-dev --root $root\n";

static int print_json(const uint8_t *nonce, const uint8_t *bundle, uint32_t size)
{
    fputs("{\"nonce\":\"", stdout);
    cli_print_hex(stdout, nonce, 32);
    printf("\",\"size\":%u,\"evidence\":\"", size);
    cli_print_hex(stdout, bundle, size);
    puts("\"}");
    return CLI_OK;
}

static int run(int argc, char **argv)
{
    const char *control = NULL;
    const char *nonce_text = NULL;
    const char *output = NULL;
    bool json = false;
    const struct cli_option options[] = {
        {"--control", &control, NULL}, {"--nonce", &nonce_text, NULL}, {"-o", &output, NULL},
        {"--output", &output, NULL},   {"--json", NULL, &json},
    };
    const char *operands[1];
    size_t count;
    bool done;
    uint8_t nonce[32];
    int code = cli_options(&cli_evidence, argc, argv, options, sizeof options / sizeof options[0],
                           operands, 0, &count, &done);
    if (code != CLI_OK || done) {
        return code;
    }
    if (control == NULL || nonce_text == NULL) {
        return cli_fail(CLI_USAGE, "wants --control SOCKET and --nonce HEX");
    }
    code = cli_hex("--nonce", nonce_text, nonce, sizeof nonce);
    if (code != CLI_OK) {
        return code;
    }
    int fd = cli_control_connect(control);
    uint32_t size = 0;
    uint8_t *bundle =
        fd < 0 ? NULL : cli_control_call(fd, CLI_CONTROL_EVIDENCE, nonce, sizeof nonce, &size);
    bool good = bundle != NULL;
    if (good && (output != NULL || !json)) {
        good = cli_write_file(output != NULL ? output : "-", bundle, size, false);
    } else if (good) {
        print_json(nonce, bundle, size);
    }
    if (good && json && output != NULL) {
        print_json(nonce, bundle, size);
    }
    free(bundle);
    if (fd >= 0) {
        close(fd);
    }
    return good ? CLI_OK : CLI_FAILURE;
}

const struct cli_verb cli_evidence = {
    .name = "evidence", .summary = "ask a running enclave for evidence", .help = help, .run = run};
