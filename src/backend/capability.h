/* SPDX-License-Identifier: Apache-2.0 */
/*
 * capability.h: what this machine offers each backend; csn_doctor() joins the lists.
 */
#ifndef CSN_BACKEND_CAPABILITY_H
#define CSN_BACKEND_CAPABILITY_H

#include <caisson/host.h>

/* Fills at most count_max lines; returns how many there are. Nothing is changed by asking. */
uint32_t csn_process_capabilities(struct csn_capability *capabilities, uint32_t count_max);
uint32_t csn_kvm_capabilities(struct csn_capability *capabilities, uint32_t count_max);

#endif
