// SPDX-License-Identifier: GPL-2.0-only
/*
 * Control and table registers of VTL0, whose writing VTL1 wants to be told of. What it need not be
 * told of is done here as the processor would do it.
 */
#include "insn.h"
#include "vp.h"

#define CR0_LMSW 0x0full /* PE, MP, EM, TS */
#define CR4_PLAIN 0x7ffull
#define PHYSICAL_BITS_MAX 52
#define RFLAGS_KNOWN 0x3d7fd7ull

/* The bits of CR4 that this processor knows. */
static uint64_t cr4_known(void)
{
	static const struct {
		uint32_t leaf;
		uint8_t reg; /* 1 EBX, 2 ECX */
		uint8_t bit;
		uint8_t cr4;
	} features[] = {
		{ 7, 2, 2, 11 }, { 7, 2, 16, 12 }, { 7, 1, 0, 16 },  { 1, 2, 17, 17 },
		{ 1, 2, 26, 18 }, { 7, 1, 7, 20 }, { 7, 1, 20, 21 }, { 7, 2, 3, 22 },
		{ 7, 2, 7, 23 },
	};
	uint64_t known = CR4_PLAIN;

	for (uint32_t i = 0; i < ARRAY_SIZE(features); i++) {
		struct cpuid r = cpuid(features[i].leaf, 0);
		uint32_t word = features[i].reg == 1 ? r.ebx : r.ecx;

		known |= word >> features[i].bit & 1 ? BIT(features[i].cr4) : 0;
	}
	return known;
}

bool control_cr3_ok(uint64_t v)
{
	return !(v >> PHYSICAL_BITS_MAX);
}

bool control_cr4_ok(uint64_t v)
{
	return !(v & ~cr4_known());
}

/* In 64-bit mode, in which virtual 8086 mode is unknown. */
bool control_rflags_ok(uint64_t v)
{
	return v & RFLAGS_FIXED && !(v & ~RFLAGS_KNOWN);
}

bool control_write_cr0(struct vmcb *vmcb, uint64_t v)
{
	uint64_t changed = v ^ vmcb->cr0;

	if (v >> 32 || (v & CR0_PG && !(v & CR0_PE)) || (v & CR0_NW && !(v & CR0_CD)))
		return false;
	if (changed & CR0_PG && v & CR0_PG && vmcb->efer & EFER_LME) {
		if (!(vmcb->cr4 & CR4_PAE))
			return false;
		vmcb->efer |= EFER_LMA;
	}
	if (!(v & CR0_PG))
		vmcb->efer &= ~EFER_LMA;
	vmcb->cr0 = v | CR0_ET;
	return true;
}

bool control_write_cr4(struct vmcb *vmcb, uint64_t v)
{
	if (!control_cr4_ok(v) || (vmcb->efer & EFER_LMA && !(v & CR4_PAE)))
		return false;
	vmcb->cr4 = v;
	return true;
}

/* The value that an instruction gives a control register. */
static bool new_value(struct vp *vp, const struct insn *insn, uint64_t old, uint64_t *v)
{
	uint16_t word;

	switch (insn->kind) {
	case INSN_MOV_TO_CR:
		*v = vp_get(vp, insn->reg);
		return true;
	case INSN_CLTS:
		*v = old & ~CR0_TS;
		return true;
	case INSN_LMSW:
		if (!insn->memory)
			word = (uint16_t)vp_get(vp, insn->reg);
		else if (!guest_operand(vp, insn, (uint8_t *)&word))
			return false;
		/* It sets PE and does not clear it. */
		*v = (old & ~(CR0_LMSW & ~CR0_PE)) | (word & CR0_LMSW);
		return true;
	default:
		return false;
	}
}

void exit_control(struct vp *vp)
{
	struct vmcb *vmcb = vp_vmcb(vp);
	bool cr4 = vmcb->exit_code == VMCB_EXIT_CR_WRITE + 4;
	uint64_t old = cr4 ? vmcb->cr4 : vmcb->cr0;
	uint64_t mask = cr4 ? vp->cr4_mask : vp->cr0_mask;
	struct insn insn;
	uint64_t v;

	vp_count(vp, COUNT_CR);
	if (!guest_decode(vp, &insn) || !new_value(vp, &insn, old, &v)) {
		vp_refuse(vp, "unknown instruction at CR", cr4 ? 4 : 0, 0);
		return;
	}
	if ((v ^ old) & mask &&
	    intercept_register(vp, cr4 ? HV_REGISTER_CR4 : HV_REGISTER_CR0, v, 0, insn.length))
		return;
	if (!(cr4 ? control_write_cr4(vmcb, v) : control_write_cr0(vmcb, v))) {
		vp_fault(vp);
		return;
	}
	vp->flush = true;
	vp_skip(vp, insn.length);
}

