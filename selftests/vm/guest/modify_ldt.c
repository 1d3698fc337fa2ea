// SPDX-License-Identifier: GPL-2.0-only
/*
 * modify_ldt - set up a segment of one's own and read through it, as an ordinary user may
 */
#include <asm/ldt.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#define SECRET 0x5ec7e7u
#define SELECTOR 7 /* entry 0 of the local table, for user mode */

int main(void)
{
	struct user_desc segment = { .limit = 0xfff, .seg_32bit = 1, .useable = 1 };
	uint32_t got, *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
				   MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);

	if (page == MAP_FAILED)
		return 255;
	*page = SECRET;
	segment.base_addr = (unsigned int)(uintptr_t)page;
	if (syscall(SYS_modify_ldt, 1, &segment, sizeof(segment))) {
		fprintf(stderr, "modify_ldt: %s\n", strerror(errno));
		return errno;
	}
	asm volatile("push %%gs; pop %%r8\n\t"
		     "mov %1, %%gs\n\t"
		     "mov %%gs:0, %0\n\t"
		     "push %%r8; pop %%gs"
		     : "=r"(got) : "r"(SELECTOR) : "r8", "memory");
	return got == SECRET ? 0 : 254;
}
