/* SPDX-License-Identifier: Apache-2.0 */
/* verb_call.c: `caisson call`: one request to an enclave, verified first and sealed. */
#include "caller_options.h"
#include <stdlib.h>
#include <string.h>

#define CONTENT_SIZE_MAX CSV_CALL_CONTENT_MAX
#define HEADERS_MAX      16u
#define WAIT_MS          1000

/* Beside those that every verb has. */
#define EXIT_STATUS 5

static const char help[] =
    "usage: caisson call --gateway URL --policy FILE --credential FILE [-X METHOD] [-H "
    "NAME:VALUE]\n"
    "                    [-d DATA | -d @FILE] [options] PATH\n"
    "\n"
    "Verifies the enclave behind a gateway against your policy, and only then sends it one sealed\n"
    "request. The content of the answer goes to stdout, as it comes.\n"
    "\n"
    "  -X METHOD          default GET, or POST with -d\n"
    "  -H NAME:VALUE      a header, sealed with the rest; up to sixteen times\n"
    "  -d DATA            the content; @FILE: that of a file, @-: stdin\n" CLI_CALLER_HELP
    "  --json             one JSON object: status, headers, content, and what was verified\n"
    "\n"
    "Exit codes: 0 answered with a status below 400; 5 answered with 400 or more, its content on\n"
    "stdout all the same; 3 verification failed and 4 could not verify, in which cases nothing\n"
    "was sent; 1 no answer, or none that is the enclave's; 2 usage.\n"
    "\n"
    "Example\n"
    "  caisson call --gateway https://gateway.example --policy policy.toml \\\n"
    "      --credential app.key -d hello /v1/echo\n";

struct call_verb {
    struct cli_caller caller;
    const char *method, *data;
    const char *headers[HEADERS_MAX];
    bool json;
    const char *path;
    uint8_t *content;
    size_t content_size;
    struct csv_call_field fields[HEADERS_MAX];
    uint32_t field_count;
};

/* ---- the request ---- */

static int read_headers(struct call_verb *verb)
{
    for (uint32_t i = 0; i < HEADERS_MAX && verb->headers[i] != NULL; i++) {
        const char *colon = strchr(verb->headers[i], ':');
        if (colon == NULL) {
            return cli_fail(CLI_USAGE, "-H wants NAME:VALUE");
        }
        const char *value = colon + 1 + strspn(colon + 1, " ");
        verb->fields[verb->field_count++] =
            (struct csv_call_field){.name = verb->headers[i],
                                    .value = value,
                                    .name_size = (uint32_t)(colon - verb->headers[i]),
                                    .value_size = (uint32_t)strlen(value)};
    }
    return CLI_OK;
}

static int read_content(struct call_verb *verb)
{
    if (verb->data == NULL) {
        return CLI_OK;
    }
    if (verb->data[0] == '@') {
        verb->content = cli_read_file(verb->data + 1, CONTENT_SIZE_MAX, &verb->content_size);
    } else {
        verb->content_size = strlen(verb->data);
        verb->content = (uint8_t *)strdup(verb->data);
    }
    return verb->content != NULL ? CLI_OK : CLI_FAILURE;
}

static int start(struct call_verb *verb, struct csv_caller *caller, struct csv_call **call)
{
    const char *otherwise = verb->data != NULL ? "POST" : "GET";
    const struct csv_call_request request = {.method =
                                                 verb->method != NULL ? verb->method : otherwise,
                                             .path = verb->path,
                                             .fields = verb->fields,
                                             .field_count = verb->field_count,
                                             .content = verb->content,
                                             .content_size = (uint32_t)verb->content_size,
                                             .in_parts = !verb->json};
    csn_err err = csv_call_start(caller, &request, NULL, call);
    return err == CSN_OK             ? CLI_OK
           : err == CSN_ERR_ARGUMENT ? cli_fail(CLI_USAGE, "not a request that HTTP allows: "
                                                           "method, path or headers")
           : err == CSN_ERR_LIMIT    ? cli_fail(CLI_FAILURE, "the request is too large")
                                     : cli_fail(CLI_FAILURE, "%s", csn_err_name(err));
}

/* ---- the answer ---- */

static void print_text(const uint8_t *bytes, size_t size)
{
    char *text = malloc(size + 1);
    if (text != NULL) {
        memcpy(text, bytes, size);
        text[size] = 0;
        cli_json_string(stdout, text);
    }
    free(text);
}

/* As text where it is, else as hex. */
static void print_content(const struct csv_call_response *response)
{
    bool text = true;
    for (uint32_t i = 0; i < response->content_size; i++) {
        text = text && response->content[i] != 0 && response->content[i] < 0x80;
    }
    if (text) {
        printf(",\"content\":");
        print_text(response->content, response->content_size);
    } else {
        printf(",\"content_hex\":\"");
        cli_print_hex(stdout, response->content, response->content_size);
        printf("\"");
    }
}

static void print_json(const struct csv_call_response *response, const struct csv_call_pin *pin)
{
    printf("{\"status\":%u,\"headers\":[", response->status);
    for (uint32_t i = 0; i < response->field_count; i++) {
        const struct csv_call_field *field = &response->fields[i];
        printf(i == 0 ? "[" : ",[");
        print_text((const uint8_t *)field->name, field->name_size);
        printf(",");
        print_text((const uint8_t *)field->value, field->value_size);
        printf("]");
    }
    printf("]");
    print_content(response);
    if (pin != NULL) {
        printf(",\"verified\":{\"image\":");
        cli_json_string(stdout, pin->name);
        printf(",\"security_version\":%u,\"measurement\":\"", pin->security_version);
        cli_print_hex(stdout, pin->measurement, sizeof pin->measurement);
        printf("\",\"boot_id\":\"");
        cli_print_hex(stdout, pin->boot_id, sizeof pin->boot_id);
        printf("\"}");
    }
    printf("}\n");
}

