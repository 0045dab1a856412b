/* SPDX-License-Identifier: Apache-2.0 */
/*
 * verb_open.c: `caisson open`: a consumer reads what the enclave sealed for it.
 *
 * Trust: the frames come from the host and are hostile. Nothing is printed before it authenticated,
 * and what the host says of itself (codes of rejected records) is shown as its word only.
 */
#include "cli.h"
#include "run.h"
#include <caisson/client.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FRAME_SIZE_MAX (UINT32_C(1) << 20)

static const char help[] =
    "usage: caisson open --consumer F [--min-version N] [INPUT] [OUTPUT]\n"
    "\n"
    "Reads what `caisson run` wrote (INPUT, default stdin), opens it, and writes each payload as "
    "a\n"
    "line to OUTPUT (default stdout). Refusals and gaps are said on stderr, and at the end "
    "whether\n"
    "each producer's stream is complete: all its records answered, and its end seen.\n"
    "\n"
    "  --consumer F      caisson keygen consumer\n"
    "  --min-version N   refuse what was made under an older grant (default 1)\n"
    "  --json            the summary as one JSON object, on stderr where OUTPUT is stdout\n"
    "\n"
    "Lines come in the order of INPUT, which the host may change: a consumer that cares numbers "
    "its\n"
    "records. A record that the enclave refused leaves no line.\n"
    "\n"
    "Exit codes: 0 all opened and complete, 1 refused records, incomplete or cut off, 2 usage,\n"
    "3 something did not authenticate.\n"
    "\n"
    "Example\n"
    "  caisson open --consumer analysts.key answers tokens.ndjson\n";

struct open_state {
    const char *consumer_path, *version_text;
    bool json;
    int input;
    FILE *output;
    struct csv_opener *opener;
    uint8_t *frame;
    uint8_t *payload;
    uint64_t frames, opened, refused, repeats, forged, rejected;
    bool cut_off;
    bool write_failed;
};

static void take_opened(struct open_state *state, const struct csv_open_item *item)
{
    const struct csn_wire_result *header = &item->header;
    if ((header->flags & CSN_WIRE_RESULT_FIN) != 0) {
        return; /* the stream's table has it */
    }
    if ((header->flags & CSN_WIRE_RESULT_TOMBSTONE) != 0 || header->status != CSN_WIRE_STATUS_OK) {
        state->refused++;
        cli_fail(0, "record %llu: the enclave refused it: %s (at byte %u)",
                 (unsigned long long)header->sequence, cli_status_name(header->status),
                 header->detail);
        return;
    }
    state->opened++;
    bool good = fwrite(item->payload, 1, item->payload_size, state->output) == item->payload_size &&
                fputc('\n', state->output) != EOF;
    state->write_failed |= !good;
}

static const char *why_not(csn_err err)
{
    switch (err) {
    case CSN_ERR_UNKNOWN:
        return "not sealed to this consumer";
    case CSN_ERR_POLICY:
        return "made under an older grant than --min-version";
    case CSN_ERR_AUTH:
        return "does not authenticate";
    default:
        return csn_err_name(err);
    }
}

static void take_frame(struct open_state *state, uint32_t size)
{
    struct csn_wire_answer answer;
    uint32_t begin;
    uint64_t number = state->frames++;
    if (!csn_wire_answer_read(state->frame, size, &answer, &begin)) {
        state->forged++;
        cli_fail(0, "frame %llu: not an answer: cut off, or of another length",
                 (unsigned long long)number);
        return;
    }
    if (answer.code != CSN_WIRE_DONE) {
        state->rejected++;
        cli_fail(0, "frame %llu: the host says it was rejected: code %u",
                 (unsigned long long)number, answer.code);
        return;
    }
    if (answer.size == 0) {
        return; /* a repeat that the enclave swallowed */
    }
    struct csv_open_item item = {
        .record = state->frame + begin, .size = answer.size, .payload = state->payload};
    csn_err err = csv_open_batch(state->opener, &item, 1);
    err = err == CSN_OK ? item.result : err;
    if (err == CSN_OK) {
        take_opened(state, &item);
    } else if (err == CSN_ERR_REPLAY) {
        state->repeats++;
    } else {
        state->forged++;
        cli_fail(0, "frame %llu: %s", (unsigned long long)number, why_not(err));
    }
}

/* False at the end, or where the framing breaks. */
static bool next_frame(struct open_state *state)
{
    uint32_t size = 0;
    uint8_t *bytes = (uint8_t *)&size;
    ssize_t got = read(state->input, bytes, 1);
    if (got == 0) {
        return false;
    }
    state->cut_off = got < 0 || !cli_read_exactly(state->input, bytes + 1, sizeof size - 1) ||
                     size > FRAME_SIZE_MAX || !cli_read_exactly(state->input, state->frame, size);
    if (state->cut_off) {
        cli_fail(0, "frame %llu: the input ends inside it, or its size cannot be right",
                 (unsigned long long)state->frames);
        return false;
    }
    take_frame(state, size);
    return !state->write_failed;
}

