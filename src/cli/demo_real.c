/* SPDX-License-Identifier: Apache-2.0 */
/*
 * demo_real.c: the FHIR files and the PII sentences through the same path, where they are there.
 *
 * Trust: the host only says which file; the tenant's process reads it.
 */
#define _GNU_SOURCE
#include "demo.h"
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define REAL_COUNT_MAX UINT64_C(100000)

extern const uint8_t demo_patient_policy[];
extern const size_t demo_patient_policy_size;
extern const uint8_t demo_encounter_policy[];
extern const size_t demo_encounter_policy_size;
extern const uint8_t demo_sentence_policy[];
extern const size_t demo_sentence_policy_size;

struct real_set {
    const char *name;
    const char *file; /* under data-pii */
    const uint8_t *policy;
    const size_t *policy_size;
    const char *member; /* the JSON file is an array: this member of each is the text */
};

static const struct real_set sets[DEMO_REAL_COUNT] = {
    {"FHIR patients", "fhir-synthea/Patient.100p.ndjson", demo_patient_policy,
     &demo_patient_policy_size, NULL},
    {"FHIR encounters", "fhir-synthea/Encounter.10p.ndjson", demo_encounter_policy,
     &demo_encounter_policy_size, NULL},
    {"PII sentences", "presidio-synth_dataset_v2.json", demo_sentence_policy,
     &demo_sentence_policy_size, "full_text"},
};

/* $CAISSON_SHARED, or `shared` beside the folder that build/ lies in. */
static bool real_folder(char path[PATH_MAX])
{
    const char *shared = getenv("CAISSON_SHARED");
    if (shared != NULL) {
        return snprintf(path, PATH_MAX, "%s", shared) < PATH_MAX;
    }
    ssize_t size = readlink("/proc/self/exe", path, PATH_MAX - 64);
    if (size <= 0) {
        return false;
    }
    path[size] = 0;
    for (int i = 0; i < 3; i++) { /* caisson, build, the project */
        char *slash = strrchr(path, '/');
        if (slash == NULL) {
            return false;
        }
        *slash = 0;
    }
    memcpy(path + strlen(path), "/shared", sizeof "/shared");
    return true;
}

bool demo_real_all(const struct demo_run *cards, struct demo_real real[DEMO_REAL_COUNT])
{
    static char folder[PATH_MAX];
    static char path[PATH_MAX + 128];
    static struct demo_run run;
    bool found = real_folder(folder);
    for (uint32_t i = 0; i < DEMO_REAL_COUNT; i++) {
        real[i].name = sets[i].name;
        snprintf(path, sizeof path, "%s/data-pii/%s", folder, sets[i].file);
        real[i].present = found && access(path, R_OK) == 0;
        if (!real[i].present) {
            fprintf(stderr, "caisson demo: %s skipped: no file %s\n", sets[i].name, path);
            continue;
        }
        run = (struct demo_run){
            .job = {.name = sets[i].name,
                    .policy = (const char *)sets[i].policy,
                    .policy_size = *sets[i].policy_size,
                    .consumer = "registry",
                    .path = path,
                    .member = sets[i].member,
                    .record_count = REAL_COUNT_MAX},
            .options = cards->options,
        };
        if (!demo_run_real(&run)) {
            return false;
        }
        real[i].records_in = run.report.records_in;
        real[i].compared = run.report.compared;
        real[i].compared.mismatches += run.report.rejected;
    }
    return true;
}
