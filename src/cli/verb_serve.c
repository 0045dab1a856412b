/* SPDX-License-Identifier: Apache-2.0 */
/* verb_serve.c: `caisson serve`: the gateway between HTTP and enclaves. */
#include "cli.h"
#include "gateway/gateway.h"
#include "gateway/signed_image.h"
#include "run_evidence.h"
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

static const char help[] =
    "usage: caisson serve CONFIG.json [--check] [--json]\n"
    "\n"
    "Runs enclaves behind HTTP/1.1 and HTTP/2. Requests come sealed (Oblivious HTTP, RFC 9458, or\n"
    "Caisson's own records), are opened in the enclave that they were sealed to, and answered\n"
    "sealed. The gateway sees who asks, when, and in which size class; never what.\n"
    "\n"
    "  --check   read the configuration, images and signatures; start nothing\n"
    "  --json    print one JSON object on stdout once it listens: ports and services\n"
    "\n"
    "What clients find\n"
    "  POST /gateway[/SERVICE[/TENANT]]  an encapsulated request; GET: the key configuration\n"
    "  POST /.well-known/ohttp-gateway   the same for the first service\n"
    "  POST /records[/SERVICE[/TENANT]]  messages as of `caisson run --input`, and their answers\n"
    "  GET  /.well-known/caisson/evidence?nonce=64HEX   for `caisson verify`\n"
    "and administrators, on a listener of their own: / /view.json /metrics /healthz /readyz\n"
    "\n"
    "A configuration, with all that is needed (docs/GATEWAY.md has every key):\n"
    "  {\"listeners\": [{\"port\": 8080}],\n"
    "   \"admin\": {\"port\": 9090},\n"
    "   \"services\": [{\"name\": \"echo\", \"image\": \"echo.elf\", \"signature\": \"echo.sig\",\n"
    "                 \"control\": \"echo.sock\", \"evidence\": {\"root\": \"root.key\"}}]}\n"
    "Relative paths begin at the configuration's folder. Without certificate and key a listener "
    "is\n"
    "cleartext, and then only of the loopback.\n"
    "\n"
    "Tenants grant through the control socket, as with `caisson run`; an enclave serves once it\n"
    "has as many grants as \"grants\" says. After a crash it starts again with new keys, and they\n"
    "grant again (caisson grant --serve does).\n"
    "\n"
    "Signals: SIGTERM ends it once what is under way is answered, a second one at once; SIGHUP\n"
    "reads the configuration again (tenants, certificates, new services); SIGUSR1 rotates: new\n"
    "enclaves with new keys, and from the image's file as it is then.\n"
    "\n"
    "Exit codes: 0 ended by a signal, 1 failure, 2 usage, 3 a signature does not fit its image.\n"
    "\n"
    "Example\n"
    "  caisson serve gateway.json &\n"
    "  caisson grant --control echo.sock --tenant bank.key --no-policy --version 1 \\\n"
    "      --image echo.elf --insecure-dev --root $root --statement statement\n"
    "  curl -s http://127.0.0.1:8080/gateway | xxd\n";

/* One for each service: the platform that vouches, by name, for as long as the process lives. */
struct platform {
    char name[CSN_CONFIG_NAME_SIZE_MAX + 1];
    struct run_evidence evidence;
    uint8_t extended[48]; /* the measurement that its register got last, */
    bool is_extended;     /* if any */
};

struct serve {
    const char *path;
    struct platform *platforms[CSN_CONFIG_SERVICES_MAX];
    uint32_t platform_count;
};

/* The folder of a path, "" for the present one. */
static char *folder_of(const char *path)
{
    const char *end = strrchr(path, '/');
    return end == NULL   ? strdup("")
           : end == path ? strdup("/")
                         : strndup(path, (size_t)(end - path));
}

