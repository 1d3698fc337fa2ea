// SPDX-License-Identifier: GPL-2.0-only
/*
 * Attacks from two CPUs at once.
 */
#include <linux/completion.h>
#include <linux/cpumask.h>
#include <linux/delay.h>
#include <linux/err.h>
#include <linux/gfp.h>
#include <linux/kthread.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/notifier.h>
#include <linux/sched.h>
#include <linux/smp.h>
#include <linux/string.h>
#include <linux/vmalloc.h>

#include <heki/heki.h>

#include "attacks.h"

#define RING_SIZE (64u << 10) /* the client's own */
#define FORGED_CALLS 50

static int writer_main(void *data)
{
	struct writer *writer = data;
	u8 turn = 0;

	while (!kthread_should_stop()) {
		if (!writer->error) {
			turn ^= writer->turn;
			WRITE_ONCE(writer->error, write_byte(writer->at, writer->value ^ turn));
			if (!writer->error)
				WRITE_ONCE(writer->writes, writer->writes + 1);
		}
		cond_resched();
	}
	return 0;
}

int writer_start(struct writer *writer)
{
	unsigned int here = get_cpu(), cpu = cpumask_any_but(cpu_online_mask, here);

	put_cpu();
	if (cpu >= nr_cpu_ids)
		return -ENODEV;
	writer->task = kthread_create_on_cpu(writer_main, writer, cpu, "attack/%u");
	if (IS_ERR(writer->task))
		return PTR_ERR(writer->task);
	wake_up_process(writer->task);
	while (!READ_ONCE(writer->writes) && !READ_ONCE(writer->error))
		usleep_range(100, 200);
	return 0;
}

static void ring_put(u64 pa, u64 size)
{
	int answer;

	call_vtl1(HEKI_CALL_ALLOCATE_RINGBUFFER, pa, size, 0, &answer);
}

static void ring_back(void)
{
	unsigned long *ring = pointer("heki_client:ring");

	ring_put(0, 0);
	if (ring && *ring)
		ring_put(__pa(*ring), RING_SIZE);
}

/* A page is written to from the other CPU while VTL1 takes it: no write may land any more. */
static int revoked_run(const struct attack *attack, struct result *result)
{
	struct writer writer = { .value = 2, .turn = 1 };
	unsigned long landed;
	void *page = (void *)get_zeroed_page(GFP_KERNEL);
	int error;

	if (!page)
		return -ENOMEM;
	writer.at = (unsigned long)page + PAGE_SIZE / 2;
	result->address = __pa(writer.at);
	error = writer_start(&writer);
	if (error)
		goto out;
	ring_put(__pa(page), PAGE_SIZE);
	landed = READ_ONCE(writer.writes);
	msleep(50);
	kthread_stop(writer.task);
	/* One may have landed between the call's end and the look. */
	result->effect = writer.writes > landed + 1;
	result->error = writer.error;
	ring_back();
out:
	free_page((unsigned long)page);
	return error;
}

/*
 * A module's text is changed, and back, from the other CPU while it is validated, begun by a notifier in
 * front of the client's.
 */
static struct writer module_writer;
static void *module_alias;
static u8 module_before;
static const char victim[] = "nls_cp865";

static void *alias_of(unsigned long at)
{
	struct page *page = pfn_to_page(PHYS_PFN(physical(at)));

	return vmap(&page, 1, VM_MAP, PAGE_KERNEL);
}

static int module_told(struct notifier_block *block, unsigned long state, void *data)
{
	struct module *module = data;
	unsigned long at;

	if (state != MODULE_STATE_COMING || strcmp(module->name, victim) || module_alias)
		return NOTIFY_OK;
	at = symbol("nls_cp865:uni2char");
	module_alias = at ? alias_of(at) : NULL;
	if (!module_alias)
		return NOTIFY_OK;
	module_before = *(u8 *)at;
	module_writer = (struct writer){
		.at = (unsigned long)module_alias + offset_in_page(at),
		.value = module_before,
		.turn = 1,
	};
	if (writer_start(&module_writer))
		module_writer.task = NULL;
	return NOTIFY_OK;
}

static struct notifier_block module_block = {
	.notifier_call = module_told,
	.priority = INT_MAX,
};

/* The first part; the module is loaded by a program, then comes the second. */
static int module_race_run(const struct attack *attack, struct result *result)
{
	return register_module_notifier(&module_block);
}