void exit_xsetbv(struct vp *vp)
{
	uint64_t v = vp->gpr[RDX] << 32 | (uint32_t)vp_vmcb(vp)->rax;

	vp_count(vp, COUNT_CR);
	if (!intercept_register(vp, HV_REGISTER_XFEM, v, 0, 3))
		vp_refuse(vp, "write of XCR", vp->gpr[RCX], v);
}

static uint32_t table_name(uint64_t code)
{
	switch (code) {
	case VMCB_EXIT_IDTR_WRITE:
		return HV_REGISTER_IDTR;
	case VMCB_EXIT_GDTR_WRITE:
		return HV_REGISTER_GDTR;
	case VMCB_EXIT_LDTR_WRITE:
		return HV_REGISTER_LDTR;
	default:
		return HV_REGISTER_TR;
	}
}

/* A table as hv_table, a selector in its place in hv_segment. */
static bool table_value(struct vp *vp, const struct insn *insn, uint64_t *low, uint64_t *high)
{
	struct {
		uint16_t limit;
		uint64_t base;
	} __attribute__((packed)) operand = { 0 };
	uint16_t selector = 0;

	*low = *high = 0;
	if (insn->kind == INSN_LGDT || insn->kind == INSN_LIDT) {
		if (!guest_operand(vp, insn, (uint8_t *)&operand))
			return false;
		*low = (uint64_t)operand.limit << 48;
		*high = operand.base;
		return true;
	}
	if (insn->kind != INSN_LLDT && insn->kind != INSN_LTR)
		return false;
	if (!insn->memory)
		selector = (uint16_t)vp_get(vp, insn->reg);
	else if (!guest_operand(vp, insn, (uint8_t *)&selector))
		return false;
	*high = (uint64_t)selector << 32;
	return true;
}

void exit_table_register(struct vp *vp)
{
	uint32_t name = table_name(vp_vmcb(vp)->exit_code);
	struct insn insn;
	uint64_t low;
	uint64_t high;

	vp_count(vp, COUNT_TABLE);
	if (vp_vmcb(vp)->cpl || !guest_decode(vp, &insn) || !table_value(vp, &insn, &low, &high) ||
	    !intercept_register(vp, name, low, high, insn.length))
		vp_refuse(vp, "write of table register", name, 0);
}

void vp_intercepts(struct vp *vp)
{
	static const struct {
		uint64_t control;
		uint32_t misc1;
	} tables[] = {
		{ HV_CR_INTERCEPT_GDTR_WRITE, VMCB_INTERCEPT_GDTR_WRITE },
		{ HV_CR_INTERCEPT_IDTR_WRITE, VMCB_INTERCEPT_IDTR_WRITE },
		{ HV_CR_INTERCEPT_LDTR_WRITE, VMCB_INTERCEPT_LDTR_WRITE },
		{ HV_CR_INTERCEPT_TR_WRITE, VMCB_INTERCEPT_TR_WRITE },
	};
	struct vmcb *vmcb = vp->vtl[0].vmcb;
	uint64_t control = vp->cr_control;

	vmcb->cr = 0;
	vmcb->cr |= control & HV_CR_INTERCEPT_CR0_WRITE ? VMCB_INTERCEPT_CR_WRITE(0) : 0;
	vmcb->cr |= control & HV_CR_INTERCEPT_CR4_WRITE ? VMCB_INTERCEPT_CR_WRITE(4) : 0;
	vmcb->misc2 &= ~(uint32_t)VMCB_INTERCEPT_XSETBV;
	vmcb->misc2 |= control & HV_CR_INTERCEPT_XCR0_WRITE ? VMCB_INTERCEPT_XSETBV : 0;
	for (uint32_t i = 0; i < ARRAY_SIZE(tables); i++) {
		vmcb->misc1 &= ~tables[i].misc1;
		vmcb->misc1 |= control & tables[i].control ? tables[i].misc1 : 0;
	}
	msr_watch(vp);
}
