/* SPDX-License-Identifier: Apache-2.0 */
/* faulty.h: the operations of the image faulty: 1 is echo, each other one ends the enclave. */
#ifndef CSN_TEST_FAULTY_H
#define CSN_TEST_FAULTY_H

#define FAULTY_ECHO    1
#define FAULTY_DIVIDE  2 /* by zero */
#define FAULTY_NULL    3 /* read of address 8 */
#define FAULTY_GUARD   4 /* write below the stack */
#define FAULTY_TEXT    5 /* write to code */
#define FAULTY_INVALID 6 /* an instruction that does not exist */
#define FAULTY_PANIC   7 /* cse_panic(FAULTY_PANIC_CODE) */

#define FAULTY_PANIC_CODE 77

#endif
