// SPDX-License-Identifier: GPL-2.0-only
/*
 * heki_client.ko: collects what there is to protect in this kernel, and asks VTL1 to protect it.
 *
 * Policies come from the kernel's command line (heki=) and from module parameters; the stricter
 * one counts, and from then on they can only be tightened. Where no mode is given it is VTL1's grade.
 *
 * mode=enforce with a VTL1 that can only audit is not called protected. Everything is done all the
 * same, with the policies of enforce: what VTL1 refuses is vetoed, and status says what is missing.
 */
#include "internal.h"

#include <linux/gfp.h>
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/string.h>

struct client client = {
	.mode = CLIENT_AUDIT,
	.modules = CLIENT_MODULES_ENFORCE,
	.patches = CLIENT_PATCHES_STRICT,
};

static const char *const mode_names[] = {
	[CLIENT_OFF] = "off",
	[CLIENT_AUDIT] = "audit",
	[CLIENT_ENFORCE] = "enforce",
};

static const char *const modules_names[] = {
	[CLIENT_MODULES_REPORT] = "report",
	[CLIENT_MODULES_ENFORCE] = "enforce",
};

static const char *const patches_names[] = {
	[CLIENT_PATCHES_REPORT] = "report",
	[CLIENT_PATCHES_TRACING] = "tracing",
	[CLIENT_PATCHES_STRICT] = "strict",
};

static const char *const exec_names[] = {
	[CLIENT_EXEC_JIT] = "jit",
	[CLIENT_EXEC_STRICT] = "strict",
};

static bool mode_given; /* by parameter */
static bool policies_set; /* they are in force and may only be tightened */
static DEFINE_MUTEX(policy_lock);

const char *client_mode_name(void)
{
	return mode_names[client.mode];
}

const char *client_modules_policy_name(void)
{
	return modules_names[client.modules];
}

const char *client_patches_policy_name(void)
{
	return patches_names[client.patches];
}

const char *client_exec_policy_name(void)
{
	return exec_names[client.exec];
}

static bool pinned;

bool client_pinned(void)
{
	return pinned;
}

/* Whoever unloads the client would take VTL0's half of the protection away. */
static void pin(void)
{
	bool wanted = client.text_protected || (client.mode == CLIENT_ENFORCE && client_locked());

	if (pinned || !wanted)
		return;
	__module_get(THIS_MODULE);
	pinned = true;
	pr_info("this module stays until reboot\n");
}

void client_policy_final(void)
{
	mutex_lock(&policy_lock);
	pin();
	mutex_unlock(&policy_lock);
}

static int mode_set(const char *value, const struct kernel_param *param)
{
	int mode = sysfs_match_string(mode_names, value), error = 0;

	if (mode < 0)
		return mode;
	mutex_lock(&policy_lock);
	if (policies_set && mode < client.mode)
		error = -EPERM;
	else if (policies_set && mode == CLIENT_ENFORCE && !client_enforced())
		error = -EOPNOTSUPP;
	else
		client.mode = mode;
	mode_given = true;
	pin();
	mutex_unlock(&policy_lock);
	return error;
}

static int mode_get(char *buffer, const struct kernel_param *param)
{
	return sysfs_emit(buffer, "%s\n", client_mode_name());
}

static const struct kernel_param_ops mode_ops = { .set = mode_set, .get = mode_get };
module_param_cb(mode, &mode_ops, NULL, 0644);
MODULE_PARM_DESC(mode, "off, audit or enforce (default: VTL1's grade); heki= on the kernel command line counts when it is stricter");

static int modules_set(const char *value, const struct kernel_param *param)
{
	int policy = sysfs_match_string(modules_names, value), error = 0;

	if (policy < 0)
		return policy;
	mutex_lock(&policy_lock);
	if (policies_set && policy < client.modules)
		error = -EPERM;
	else
		client.modules = policy;
	mutex_unlock(&policy_lock);
	return error;
}

static int modules_get(char *buffer, const struct kernel_param *param)
{
	return sysfs_emit(buffer, "%s\n", client_modules_policy_name());
}

static const struct kernel_param_ops modules_ops = { .set = modules_set, .get = modules_get };
module_param_cb(modules, &modules_ops, NULL, 0644);
MODULE_PARM_DESC(modules, "what becomes of a module that VTL1 refuses: enforce (default, vetoed) or report");

static int patches_set(const char *value, const struct kernel_param *param)
{
	int policy = sysfs_match_string(patches_names, value), error = 0;

	if (policy < 0)
		return policy;
	mutex_lock(&policy_lock);
	if (policies_set && policy < client.patches)
		error = -EPERM;
	else
		WRITE_ONCE(client.patches, policy);
	mutex_unlock(&policy_lock);
	return error;
}

static int patches_get(char *buffer, const struct kernel_param *param)
{
	return sysfs_emit(buffer, "%s\n", client_patches_policy_name());
}

static const struct kernel_param_ops patches_ops = { .set = patches_set, .get = patches_get };
module_param_cb(patches, &patches_ops, NULL, 0644);
MODULE_PARM_DESC(patches, "kprobes, function tracers, BPF and live patches in protected text: strict (default, refused), tracing (function tracers work) or report");

static int exec_set(const char *value, const struct kernel_param *param)
{
	int policy = sysfs_match_string(exec_names, value), error = 0;

	if (policy < 0)
		return policy;
	mutex_lock(&policy_lock);
	/* VTL1 is told at the lock. */
	if (policies_set && client_phase() > CLIENT_WAITING && policy != client.exec)
		error = -EPERM;
	else
		client.exec = policy;
	mutex_unlock(&policy_lock);
	return error;
}

