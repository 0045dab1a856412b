/* SPDX-License-Identifier: Apache-2.0 */
/* image_control.c: what check_image.py must find: one forbidden instruction. */
void probe_start(void);

void probe_start(void)
{
    __asm__ volatile("syscall" : : "a"(39) : "rcx", "r11", "memory");
}
