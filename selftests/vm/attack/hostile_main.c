// SPDX-License-Identifier: GPL-2.0-only
/*
 * heki_hostile - parameters:
 *
 *   boot     when loaded: no client is here, and VTL1 stays in its boot phase
 *   places   memory that is not the kernel's, VTL1's first: FIRST-LAST, hexadecimal, with commas
 *   spares   tokens of modules that may be given back though they live: they run no code
 *   files    MODULE CERTIFICATE: files to make calls with
 *   capture  1: keep the next module load of the client's that VTL1 accepts, 0: no more; reads 1
 *            when one is kept
 *   replay   FILE: the calls of each input of the file, on both CPUs at once, forwards and backwards
 *   random   SEED COUNT: so many random calls, shared by both CPUs
 *   patches  COUNT: so many text patches, none of them legal, and no other call
 *   start    1: VTL1's counts are taken for the comparison
 *   result   what has been counted here and by VTL1 since, KEY=VALUE; calls that were left in the middle
 *            are brought to their ends
 *   ring     1: the log's mirror lies where it did at the start
 */
#include "hostile.h"

#include <linux/completion.h>
#include <linux/cpu.h>
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/sched.h>
#include <linux/string.h>

/* Work between two looks at the log, small against its records. */
#define RANDOM_STEP 100
#define REPLAY_STEP 2

static DEFINE_MUTEX(busy);

bool boot_phase;
module_param_named(boot, boot_phase, bool, 0400);

/**
 * struct work - what a thread does
 * @run:   with an actor, numbers from @first to before @end
 * @done:  when it has
 */
struct work {
	void (*run)(struct actor *a, u64 number);
	struct actor *actor;
	u64 first;
	u64 end;
	struct completion done;
};

static int worker(void *data)
{
	struct work *work = data;
	u64 i;

	for (i = work->first; i < work->end; i++) {
		work->run(work->actor, i);
		cond_resched();
	}
	complete(&work->done);
	return 0;
}

/* On both CPUs at once. */
static int on_both(void (*run)(struct actor *a, u64 number), u64 first, u64 end)
{
	struct work work[HOSTILE_CPUS];
	struct task_struct *task;
	unsigned int i;

	for (i = 0; i < HOSTILE_CPUS; i++) {
		work[i] = (struct work){ run, &actors[i], first, end };
		init_completion(&work[i].done);
		task = kthread_create_on_cpu(worker, &work[i], i, "heki_hostile/%u");
		if (IS_ERR(task))
			worker(&work[i]);
		else
			wake_up_process(task);
	}
	for (i = 0; i < HOSTILE_CPUS; i++)
		wait_for_completion(&work[i].done);
	return log_drain();
}

static int in_steps(void (*run)(struct actor *a, u64 number), u64 n, u64 step)
{
	u64 i;
	int ret = 0;

	for (i = 0; i < n && !ret; i += step)
		ret = on_both(run, i, min(n, i + step));
	return ret;
}

static void run_random(struct actor *a, u64 number)
{
	random_call(a);
}

static void run_patch(struct actor *a, u64 number)
{
	random_patch(a);
}

/* One CPU from the start, the other from the end. */
static void run_input(struct actor *a, u64 number)
{
	replay_input(a, a->cpu ? replay_inputs() - 1 - number : number);
}

static int places_set(const char *text, const struct kernel_param *param)
{
	return memory_places(text) ? 0 : -EINVAL;
}

static int spares_set(const char *text, const struct kernel_param *param)
{
	return tokens_spare(text) ? 0 : -EINVAL;
}

static int files_set(const char *text, const struct kernel_param *param)
{
	char *copy = kstrdup(text, GFP_KERNEL), *rest = copy, *module;
	int ret = -EINVAL;

	if (!copy)
		return -ENOMEM;
	module = strsep(&rest, " ");
	if (rest)
		ret = random_files(module, strim(rest));
	kfree(copy);
	return ret;
}

static int capture_set(const char *text, const struct kernel_param *param)
{
	bool on;
	int ret = kstrtobool(text, &on);

	if (!ret && on)
		ret = capture_start();
	else if (!ret)
		capture_stop();
	return ret;
}