static int module_race_end(const struct attack *attack, struct result *result)
{
	unsigned long at;
	int error = module_alias ? 0 : -ENOENT;

	unregister_module_notifier(&module_block);
	if (module_writer.task)
		kthread_stop(module_writer.task);
	at = symbol("nls_cp865:uni2char");
	result->address = module_alias ? physical(module_writer.at) : 0;
	result->error = module_writer.error;
	/* The module is there, and so is what the writer wanted. */
	if (at && module_alias) {
		/* Not what the other CPU wrote: the audit may have seen that first. */
		if (!module_writer.error)
			write_byte(module_writer.at, module_before ^ 2);
		result->effect = *(volatile u8 *)at != module_before;
	}
	vunmap(module_alias);
	module_alias = NULL;
	module_writer.task = NULL;
	return error;
}

/* Kernel text is written to from another CPU some times, while modules come and go on the first. */
#define TEXT_WRITES 20

static struct {
	struct task_struct *task;
	struct completion done;
	unsigned long text;
	u8 before;
	void *alias;
	unsigned int landed;
	int error;
} texts;

static int text_main(void *unused)
{
	unsigned long at = (unsigned long)texts.alias + offset_in_page(texts.text);
	unsigned int i;
	int error;

	for (i = 0; i < TEXT_WRITES; i++) {
		error = write_byte(at, texts.before ^ 1);
		texts.error = error ? error : texts.error;
		texts.landed += !error;
		msleep(20);
	}
	complete(&texts.done);
	return 0;
}

static int text_race_run(const struct attack *attack, struct result *result)
{
	unsigned int here = get_cpu(), cpu = cpumask_any_but(cpu_online_mask, here);

	put_cpu();
	texts.text = target_text();
	texts.alias = texts.text ? alias_of(texts.text) : NULL;
	if (!texts.alias)
		return -ENOENT;
	texts.before = *(u8 *)texts.text;
	texts.landed = 0;
	texts.error = 0;
	init_completion(&texts.done);
	texts.task = kthread_create_on_cpu(text_main, NULL, cpu, "attack/%u");
	if (IS_ERR(texts.task))
		return PTR_ERR(texts.task);
	wake_up_process(texts.task);
	return 0;
}

static int text_race_end(const struct attack *attack, struct result *result)
{
	wait_for_completion(&texts.done);
	vunmap(texts.alias);
	result->address = physical(texts.text);
	result->error = texts.error;
	result->effect = texts.landed;
	return 0;
}

static void text_race_undo(const struct attack *attack)
{
	write_by_vmap(texts.text, texts.before);
}

/**
 * struct forger - calls from one CPU
 * @token: that was never given; each CPU has its own, as one call is served once at a time
 * @had:   VTL1 has served one
 * @done:  when all are made
 */
struct forger {
	u64 token;
	bool had;
	struct completion done;
};

static void forge(struct forger *forger)
{
	unsigned int i;
	int answer;

	for (i = 0; i < FORGED_CALLS; i++)
		if (call_vtl1(HEKI_CALL_UNLOAD_MODULE, forger->token, 0, 0, &answer) || answer >= 0)
			forger->had = true;
}

static int forge_main(void *data)
{
	struct forger *forger = data;

	forge(forger);
	complete(&forger->done);
	return 0;
}

static int two_cpus_run(const struct attack *attack, struct result *result)
{
	unsigned int here = get_cpu(), cpu = cpumask_any_but(cpu_online_mask, here);
	struct forger first = { .token = 0x7ffffffe }, second = { .token = 0x7fffffff };
	struct task_struct *task;

	put_cpu();
	init_completion(&second.done);
	task = kthread_create_on_cpu(forge_main, &second, cpu, "attack/%u");
	if (IS_ERR(task))
		return PTR_ERR(task);
	wake_up_process(task);
	forge(&first);
	wait_for_completion(&second.done);
	result->effect = first.had || second.had;
	return 0;
}

const struct attack race_attacks[] = {
	{ "page-revoked", revoked_run, NULL, NULL },
	{ "module-race", module_race_run, NULL, NULL },
	{ "module-race-end", module_race_end, NULL, NULL },
	{ "text-race", text_race_run, NULL, NULL },
	{ "text-race-end", text_race_end, text_race_undo, NULL },
	{ "call-two-cpus", two_cpus_run, NULL, NULL },
	{ }
};
