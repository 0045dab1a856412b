/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mod_score.c: scores of boosted trees: {"rows": [[1, 2.5, null], ...]} gives {"scores": [...]}, a
 * number for each row, or a list of them where the model has several outputs.
 */
#include "mod_state.h"

static bool read_row(const struct csn_json *json, uint32_t node, uint32_t count, float *row)
{
    const struct csn_json_node *nodes = json->nodes;
    uint32_t used = 0;
    if (nodes[node].kind != CSN_JSON_ARRAY) {
        return false;
    }
    for (uint32_t i = csn_json_child(nodes, node); i != 0; i = nodes[i].next) {
        if (used == count || (nodes[i].kind != CSN_JSON_NUMBER && nodes[i].kind != CSN_JSON_NULL)) {
            return false;
        }
        row[used++] =
            nodes[i].kind == CSN_JSON_NULL
                ? __builtin_nanf("")
                : (float)mod_number(json->text + nodes[i].begin, nodes[i].end - nodes[i].begin);
    }
    return used == count;
}

/* The list of rows, or 0. */
static uint32_t find_rows(const struct csn_json *json, uint32_t *count)
{
    static const char name[] = "rows";
    const struct csn_json_node *nodes = json->nodes;
    const uint32_t rows = nodes[0].kind == CSN_JSON_OBJECT ? csn_json_child(nodes, 0) : 0;
    *count = 0;
    if (rows == 0 || nodes[rows].next != 0 || nodes[rows].kind != CSN_JSON_ARRAY ||
        !csn_json_equal(json->text + nodes[rows].name, nodes[rows].name_size, (const uint8_t *)name,
                        sizeof name - 1)) {
        return 0;
    }
    for (uint32_t i = csn_json_child(nodes, rows); i != 0; i = nodes[i].next) {
        ++*count;
    }
    return rows;
}

static void write_scores(struct mod_writer *out, const float *scores, uint32_t rows,
                         uint32_t outputs)
{
    mod_put(out, "{\"scores\":[");
    for (uint32_t i = 0; i < rows; i++) {
        mod_put(out, i == 0 ? "" : ",");
        mod_put(out, outputs == 1 ? "" : "[");
        for (uint32_t k = 0; k < outputs; k++) {
            mod_put(out, k == 0 ? "" : ",");
            mod_put_float(out, scores[i * outputs + k]);
        }
        mod_put(out, outputs == 1 ? "" : "]");
    }
    mod_put(out, "]}");
}

cse_status mod_score(struct cse_call *call, const uint8_t *input, uint32_t input_size,
                     uint8_t *output, uint32_t output_size_max, uint32_t *output_size)
{
    const struct mod_tenant *tenant = cse_state(call);
    struct mod_worker *worker = cse_worker_state(call);
    struct mod_writer out = {output, output_size_max, 0};
    struct csn_json json;
    uint32_t count;
    if (!mod_may(tenant, &tenant->trees, &worker->trees)) {
        return CSN_WIRE_STATUS_POLICY;
    }
    const cse_status status = mod_scan(call, input, input_size, &json);
    if (status != CSN_WIRE_STATUS_OK) {
        return status;
    }
    const uint32_t features = worker->forest.header->feature_count;
    const uint32_t outputs = worker->forest.header->output_count;
    const uint32_t rows_at = find_rows(&json, &count);
    if (rows_at == 0 || count == 0) {
        return CSN_WIRE_STATUS_MALFORMED;
    }
    if ((uint64_t)count * features > CSN_WIRE_PAYLOAD_MAX ||
        (uint64_t)count * outputs > CSN_WIRE_PAYLOAD_MAX) {
        return CSN_WIRE_STATUS_LIMIT;
    }
    float *rows = cse_scratch(call, count * features * (uint32_t)sizeof *rows);
    float *scores = cse_scratch(call, count * outputs * (uint32_t)sizeof *scores);
    if (rows == NULL || scores == NULL) {
        return CSN_WIRE_STATUS_LIMIT;
    }
    float *row = rows;
    for (uint32_t i = csn_json_child(json.nodes, rows_at); i != 0; i = json.nodes[i].next) {
        if (!read_row(&json, i, features, row)) {
            cse_fail_at(call, json.nodes[i].begin);
            return CSN_WIRE_STATUS_MALFORMED;
        }
        row += features;
    }
    csn_trees_score(&worker->forest, rows, count, worker->forest_scratch, scores);
    csn_wipe(worker->forest_scratch,
             csn_trees_scratch_count(&worker->forest) * sizeof *worker->forest_scratch);
    write_scores(&out, scores, count, outputs);
    *output_size = out.size;
    return out.size <= output_size_max ? CSN_WIRE_STATUS_OK : CSN_WIRE_STATUS_TOO_LARGE;
}
