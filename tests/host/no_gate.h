/* SPDX-License-Identifier: Apache-2.0 */
/*
 * no_gate.h: what the run loop calls and an image has, for programs that run the loop in their own
 * thread: nobody sleeps or is woken, parks are counted, a panic ends the program.
 */
#ifndef TESTS_HOST_NO_GATE_H
#define TESTS_HOST_NO_GATE_H

#include <stdint.h>

extern uint32_t no_gate_parks;

#endif
