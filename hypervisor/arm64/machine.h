/* SPDX-License-Identifier: GPL-2.0-only */
/* The machine: where things lie, how it ends, the hypervisor's own tables and CPUs. */
#ifndef HV_MACHINE_H
#define HV_MACHINE_H

#include "asm.h"
#include "console.h"
#include "memory.h"

#define CPUS_MAX 8u

/*
 * The memory plan.  What a loader of ELF files leaves at the start of RAM, the device tree, is the
 * guest's too: there guests look for it.
 */
#define RAM_START 0x40000000ull
#define BOOT_AREA_SIZE LARGE_SIZE
#define HYPERVISOR_START (RAM_START + BOOT_AREA_SIZE)
#define HYPERVISOR_END (RAM_START + 32 * MIB)

/* With what the hypervisor ends: the guest's own codes, then one for each kind of failure. */
enum exit_code {
	EXIT_GUEST_MAX = 63,
	EXIT_RESET = 64, /* the guest wants to start again */
	EXIT_PANIC = 80, /* the hypervisor itself is wrong, or the processor not fit */
	EXIT_CONFIG = 81, /* an option that is unknown or makes no sense */
	EXIT_FILE = 82, /* a guest that is damaged, or none */
	EXIT_MACHINE = 83, /* a guest for another machine */
	EXIT_TRUNCATED = 84, /* a guest that ends too soon */
	EXIT_OVERLAP = 85, /* a guest where the hypervisor is, or where another part of it is */
	EXIT_OUTSIDE = 86, /* a guest where there is no memory for it */
	EXIT_TREE = 87, /* no device tree, or a damaged one, or too many CPUs */
	EXIT_ACCESS = 88, /* the guest did what it may not, and cannot be told */
};

/**
 * machine_ends() - from now on only this CPU prints, and the guest on no CPU
 *
 * Does not return on a CPU while another one ends the machine.  Takes no lock.
 */
void machine_ends(void);

/* MPIDR_EL1, never 0, of the CPU that ends the machine. */
extern uint64_t machine_ender;

/* Whether there is one: the others have nothing more to do. Asked at each exit. */
static inline bool machine_ending(void)
{
	return load_once(machine_ender);
}

_Noreturn void machine_park(void);

/**
 * machine_exit() - turn the machine off
 * @code: said on the console's last line, "hypervisor: exit CODE"
 *
 * The line is the last one: whatever other CPUs of the guest do until the machine is off, the console is
 * no longer theirs.
 */
_Noreturn void machine_exit(uint32_t code);

/**
 * machine_fails_as() - with which code a panic ends from now on
 * @code: the code
 */
void machine_fails_as(enum exit_code code);

/* A panic with a code of its own. */
#define stop(code, ...)                 \
	do {                            \
		machine_fails_as(code); \
		panic(__VA_ARGS__);     \
	} while (0)

/**
 * machine_clean() - write memory back from the caches, for a CPU that does not use them
 * @start: first byte
 * @size: bytes
 *
 * Instructions are fetched anew too.
 */
void machine_clean(uint64_t start, uint64_t size);

/**
 * host_map_ram() - map all RAM for the hypervisor itself
 * @map: the machine's memory
 */
void host_map_ram(const struct memory_map *map);

#endif /* HV_MACHINE_H */
