// SPDX-License-Identifier: GPL-2.0-only
/*
 * Ways past the client: a vtlcall and a hypercall by the attacker's own hand.
 */
#include <linux/gfp.h>
#include <linux/irqflags.h>
#include <linux/mm.h>
#include <linux/preempt.h>
#include <linux/sched.h>
#include <asm/nospec-branch.h>

#include <heki/heki.h>
#include <hyperv/hypercall.h>
#include <hyperv/registers.h>

#include "attacks.h"

#define CALL_OFFSET_MASK 0xfff

static u64 page_call(u8 *target, struct heki_vtlcall_regs *regs)
{
	register u64 r8 asm("r8") = regs->r8;
	u64 rax = (u64)target;

	asm volatile(ANNOTATE_RETPOLINE_SAFE "call *%%rax"
		     : "+a"(rax), "+D"(regs->rdi), "+S"(regs->rsi), "+d"(regs->rdx), "+c"(regs->rcx),
		       "+r"(r8), ASM_CALL_CONSTRAINT
		     : : "r9", "r10", "r11", "memory", "cc");
	regs->r8 = r8;
	return rax;
}

/* The kernel's page for hypercalls; NULL where there is no Hyper-V. */
static u8 *call_page(void)
{
	u8 **page = pointer("hv_hypercall_pg");

	return page ? *page : NULL;
}

int hypercall(u64 control, u64 in, u64 out)
{
	struct heki_vtlcall_regs regs = { .rcx = control, .rdx = in, .r8 = out };
	unsigned long flags;
	u64 rax;

	if (!call_page())
		return -ENODEV;
	local_irq_save(flags);
	rax = page_call(call_page(), &regs);
	local_irq_restore(flags);
	return rax & HV_RESULT_STATUS_MASK;
}

/* Where in the hypercall page a VTL call begins, 0 when that cannot be found out. */
static unsigned int call_offset(void)
{
	struct hv_get_vp_registers *in = (void *)get_zeroed_page(GFP_ATOMIC);
	struct hv_register_value *out = (void *)in + PAGE_SIZE / 2;
	unsigned int offset = 0;

	if (!in)
		return 0;
	in->partition = HV_PARTITION_SELF;
	in->vp = HV_VP_SELF;
	in->names[0] = HV_REGISTER_VSM_CODE_PAGE_OFFSETS;
	if (!hypercall(HV_CALL_GET_VP_REGISTERS | 1ull << HV_CALL_REP_COUNT_SHIFT, __pa(in), __pa(out)))
		offset = out->low & CALL_OFFSET_MASK;
	free_page((unsigned long)in);
	return offset;
}

static void (*shim)(struct heki_vtlcall_regs *regs);
static u8 *vtl_call;

int call_find(void)
{
	unsigned int offset;

	if (shim || vtl_call)
		return 0;
	shim = pointer("vtl1_shim:heki_vtlcall");
	if (shim)
		return 0;
	offset = symbol("heki_client:client") ? call_offset() : 0;
	if (!offset)
		return -ENODEV;
	vtl_call = call_page() + offset;
	return 0;
}

int call_once(u64 id, u64 p0, u64 p1, u64 p2)
{
	struct heki_vtlcall_regs regs = { .rdi = id, .rsi = p0, .rdx = p1, .r8 = p2 };
	unsigned long flags;

	if (shim) {
		shim(&regs);
	} else {
		local_irq_save(flags);
		page_call(vtl_call, &regs);
		local_irq_restore(flags);
	}
	return (int)regs.r8;
}

int call_vtl1(u64 id, u64 p0, u64 p1, u64 p2, int *result)
{
	int error = call_find();

	if (error)
		return error;
	while ((*result = call_once(id, p0, p1, p2)) == -EAGAIN)
		if (preemptible())
			cond_resched();
	return 0;
}
