/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A VTL call from a stock kernel that gives registers values and looks what becomes of them.
 */
#ifndef SELFTESTS_VM_VTL_CALL_H
#define SELFTESTS_VM_VTL_CALL_H

#include <linux/gfp.h>
#include <linux/io.h>
#include <asm/mshyperv.h>
#include <asm/nospec-branch.h>

#define VTL_CALL_GET_VP_REGISTERS 0x50ull
#define VTL_CALL_CODE_PAGE_OFFSETS 0xd0002
#define VTL_CALL_REP_ONE (1ull << 32)

/**
 * struct kept - registers that a call must leave alone
 * @general: RBX, R9 to R15
 * @vector:  XMM0 to XMM3
 */
struct kept {
	u64 general[8];
	u64 vector[8];
};

/* Where in the hypercall page a VTL call begins; NULL when that cannot be told. */
static inline void *vtl_call_find(void)
{
	register u64 r8 asm("r8");
	u64 status = (u64)hv_hypercall_pg, in, *page;
	u64 input = VTL_CALL_GET_VP_REGISTERS | VTL_CALL_REP_ONE;
	void *found = NULL;

	page = (u64 *)get_zeroed_page(GFP_KERNEL);
	if (!page)
		return NULL;
	page[0] = ~0ull;
	page[1] = 0xfffffffe;
	page[2] = VTL_CALL_CODE_PAGE_OFFSETS;
	in = virt_to_phys(page);
	r8 = in + 0x800;
	asm volatile(ANNOTATE_RETPOLINE_SAFE "call *%%rax"
		     : "+a"(status), "+c"(input), "+d"(in), "+r"(r8)
		     :
		     : "r9", "r10", "r11", "memory", "cc");
	if (!(status & 0xffff))
		found = hv_hypercall_pg + (page[0x800 / 8] & 0xfff);
	free_page((unsigned long)page);
	return found;
}

/*
 * The general registers are given values, which come back in @kept with what the call has made. The
 * caller has the vector registers and keeps interrupts off.
 */
static noinline u64 vtl_call_keeping(void *call_page, u64 id, u64 a, u64 b, u64 c, struct kept *kept)
{
	register u64 r8 asm("r8") = c;
	register struct kept *r9 asm("r9") = kept;
	u64 zero = 0, rax = (u64)call_page;

	asm volatile("push %%rbp; push %%rbx\n\t"
		     "mov %%r9, %%rbp\n\t"
		     "mov 0(%%rbp), %%rbx; mov 8(%%rbp), %%r9; mov 16(%%rbp), %%r10\n\t"
		     "mov 24(%%rbp), %%r11; mov 32(%%rbp), %%r12; mov 40(%%rbp), %%r13\n\t"
		     "mov 48(%%rbp), %%r14; mov 56(%%rbp), %%r15\n\t"
		     "movdqu 64(%%rbp), %%xmm0; movdqu 80(%%rbp), %%xmm1\n\t"
		     "movdqu 96(%%rbp), %%xmm2; movdqu 112(%%rbp), %%xmm3\n\t"
		     ANNOTATE_RETPOLINE_SAFE "call *%%rax\n\t"
		     "mov %%rbx, 0(%%rbp); mov %%r9, 8(%%rbp); mov %%r10, 16(%%rbp)\n\t"
		     "mov %%r11, 24(%%rbp); mov %%r12, 32(%%rbp); mov %%r13, 40(%%rbp)\n\t"
		     "mov %%r14, 48(%%rbp); mov %%r15, 56(%%rbp)\n\t"
		     "movdqu %%xmm0, 64(%%rbp); movdqu %%xmm1, 80(%%rbp)\n\t"
		     "movdqu %%xmm2, 96(%%rbp); movdqu %%xmm3, 112(%%rbp)\n\t"
		     "pop %%rbx; pop %%rbp"
		     : "+a"(rax), "+c"(zero), "+D"(id), "+S"(a), "+d"(b), "+r"(r8), "+r"(r9)
		     :
		     : "r10", "r11", "r12", "r13", "r14", "r15", "memory", "cc");
	return r8;
}

#endif /* SELFTESTS_VM_VTL_CALL_H */
