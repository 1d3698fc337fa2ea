// SPDX-License-Identifier: GPL-2.0-only
/*
 * The recorder: between vtl1_shim.ko and its core, in a build of the shim for tests.
 *
 * The shim's main.c is compiled so that what it calls as the core and as the host's way of reading
 * is this file.  Events are kept in chunks of this guest's memory, where whoever has an image of
 * that memory finds them; they are never freed, since the machine ends with the test.
 *
 * Which call a read belongs to: one that may not sleep has its CPU to itself, any other its task, or
 * for a while the task of a fiber, which works for whoever has resumed it.
 *
 * Locks: recorder_lock guards chunks and the table of tasks; taken with any of the core's held.
 */
#include "shim.h"

#include <linux/atomic.h>
#include <linux/gfp.h>
#include <linux/io.h>
#include <linux/irqflags.h>
#include <linux/kernel.h>
#include <linux/percpu.h>
#include <linux/sched.h>
#include <linux/smp.h>
#include <linux/spinlock.h>
#include <linux/string.h>

#include "record.h"
#include "recorder.h"

#define TASKS 64
#define FIBERS 64

static DEFINE_RAW_SPINLOCK(recorder_lock);
static struct record_chunk *chunk;
static u64 chunks;
static atomic_t calls;
static DEFINE_PER_CPU(u32, atomic_call);
static struct {
	struct task_struct *task;
	u32 call; /* or RECORDER_FIBER + its index */
} tasks[TASKS];
static u32 fiber_calls[FIBERS];

#define RECORDER_FIBER 0x80000000u

/* Under the lock; a record with a hole in it is refused by its reader, so nothing is retried. */
static bool chunk_open(void)
{
	chunk = (void *)__get_free_pages(GFP_ATOMIC | __GFP_NOWARN | __GFP_ZERO,
					 get_order(RECORD_CHUNK_SIZE));
	if (!chunk)
		return false;
	memcpy(chunk->magic, RECORD_MAGIC, sizeof(RECORD_MAGIC));
	chunk->pa = virt_to_phys(chunk);
	chunk->number = chunks++;
	chunk->size = RECORD_CHUNK_SIZE;
	chunk->used = sizeof(*chunk);
	return true;
}

static void record(u32 type, u32 call, u64 value, const void *bytes, size_t n)
{
	struct record_event event = { .type = type, .call = call, .value = value, .n = n };
	size_t room = sizeof(event) + ALIGN(n, 8);
	unsigned long flags;
	u8 *p;

	raw_spin_lock_irqsave(&recorder_lock, flags);
	if ((!chunk || chunk->size - chunk->used < room) && !chunk_open()) {
		pr_err_once("no memory for the record of calls\n");
		chunks++; /* the hole */
	} else {
		p = (u8 *)chunk + chunk->used;
		memcpy(p, &event, sizeof(event));
		memcpy(p + sizeof(event), bytes, n);
		chunk->used += room;
	}
	raw_spin_unlock_irqrestore(&recorder_lock, flags);
}

/* Give a slot of @from to @to; the call that was there. */
static u32 task_call(struct task_struct *from, struct task_struct *to, u32 call)
{
	unsigned long flags;
	u32 found = 0;
	unsigned int i;

	raw_spin_lock_irqsave(&recorder_lock, flags);
	for (i = 0; i < TASKS && tasks[i].task != from; i++)
		;
	if (i < TASKS) {
		found = tasks[i].call;
		tasks[i].task = to;
		tasks[i].call = call;
	}
	raw_spin_unlock_irqrestore(&recorder_lock, flags);
	return found;
}

static u32 current_call(void)
{
	u32 call = raw_cpu_read(atomic_call);
	unsigned int i;

	for (i = 0; i < TASKS && !call; i++)
		if (READ_ONCE(tasks[i].task) == current)
			call = tasks[i].call;
	if (call & RECORDER_FIBER)
		call = READ_ONCE(fiber_calls[call & ~RECORDER_FIBER]);
	return call;
}

void recorder_call(struct heki_core *core, struct heki_vtlcall_regs *regs)
{
	bool atomic = irqs_disabled();
	u32 call = atomic_inc_return(&calls);

	record(RECORD_CALL, call, raw_smp_processor_id(), regs, sizeof(*regs));
	if (atomic)
		raw_cpu_write(atomic_call, call);
	else
		task_call(NULL, current, call);
	heki_core_call(core, regs);
	if (atomic)
		raw_cpu_write(atomic_call, 0);
	else
		task_call(current, NULL, 0);
	record(RECORD_RESULT, call, regs->r8, NULL, 0);
}

void recorder_fiber(struct heki_core *core, uint32_t fiber)
{
	task_call(NULL, current, RECORDER_FIBER + fiber % FIBERS);
	heki_core_fiber(core, fiber);
	task_call(current, NULL, 0);
}

bool recorder_fiber_resume(void *host, uint32_t fiber)
{
	WRITE_ONCE(fiber_calls[fiber % FIBERS], current_call());
	return shim_fiber_resume(host, fiber);
}

int recorder_read(void *host, struct gpa pa, void *to, size_t n)
{
	int error = shim_read(host, pa, to, n);
	const u8 *p = to;
	size_t part;

	for (; !error && n; n -= part, p += part, pa.v += part) {
		part = min_t(size_t, n, RECORD_EVENT_MAX);
		record(RECORD_READ, current_call(), pa.v, p, part);
	}
	return error;
}

int recorder_read_regs(void *host, struct heki_vp_regs *regs)
{
	int error = shim_read_regs(host, regs);

	if (!error)
		record(RECORD_REGS, current_call(), raw_smp_processor_id(), regs, sizeof(*regs));
	return error;
}
