// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Virtual processors: memory, stacks, descriptor tables, the context in which one starts.
 *
 * All memory is taken before VTL0 runs.  Below each stack lies a page that is not mapped.
 *
 * Trust boundary: none, no input of VTL0's comes here. Locks: none; VPs are made on the first one
 * alone.
 */
#include "cpu.h"
#include "machine.h"
#include "memory.h"
#include "traps.h"
#include "vp.h"

#define STACK_PAGES 4
#define IST_STACK_PAGES 2
#define VP_PAGES 6 /* structure, assist page, SIM page, hypercall input and output, scratch */

#define GDT_CODE 0x00af9b000000ffffull
#define GDT_DATA 0x00cf93000000ffffull
#define GDT_TSS 0x0000890000000000ull

#define SEGMENT_CODE 0x209b
#define SEGMENT_DATA 0x4093
#define SEGMENT_TSS 0x008b

#define CPUID_FEATURES 7
#define CPUID7_EBX_SMEP (1u << 7)
#define CPUID7_EBX_SMAP (1u << 20)
#define CPUID7_ECX_UMIP (1u << 2)

#define RFLAGS_FIXED 2

static struct vp *vps[MACHINE_CPUS_MAX];

static int create_stacks(struct vp *vp)
{
	unsigned int i;
	uint8_t *end;

	vp->stack = memory_stack(STACK_PAGES);
	if (!vp->stack)
		return -1;
	for (i = VP_IST_FAULT; i < VP_IST_COUNT; i++) {
		end = memory_stack(IST_STACK_PAGES);
		if (!end)
			return -1;
		vp->tss.ist[i - 1] = (uint64_t)(uintptr_t)end;
	}
	return 0;
}

/* The base of a system descriptor is spread over it. */
static void fill_gdt(struct vp *vp)
{
	uint64_t base = pa_of(&vp->tss).v;

	vp->tss.io_map = sizeof(vp->tss);
	vp->gdt[SELECTOR_CODE / 8] = GDT_CODE;
	vp->gdt[SELECTOR_DATA / 8] = GDT_DATA;
	vp->gdt[SELECTOR_TSS / 8] = GDT_TSS | (sizeof(vp->tss) - 1) | (base & 0xffffff) << 16 |
				    (base >> 24 & 0xff) << 56;
	vp->gdt[SELECTOR_TSS / 8 + 1] = base >> 32;
}

struct vp *vp_create(uint32_t index)
{
	uint8_t (*pages)[HEKI_PAGE_SIZE] = memory_take(VP_PAGES);
	struct vp *vp = (struct vp *)pages;

	if (!pages)
		return NULL;
	vp->self = vp;
	vp->index = index;
	vp->assist = (struct hv_vp_assist_page *)pages[1];
	vp->messages = (struct hv_message *)pages[2];
	vp->hypercall.in = pages[3];
	vp->hypercall.out = pages[4];
	vp->scratch = pages[5];
	vp->heap.memory = memory_take(HEAP_SIZE >> HEKI_PAGE_SHIFT);
	vp->window_entry = memory_window(index, &vp->window);
	if (!vp->heap.memory || !vp->window_entry || create_stacks(vp))
		return NULL;
	fill_gdt(vp);
	vps[index] = vp;
	return vp;
}

struct vp *vp_at(uint32_t index)
{
	return index < MACHINE_CPUS_MAX ? vps[index] : NULL;
}

static uint64_t cr4_bits(void)
{
	struct cpuid c = cpuid(CPUID_FEATURES);

	return (c.ebx & CPUID7_EBX_SMEP ? CR4_SMEP : 0) | (c.ebx & CPUID7_EBX_SMAP ? CR4_SMAP : 0) |
	       (c.ecx & CPUID7_ECX_UMIP ? CR4_UMIP : 0);
}

void vp_load(struct vp *vp)
{
	struct table_pointer gdt = { sizeof(vp->gdt) - 1, pa_of(vp->gdt).v };

	asm volatile("lgdt %0\n\t"
		     "ltr %w1"
		     : : "m"(gdt), "r"(SELECTOR_TSS) : "memory");
	traps_load();
	wrmsr(MSR_GS_BASE, pa_of(vp).v);
	write_cr4(read_cr4() | CR4_OSFXSR | cr4_bits());
}

void vp_context(struct vp *vp, struct hv_initial_vp_context *context)
{
	struct hv_segment data = { 0, 0xffffffff, SELECTOR_DATA, SEGMENT_DATA };

	*context = (struct hv_initial_vp_context){
		.rip = (uint64_t)(uintptr_t)vp_start,
		.rsp = (uint64_t)(uintptr_t)vp->stack,
		.rflags = RFLAGS_FIXED,
		.cs = { 0, 0xffffffff, SELECTOR_CODE, SEGMENT_CODE },
		.ds = data,
		.es = data,
		.fs = data,
		.gs = data,
		.ss = data,
		.tr = { pa_of(&vp->tss).v, sizeof(vp->tss) - 1, SELECTOR_TSS, SEGMENT_TSS },
		.idtr = traps_table(),
		.gdtr = { .limit = sizeof(vp->gdt) - 1, .base = pa_of(vp->gdt).v },
		.efer = rdmsr(MSR_EFER),
		.cr0 = read_cr0(),
		.cr3 = read_cr3(),
		.cr4 = read_cr4(),
		.pat = rdmsr(MSR_PAT),
	};
	context->gs.base = pa_of(vp).v;
}