static struct csn_config *read_config(void *state, struct csn_detail *detail)
{
    const struct serve *serve = state;
    struct csn_config *config = NULL;
    size_t size = 0;
    char *folder = folder_of(serve->path);
    uint8_t *text = cli_read_file(serve->path, CSN_CONFIG_SIZE_MAX, &size);
    if (text == NULL || folder == NULL) {
        snprintf(detail->text, sizeof detail->text, "the file cannot be read");
    } else {
        csn_err err = csn_config_read((const char *)text, size, folder, &config, detail);
        (void)err; /* no configuration then */
    }
    free(text);
    free(folder);
    return config;
}

static struct run_evidence evidence_of(const struct csn_config_evidence *given)
{
    return (struct run_evidence){.is_json = true,
                                 .name = given->name,
                                 .root = given->root,
                                 .path = given->path,
                                 .privlevel = given->privlevel,
                                 .tcti = given->tcti,
                                 .ak = given->ak,
                                 .ak_certificate = given->ak_certificate,
                                 .pcrs = given->pcrs,
                                 .extend = given->extend};
}

/* Where it goes: in the place of one that was made for a service of that name and did not start. */
static struct platform **place_of(struct serve *serve, const char *name)
{
    uint32_t i = 0;
    while (i < serve->platform_count && strcmp(serve->platforms[i]->name, name) != 0) {
        i++;
    }
    return i < CSN_CONFIG_SERVICES_MAX ? &serve->platforms[i] : NULL;
}

static bool find_platform(void *state, const struct csn_config_service *service,
                          struct csn_platform *platform, struct csn_detail *detail)
{
    struct serve *serve = state;
    struct platform *made = calloc(1, sizeof *made);
    struct platform **place = place_of(serve, service->name);
    if (made == NULL || place == NULL) {
        free(made);
        snprintf(detail->text, sizeof detail->text, "no room for one more service");
        return false;
    }
    snprintf(made->name, sizeof made->name, "%s", service->name);
    made->evidence = evidence_of(&service->evidence);
    if (run_evidence_read(&made->evidence) != CLI_OK) {
        free(made);
        snprintf(detail->text, sizeof detail->text, "service %s: nobody vouches for it",
                 service->name);
        return false;
    }
    serve->platform_count += *place == NULL ? 1 : 0;
    free(*place);
    *place = made;
    *platform = (struct csn_platform){made->evidence.producer, made->evidence.state};
    return true;
}

static csn_err extend_by(struct platform *platform, const uint8_t measurement[48])
{
    size_t size = sizeof platform->extended;
    if (platform->is_extended && memcmp(platform->extended, measurement, size) == 0) {
        return CSN_OK;
    }
    if (run_evidence_extend(&platform->evidence, measurement) != CLI_OK) {
        return CSN_ERR_SYSTEM;
    }
    memcpy(platform->extended, measurement, size);
    platform->is_extended = true;
    return CSN_OK;
}

/*
 * A register only grows: an image that it has already, because another instance runs it or a
 * rotation starts it again, would make it a value that no policy expects.
 */
static csn_err extend(void *state, const char *service, const uint8_t measurement[48],
                      struct csn_detail *detail)
{
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* each instance has its thread */
    const struct serve *serve = state;
    csn_err err = CSN_OK;
    pthread_mutex_lock(&lock);
    for (uint32_t i = 0; err == CSN_OK && i < serve->platform_count; i++) {
        if (strcmp(serve->platforms[i]->name, service) == 0) {
            err = extend_by(serve->platforms[i], measurement);
        }
    }
    pthread_mutex_unlock(&lock);
    if (err != CSN_OK) {
        snprintf(detail->text, sizeof detail->text, "no register was extended");
    }
    return err;
}

static void say(void *state, const char *line)
{
    (void)state;
    cli_fail(0, "%s", line);
}

/* ---- check, and the report ---- */

static int check_images(const struct csn_config *config)
{
    for (uint32_t i = 0; i < config->service_count; i++) {
        const struct csn_config_service *service = &config->services[i];
        struct csn_signed_image image;
        struct csn_detail detail = {""};
        csn_err err = csn_signed_image_read(service->image, service->signature, &image, &detail);
        if (err != CSN_OK) {
            return cli_fail(err == CSN_ERR_AUTH ? CLI_INVALID : CLI_FAILURE, "service %s: %s",
                            service->name, detail.text);
        }
        csn_signed_image_free(&image);
    }
    return CLI_OK;
}

