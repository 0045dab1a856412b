/* SPDX-License-Identifier: Apache-2.0 */
/* swtpm.h: software TPMs (swtpm) of a test's own, each with its state in a folder of its own. */
#ifndef TESTS_EVIDENCE_SWTPM_H
#define TESTS_EVIDENCE_SWTPM_H

#include <stdbool.h>
#include <sys/types.h>

struct swtpm {
    pid_t process;
    char folder[40];
    char tcti[64];
};

/* False: swtpm does not run here, and nothing is left of it. It ends with this process. */
bool swtpm_start(struct swtpm *swtpm);
/* Loses its power, and starts again with what it has in NV memory. */
bool swtpm_restart(struct swtpm *swtpm);
void swtpm_stop(struct swtpm *swtpm);

#endif
