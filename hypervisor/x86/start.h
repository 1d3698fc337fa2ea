/* SPDX-License-Identifier: GPL-2.0-only */
/* The machine that the hypervisor starts on. */
#ifndef HV_START_H
#define HV_START_H

#include "memory.h"
#include "vp.h"

struct boot_module {
	uint64_t start;
	uint64_t end;
	char words[2048]; /* behind the role: the kernel's command line */
};

/* What the boot loader has left. */
struct boot {
	struct boot_module kernel;
	struct boot_module vtl1;
	struct boot_module initrd;
	char options[256];
	uint64_t modules_end;
	uint64_t rsdp;
};

/**
 * multiboot_read() - take in what the boot loader has left
 * @info: multiboot information
 * @boot: filled in
 * @map: the machine's memory
 *
 * Afterwards nothing of it is needed any more but the modules.
 */
void multiboot_read(const uint8_t *info, struct boot *boot, struct memory_map *map);

/**
 * host_init() - exceptions and page tables of the hypervisor's own
 *
 * Its memory is writable or executable, never both, and each stack has a page below it that is not
 * there. To be called on each CPU; the first one makes what all use.
 */
void host_init(void);

/**
 * clock_init() - measure how fast the time stamp counter and the local APIC's timer run
 *
 * To be called on the first CPU, before another runs. Takes three milliseconds. Sets the partition's
 * frequencies, in Hz; they stay 0 when the machine has no interval timer.
 */
void clock_init(void);

/* The top of the stack of a CPU. */
uint64_t host_stack(uint32_t vp);

/**
 * acpi_cpus() - find the CPUs of the machine
 * @ids: set to their APIC ids, the one that runs first
 * @n: room
 * @rsdp: set to where the tables begin
 *
 * Return: how many there are; panics when that cannot be known.
 */
uint32_t acpi_cpus(uint32_t *ids, uint32_t n, uint64_t *rsdp);

#define IOAPICS_MAX 8

/* Devices that every machine has: physical addresses of their registers. */
struct acpi_devices {
	uint64_t ioapic[IOAPICS_MAX];
	uint32_t ioapics;
	uint64_t hpet; /* 0: there is none */
};

/**
 * acpi_devices() - find I/O APICs and the HPET
 * @rsdp: where the tables begin
 * @devices: filled in
 */
void acpi_devices(uint64_t rsdp, struct acpi_devices *devices);

/**
 * device_init() - take from VTL0 what it may not write of them
 * @npt: VTL0's tables
 * @devices: what there is
 */
void device_init(struct npt *npt, const struct acpi_devices *devices);

/**
 * vtl0_load() - put the kernel where it runs, and all that it is told
 * @boot: its module, its command line, its initial file system
 * @map: the machine's memory, of which all is taken that the guest does not see
 * @context: set to its first registers
 * @boot_params: set to the address of what RSI points to
 */
void vtl0_load(const struct boot *boot, const struct memory_map *map,
	       struct hv_initial_vp_context *context, uint64_t *boot_params);

/**
 * vtl1_load() - put the secure kernel where it runs
 * @boot: its module
 * @map: the machine's memory
 * @cpus: how many there can be
 * @context: set to its first registers
 * @boot_params: set to the address of what RSI points to
 */
void vtl1_load(const struct boot *boot, const struct memory_map *map, uint32_t cpus,
	       struct hv_initial_vp_context *context, uint64_t *boot_params);

/* What of the secure kernel's memory is mapped when it starts. */
#define VTL1_MAPPED (8 * LARGE_SIZE)

#define OPTION_VTL1_MEMORY "vtl1-memory="
#define MORE_MEMORY "give the machine more memory, or VTL1 less (" OPTION_VTL1_MEMORY ")"

/**
 * vtl1_size() - how much memory the secure kernel gets
 * @options: the hypervisor's; panics when they ask for what cannot be
 * @ram: bytes that the machine has
 * @cpus: how many there can be
 *
 * Return: bytes, a multiple of 2 MiB.
 */
uint64_t vtl1_size(const char *options, uint64_t ram, uint32_t cpus);

/* Fill in the memory map of a zero page. */
void boot_params_memory(uint8_t *params, const struct memory_map *map, bool vtl1);

#endif /* HV_START_H */
