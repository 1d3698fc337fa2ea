// SPDX-License-Identifier: GPL-2.0-only
/*
 * Taking over functions of the kernel by ftrace.
 *
 * The handler only redirects; the replacement then runs in the context of the caller, where it may
 * do what the original may. Originals are entered behind their call of ftrace: there is no
 * recursion to guard against, so no guard that could leave a call out. (ftrace's own guard works
 * for each level of context and is left before the replacement begins.)
 *
 * Whoever writes to kernel memory can take the hooks off again. Nothing that VTL1 decides depends
 * on their being there; without them the kernel merely fails where it would have asked.
 *
 * Locks: hooks_lock for the list. Installing takes text_mutex, so it must not be held.
 */
#include <linux/rcupdate.h>
#include <linux/seq_file.h>
#include <linux/string.h>
#include <linux/uaccess.h>

#include "compat.h"
#include "hooks.h"

#define ENDBR_SIZE 4
#define FENTRY_SIZE 5

static LIST_HEAD(hooks);
static DEFINE_MUTEX(hooks_lock);
/*
 * Made by hand: a static one of a module is initialised by a notifier that the kernel registers in
 * its last initcalls, which is after an early load.
 */
struct srcu_struct client_hooks_srcu;

/*
 * To switch an ftrace_ops on or off the kernel walks all its 45000 records several times, so the
 * hooks that come and go together share one. That of text patches, which is met thousands of times,
 * and one that goes earlier have their own.
 */
#define SHARED_MAX 16

static struct client_hook *shared[SHARED_MAX];
static unsigned int shared_count;
static bool shared_on;

static void notrace hook_redirect(unsigned long ip, unsigned long parent_ip, struct ftrace_ops *ops,
				  struct ftrace_regs *fregs)
{
	struct client_hook *hook = container_of(ops, struct client_hook, ops);

	compat_set_ip(fregs, (unsigned long)hook->replacement);
}

static void notrace shared_redirect(unsigned long ip, unsigned long parent_ip,
				    struct ftrace_ops *ops, struct ftrace_regs *fregs)
{
	unsigned int i;

	for (i = 0; i < shared_count; i++) {
		if (shared[i]->address - FENTRY_SIZE == ip) {
			compat_set_ip(fregs, (unsigned long)shared[i]->replacement);
			return;
		}
	}
}

/* Without SAVE_REGS: the instruction pointer is among what every trampoline saves. */
#define OPS_FLAGS (FTRACE_OPS_FL_IPMODIFY | FTRACE_OPS_FL_PERMANENT)

static struct ftrace_ops shared_ops = {
	.func = shared_redirect,
	.flags = OPS_FLAGS,
};

/*
 * A function starts with ENDBR, with the NOP that sealing makes of it, or with neither; then comes
 * the call of ftrace, as a NOP or as a call. An INT3 is one that is being patched: look again.
 */
static unsigned long behind_fentry(unsigned long function)
{
	static const u8 endbr[ENDBR_SIZE] = { 0xf3, 0x0f, 0x1e, 0xfa };
	static const u8 sealed[ENDBR_SIZE] = { 0x66, 0x0f, 0x1f, 0x00 };
	static const u8 nop[FENTRY_SIZE] = { 0x0f, 0x1f, 0x44, 0x00, 0x00 };
	u8 code[ENDBR_SIZE + FENTRY_SIZE];
	unsigned int tries, at;

	for (tries = 0; tries < 100; tries++) {
		if (copy_from_kernel_nofault(code, (void *)function, sizeof(code)))
			return 0;
		at = memcmp(code, endbr, ENDBR_SIZE) && memcmp(code, sealed, ENDBR_SIZE) ?
			0 : ENDBR_SIZE;
		if (code[at] == 0xe8 || !memcmp(code + at, nop, FENTRY_SIZE))
			return function + at + FENTRY_SIZE;
		if (code[at] != 0xcc)
			return 0;
		cond_resched();
	}
	return 0;
}

/* Where the original goes on; then its static call can be pointed there. */
static int hook_prepare(struct client_hook *hook, void (*prepare)(struct client_hook *hook))
{
	unsigned long function = client_symbol(hook->symbol);

	if (!function) {
		pr_err("this kernel has no function %s to take over\n", hook->symbol);
		return -ENOENT;
	}
	hook->address = behind_fentry(function);
	if (!hook->address) {
		pr_err("%s cannot be taken over: it has no call of ftrace\n", hook->symbol);
		return -EOPNOTSUPP;
	}
	if (prepare)
		prepare(hook);
	return 0;
}

static void hook_list(struct client_hook *hook)
{
	mutex_lock(&hooks_lock);
	list_add_tail(&hook->list, &hooks);
	mutex_unlock(&hooks_lock);
}

static int hook_filter(struct ftrace_ops *ops, const struct client_hook *hook)
{
	int err = ftrace_set_filter_ip(ops, hook->address - FENTRY_SIZE, 0, 0);

	if (err)
		pr_err("%s cannot be taken over: ftrace's error %d\n", hook->symbol, err);
	return err;
}

