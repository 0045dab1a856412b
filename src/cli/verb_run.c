/* SPDX-License-Identifier: Apache-2.0 */
/* verb_run.c: `caisson run`: an image over files, pipes or stdin and stdout. */
#include "cli.h"
#include "run.h"
#include <caisson/client.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char help[] =
    "usage: caisson run IMAGE --signature SIG --control SOCKET\n"
    "                   (--root ROOTKEY | --evidence tsm|tpm|nsm [its options])\n"
    "                   [--backend auto|process|kvm] [--grants N] [--input F] [--output F]\n"
    "                   [--stats F] [--require LIST]\n"
    "\n"
    "Starts an enclave, serves evidence and grants on SOCKET, waits until N grants were accepted,\n"
    "then feeds it sealed records and writes its sealed answers in the order of the input. Ends "
    "at\n"
    "the end of input. It sees no plaintext and holds no key to any.\n"
    "\n"
    "  --signature SIG   the image's signature (caisson sign)\n" RUN_EVIDENCE_HELP
    "  --control SOCKET  unix socket for caisson evidence and caisson grant\n"
    "  --backend NAME    auto (kvm where it works, else process), process or kvm\n"
    "  --grants N        how many accepted grants to wait for, of any tenant (default 1). A "
    "receipt is\n"
    "                    sealed and tells the host nothing; that a grant was accepted shows in\n"
    "                    the evidence, whose configuration digest moves with it\n"
    "  --input F         sealed records, each a u32 size (little-endian) and its bytes (default "
    "-)\n"
    "  --output F        answers, framed alike: as they come out of the ring, docs/WIRE.md "
    "(default -)\n"
    "  --store DIR       where an image that keeps things outside keeps them (sealed); one "
    "enclave\n"
    "                    at a time. Made if it is missing, in a folder that is there; a folder or\n"
    "                    file that can only be read will do for a model\n"
    "  --tpm TCTI        which TPM carries its counters, such as device:/dev/tpmrm0\n"
    "  --stats F         counters as one JSON object, at the end; for each ring too: messages,\n"
    "                    batches, parks, wakes, poisoned (of this end; \"workers\" has the "
    "other),\n"
    "                    since the enclave was started last\n"
    "  --require LIST    protections that must hold, else it does not start: namespaces, own-uid,\n"
    "                    locked, huge-pages, secret\n"
    "  --json            the counters on stdout, where the output is a file, else on stderr\n"
    "\n"
    "After a crash it starts the enclave again and waits for the grants again: the new instance\n"
    "has new keys, so the tenants must verify it anew (caisson grant --serve does). Unfinished\n"
    "records are then fed back one at a time; one that kills the enclave twice is set aside and\n"
    "answered by the host.\n"
    "\n"
    "Exit codes: 0 all records framed and answered, 1 failure or broken frames, 2 usage,\n"
    "3 the signature does not fit the image.\n"
    "\n"
    "Example\n"
    "  caisson run echo.elf --signature echo.sig --root root.key --control run.sock \\\n"
    "      --input sealed --output answers &\n"
    "  caisson grant --control run.sock --tenant bank.key --no-policy --version 1 \\\n"
    "      --image echo.elf --insecure-dev --root $root --statement statement\n";

struct wish {
    const char *signature, *control, *backend, *grants, *input, *output, *stats, *require, *store,
        *tpm;
    bool json;
};

static int parse_require(const char *text, uint32_t *require)
{
    while (text != NULL && *text != 0) {
        size_t length = strcspn(text, ",");
        uint32_t bit = csn_protection(text, length);
        if (bit == 0) {
            return cli_fail(CLI_USAGE, "--require: no such protection: %.*s", (int)length, text);
        }
        *require |= bit;
        text += length;
        text += *text == ',' ? 1 : 0;
    }
    return CLI_OK;
}

/* What will refuse a grant later is said now, while its operator looks. */
static int open_store(struct cli_run *run, const struct wish *wish)
{
    const struct csn_wire_manifest *manifest = &run->image.image.manifest;
    const bool keeps = (manifest->flags & CSN_WIRE_FLAG_STORE) != 0;
    struct csn_detail detail = {{0}};
    if (csn_store_place_open(&run->place, manifest, wish->store, wish->tpm, &detail) != CSN_OK) {
        return cli_fail(CLI_FAILURE, "%s", detail.text);
    }
    if (keeps && wish->store == NULL) {
        cli_fail(0, "note: the image keeps things outside, and there is no --store: grants whose "
                    "policy needs one are refused");
    } else if (keeps && csn_store_is_read_only(run->place.store)) {
        cli_fail(0,
                 "note: --store: %s cannot be written: what is in it can be read, such as a "
                 "model; grants that need more are refused (chown, chmod 700)",
                 wish->store);
    }
    return CLI_OK;
}

