/* SPDX-License-Identifier: Apache-2.0 */
/* verb_proxy.c: `caisson proxy`: plain HTTP on loopback, verified and sealed from there on. */
#include "caller_options.h"
#include "proxy/proxy.h"
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

static const char help[] =
    "usage: caisson proxy --gateway URL --policy FILE --credential FILE [--listen ADDRESS:PORT]\n"
    "                     [options]\n"
    "\n"
    "Listens on loopback for plain HTTP, and sends each request, sealed, to the enclave behind a\n"
    "gateway, once it has verified evidence of that enclave against your policy. It verifies at\n"
    "the start, whenever keys change, and every hour. What it cannot verify it refuses, with the\n"
    "verifier's explanation as the answer (application/problem+json); nothing is ever sent in\n"
    "clear. Whoever can reach the listener acts with the credential.\n"
    "\n"
    "  --listen A:P       an address of loopback and a port, 0 for any (default "
    "127.0.0.1:8390)\n" CLI_CALLER_HELP "  --json             tell in JSON, one object a line\n"
    "\n"
    "Tells on stdout where it listens, then what it verified, each time. "
    "GET\n" CSV_PROXY_STATUS_PATH
    " says how it stands. SIGHUP verifies anew; SIGTERM and SIGINT end it\n"
    "once what is under way is answered.\n"
    "\n"
    "What a client gets that is not the service's answer:\n"
    "  502 evidence-invalid      the far end is not what the policy accepts\n"
    "  503 unverified            it could not be verified\n"
    "  502 answer-not-authentic  what came back is not the enclave's answer to this request\n"
    "  502 unanswered            no answer; with \"maybe_served\" where it may have been served\n"
    "  502 refused, 503 busy, 413 too-large, 502 gateway-protocol, 400, 403\n"
    "\n"
    "Exit codes: 0 ended by a signal, 1 failure, 2 usage.\n"
    "\n"
    "Example\n"
    "  caisson proxy --gateway https://gateway.example --policy policy.toml \\\n"
    "      --credential app.key --listen 127.0.0.1:8390 &\n"
    "  curl http://127.0.0.1:8390/v1/echo -d hello\n";

struct proxy_verb {
    struct cli_caller caller;
    const char *listen;
    bool json;
    char address[64];
    uint64_t port;
};

/* "127.0.0.1:8390", "[::1]:8390" */
static int read_listen(struct proxy_verb *verb)
{
    const char *colon = strrchr(verb->listen, ':');
    size_t size = colon != NULL ? (size_t)(colon - verb->listen) : 0;
    const char *begin = verb->listen;
    if (size > 2 && begin[0] == '[' && begin[size - 1] == ']') {
        begin++;
        size -= 2;
    }
    if (size == 0 || size >= sizeof verb->address) {
        return cli_fail(CLI_USAGE, "--listen wants ADDRESS:PORT");
    }
    memcpy(verb->address, begin, size);
    return cli_number("--listen (the port)", colon + 1, 0, UINT16_MAX, &verb->port);
}

static void tell_verified(const struct proxy_verb *verb, const struct csv_call_pin *pin)
{
    if (verb->json) {
        printf("{\"event\":\"verified\",\"image\":");
        cli_json_string(stdout, pin->name);
        printf(",\"security_version\":%u,\"measurement\":\"", pin->security_version);
        cli_print_hex(stdout, pin->measurement, sizeof pin->measurement);
        printf("\",\"boot_id\":\"");
        cli_print_hex(stdout, pin->boot_id, sizeof pin->boot_id);
        printf("\"}\n");
        return;
    }
    printf("verified: %s, security version %u, measurement ", pin->name, pin->security_version);
    cli_print_hex(stdout, pin->measurement, sizeof pin->measurement);
    printf(", boot ");
    cli_print_hex(stdout, pin->boot_id, sizeof pin->boot_id);
    printf("\n");
}

static void told(void *state, const struct csv_caller *caller)
{
    const struct proxy_verb *verb = state;
    const struct csv_call_pin *pin = csv_caller_pin(caller);
    bool invalid = csv_caller_result(caller) == CSN_ERR_EVIDENCE;
    if (pin != NULL) {
        tell_verified(verb, pin);
    } else if (verb->json) {
        printf("{\"event\":\"%s\",\"explanation\":", invalid ? "invalid" : "unverified");
        cli_json_string(stdout, csv_caller_explain(caller));
        printf("}\n");
    } else {
        printf("%s: %s\n", invalid ? "INVALID, nothing is sent" : "not verified, nothing is sent",
               csv_caller_explain(caller));
    }
    fflush(stdout);
}

static int serve(struct proxy_verb *verb)
{
    struct csn_detail detail;
    struct csv_proxy *proxy = NULL;
    struct csv_proxy_options options = {.address = verb->address,
                                        .port = (uint16_t)verb->port,
                                        .caller = verb->caller.options,
                                        .upstream = verb->caller.upstream,
                                        .told = told,
                                        .told_state = verb};
    csn_err err = csv_proxy_create(&options, &proxy, &detail);
    if (err != CSN_OK) {
        return cli_fail(err == CSN_ERR_ARGUMENT ? CLI_USAGE : CLI_FAILURE, "%s",
                        detail.text[0] != 0 ? detail.text : csn_err_name(err));
    }
    bool six = strchr(verb->address, ':') != NULL;
    printf(verb->json ? "{\"event\":\"listening\",\"url\":\"http://%s%s%s:%u\"}\n"
                      : "listening on http://%s%s%s:%u\n",
           six ? "[" : "", verb->address, six ? "]" : "", csv_proxy_port(proxy));
    fflush(stdout);
    err = csv_proxy_run(proxy);
    csv_proxy_destroy(proxy);
    return err == CSN_OK ? CLI_OK : cli_fail(CLI_FAILURE, "%s", csn_err_name(err));
}

static int run(int argc, char **argv)
{
    static struct proxy_verb verb = {.listen = "127.0.0.1:8390"};
    const struct cli_option options[] = {
        CLI_CALLER_OPTIONS(verb.caller),
        {"--listen", &verb.listen, NULL},
        {"--json", NULL, &verb.json},
    };
    size_t count;
    bool done;
    int code = cli_options(&cli_proxy, argc, argv, options, sizeof options / sizeof options[0],
                           NULL, 0, &count, &done);
    if (code != CLI_OK || done) {
        return code;
    }
    code = read_listen(&verb);
    code = code == CLI_OK ? cli_caller_read(&verb.caller) : code;
    code = code == CLI_OK ? serve(&verb) : code;
    cli_caller_wipe(&verb.caller);
    return code;
}

const struct cli_verb cli_proxy = {.name = "proxy",
                                   .summary =
                                       "plain HTTP on loopback, verified and sealed to an enclave",
                                   .help = help,
                                   .run = run};
