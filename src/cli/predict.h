/* SPDX-License-Identifier: Apache-2.0 */
/* predict.h: the sub-verbs of `caisson predict`, one file each. */
#ifndef CSN_CLI_PREDICT_H
#define CSN_CLI_PREDICT_H

#include "cli.h"

/* name: "predict snp", as messages and help say it. */
extern const struct cli_verb cli_predict_snp;
extern const struct cli_verb cli_predict_sgx;
extern const struct cli_verb cli_predict_nitro;

#endif
