// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Pins: registers of VTL0's that stay as LOCK_REGS has found them.
 *
 * The hypervisor tells of a write before it is made. The core decides about registers with a value
 * of their own; tables are decided about here: the same table again, or the same page under another
 * address, since the kernel maps its GDT twice. A write that may be made is made by VTL1, with the
 * value that was judged.
 *
 * A VP that is started again has nothing pinned until its LOCK_REGS; the first write that VTL1 is told
 * of shows that.
 *
 * Trust boundary: values are VTL0's, and so are the tables that they lead to: a descriptor is copied
 * once. Locks: none of its own; all is about the VP that runs this.
 */
#include "core_host.h"
#include "memory.h"
#include "pins.h"
#include "vsm.h"

#define CR0_WATCHED (1ull << 0 | 1ull << 16 | 1ull << 31) /* PE, WP, PG */
#define CR4_UNWATCHED 0x21d4ull /* TSD, PSE, MCE, PGE, PCE, VMXE: see regs.c of the core */

#define WATCHED                                                                                    \
	(HV_CR_INTERCEPT_CR0_WRITE | HV_CR_INTERCEPT_CR4_WRITE | HV_CR_INTERCEPT_LSTAR_WRITE |     \
	 HV_CR_INTERCEPT_STAR_WRITE | HV_CR_INTERCEPT_CSTAR_WRITE |                                \
	 HV_CR_INTERCEPT_APIC_BASE_WRITE | HV_CR_INTERCEPT_EFER_WRITE |                            \
	 HV_CR_INTERCEPT_GDTR_WRITE | HV_CR_INTERCEPT_IDTR_WRITE | HV_CR_INTERCEPT_LDTR_WRITE |    \
	 HV_CR_INTERCEPT_TR_WRITE | HV_CR_INTERCEPT_SYSENTER_CS_WRITE |                            \
	 HV_CR_INTERCEPT_SYSENTER_EIP_WRITE | HV_CR_INTERCEPT_SYSENTER_ESP_WRITE |                 \
	 HV_CR_INTERCEPT_SFMASK_WRITE)

#define LDT_SELECTOR 0x50 /* GDT_ENTRY_LDT of a 64-bit Linux */
#define DESCRIPTOR_SIZE 16
#define TYPE_LDT 0x82 /* present */
#define LENGTH_MASK 0xf

/* One register, by each of its names. */
struct pin {
	enum hv_register name;
	uint32_t msr;
	size_t offset; /* in struct heki_vp_regs */
};

#define PIN(hv, number, member) { HV_REGISTER_##hv, number, offsetof(struct heki_vp_regs, member) }

static const struct pin pins[] = {
	PIN(CR0, 0, cr0),
	PIN(CR4, 0, cr4),
	PIN(EFER, 0xc0000080, efer),
	PIN(APIC_BASE, 0x1b, apic_base),
	PIN(SYSENTER_CS, 0x174, sysenter_cs),
	PIN(SYSENTER_EIP, 0x176, sysenter_eip),
	PIN(SYSENTER_ESP, 0x175, sysenter_esp),
	PIN(STAR, 0xc0000081, star),
	PIN(LSTAR, 0xc0000082, lstar),
	PIN(CSTAR, 0xc0000083, cstar),
	PIN(SFMASK, 0xc0000084, sfmask),
};

static int get(struct vp *vp, enum hv_register name, struct hv_register_value *value)
{
	return vsm_get_vtl0(&vp->hypercall, name, value);
}

int pins_read_regs(void *host, struct heki_vp_regs *regs)
{
	struct vp *vp = vp_this();
	struct hv_register_value value;
	size_t i;

	(void)host;
	for (i = 0; i < HEKI_ARRAY_SIZE(pins); i++) {
		if (get(vp, pins[i].name, &value))
			return -1;
		memcpy((uint8_t *)regs + pins[i].offset, &value.low, sizeof(value.low));
	}
	return 0;
}

static int set_own(struct vp *vp, enum hv_register name, uint64_t value)
{
	return vsm_set_register(&vp->hypercall, VSM_OWN, name, value);
}

int pins_set(void *host)
{
	struct vp *vp = vp_this();

	(void)host;
	if (set_own(vp, HV_REGISTER_CR_INTERCEPT_CR0_MASK, CR0_WATCHED) ||
	    set_own(vp, HV_REGISTER_CR_INTERCEPT_CR4_MASK, ~CR4_UNWATCHED) ||
	    set_own(vp, HV_REGISTER_CR_INTERCEPT_CONTROL, WATCHED))
		return -1;
	return 0;
}

static enum pins_verdict unpin(struct vp *vp)
{
	return set_own(vp, HV_REGISTER_CR_INTERCEPT_CONTROL, 0) ? PINS_REFUSED : PINS_AGAIN;
}

/* Write a register of VTL0's and go on behind the instruction. */
static enum pins_verdict write(struct vp *vp, const struct hv_intercept_header *header,
			       enum hv_register name, const struct hv_register_value *value)
{
	const struct hv_register_value rip = {
		.low = header->rip + (header->length_and_cr8 & LENGTH_MASK),
	};

	if (vsm_set_vtl0(&vp->hypercall, name, value) ||
	    vsm_set_vtl0(&vp->hypercall, HV_REGISTER_RIP, &rip))
		return PINS_REFUSED;
	return PINS_DONE;
}

static enum pins_verdict judge(struct vp *vp, const struct hv_intercept_header *header,
			       const struct pin *pin, uint64_t v)
{
	const struct hv_register_value value = { .low = v };

	switch (core_host_register_write(pin->offset, v)) {
	case HEKI_WRITE_UNPINNED:
		return unpin(vp);
	case HEKI_WRITE_ALLOWED:
		return write(vp, header, pin->name, &value);
	default:
		return PINS_REFUSED;
	}
}

