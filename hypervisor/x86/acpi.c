// SPDX-License-Identifier: GPL-2.0-only
/* The CPUs and interrupt controllers of the machine, from the ACPI tables of its firmware. */
#include "console.h"
#include "start.h"

struct sdt {
	char signature[4];
	uint32_t length;
	uint8_t rest[28];
};

#define RSDP_RSDT 16
#define MADT_ENTRIES 44
#define MADT_APIC 0
#define MADT_IOAPIC 1
#define MADT_X2APIC 9
#define HPET_SPACE 40
#define HPET_ADDRESS 44
#define CPU_ENABLED BIT(0)

static uint64_t find_rsdp(uint64_t from, uint64_t to)
{
	for (; from < to; from += 16)
		if (!memcmp((const void *)from, "RSD PTR ", 8))
			return from;
	return 0;
}

/* A 32-bit field that need not be aligned. */
static uint32_t word(const void *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

static const struct sdt *find_table(uint64_t rsdp, const char *signature)
{
	const struct sdt *rsdt = (const void *)(uint64_t)word((const uint8_t *)rsdp + RSDP_RSDT);
	const uint8_t *p = (const uint8_t *)(rsdt + 1);
	const uint8_t *end = (const uint8_t *)rsdt + rsdt->length;

	for (; p + 4 <= end; p += 4) {
		const struct sdt *t = (const void *)(uint64_t)word(p);

		if (!memcmp(t->signature, signature, 4))
			return t;
	}
	return NULL;
}

/* Whether an entry is a CPU that can be started. */
static bool cpu_of(const uint8_t *entry, uint32_t *id)
{
	if (entry[0] == MADT_APIC) {
		*id = entry[3];
		return word(entry + 4) & CPU_ENABLED;
	}
	if (entry[0] == MADT_X2APIC) {
		*id = word(entry + 4);
		return word(entry + 8) & CPU_ENABLED;
	}
	return false;
}

static const struct sdt *find_madt(uint64_t rsdp)
{
	const struct sdt *madt = rsdp ? find_table(rsdp, "APIC") : NULL;

	if (!madt)
		panic("the firmware names no CPUs");
	return madt;
}

uint32_t acpi_cpus(uint32_t *ids, uint32_t n, uint64_t *rsdp)
{
	uint32_t self = cpuid(1, 0).ebx >> 24;
	uint32_t count = 1;
	const uint8_t *end;
	const uint8_t *p;
	uint32_t id;

	*rsdp = find_rsdp(0xe0000, 0x100000);
	p = (const uint8_t *)find_madt(*rsdp);
	end = p + ((const struct sdt *)p)->length;
	ids[0] = self;
	for (p += MADT_ENTRIES; p + 8 <= end && p[1]; p += p[1]) {
		if (!cpu_of(p, &id) || id == self)
			continue;
		if (count == n)
			panic("more than %u CPUs", n);
		ids[count++] = id;
	}
	return count;
}

void acpi_devices(uint64_t rsdp, struct acpi_devices *devices)
{
	const struct sdt *hpet = find_table(rsdp, "HPET");
	const struct sdt *madt = find_madt(rsdp);
	const uint8_t *end = (const uint8_t *)madt + madt->length;
	const uint8_t *p = (const uint8_t *)madt + MADT_ENTRIES;

	memset(devices, 0, sizeof(*devices));
	for (; p + 8 <= end && p[1]; p += p[1]) {
		if (p[0] != MADT_IOAPIC)
			continue;
		if (devices->ioapics == IOAPICS_MAX)
			panic("more than %u I/O APICs", IOAPICS_MAX);
		devices->ioapic[devices->ioapics++] = word(p + 4);
	}
	if (hpet && !((const uint8_t *)hpet)[HPET_SPACE])
		memcpy(&devices->hpet, (const uint8_t *)hpet + HPET_ADDRESS, sizeof(devices->hpet));
}