/* Says what is known of each stream; true when nothing is missing. */
static bool streams_complete(const struct open_state *state)
{
    uint32_t count = csv_opener_stream_count(state->opener);
    bool complete = true;
    for (uint32_t i = 0; i < count; i++) {
        struct csv_stream stream;
        csv_opener_stream(state->opener, i, &stream);
        bool whole = stream.fin_seen && stream.missing == 0;
        complete &= whole;
        if (!stream.fin_seen) {
            cli_fail(0, "producer %016llx: its end never came",
                     (unsigned long long)stream.credential);
        }
        if (stream.missing != 0) {
            cli_fail(0, "producer %016llx: incomplete: %llu records missing, the first is %llu",
                     (unsigned long long)stream.credential, (unsigned long long)stream.missing,
                     (unsigned long long)stream.first_gap);
        }
    }
    return complete && count != 0;
}

static void print_summary(FILE *stream, const struct open_state *state, bool complete)
{
    const char *format = state->json
                             ? "{\"opened\":%llu,\"refused\":%llu,\"repeats\":%llu,"
                               "\"unauthenticated\":%llu,\"rejected\":%llu,\"streams\":%u,"
                               "\"complete\":%s}\n"
                             : "caisson open: %llu opened, %llu refused, %llu repeats, "
                               "%llu not authentic, %llu rejected; %u streams; complete: %s\n";
    const char *word = complete ? (state->json ? "true" : "yes") : (state->json ? "false" : "no");
    fprintf(stream, format, (unsigned long long)state->opened, (unsigned long long)state->refused,
            (unsigned long long)state->repeats, (unsigned long long)state->forged,
            (unsigned long long)state->rejected, csv_opener_stream_count(state->opener), word);
}

static int open_all(struct open_state *state, const char *input, const char *output)
{
    bool standard = strcmp(output, "-") == 0;
    state->input = strcmp(input, "-") == 0 ? STDIN_FILENO : open(input, O_RDONLY | O_CLOEXEC);
    if (state->input < 0) {
        return cli_fail(CLI_FAILURE, "%s: %s", input, strerror(errno));
    }
    state->output = standard ? stdout : fopen(output, "wbe");
    if (state->output == NULL) {
        return cli_fail(CLI_FAILURE, "%s: %s", output, strerror(errno));
    }
    while (next_frame(state)) {
    }
    bool complete = streams_complete(state) && !state->cut_off;
    state->write_failed |= fflush(state->output) != 0;
    print_summary(state->json && !standard ? stdout : stderr, state, complete);
    if (!standard && fclose(state->output) != 0) {
        state->write_failed = true;
    }
    if (state->write_failed) {
        return cli_fail(CLI_FAILURE, "%s: not written", output);
    }
    if (state->forged != 0) {
        return CLI_INVALID;
    }
    return complete && state->refused == 0 ? CLI_OK : CLI_FAILURE;
}

static int make_opener(struct open_state *state)
{
    struct csv_consumer consumer;
    size_t size = 0;
    struct csv_opener_options options = {.consumer = &consumer};
    int code =
        cli_number("--min-version", state->version_text, 0, UINT64_MAX, &options.grant_version_min);
    uint8_t *bytes = code == CLI_OK
                         ? cli_read_secret(state->consumer_path, CSV_CONSUMER_FILE_SIZE + 1, &size)
                         : NULL;
    if (bytes == NULL) {
        return code != CLI_OK ? code : CLI_FAILURE;
    }
    csn_err err = csv_consumer_decode(bytes, size, &consumer);
    explicit_bzero(bytes, size);
    free(bytes);
    if (err != CSN_OK) {
        return cli_fail(CLI_FAILURE, "%s: not a consumer file, or damaged", state->consumer_path);
    }
    err = csv_opener_create(&options, &state->opener);
    explicit_bzero(&consumer, sizeof consumer);
    return err == CSN_OK ? CLI_OK : cli_fail(CLI_FAILURE, "no opener: %s", csn_err_name(err));
}

static int run(int argc, char **argv)
{
    struct open_state state = {.version_text = "1"};
    const struct cli_option options[] = {
        {"--consumer", &state.consumer_path, NULL},
        {"--min-version", &state.version_text, NULL},
        {"--json", NULL, &state.json},
    };
    const char *operands[2];
    bool done;
    int code = cli_stream_options(&cli_open, argc, argv, options,
                                  sizeof options / sizeof options[0], operands, &done);
    if (code != CLI_OK || done) {
        return code;
    }
    if (state.consumer_path == NULL) {
        return cli_fail(CLI_USAGE, "wants --consumer FILE; see caisson open --help");
    }
    code = cli_client_init();
    if (code != CLI_OK) {
        return code;
    }
    code = make_opener(&state);
    state.frame = malloc(FRAME_SIZE_MAX);
    state.payload = malloc(FRAME_SIZE_MAX);
    if (code == CLI_OK && (state.frame == NULL || state.payload == NULL)) {
        code = cli_fail(CLI_FAILURE, "out of memory");
    }
    code = code == CLI_OK ? open_all(&state, operands[0], operands[1]) : code;
    csv_opener_destroy(state.opener);
    free(state.frame);
    free(state.payload);
    return code;
}

const struct cli_verb cli_open = {.name = "open",
                                  .summary = "open what an enclave sealed for a consumer",
                                  .help = help,
                                  .run = run};