static void report(const struct csn_config *config, const struct csn_gateway *gateway)
{
    uint32_t count = config->listener_count;
    fputs("{\"listeners\":[", stdout);
    for (uint32_t i = 0; i < count; i++) {
        printf("%s{\"address\":", i != 0 ? "," : "");
        cli_json_string(stdout, config->listeners[i].address);
        printf(",\"port\":%u,\"tls\":%s}", csn_gateway_port(gateway, i),
               config->listeners[i].certificate != NULL ? "true" : "false");
    }
    fputs("]", stdout);
    if (config->has_admin) {
        printf(",\"admin\":%u", csn_gateway_port(gateway, count));
    }
    fputs(",\"services\":[", stdout);
    for (uint32_t i = 0; i < config->service_count; i++) {
        printf("%s{\"name\":\"%s\",\"control\":", i != 0 ? "," : "", config->services[i].name);
        cli_json_string(stdout, config->services[i].control);
        fputs("}", stdout);
    }
    puts("]}");
    fflush(stdout);
}

static void say_where(const struct csn_config *config, const struct csn_gateway *gateway)
{
    for (uint32_t i = 0; i < config->listener_count; i++) {
        const struct csn_config_listener *listener = &config->listeners[i];
        cli_fail(0, "listens on %s port %u, %s", listener->address, csn_gateway_port(gateway, i),
                 listener->certificate != NULL ? "TLS" : "cleartext");
    }
    if (config->has_admin) {
        cli_fail(0, "administrators: http%s://%s:%u/", config->admin.certificate != NULL ? "s" : "",
                 config->admin.address, csn_gateway_port(gateway, config->listener_count));
    }
}

static int run_gateway(struct serve *serve, struct csn_config *config, bool json)
{
    const struct csn_gateway_hooks hooks = {.state = serve,
                                            .platform = find_platform,
                                            .extend = extend,
                                            .read_config = read_config,
                                            .say = say};
    struct csn_detail detail = {""};
    struct csn_gateway *gateway = NULL;
    csn_gateway_block_signals();
    (void)csn_config_hold(config); /* for the report */
    csn_err err = csn_gateway_create(config, &hooks, &gateway, &detail);
    if (err == CSN_OK) {
        say_where(config, gateway);
        if (json) {
            report(config, gateway);
        }
    }
    csn_config_free(config);
    if (err == CSN_OK) {
        csn_gateway_run(gateway);
    }
    csn_gateway_destroy(gateway);
    for (uint32_t i = 0; i < serve->platform_count; i++) {
        free(serve->platforms[i]);
    }
    return err == CSN_OK ? CLI_OK : cli_fail(CLI_FAILURE, "%s", detail.text);
}

static int run_verb(int argc, char **argv)
{
    static struct serve serve;
    bool check = false;
    bool json = false;
    const struct cli_option options[] = {{"--check", NULL, &check}, {"--json", NULL, &json}};
    const char *operands[1];
    size_t count;
    bool done;
    int code = cli_options(&cli_serve, argc, argv, options, sizeof options / sizeof options[0],
                           operands, 1, &count, &done);
    if (code != CLI_OK || done) {
        return code;
    }
    if (count != 1) {
        return cli_fail(CLI_USAGE, "wants a configuration; see caisson serve --help");
    }
    struct csn_detail detail = {""};
    serve.path = operands[0];
    struct csn_config *config = read_config(&serve, &detail);
    if (config == NULL) {
        return cli_fail(CLI_FAILURE, "%s: %s", serve.path, detail.text);
    }
    code = check_images(config);
    if (code != CLI_OK || check) {
        if (code == CLI_OK && json) {
            puts("{\"good\":true}");
        }
        csn_config_free(config);
        return code;
    }
    return run_gateway(&serve, config, json);
}

const struct cli_verb cli_serve = {
    .name = "serve", .summary = "requests over HTTP to enclaves", .help = help, .run = run_verb};
