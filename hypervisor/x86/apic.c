// SPDX-License-Identifier: GPL-2.0-only
/*
 * The local APIC. It is VTL0's own; only what would take a CPU from the hypervisor is done here: INIT,
 * start-up, NMI and SMI by the interrupt command register, and moving the APIC.
 *
 * Without x2APIC the page is read-only for VTL0, so each write to it comes here and all but those are
 * passed on. With x2APIC only writes of the one MSR come here.
 */
#include "console.h"
#include "insn.h"
#include "vp.h"

#define REGISTER_ID 0x020u
#define REGISTER_LDR 0x0d0u
#define REGISTER_DFR 0x0e0u
#define REGISTER_ICR 0x300u
#define REGISTER_ICR2 0x310u
#define REGISTER_LVT 0x320u
#define REGISTER_LVT_END 0x370u
#define REGISTER_TIMER 0x320u
#define REGISTER_TIMER_START 0x380u
#define REGISTER_TIMER_LEFT 0x390u
#define REGISTER_TIMER_DIVIDE 0x3e0u

#define TIMER_MASKED BIT(16)
#define TIMER_DIVIDE_1 0xbu

#define ICR_VECTOR 0xffu
#define ICR_MODE(icr) ((icr) >> 8 & 7)
#define ICR_LOGICAL BIT(11)
#define ICR_PENDING BIT(12)
#define ICR_ASSERT BIT(14)
#define ICR_LEVEL BIT(15)
#define ICR_SHORTHAND(icr) ((icr) >> 18 & 3)

enum { MODE_SMI = 2, MODE_NMI = 4, MODE_INIT = 5, MODE_START = 6 };
enum { TO_DESTINATION, TO_SELF, TO_ALL, TO_OTHERS };

#define SEND_NMI (MODE_NMI << 8)
#define SEND_INIT (MODE_INIT << 8 | ICR_ASSERT)
#define SEND_START (MODE_START << 8 | ICR_ASSERT)

static uint32_t *registers(void)
{
	return (uint32_t *)(read_msr(MSR_APIC_BASE) & APIC_BASE_ADDRESS);
}

static uint32_t get(uint32_t offset)
{
	return load_once(registers()[offset / 4]);
}

static void put(uint32_t offset, uint32_t v)
{
	store_release(registers()[offset / 4], v);
}

static bool in_x2apic(void)
{
	return read_msr(MSR_APIC_BASE) & APIC_BASE_X2APIC;
}

/* Send an IPI of ours; what the guest has in the upper half of the register is kept. */
static void send(uint32_t apic_id, uint32_t icr)
{
	uint32_t kept;

	if (in_x2apic()) {
		write_msr(MSR_X2APIC_ICR, (uint64_t)apic_id << 32 | icr);
		return;
	}
	while (get(REGISTER_ICR) & ICR_PENDING)
		spin_wait();
	kept = get(REGISTER_ICR2);
	put(REGISTER_ICR2, apic_id << 24);
	put(REGISTER_ICR, icr);
	while (get(REGISTER_ICR) & ICR_PENDING)
		spin_wait();
	put(REGISTER_ICR2, kept);
}

void apic_kick(const struct vp *vp)
{
	send(vp->apic_id, SEND_NMI);
}

void apic_start(struct vp *vp, uint64_t page)
{
	send(vp->apic_id, SEND_INIT);
	send(vp->apic_id, SEND_START | (uint32_t)(page >> PAGE_SHIFT));
}

/* A register of the timer, whichever way the firmware has left the APIC. */
static void timer_put(uint32_t offset, uint32_t v)
{
	if (in_x2apic())
		write_msr(MSR_X2APIC + offset / 16, v);
	else
		put(offset, v);
}

void apic_timer_start(uint32_t count)
{
	timer_put(REGISTER_TIMER, TIMER_MASKED);
	timer_put(REGISTER_TIMER_DIVIDE, TIMER_DIVIDE_1);
	timer_put(REGISTER_TIMER_START, count);
}

uint32_t apic_timer_left(void)
{
	if (in_x2apic())
		return (uint32_t)read_msr(MSR_X2APIC + REGISTER_TIMER_LEFT / 16);
	return get(REGISTER_TIMER_LEFT);
}

void apic_init(struct vp *vp)
{
	vp->apic_base = read_msr(MSR_APIC_BASE);
}

/* Whether an IPI is for a VP, as its APIC would decide. */
static bool is_target(const struct vp *from, const struct vp *to, uint64_t icr, uint32_t destination,
		      bool x2apic)
{
	switch (ICR_SHORTHAND(icr)) {
	case TO_SELF:
		return to == from;
	case TO_ALL:
		return true;
	case TO_OTHERS:
		return to != from;
	}
	if (destination == (x2apic ? ~0u : 0xffu))
		return true;
	if (!(icr & ICR_LOGICAL))
		return to->apic_id == destination;
	if (x2apic)
		return to->apic_id >> 4 == destination >> 16 &&
		       destination & BIT(to->apic_id & 15);
	if (!to->apic_cluster)
		return to->apic_logical & destination;
	return to->apic_logical >> 4 == destination >> 4 && to->apic_logical & destination & 15;
}

/* A VP that VTL1 is enabled on starts as VTL1 has configured. */
static bool guarded(const struct vp *to, uint64_t config)
{
	return to->vtl[1].enabled && partition.config & config;
}

