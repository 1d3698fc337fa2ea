// SPDX-License-Identifier: GPL-2.0-only
/*
 * Suspend and hibernation.
 *
 * Both take registers away and give memory back by other hands than VTL1's: a machine that wakes from
 * suspend to memory starts in its firmware, and an image that is restored is written over protected
 * memory. Under the grade enforce they are refused when they are asked for. Suspend to idle goes on, it
 * only lets the CPUs wait.
 *
 * This is for those who keep to the kernel's interfaces; what else puts a machine to sleep is the
 * hypervisor's to stop.
 *
 * Locks: none.
 */
#include <linux/notifier.h>
#include <linux/static_call.h>
#include <linux/suspend.h>

#include "hooks.h"

static bool refused(const char *what)
{
	if (!READ_ONCE(client.text_protected))
		return false;
	client_report("power", what, -EPERM, "refused by HEKI: VTL1's protection would not outlive it");
	return true;
}

static int suspend_prototype(suspend_state_t state)
{
	return -EOPNOTSUPP;
}

DEFINE_STATIC_CALL(suspend_original, suspend_prototype);

static int suspend_replacement(suspend_state_t state)
{
	int cookie = client_hook_enter(), error = -EPERM;

	if (state == PM_SUSPEND_TO_IDLE || !refused("suspend"))
		error = static_call(suspend_original)(state);
	client_hook_leave(cookie);
	return error;
}

static struct client_hook suspend_hook = {
	.symbol = "pm_suspend",
	.replacement = suspend_replacement,
};

static void suspend_prepare(struct client_hook *hook)
{
	static_call_update(suspend_original, (typeof(&suspend_prototype))hook->address);
}

static int power_notify(struct notifier_block *block, unsigned long event, void *unused)
{
	if ((event == PM_HIBERNATION_PREPARE || event == PM_RESTORE_PREPARE) &&
	    refused("hibernation"))
		return notifier_from_errno(-EPERM);
	return NOTIFY_DONE;
}

static struct notifier_block notifier = { .notifier_call = power_notify };

int client_power_init(void)
{
	int error = 0;

	if (client_symbol(suspend_hook.symbol))
		error = client_hook_add(&suspend_hook, suspend_prepare);
	if (error)
		return error;
	error = register_pm_notifier(&notifier);
	if (error)
		client_hook_remove(&suspend_hook);
	return error;
}

void client_power_exit(void)
{
	unregister_pm_notifier(&notifier);
	client_hook_remove(&suspend_hook);
}
