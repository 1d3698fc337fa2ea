// SPDX-License-Identifier: GPL-2.0-only
/* The CPUs of the machine, from the ACPI tables of its firmware. */
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
#define MADT_X2APIC 9
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