static int exec_get(char *buffer, const struct kernel_param *param)
{
	return sysfs_emit(buffer, "%s\n", client_exec_policy_name());
}

static const struct kernel_param_ops exec_ops = { .set = exec_set, .get = exec_get };
module_param_cb(exec, &exec_ops, NULL, 0644);
MODULE_PARM_DESC(exec, "what the kernel may execute: jit (default, all but writable protected memory) or strict (what VTL1 protects; no new BPF programs; needs MBEC)");

static char *certs;
module_param(certs, charp, 0444);
MODULE_PARM_DESC(certs, "file of further system certificates, DER, concatenated");

static char *kexec_certs;
module_param(kexec_certs, charp, 0444);
MODULE_PARM_DESC(kexec_certs, "file of trust anchors for kexec images, DER, concatenated");

/* The value of heki= on the kernel's command line; -1 when there is none, the last one counts. */
static int command_line_mode(void)
{
	char **line = (char **)client_symbol("saved_command_line");
	char *copy, *rest, *word;
	int mode = -1, found;

	if (!line || !*line)
		return -1;
	copy = kstrdup(*line, GFP_KERNEL);
	if (!copy)
		return -1;
	rest = copy;
	while ((word = strsep(&rest, " ")) && strcmp(word, "--")) {
		if (strncmp(word, "heki=", 5))
			continue;
		found = match_string(mode_names, ARRAY_SIZE(mode_names), word + 5);
		if (found < 0)
			pr_warn("%s is not known; off, audit or enforce\n", word);
		else
			mode = found;
	}
	kfree(copy);
	return mode;
}

static void policy_init(void)
{
	int mode = command_line_mode();

	mutex_lock(&policy_lock);
	if (mode > (int)client.mode || (mode >= 0 && !mode_given))
		client.mode = mode;
	mode_given |= mode >= 0;
	policies_set = true;
	mutex_unlock(&policy_lock);
}

static int vtl1_query(void)
{
	struct heki_query_reply *reply = (void *)get_zeroed_page(GFP_KERNEL);
	int error;

	if (!reply)
		return -ENOMEM;
	error = client_reply(HEKI_CALL_QUERY, HEKI_QUERY_CONTINUES, 0, reply);
	if (error)
		goto out;
	client.grade = reply->grade;
	client.features = reply->features;
	if (reply->abi_version != HEKI_ABI_VERSION) {
		pr_err("VTL1 speaks version %u, this client %u\n", reply->abi_version,
		       HEKI_ABI_VERSION);
		error = -EPROTO;
	} else if (reply->end_of_boot) {
		pr_err("VTL1 was locked by another client before; load it anew first\n");
		error = -EBUSY;
	}
out:
	free_page((unsigned long)reply);
	return error;
}

/* What is asked for must be there: nothing is called protected that is only watched. */
static void mode_settle(void)
{
	mutex_lock(&policy_lock);
	if (!mode_given && client_enforced())
		client.mode = CLIENT_ENFORCE;
	mutex_unlock(&policy_lock);
	if (!client_mode_met())
		pr_err("not protected: mode=enforce asks for grade enforce, VTL1 offers audit; start this kernel under a hypervisor with VTL1\n");
	else if (!client_enforced())
		pr_notice("VTL1's grade is audit, which is not a security boundary\n");
}

static int vtl1_connect(void)
{
	int error;

	error = client_transport_init();
	if (error)
		return error;
	error = vtl1_query();
	if (error)
		client_transport_exit();
	else
		mode_settle();
	return error;
}

static int __init client_show_init(void)
{
	int error;

	error = client_status_init();
	if (error)
		return error;
	error = client_device_init();
	if (error)
		client_status_exit();
	return error;
}

static int __init client_init(void)
{
	int error;

	client.early = system_state < SYSTEM_FREEING_INITMEM;
	error = client_lookup_init();
	if (error)
		return error;
	policy_init();
	if (client.mode == CLIENT_OFF) {
		pr_info("off\n");
		return -ECANCELED;
	}
	error = vtl1_connect();
	if (error)
		return error;
	error = client_hooks_init();
	if (error)
		goto out_transport;
	error = client_lock_init(certs, kexec_certs);
	if (error)
		goto out_hooks;
	/* Last: a file that is open does not keep a module whose load fails. */
	error = client_show_init();
	if (error)
		goto out_lock;
	pr_info("loaded %s, mode %s, modules %s, patches %s, exec %s, transport %s\n",
		client.early ? "early" : "late", client_mode_name(), client_modules_policy_name(),
		client_patches_policy_name(), client_exec_policy_name(), client_transport_name());
	return 0;

out_lock:
	client_lock_exit();
out_hooks:
	client_hooks_exit();
out_transport:
	client_transport_exit();
	pr_err("not loaded: error %d\n", error);
	return error;
}

static void __exit client_exit(void)
{
	client_device_exit();
	client_status_exit();
	client_lock_exit();
	client_hooks_exit();
	client_exec_exit();
	client_transport_exit();
}

module_init(client_init);
module_exit(client_exit);

MODULE_DESCRIPTION("HEKI client: asks VTL1 to protect this kernel");
MODULE_LICENSE("GPL");
MODULE_VERSION("0.1.0");
/*
 * The kernel's faster SHA-256, where there is one: what comes after the client is validated. The shim
 * is asked for by its symbol, where there is no other VTL1.
 */
MODULE_SOFTDEP("post: sha256_ssse3");
