/* SPDX-License-Identifier: Apache-2.0 */
/*
 * children.h: other programs beside this one: servers on loopback, in a temporary folder that goes
 * with this program.
 *
 * Every one of them is ended by its process id when this program ends, however it does. What does
 * not work ends the program with a message. One thread.
 */
#ifndef CSN_BENCH_CHILDREN_H
#define CSN_BENCH_CHILDREN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* The path of a file in the folder; valid for the program's time. */
const char *children_path(const char *name);
void children_write(const char *name, const void *bytes, size_t size);
/* The path of a program on the search path, or NULL. */
const char *children_find(const char *program);
/* A TCP port on 127.0.0.1 that was free a moment ago. */
uint16_t children_port(void);

/* Starts it; what it prints goes to NAME.log in the folder. */
pid_t children_start(const char *name, const char *const argv[]);
/* A child that runs serve(state) until it is ended. */
pid_t children_fork(void (*serve)(void *state), void *state);
/* Until somebody accepts connections there. name: whose log is shown if nobody does. */
void children_await(pid_t child, uint16_t port, const char *name);
/* Waits for its end, for so long at most: true if its exit code is 0. */
bool children_wait(pid_t child, uint64_t timeout_ns);
void children_end(pid_t child);
/* A text of the folder, whole; valid until the next. */
const char *children_read(const char *name);

#endif
