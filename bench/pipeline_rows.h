/* SPDX-License-Identifier: Apache-2.0 */
/* pipeline_rows.h: goal 6 on one backend, for pipeline.c and `caisson bench pipeline`. */
#ifndef CSN_BENCH_PIPELINE_ROWS_H
#define CSN_BENCH_PIPELINE_ROWS_H

#include "sealed.h"

#define BENCH_PIPELINE_ROWS 12u

/* image: the echo enclave. Between bench_cores_begin() and bench_cores_end(). */
void bench_pipeline_rows(const struct sealed_image *image, const char *backend);

#endif