static int start_enclave(struct cli_run *run, const struct wish *wish, const char *path)
{
    struct csn_enclave_options options = {.backend = wish->backend};
    struct csn_signed_image *image = &run->image;
    struct csn_detail detail = {{0}};
    int code = parse_require(wish->require, &options.require);
    if (code != CLI_OK) {
        return code;
    }
    csn_err err = csn_signed_image_read(path, wish->signature, image, &detail);
    if (err != CSN_OK) {
        return cli_fail(err == CSN_ERR_AUTH ? CLI_INVALID : CLI_FAILURE, "%s", detail.text);
    }
    code = open_store(run, wish);
    if (code != CLI_OK) {
        return code;
    }
    options.store = run->place.store;
    code = run_evidence_extend(&run->evidence, image->measurement);
    options.image = image->bytes;
    options.image_size = image->size;
    if (code == CLI_OK && csn_enclave_create(&options, &run->enclave, &detail) != CSN_OK) {
        code = cli_fail(CLI_FAILURE, "%s: %s", path, detail.text);
    }
    csn_signed_image_free(image);
    if (code == CLI_OK) {
        const struct csn_wire_manifest *manifest = csn_enclave_manifest(run->enclave);
        run->input_size_max = manifest->input_size_max;
        run->message = malloc(manifest->output_size_max);
        code = run->message != NULL ? CLI_OK : cli_fail(CLI_FAILURE, "out of memory");
    }
    return code;
}

static int open_files(struct cli_run *run, const struct wish *wish)
{
    struct stat about;
    bool standard = strcmp(wish->input, "-") == 0;
    if (!standard && stat(wish->input, &about) != 0) {
        return cli_fail(CLI_FAILURE, "%s: %s", wish->input, strerror(errno));
    }
    if (!standard && S_ISFIFO(about.st_mode)) {
        run->input_fd = -1; /* opening waits for a writer: that is for the input's own thread */
        run->input_fifo = wish->input;
    } else {
        run->input_fd = standard ? STDIN_FILENO : open(wish->input, O_RDONLY | O_CLOEXEC);
        if (run->input_fd < 0) {
            return cli_fail(CLI_FAILURE, "%s: %s", wish->input, strerror(errno));
        }
    }
    run->output = strcmp(wish->output, "-") == 0 ? stdout : fopen(wish->output, "wbe");
    if (run->output == NULL) {
        return cli_fail(CLI_FAILURE, "%s: %s", wish->output, strerror(errno));
    }
    static char buffer[64 << 10]; /* written out when it is full, and whenever the loop rests */
    (void)setvbuf(run->output, buffer, _IOFBF, sizeof buffer);
    return CLI_OK;
}

static void print_ring(FILE *stream, const char *name, const struct csn_ring_counts *counts)
{
    fprintf(stream,
            "\"%s\":{\"messages\":%llu,\"batches\":%llu,\"parks\":%llu,\"wakes\":%llu,"
            "\"poisoned\":%llu}",
            name, (unsigned long long)counts->messages, (unsigned long long)counts->batches,
            (unsigned long long)counts->parks, (unsigned long long)counts->wakes,
            (unsigned long long)counts->poisoned);
}

/* Both rings of each channel at our end, and what each worker counted at its own. */
static void print_rings(FILE *stream, const struct csn_enclave *enclave)
{
    const struct csn_wire_manifest *manifest = csn_enclave_manifest(enclave);
    const char *comma = "";
    struct csn_channel_counts counts;
    struct csn_wire_boot_stats stats;
    fputs(",\"rings\":[", stream);
    for (uint32_t i = 0; csn_enclave_channel_counts(enclave, i, &counts) == CSN_OK; i++) {
        fprintf(stream, "%s{\"channel\":%u,\"worker\":%u,", comma, i, i / manifest->channel_count);
        print_ring(stream, "in", &counts.in);
        fputc(',', stream);
        print_ring(stream, "out", &counts.out);
        fputc('}', stream);
        comma = ",";
    }
    fputs("],\"workers\":[", stream);
    comma = "";
    for (uint32_t i = 0; csn_enclave_stats(enclave, i, &stats) == CSN_OK; i++) {
        fprintf(stream,
                "%s{\"worker\":%u,\"inputs\":%llu,\"outputs\":%llu,\"parks\":%llu,\"wakes\":%llu,"
                "\"poisoned\":%llu}",
                comma, i, (unsigned long long)stats.inputs, (unsigned long long)stats.outputs,
                (unsigned long long)stats.parks, (unsigned long long)stats.wakes,
                (unsigned long long)stats.poisoned);
        comma = ",";
    }
    fputc(']', stream);
}

static void print_counts(FILE *stream, const struct cli_run *run)
{
    struct csn_enclave_report report;
    const struct run_counts *counts = &run->counts;
    csn_enclave_report(run->enclave, &report);
    fprintf(stream, "{\"backend\":\"%s\",\"measurement\":\"", report.backend);
    cli_print_hex(stream, report.measurement, sizeof report.measurement);
    fprintf(stream,
            "\",\"records\":%llu,\"outputs\":%llu,\"framing_errors\":%llu,\"rejected\":%llu,"
            "\"grants\":%llu,\"grants_refused\":%llu,\"restarts\":%llu,\"quarantined\":%llu",
            (unsigned long long)counts->records, (unsigned long long)counts->outputs,
            (unsigned long long)counts->framing_errors, (unsigned long long)counts->rejected,
            (unsigned long long)counts->grants, (unsigned long long)counts->grants_refused,
            (unsigned long long)counts->restarts, (unsigned long long)counts->quarantined);
    print_rings(stream, run->enclave);
    fputs("}\n", stream);
}