static void start_up(struct vp *vp, struct vp *to, uint32_t vector)
{
	if (guarded(to, HV_VSM_PARTITION_INTERCEPT_VP_STARTUP)) {
		vp->startups |= BIT(to->index);
		vp->startup_vector[to->index] = (uint8_t)vector;
		vp_request(vp, REQUEST_STARTUP);
	} else if (guarded(to, HV_VSM_PARTITION_DENY_LOWER_STARTUP)) {
		vp_refused(vp, "start of VP", to->index, vector);
	} else {
		store_release(to->sipi_vector, vector);
		vp_request(to, REQUEST_SIPI);
	}
}

/* What is told of starting decides there; to stop a VP needs nobody's leave then. */
static bool may_stop(const struct vp *to)
{
	return guarded(to, HV_VSM_PARTITION_INTERCEPT_VP_STARTUP) ||
	       !guarded(to, HV_VSM_PARTITION_DENY_LOWER_STARTUP);
}

static bool waits(const struct vp *to)
{
	return load_acquire(to->state) == VP_WAIT_SIPI;
}

static void deliver(struct vp *vp, struct vp *to, uint64_t icr)
{
	switch (ICR_MODE(icr)) {
	case MODE_NMI:
		vp_request(to, REQUEST_NMI);
		return;
	case MODE_INIT:
		if (!may_stop(to))
			vp_refused(vp, "INIT of VP", to->index, icr);
		else if (!waits(to) && (icr & ICR_ASSERT || !(icr & ICR_LEVEL)))
			vp_request(to, REQUEST_INIT);
		return;
	case MODE_START:
		/* In this order: a VP waits before it takes the request that made it. */
		if (load_acquire(to->requests) & REQUEST_INIT || waits(to))
			start_up(vp, to, (uint32_t)(icr & ICR_VECTOR));
	}
}

bool apic_write_icr(struct vp *vp, uint64_t icr, bool x2apic)
{
	uint32_t destination = (uint32_t)(icr >> (x2apic ? 32 : 56));
	uint32_t mode = ICR_MODE(icr);

	if (mode == MODE_SMI) {
		vp_refused(vp, "SMI of APIC", destination, icr);
		return true;
	}
	if (mode != MODE_NMI && mode != MODE_INIT && mode != MODE_START)
		return false;
	for (uint32_t i = 0; i < partition.vps; i++)
		if (is_target(vp, &partition.vp[i], icr, destination, x2apic))
			deliver(vp, &partition.vp[i], icr);
	return true;
}

/* Entries of the local vector table can bring an INIT or an SMI too. */
bool apic_vector_ok(struct vp *vp, uint32_t v)
{
	if (ICR_MODE(v) != MODE_INIT && ICR_MODE(v) != MODE_SMI)
		return true;
	vp_refused(vp, "local vector", v, 0);
	return false;
}

static void write_register(struct vp *vp, uint32_t offset, uint32_t v)
{
	if (offset >= REGISTER_LVT && offset <= REGISTER_LVT_END && !apic_vector_ok(vp, v))
		return;
	if (offset == REGISTER_ID) { /* our NMIs are sent there */
		vp_refused(vp, "id of APIC", v, 0);
		return;
	}
	if (offset == REGISTER_ICR &&
	    apic_write_icr(vp, (uint64_t)get(REGISTER_ICR2) << 32 | v, false))
		return;
	if (offset == REGISTER_LDR)
		vp->apic_logical = v >> 24;
	if (offset == REGISTER_DFR)
		vp->apic_cluster = v >> 28 != 15;
	put(offset, v);
}

void apic_write_fault(struct vp *vp, uint64_t gpa)
{
	uint32_t offset = gpa & (PAGE_SIZE - 1);
	struct insn insn;
	uint32_t old;

	vp_count(vp, COUNT_APIC);
	/* Between two registers QEMU has the first once more, and in place of one at 0 messages. */
	if (!guest_decode(vp, &insn) || insn.size != 4 || offset & 15 || !offset ||
	    (insn.kind != INSN_STORE && insn.kind != INSN_EXCHANGE)) {
		vp_refuse(vp, "write of memory", gpa, 0);
		return;
	}
	old = insn.kind == INSN_EXCHANGE ? get(offset) : 0;
	write_register(vp, offset, (uint32_t)(insn.reg == INSN_NO_REGISTER ?
						      insn.immediate :
						      vp_get(vp, insn.reg)));
	if (insn.kind == INSN_EXCHANGE)
		vp_put(vp, insn.reg, old);
	vp_skip(vp, insn.length);
}

/* The APIC stays where it is and stays on; from x2APIC there is no way back. */
bool apic_write_base(struct vp *vp, uint64_t v)
{
	uint64_t old = read_msr(MSR_APIC_BASE);
	uint64_t changed = v ^ old;

	if (changed & ~APIC_BASE_X2APIC || (old & changed))
		return false;
	if (changed && !(partition.features & FEATURE_X2APIC))
		return false;
	if (changed) {
		write_msr(MSR_APIC_BASE, v);
		for (uint32_t msr = MSR_X2APIC_ICR; msr <= MSR_X2APIC_LVT_END; msr++)
			msr_map_set(vp->msr_map, msr, false,
				    msr == MSR_X2APIC_ICR || msr >= MSR_X2APIC_LVT);
		vp->apic_base = v;
	}
	return true;
}