static int capture_get(char *text, const struct kernel_param *param)
{
	return sprintf(text, "%d\n", capture_there());
}

static int start_set(const char *text, const struct kernel_param *param)
{
	int ret;

	mutex_lock(&busy);
	ret = memory_sample();
	if (!ret || boot_phase)
		ret = log_start();
	mutex_unlock(&busy);
	return ret;
}

static int replay_set(const char *text, const struct kernel_param *param)
{
	char *path = kstrdup(text, GFP_KERNEL);
	int ret;

	if (!path)
		return -ENOMEM;
	mutex_lock(&busy);
	ret = replay_load(strim(path));
	if (!ret)
		ret = in_steps(run_input, replay_inputs(), REPLAY_STEP);
	replay_drop();
	mutex_unlock(&busy);
	kfree(path);
	return ret;
}

static int random_set(const char *text, const struct kernel_param *param)
{
	u64 seed, n;
	unsigned int i;
	int ret;

	if (sscanf(text, "%llu %llu", &seed, &n) != 2)
		return -EINVAL;
	mutex_lock(&busy);
	for (i = 0; i < HOSTILE_CPUS; i++) {
		actors[i].random = (seed * HOSTILE_CPUS + i + 1) * 0x9e3779b97f4a7c15ull;
		random_begin(&actors[i]);
	}
	ret = in_steps(run_random, n / HOSTILE_CPUS, RANDOM_STEP);
	mutex_unlock(&busy);
	return ret;
}

static int patches_set(const char *text, const struct kernel_param *param)
{
	u64 n;
	int ret = kstrtou64(text, 0, &n);

	if (ret)
		return ret;
	mutex_lock(&busy);
	ret = in_steps(run_patch, n / HOSTILE_CPUS, RANDOM_STEP);
	mutex_unlock(&busy);
	return ret;
}

static int ring_set(const char *text, const struct kernel_param *param)
{
	struct call c = { HEKI_CALL_ALLOCATE_RINGBUFFER };

	/* It may never have moved, and does not go where it is. */
	call_make(&actors[0], &c, 0);
	memory_ring(&c.p[0], &c.p[1]);
	return call_make(&actors[0], &c, 0) ? -EIO : 0;
}

static int result_get(char *text, const struct kernel_param *param)
{
	static const char *const names[] = {
#define MAIN_NAME(name) [COUNT_##name] = #name,
		HOSTILE_COUNTS(MAIN_NAME)
#undef MAIN_NAME
	};
	unsigned int i;
	int n;

	mutex_lock(&busy);
	n = log_compare(text, PAGE_SIZE);
	for (i = 0; i < COUNTS && n >= 0; i++)
		n += scnprintf(text + n, PAGE_SIZE - n, "%s=%lld\n", names[i],
			       (s64)atomic64_read(&counts[i]));
	mutex_unlock(&busy);
	return n;
}

#define PARAMETER(name)                                                                            \
	static const struct kernel_param_ops name##_ops = { .set = name##_set };                   \
	module_param_cb(name, &name##_ops, NULL, 0200)

PARAMETER(places);
PARAMETER(spares);
PARAMETER(files);
PARAMETER(start);
PARAMETER(replay);
PARAMETER(random);
PARAMETER(patches);
PARAMETER(ring);

static const struct kernel_param_ops capture_ops = { .set = capture_set, .get = capture_get };
module_param_cb(capture, &capture_ops, NULL, 0600);
static const struct kernel_param_ops result_ops = { .get = result_get };
module_param_cb(result, &result_ops, NULL, 0400);

static int __init hostile_init(void)
{
	int ret = call_init();

	return ret ? ret : memory_init();
}

static void __exit hostile_exit(void)
{
	capture_drop();
	random_drop();
	if (!memory_exit())
		pr_err("heki_hostile: VTL1 keeps memory that nothing holds\n");
}

module_init(hostile_init);
module_exit(hostile_exit);

MODULE_DESCRIPTION("HEKI test: a hostile VTL0");
MODULE_LICENSE("GPL");