static int report(const struct cli_run *run, const struct wish *wish)
{
    if (wish->json) {
        print_counts(run->output == stdout ? stderr : stdout, run);
    }
    if (wish->stats == NULL) {
        return CLI_OK;
    }
    FILE *stream = fopen(wish->stats, "we");
    if (stream == NULL) {
        return cli_fail(CLI_FAILURE, "%s: %s", wish->stats, strerror(errno));
    }
    print_counts(stream, run);
    return fclose(stream) == 0 ? CLI_OK : cli_fail(CLI_FAILURE, "%s: not written", wish->stats);
}

/* The threads end with the process: each may sleep in a call that nothing here can end. */
static int serve(struct cli_run *run, const struct wish *wish)
{
    pthread_t thread;
    struct csn_enclave_report about;
    if (pthread_create(&thread, NULL, run_control_thread, run) != 0 ||
        pthread_create(&thread, NULL, run_input_thread, run) != 0) {
        return cli_fail(CLI_FAILURE, "no thread could be started");
    }
    csn_enclave_report(run->enclave, &about);
    cli_fail(0, "backend %s; evidence and grants on %s; waiting for %u grants", about.backend,
             wish->control, run->grants_wanted);
    int code = run_loop(run);
    int reported = report(run, wish);
    unlink(wish->control);
    if (run->output != stdout && fclose(run->output) != 0) {
        code = cli_fail(CLI_FAILURE, "%s: not written", wish->output);
    }
    if (code == CLI_OK && (run->counts.framing_errors != 0 || run->counts.quarantined != 0)) {
        code = CLI_FAILURE;
    }
    return code != CLI_OK ? code : reported;
}

static int prepare(struct cli_run *run, const struct wish *wish, const char *image)
{
    uint64_t grants = 0;
    int code = cli_number("--grants", wish->grants, 0, 1000000, &grants);
    if (code != CLI_OK) {
        return code;
    }
    run->grants_wanted = (uint32_t)grants;
    code = cli_client_init();
    if (code != CLI_OK) {
        return code;
    }
    code = run_evidence_read(&run->evidence);
    code = code == CLI_OK ? start_enclave(run, wish, image) : code;
    code = code == CLI_OK ? open_files(run, wish) : code;
    if (code == CLI_OK) {
        struct csn_detail detail = {""};
        run->listen_fd = csn_control_listen(wish->control, &detail);
        code = run->listen_fd >= 0 ? CLI_OK : cli_fail(CLI_FAILURE, "%s", detail.text);
    }
    return code;
}

static int run_verb(int argc, char **argv)
{
    static struct cli_run run = {.lock = PTHREAD_MUTEX_INITIALIZER,
                                 .changed = PTHREAD_COND_INITIALIZER};
    struct wish wish = {.backend = "auto", .grants = "1", .input = "-", .output = "-"};
    const struct cli_option options[] = {
        RUN_EVIDENCE_OPTIONS(run.evidence), {"--signature", &wish.signature, NULL},
        {"--control", &wish.control, NULL}, {"--backend", &wish.backend, NULL},
        {"--grants", &wish.grants, NULL},   {"--input", &wish.input, NULL},
        {"--output", &wish.output, NULL},   {"--stats", &wish.stats, NULL},
        {"--require", &wish.require, NULL}, {"--json", NULL, &wish.json},
        {"--store", &wish.store, NULL},     {"--tpm", &wish.tpm, NULL},
    };
    const char *operands[1];
    size_t count;
    bool done;
    int code = cli_options(&cli_run, argc, argv, options, sizeof options / sizeof options[0],
                           operands, 1, &count, &done);
    if (code != CLI_OK || done) {
        return code;
    }
    if (count != 1 || wish.signature == NULL || wish.control == NULL) {
        return cli_fail(CLI_USAGE, "wants an image, --signature and --control; see "
                                   "caisson run --help");
    }
    if (wish.tpm != NULL && wish.store == NULL) {
        return cli_fail(CLI_USAGE, "--tpm goes with --store");
    }
    code = cli_backend(wish.backend);
    code = code == CLI_OK ? prepare(&run, &wish, operands[0]) : code;
    code = code == CLI_OK ? serve(&run, &wish) : code;
    csn_enclave_destroy(run.enclave);
    csn_store_place_close(&run.place);
    return code;
}

const struct cli_verb cli_run = {.name = "run",
                                 .summary = "run an image over files, pipes or stdin and stdout",
                                 .help = help,
                                 .run = run_verb};
