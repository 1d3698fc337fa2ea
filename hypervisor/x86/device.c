// SPDX-License-Identifier: GPL-2.0-only
/*
 * Devices that every machine has and whose registers VTL0 may write but for some: entries of an I/O APIC
 * that bring an SMI or an INIT, and the routes of an HPET's timers, by which each writes a word to any
 * address in place of an interrupt. Neither goes by the nested tables.
 *
 * Their pages are read-only for VTL0, so each write to them comes here. It is of a register at its own offset,
 * as all kernels make it: QEMU takes other offsets for the same registers.
 */
#include "console.h"
#include "insn.h"
#include "start.h"
#include "vp.h"

#define IOAPIC_SELECT 0x00u
#define IOAPIC_WINDOW 0x10u
#define IOAPIC_EOI 0x40u
#define IOAPIC_TABLE 0x10u /* selected: two words for each entry, the mode is in the first */
#define ENTRY_MODE(v) ((v) >> 8 & 7)
enum { ENTRY_SMI = 2, ENTRY_INIT = 5 };

#define HPET_END 0x400u
#define HPET_TIMERS 0x100u
#define HPET_TIMER_SIZE 0x20u
#define HPET_CONFIG 0x00u
#define HPET_TO_ADDRESS BIT(14)

static struct acpi_devices devices;
static struct lock select_lock; /* between what is selected and what is written to it */

void device_init(struct npt *npt, const struct acpi_devices *found)
{
	devices = *found;
	for (uint32_t i = 0; i < devices.ioapics; i++)
		npt_fix(npt, devices.ioapic[i] & PAGE_MASK, HV_MAP_READ);
	if (devices.hpet)
		npt_fix(npt, devices.hpet & PAGE_MASK, HV_MAP_READ);
}

static uint32_t *word_at(uint64_t address)
{
	return (uint32_t *)address;
}

static void ioapic_write(struct vp *vp, uint64_t base, uint32_t offset, uint32_t v)
{
	uint32_t selected;
	bool refused;

	lock(&select_lock);
	selected = load_once(*word_at(base + IOAPIC_SELECT)) & 0xff;
	refused = offset == IOAPIC_WINDOW && selected >= IOAPIC_TABLE && !(selected & 1) &&
		  (ENTRY_MODE(v) == ENTRY_SMI || ENTRY_MODE(v) == ENTRY_INIT);
	if (!refused)
		store_release(*word_at(base + offset), v);
	unlock(&select_lock);
	if (refused)
		vp_refused(vp, "entry of I/O APIC", (selected - IOAPIC_TABLE) / 2, v);
}

static bool ioapic_has(uint32_t offset, uint32_t size)
{
	return size == 4 &&
	       (offset == IOAPIC_SELECT || offset == IOAPIC_WINDOW || offset == IOAPIC_EOI);
}

/* Without that bit of its configuration a timer has no use for an address. */
static bool hpet_may(uint32_t offset, uint64_t v)
{
	return offset < HPET_TIMERS || offset % HPET_TIMER_SIZE != HPET_CONFIG ||
	       !(v & HPET_TO_ADDRESS);
}

static bool hpet_has(uint32_t offset, uint32_t size)
{
	return offset < HPET_END && (size == 4 || size == 8) && !(offset & (size - 1));
}

static void hpet_write(struct vp *vp, uint32_t offset, uint32_t size, uint64_t v)
{
	uint64_t at = devices.hpet + offset;

	if (!hpet_may(offset, v))
		vp_refused(vp, "register of HPET", offset, v);
	else if (size == 8)
		store_release(*(uint64_t *)at, v);
	else
		store_release(*word_at(at), (uint32_t)v);
}

/* The device in whose page an address lies; 0 for none. */
static uint64_t ioapic_at(uint64_t gpa)
{
	for (uint32_t i = 0; i < devices.ioapics; i++)
		if ((gpa & PAGE_MASK) == (devices.ioapic[i] & PAGE_MASK))
			return devices.ioapic[i];
	return 0;
}

static bool hpet_at(uint64_t gpa)
{
	return devices.hpet && (gpa & PAGE_MASK) == (devices.hpet & PAGE_MASK);
}

bool device_write_fault(struct vp *vp, uint64_t gpa)
{
	uint64_t ioapic = ioapic_at(gpa);
	uint32_t offset = (uint32_t)(gpa - (ioapic ? ioapic : devices.hpet));
	struct insn insn;
	uint64_t v;

	if (!ioapic && !hpet_at(gpa))
		return false;
	vp_count(vp, COUNT_APIC);
	if (!guest_decode(vp, &insn) || insn.kind != INSN_STORE ||
	    !(ioapic ? ioapic_has(offset, insn.size) : hpet_has(offset, insn.size))) {
		vp_refuse(vp, "write of memory", gpa, 0);
		return true;
	}
	v = insn.reg == INSN_NO_REGISTER ? insn.immediate : vp_get(vp, insn.reg);
	if (ioapic)
		ioapic_write(vp, ioapic, offset, (uint32_t)v);
	else
		hpet_write(vp, offset, insn.size, v);
	vp_skip(vp, insn.length);
	return true;
}
