/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ring_twin.h: put before src/core/ring.c and ring_ways.c, this makes the trusting twin: the same
 * source, but whatever the peer wrote is believed. For measuring only; nothing else links it.
 */
#ifndef CSN_BENCH_RING_TWIN_H
#define CSN_BENCH_RING_TWIN_H

#define CSN_RING_CHECK(holds) (1 || (holds))

#define csn_ring_writer_init   twin_ring_writer_init
#define csn_ring_reader_init   twin_ring_reader_init
#define csn_ring_write         twin_ring_write
#define csn_ring_batch_is_full twin_ring_batch_is_full
#define csn_ring_publish       twin_ring_publish
#define csn_ring_has_credit    twin_ring_has_credit
#define csn_ring_has_lines     twin_ring_has_lines
#define csn_ring_read          twin_ring_read
#define csn_ring_expect        twin_ring_expect
#define csn_ring_has_message   twin_ring_has_message
#define csn_ring_give_credit   twin_ring_give_credit
#define csn_ring_writer_check  twin_ring_writer_check
#define csn_ring_reader_check  twin_ring_reader_check

#define bench_ring_trip   bench_twin_trip
#define bench_ring_stream bench_twin_stream
#define bench_ring_free   bench_twin_free

#endif
