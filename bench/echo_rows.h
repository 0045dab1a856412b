/* SPDX-License-Identifier: Apache-2.0 */
/* echo_rows.h: goal 1 on one backend, for echo.c and `caisson bench echo`. */
#ifndef CSN_BENCH_ECHO_ROWS_H
#define CSN_BENCH_ECHO_ROWS_H

#include "cores.h"
#include "sealed.h"

#define BENCH_ECHO_ROWS 6u /* on kvm; one less on process */

/* A peer that `make bench` has beside it; NULL, as it is at first: none. Set it before. */
extern const struct bench_way *bench_echo_peer;
extern const char *bench_echo_peer_name;

/* image: the echo enclave. Between bench_cores_begin() and bench_cores_end(). */
void bench_echo_rows(const struct sealed_image *image, const char *backend);

#endif
