// SPDX-License-Identifier: GPL-2.0-only
/*
 * Fibers: a kernel thread for each slot. A long call runs there; the entry that serves it waits
 * until the thread has done the entry's share of work or the whole call.
 *
 * Locks: none. One entry at a time owns a slot, and with it the fiber; the state says which of the two
 * runs.
 */
#include "shim.h"

#include <linux/err.h>
#include <linux/kthread.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/smp.h>
#include <linux/wait.h>

enum fiber_state {
	FIBER_IDLE,
	FIBER_RUN, /* the thread runs, the entry waits */
	FIBER_SUSPENDED,
	FIBER_DONE
};

/**
 * struct fiber - one of them
 * @task:  its thread
 * @queue: where either side waits
 * @state: enum fiber_state
 * @vp:    the processor of the entry that it serves
 */
struct fiber {
	struct task_struct *task;
	wait_queue_head_t queue;
	int state;
	u32 vp;
};

static struct fiber *fibers;
static u32 fibers_count;
static struct heki_core *fibers_core;

static void fiber_set(struct fiber *f, int state)
{
	/* Pairs with fiber_get() of the side that goes on. */
	smp_store_release(&f->state, state);
	wake_up(&f->queue);
}

static int fiber_get(struct fiber *f)
{
	/* Pairs with fiber_set() of the side that stops. */
	return smp_load_acquire(&f->state);
}

static int fiber_main(void *data)
{
	struct fiber *f = data;

	for (;;) {
		wait_event_idle(f->queue, fiber_get(f) == FIBER_RUN || kthread_should_stop());
		if (fiber_get(f) != FIBER_RUN)
			return 0;
		heki_core_fiber(fibers_core, f - fibers);
		fiber_set(f, FIBER_DONE);
	}
}

void shim_fiber_start(void *host, uint32_t fiber)
{
	WRITE_ONCE(fibers[fiber].state, FIBER_IDLE);
}

bool shim_fiber_resume(void *host, uint32_t fiber)
{
	struct fiber *f = &fibers[fiber];

	f->vp = raw_smp_processor_id();
	fiber_set(f, FIBER_RUN);
	wait_event(f->queue, fiber_get(f) != FIBER_RUN);
	return fiber_get(f) == FIBER_DONE;
}

/* A call that is still suspended when the module goes runs to its end without a stop. */
void shim_fiber_suspend(void *host, uint32_t fiber)
{
	struct fiber *f = &fibers[fiber];

	if (kthread_should_stop())
		return;
	fiber_set(f, FIBER_SUSPENDED);
	wait_event_idle(f->queue, fiber_get(f) == FIBER_RUN || kthread_should_stop());
}

/* The processor that a call is made on: not the thread's. */
uint32_t shim_vp(void *host)
{
	u32 i;

	if (!(current->flags & PF_KTHREAD))
		return raw_smp_processor_id();
	for (i = 0; i < fibers_count; i++) {
		if (fibers[i].task == current)
			return fibers[i].vp;
	}
	return raw_smp_processor_id();
}

static int fiber_init(struct fiber *f, u32 index)
{
	struct task_struct *task;

	init_waitqueue_head(&f->queue);
	task = kthread_run(fiber_main, f, "heki_vtl1/%u", index);
	if (IS_ERR(task))
		return PTR_ERR(task);
	f->task = task;
	return 0;
}

int shim_fiber_init(struct heki_core *core, u32 count)
{
	int error;

	fibers = kcalloc(count, sizeof(*fibers), GFP_KERNEL);
	if (!fibers)
		return -ENOMEM;
	fibers_core = core;
	for (; fibers_count < count; fibers_count++) {
		error = fiber_init(&fibers[fibers_count], fibers_count);
		if (error) {
			shim_fiber_exit();
			return error;
		}
	}
	return 0;
}

void shim_fiber_exit(void)
{
	while (fibers_count)
		kthread_stop(fibers[--fibers_count].task);
	kfree(fibers);
	fibers = NULL;
}