static int print_problem(const struct call_verb *verb, const struct csv_call_problem *problem)
{
    int code = problem->err == CSN_ERR_EVIDENCE     ? CLI_INVALID
               : problem->err == CSN_ERR_UNVERIFIED ? CLI_UNVERIFIED
                                                    : CLI_FAILURE;
    if (verb->json) {
        printf("{\"problem\":");
        cli_json_string(stdout, problem->type);
        printf(",\"title\":");
        cli_json_string(stdout, problem->title);
        printf(",\"detail\":");
        cli_json_string(stdout, problem->detail);
        printf(",\"maybe_served\":%s}\n", problem->maybe_served ? "true" : "false");
    }
    return cli_fail(code, "%s%s: %s", problem->title,
                    problem->maybe_served ? " (it may have been served)" : "", problem->detail);
}

/* What came, as it comes. */
static void print_parts(struct csv_caller *caller)
{
    struct csv_call *call;
    while ((call = csv_caller_moved(caller)) != NULL) {
        const struct csv_call_response *response = csv_call_response(call);
        fwrite(response->content, 1, response->content_size, stdout);
        fflush(stdout);
        csv_call_consumed(call);
    }
}

static int finish(const struct call_verb *verb, const struct csv_caller *caller,
                  const struct csv_call *call)
{
    const struct csv_call_response *response = csv_call_response(call);
    const struct csv_call_problem *problem = csv_call_problem(call);
    if (problem != NULL) {
        if (response != NULL) { /* what came before it failed */
            fwrite(response->content, 1, response->content_size, stdout);
        }
        return print_problem(verb, problem);
    }
    if (verb->json) {
        print_json(response, csv_caller_pin(caller));
    } else {
        fwrite(response->content, 1, response->content_size, stdout);
    }
    if (response->status < 400) {
        return CLI_OK;
    }
    return cli_fail(EXIT_STATUS, "the service answers with status %u", response->status);
}

/* ---- both ---- */

static int exchange(struct call_verb *verb, struct csv_upstream *upstream)
{
    struct csv_caller *caller = NULL;
    struct csv_call *call = NULL;
    verb->caller.options.authority = csv_upstream_authority(upstream);
    csn_err err = csv_caller_create(&verb->caller.options, &caller);
    if (err != CSN_OK) {
        return cli_fail(err == CSN_ERR_ARGUMENT ? CLI_USAGE : CLI_FAILURE, "--service, --label: %s",
                        csn_err_name(err));
    }
    csv_upstream_serve(upstream, caller);
    int code = start(verb, caller, &call);
    if (code == CLI_OK) {
        csv_upstream_begin(upstream);
        while (csv_caller_finished(caller) == NULL) {
            csv_upstream_wait(upstream, WAIT_MS);
            print_parts(caller);
        }
        code = finish(verb, caller, call);
    }
    csv_upstream_serve(upstream, NULL);
    csv_caller_destroy(caller);
    return code;
}

static int perform(struct call_verb *verb)
{
    struct csv_upstream *upstream = NULL;
    const char *detail = "";
    csn_err err = csv_upstream_create(&verb->caller.upstream, &upstream, &detail);
    if (err != CSN_OK) {
        return cli_fail(err == CSN_ERR_ARGUMENT ? CLI_USAGE : CLI_FAILURE, "--gateway: %s",
                        detail[0] != 0 ? detail : csn_err_name(err));
    }
    int code = exchange(verb, upstream);
    csv_upstream_destroy(upstream);
    return code;
}

static int run(int argc, char **argv)
{
    static struct call_verb verb;
    const struct cli_option fixed[] = {
        CLI_CALLER_OPTIONS(verb.caller),
        {"-X", &verb.method, NULL},
        {"-d", &verb.data, NULL},
        {"--json", NULL, &verb.json},
    };
    struct cli_option options[sizeof fixed / sizeof fixed[0] + HEADERS_MAX];
    size_t option_count = sizeof fixed / sizeof fixed[0];
    memcpy(options, fixed, sizeof fixed);
    for (uint32_t i = 0; i < HEADERS_MAX; i++) {
        options[option_count++] = (struct cli_option){"-H", &verb.headers[i], NULL};
    }
    const char *operands[1];
    size_t count;
    bool done;
    int code =
        cli_options(&cli_call, argc, argv, options, option_count, operands, 1, &count, &done);
    if (code != CLI_OK || done) {
        return code;
    }
    if (count != 1) {
        return cli_fail(CLI_USAGE, "wants a PATH; see caisson call --help");
    }
    verb.path = operands[0];
    code = read_headers(&verb);
    code = code == CLI_OK ? cli_caller_read(&verb.caller) : code;
    code = code == CLI_OK ? read_content(&verb) : code;
    code = code == CLI_OK ? perform(&verb) : code;
    if (verb.content != NULL) {
        explicit_bzero(verb.content, verb.content_size);
    }
    free(verb.content);
    cli_caller_wipe(&verb.caller);
    return code;
}

const struct cli_verb cli_call = {.name = "call",
                                  .summary = "one request to an enclave, verified first and sealed",
                                  .help = help,
                                  .run = run};
