/* SPDX-License-Identifier: Apache-2.0 */
/*
 * memory.h: memory that a launcher maps once: private, huge where possible, locked, touched,
 * and memory files that two processes share.
 *
 * Threads:  no shared state.
 * Lifetime: the caller unmaps or closes; a failed call leaves nothing behind.
 */
#ifndef CSN_BACKEND_MEMORY_H
#define CSN_BACKEND_MEMORY_H

#include <caisson/host.h>
#include <stddef.h>
#include <stdint.h>

struct csn_memory {
    void *base;           /* aligned to 2 MiB */
    size_t size;          /* bytes, as asked, rounded up: to huge pages from half of one on */
    uint32_t protections; /* CSN_PROTECT_LOCKED and CSN_PROTECT_HUGE_PAGES where they hold */
};

/*
 * Private anonymous memory, readable and writable, zero, touched in full, kept from dumps, fork
 * and page merging. Locking and huge pages are best effort and reported. CSN_ERR_MEMORY.
 */
CSN_MUST_USE csn_err csn_memory_map(size_t size, struct csn_memory *memory,
                                    struct csn_detail *detail);
/* Touches shared memory in full, and changes nothing of what others write there meanwhile. */
void csn_memory_touch_shared(void *base, size_t size);
void csn_memory_unmap(struct csn_memory *memory); /* wipes first; NULL base allowed */

/*
 * A memory file of size zero bytes, close-on-exec, that can no longer change its size.
 * Holes may still be punched into it: its content is never trusted by who did not write it.
 */
CSN_MUST_USE csn_err csn_memory_file(const char *name, size_t size, int *fd,
                                     struct csn_detail *detail);
/* A memory file with these bytes that nobody can change again. executable: it will be run. */
CSN_MUST_USE csn_err csn_memory_file_from(const char *name, const void *bytes, size_t size,
                                          int executable, int *fd, struct csn_detail *detail);

#endif
