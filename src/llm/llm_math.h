/* SPDX-License-Identifier: Apache-2.0 */
/*
 * llm_math.h: functions that an image has no libm for. In doubles, to within a few units of their
 * last place; finite arguments only.
 */
#ifndef CSN_LLM_MATH_H
#define CSN_LLM_MATH_H

/* base to the power; base in (0, 1e30], exponent in [-2, 2]. */
double csn_llm_power(double base, double exponent);
/* Of an angle of 0 to 2^20. */
void csn_llm_turn(double angle, double *cosine, double *sine);

#endif
