// SPDX-License-Identifier: GPL-2.0-only
/*
 * Attacks on how a CPU stops and starts: INIT and NMI to one that is running, in VTL1 too, and the code and
 * the data that it starts with.
 *
 * So that the system goes on afterwards, the CPU that is met is one that the kernel has taken offline, but
 * which does not wait: it runs a function of this module's.
 */
#include <linux/cpu.h>
#include <linux/delay.h>
#include <linux/errno.h>
#include <linux/gfp.h>
#include <linux/io.h>
#include <linux/mm.h>
#include <linux/smp.h>
#include <linux/string.h>
#include <asm/apic.h>
#include <asm/realmode.h>

#include <heki/heki.h>

#include "attacks.h"

#define VICTIM 1
#define INTERRUPTIONS 100
#define RESETS 4
#define BEAT_TRIES 2000

/* How often the CPU has gone round, and of these how often VTL1 has not answered as it should. */
static unsigned long beats;
static unsigned long wrong;
static bool calls;
static u64 reply;

static void (*dead_before)(void);
static void (*dead_common)(void);

/* The end of an idle thread. Nothing of the kernel's is used from here on. */
static void dead_run(void)
{
	dead_common();
	while (true) {
		if (calls && call_once(HEKI_CALL_STATS, reply, 0, 0))
			WRITE_ONCE(wrong, wrong + 1);
		WRITE_ONCE(beats, beats + 1);
		/* An emulator stops here: where calls are made, it is to stop in VTL1. */
		if (!calls)
			cpu_relax();
	}
}

static bool beating(void)
{
	unsigned long before = READ_ONCE(beats);
	unsigned int i;

	for (i = 0; i < BEAT_TRIES && READ_ONCE(beats) == before; i++)
		usleep_range(100, 200);
	return READ_ONCE(beats) != before;
}

/* Take the victim offline and have it run; with @call it makes calls all the time. */
static int victim_take(bool call)
{
	struct smp_ops *ops = pointer("smp_ops");
	int error;

	dead_common = pointer("play_dead_common");
	if (!ops || !dead_common)
		return -ENOENT;
	if (call && call_find())
		return -ENODEV;
	if (call && !reply)
		reply = __pa(get_zeroed_page(GFP_KERNEL));
	calls = call;
	wrong = 0;
	dead_before = ops->play_dead;
	ops->play_dead = dead_run;
	error = remove_cpu(VICTIM);
	ops->play_dead = dead_before;
	if (!error && !beating())
		error = -ETIMEDOUT;
	return error;
}

static int victim_back(void)
{
	return add_cpu(VICTIM);
}

/* One that runs is reset, and is to start in the attacker's code. */
static int init_run(const struct attack *attack, struct result *result)
{
	u64 page = start_page_prepare();
	int error = victim_take(false);

	if (error)
		return error;
	send_init(VICTIM);
	error = send_ipi(APIC_DM_STARTUP | page >> PAGE_SHIFT, VICTIM);
	result->address = VICTIM;
	result->effect = start_page_ran();
	return error ? error : victim_back();
}

/* One that is in VTL1 most of the time is reset there; it is lost if it does not come back. */
static int init_in_call_run(const struct attack *attack, struct result *result)
{
	unsigned int i;
	int error;

	for (i = 0; i < RESETS && !result->effect; i++) {
		error = victim_take(true);
		if (error)
			return error;
		send_init(VICTIM);
		result->error = victim_back();
		result->effect = result->error || wrong;
	}
	return 0;
}

/* NMIs to one that is in VTL1 most of the time: it goes on, and so does VTL1. */
static int nmi_in_call_run(const struct attack *attack, struct result *result)
{
	int error = victim_take(true);
	unsigned int i;

	if (error)
		return error;
	for (i = 0; i < INTERRUPTIONS && !result->effect; i++) {
		send_ipi(APIC_DM_NMI, VICTIM);
		result->effect = !beating();
	}
	result->effect |= wrong;
	error = victim_back();
	return error;
}

#define ENTRY_SIZE 5 /* a far jump */
#define MOVED_SIZE 8 /* CLI, WBINVD, a far jump */

static u8 *trampoline(void)
{
	struct real_mode_header **header = pointer("real_mode_header");

	return header && *header ? __va((*header)->trampoline_start) : NULL;
}

static int trampoline_write(const u8 *entry)
{
	int error = 0;
	unsigned int i;

	for (i = 0; i < ENTRY_SIZE && !error; i++)
		error = write_by_direct_map((unsigned long)trampoline() + i, entry[i]);
	return error;
}

static u8 entry_before[ENTRY_SIZE];

/* Offline, a jump to the attacker's page in the place that a CPU starts in, online. */
static int trampoline_run(const struct attack *attack, struct result *result)
{
	const u64 page = start_page_prepare();
	const u16 segment = page >> 4;
	const u8 entry[ENTRY_SIZE] = { 0xea, 0, 0, segment & 0xff, segment >> 8 };
	const u8 *code = trampoline();
	int error;

	if (!code || memcmp(code, "\xfa\x0f\x09\xea", 4))
		return -ENOENT;
	start_page_go_on(code, MOVED_SIZE);
	memcpy(entry_before, code, ENTRY_SIZE);
	error = remove_cpu(VICTIM);
	if (error)
		return error;
	result->address = __pa(code);
	result->error = trampoline_write(entry);
	error = add_cpu(VICTIM);
	result->effect = start_page_ran();
	return error;
}

static void trampoline_undo(const struct attack *attack)
{
	trampoline_write(entry_before);
}

const struct attack start_attacks[] = {
	{ "cpu-init", init_run, NULL, NULL },
	{ "cpu-init-in-call", init_in_call_run, NULL, NULL },
	{ "cpu-nmi-in-call", nmi_in_call_run, NULL, NULL },
	{ "cpu-trampoline", trampoline_run, trampoline_undo, NULL },
	{ }
};