int client_hook_add(struct client_hook *hook, void (*prepare)(struct client_hook *hook))
{
	int err = hook_prepare(hook, prepare);

	if (!err)
		hook_list(hook);
	return err;
}

int client_hook_install(struct client_hook *hook, void (*prepare)(struct client_hook *hook))
{
	int err = hook_prepare(hook, prepare);

	if (err)
		return err;
	hook->ops.func = hook_redirect;
	hook->ops.flags = OPS_FLAGS;
	err = hook_filter(&hook->ops, hook);
	if (err)
		return err;
	err = register_ftrace_function(&hook->ops);
	if (err) {
		pr_err("%s cannot be taken over: ftrace's error %d\n", hook->symbol, err);
		ftrace_free_filter(&hook->ops);
		return err;
	}
	hook->own = true;
	hook_list(hook);
	return 0;
}

static bool hook_unlist(struct client_hook *hook)
{
	struct client_hook *other;
	bool found = false;

	mutex_lock(&hooks_lock);
	list_for_each_entry(other, &hooks, list) {
		if (other == hook) {
			list_del(&hook->list);
			found = true;
			break;
		}
	}
	mutex_unlock(&hooks_lock);
	return found;
}

/*
 * A task may have been preempted before client_hook_enter(), sleep inside, or have been preempted
 * after client_hook_leave(): one wait for each.
 */
static void ops_remove(struct ftrace_ops *ops)
{
	unregister_ftrace_function(ops);
	ftrace_free_filter(ops);
	synchronize_rcu_tasks();
	synchronize_srcu(&client_hooks_srcu);
	synchronize_rcu_tasks();
}

void client_hook_remove(struct client_hook *hook)
{
	if (!hook_unlist(hook) || !hook->own)
		return;
	hook->own = false;
	ops_remove(&hook->ops);
}

static int shared_start(void)
{
	struct client_hook *hook;
	int err = 0;

	mutex_lock(&hooks_lock);
	list_for_each_entry(hook, &hooks, list) {
		if (hook->own)
			continue;
		if (shared_count == SHARED_MAX)
			err = -E2BIG;
		else
			err = hook_filter(&shared_ops, hook);
		if (err)
			break;
		shared[shared_count++] = hook;
	}
	mutex_unlock(&hooks_lock);
	if (!err)
		err = register_ftrace_function(&shared_ops);
	shared_on = !err;
	if (!err)
		return 0;
	pr_err("functions of the kernel cannot be taken over: ftrace's error %d\n", err);
	ftrace_free_filter(&shared_ops);
	shared_count = 0;
	return err;
}

static void shared_stop(void)
{
	if (!shared_on)
		return;
	ops_remove(&shared_ops);
	shared_on = false;
	shared_count = 0;
}

static int trampoline_protect(struct client_ranges *ranges, const struct ftrace_ops *ops)
{
	unsigned long start = PAGE_ALIGN_DOWN(ops->trampoline);
	unsigned long end = PAGE_ALIGN(ops->trampoline + ops->trampoline_size);

	return client_ranges_add(ranges, (void *)start, end - start, CLIENT_TEXT_ATTRIBUTES);
}

int client_hooks_protect(struct client_ranges *ranges)
{
	struct client_hook *hook;
	int err;

	mutex_lock(&hooks_lock);
	err = trampoline_protect(ranges, &shared_ops);
	list_for_each_entry(hook, &hooks, list) {
		if (!err && hook->own)
			err = trampoline_protect(ranges, &hook->ops);
	}
	mutex_unlock(&hooks_lock);
	return err;
}

void client_hooks_show(struct seq_file *m)
{
	struct client_hook *hook;
	const char *separator = "";

	seq_puts(m, "hooks=");
	mutex_lock(&hooks_lock);
	list_for_each_entry(hook, &hooks, list) {
		seq_printf(m, "%s%s", separator, hook->symbol);
		separator = ",";
	}
	mutex_unlock(&hooks_lock);
	client_policy_show(m, separator);
	seq_putc(m, '\n');
}

static int hooks_install(void)
{
	int err;

	err = client_policy_init();
	if (err)
		return err;
	err = client_modules_init();
	if (err)
		goto policy;
	err = client_kexec_init();
	if (err)
		goto modules;
	err = client_power_init();
	if (err)
		goto kexec;
	err = client_text_patch_init();
	if (err)
		goto power;
	err = shared_start();
	if (err)
		goto text_patch;
	return 0;
text_patch:
	client_text_patch_exit();
power:
	client_power_exit();
kexec:
	client_kexec_exit();
modules:
	client_modules_exit();
policy:
	client_policy_exit();
	return err;
}

int client_hooks_init(void)
{
	int err;

	err = init_srcu_struct(&client_hooks_srcu);
	if (err)
		return err;
	err = hooks_install();
	if (err)
		cleanup_srcu_struct(&client_hooks_srcu);
	return err;
}

void client_hooks_exit(void)
{
	client_modules_stop();
	shared_stop();
	client_text_patch_exit();
	client_power_exit();
	client_kexec_exit();
	client_modules_exit();
	client_policy_exit();
	cleanup_srcu_struct(&client_hooks_srcu);
}
