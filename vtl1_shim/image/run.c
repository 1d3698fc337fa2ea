// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * A VP's life.  The first VP makes VTL1 before VTL0 has run; the others find it made.
 *
 * Interrupts are off in VTL1 but for the one instruction in which the interrupt of a message is
 * taken.
 *
 * Trust boundary: VTL0's registers arrive here and go to calls.c. Locks: none.
 */
#include "calls.h"
#include "clock.h"
#include "console.h"
#include "core_host.h"
#include "cpu.h"
#include "hypervisor.h"
#include "image.h"
#include "intercept.h"
#include "log.h"
#include "memory.h"
#include "run.h"
#include "traps.h"
#include "vsm.h"

void switch_space(struct pa root, uint8_t *stack, struct vp *vp, void (*to)(struct vp *vp))
	__attribute__((noreturn));
void vtl_return(void);

static struct machine machine IMAGE_CONSTANT;

uint32_t run_cpus(void)
{
	return machine.cpus;
}

static void say(const char *wrong)
{
	struct words w = { .n = 0 };

	words_str(&w, "not started: ");
	words_str(&w, wrong);
	console_line(w.text);
}

/* Nothing guards VTL0 here, and it does not go on as if something did. */
static void stop(const char *wrong) __attribute__((noreturn));
static void stop(const char *wrong)
{
	say(wrong);
	halt_forever();
}

static void log_unknown_entry(struct vp *vp, uint32_t reason)
{
	struct words w = { .n = 0 };

	vp->unknown++;
	words_str(&w, "unknown entry reason");
	image_log(HEKI_LOG_INTERCEPT, reason, &w);
}

static void enter(struct vp *vp)
{
	uint32_t reason = __atomic_load_n(&vp->assist->entry_reason, __ATOMIC_RELAXED);

	switch (reason) {
	case HV_VTL_ENTRY_VTL_CALL:
		calls_enter(vp);
		break;
	case HV_VTL_ENTRY_INTERRUPT:
		take_interrupts();
		intercept_enter(vp);
		break;
	default:
		log_unknown_entry(vp, reason);
	}
}

static void leave(struct vp *vp)
{
	if (vp->cr2_changed)
		write_cr2(vp->regs.cr2);
	vp->cr2_changed = false;
	vtl_return();
}

static void run(struct vp *vp) __attribute__((noreturn));
static void run(struct vp *vp)
{
	__atomic_store_n(&vp->state, VP_UP, __ATOMIC_RELEASE);
	for (;;) {
		leave(vp);
		enter(vp);
	}
}

void run_failed(void)
{
	struct vp *vp = vp_this();

	if (vp->return_stub) {
		vsm_inject_gp(&vp->hypercall);
		leave(vp);
	}
	halt_forever();
}

void run_other(struct vp *vp)
{
	const char *wrong = hypervisor_open(vp);

	if (!wrong)
		wrong = hypervisor_guard_vp(vp);
	if (wrong)
		stop(wrong);
	/* What brought the VP here is a call. */
	__atomic_store_n(&vp->state, VP_UP, __ATOMIC_RELEASE);
	calls_enter(vp);
	run(vp);
}

static const char *create_others(void)
{
	uint32_t i;

	for (i = 0; i < machine.cpus; i++)
		if (!vp_at(i) && !vp_create(i))
			return "too little memory for its VPs";
	return NULL;
}

/* On the first VP's own stack and VTL1's page tables. */
static void run_guarding(struct vp *vp)
{
	const char *wrong;

	memory_loaded();
	vp_load(vp);
	wrong = create_others();
	if (!wrong)
		wrong = core_host_init(&machine);
	/* Guard pages, and pages that were mapped before they became such. */
	write_cr3(read_cr3());
	if (!wrong)
		wrong = hypervisor_open(vp);
	if (!wrong)
		wrong = hypervisor_guard_partition(vp, &machine);
	if (!wrong)
		wrong = hypervisor_guard_vp(vp);
	if (wrong)
		stop(wrong);
	console_line("up");
	run(vp);
}

void run_first(const struct vtl0_regs *regs)
{
	const char *wrong = machine_read(&machine, pa_ptr((struct pa){ regs->rsi }));
	struct vp *vp = NULL;

	if (!wrong)
		wrong = hypervisor_check();
	if (!wrong && hypervisor_vp_index() >= machine.cpus)
		wrong = "its VP is none of the possible CPUs";
	if (wrong) {
		say(wrong);
		return;
	}
	traps_init();
	clock_init();
	if (!memory_init(&machine))
		vp = vp_create(hypervisor_vp_index());
	if (!vp) {
		say("too little memory");
		return;
	}
	vp->regs = *regs;
	switch_space(memory_root(), vp->stack, vp, run_guarding);
}