enum pins_verdict pins_judge_msr(struct vp *vp, const struct hv_msr_intercept *m)
{
	size_t i;

	for (i = 0; i < HEKI_ARRAY_SIZE(pins); i++)
		if (pins[i].msr && pins[i].msr == m->msr)
			return judge(vp, &m->header, &pins[i],
				     m->rdx << 32 | (uint32_t)m->rax);
	return PINS_REFUSED;
}

/* --- tables --- */

/* Whether the VP has been started again: its own CR0 would be refused otherwise, or allowed. */
static bool unpinned(struct vp *vp)
{
	struct hv_register_value cr0;

	return !get(vp, HV_REGISTER_CR0, &cr0) &&
	       core_host_register_write(offsetof(struct heki_vp_regs, cr0), cr0.low) ==
		       HEKI_WRITE_UNPINNED;
}

static bool same_page(struct vp *vp, uint64_t a, uint64_t b)
{
	struct gpa x;
	struct gpa y;

	return (a & HEKI_PAGE_MASK) == (b & HEKI_PAGE_MASK) &&
	       !vsm_translate(&vp->hypercall, a, &x) && !vsm_translate(&vp->hypercall, b, &y) &&
	       x.v == y.v;
}

static bool same_table(struct vp *vp, const struct hv_register_intercept *m, bool aliases)
{
	struct hv_register_value now;

	if (get(vp, m->name, &now) || now.low != m->value_low)
		return false;
	return now.high == m->value_high || (aliases && same_page(vp, now.high, m->value_high));
}

/* The descriptor of a selector, from the table that VTL0 has now. */
static bool descriptor(struct vp *vp, uint16_t selector, uint64_t d[2])
{
	struct hv_register_value gdtr;
	struct gpa at;
	uint64_t va;

	if (get(vp, HV_REGISTER_GDTR, &gdtr) ||
	    !in_bounds(selector, DESCRIPTOR_SIZE, (gdtr.low >> 48) + 1))
		return false;
	va = gdtr.high + selector;
	if ((va & HEKI_PAGE_MASK) > HEKI_PAGE_SIZE - DESCRIPTOR_SIZE ||
	    vsm_translate(&vp->hypercall, va, &at))
		return false;
	return !copy_from_vtl0(vp, d, at, DESCRIPTOR_SIZE);
}

static struct hv_register_value segment(const uint64_t d[2], uint16_t selector, uint8_t attributes)
{
	uint64_t limit = (d[0] & 0xffff) | (d[0] >> 32 & 0xf0000);

	return (struct hv_register_value){
		.low = (d[0] >> 16 & 0xffffff) | (d[0] >> 32 & 0xff000000) | d[1] << 32,
		.high = limit | (uint64_t)selector << 32 | (uint64_t)attributes << 48,
	};
}

static uint8_t attributes_of(const uint64_t d[2])
{
	return (uint8_t)(d[0] >> 40);
}

/* None, or the one place that the kernel has for it. */
static enum pins_verdict judge_ldtr(struct vp *vp, const struct hv_register_intercept *m)
{
	uint16_t selector = (uint16_t)(m->value_high >> 32);
	struct hv_register_value value = { .high = (uint64_t)selector << 32 };
	uint64_t d[2];

	if (selector > 3) {
		if (selector != LDT_SELECTOR || !descriptor(vp, selector, d) ||
		    attributes_of(d) != TYPE_LDT)
			return PINS_REFUSED;
		value = segment(d, selector, TYPE_LDT);
	}
	return write(vp, &m->header, HV_REGISTER_LDTR, &value);
}

/* The same segment again, as the kernel does to have its limit read anew. */
static enum pins_verdict judge_tr(struct vp *vp, const struct hv_register_intercept *m)
{
	uint16_t selector = (uint16_t)(m->value_high >> 32);
	struct hv_register_value now;
	struct hv_register_value value;
	uint64_t d[2];

	if (get(vp, HV_REGISTER_TR, &now) || selector != (uint16_t)(now.high >> 32) ||
	    !descriptor(vp, selector, d))
		return PINS_REFUSED;
	value = segment(d, selector, (uint8_t)(now.high >> 48));
	if (value.low != now.low)
		return PINS_REFUSED;
	return write(vp, &m->header, HV_REGISTER_TR, &value);
}

static enum pins_verdict judge_table(struct vp *vp, const struct hv_register_intercept *m,
				     bool aliases)
{
	const struct hv_register_value value = { m->value_low, m->value_high };

	if (!same_table(vp, m, aliases))
		return PINS_REFUSED;
	return write(vp, &m->header, m->name, &value);
}

enum pins_verdict pins_judge_register(struct vp *vp, const struct hv_register_intercept *m)
{
	if (m->name == HV_REGISTER_CR0)
		return judge(vp, &m->header, &pins[0], m->value_low);
	if (m->name == HV_REGISTER_CR4)
		return judge(vp, &m->header, &pins[1], m->value_low);
	if (unpinned(vp))
		return unpin(vp);
	switch (m->name) {
	case HV_REGISTER_LDTR:
		return judge_ldtr(vp, m);
	case HV_REGISTER_TR:
		return judge_tr(vp, m);
	case HV_REGISTER_IDTR:
		return judge_table(vp, m, false);
	case HV_REGISTER_GDTR:
		return judge_table(vp, m, true);
	default:
		return PINS_REFUSED;
	}
}
