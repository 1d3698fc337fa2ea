// SPDX-License-Identifier: GPL-2.0-only
/*
 * An attacker who reads and writes all of the kernel's memory and runs what he likes there.  For tests
 * only: loaded as a module with a trusted signature, because how he came to that is not the question.
 *
 * In debugfs, heki_attacks/:
 *   run      writing a name, and a number for some, runs that attack; fails when it cannot be tried
 *   result   what has come of the last one: effect=0|1 error=N address=0x...
 *   undo     writing to it puts back what the last attack has changed
 */
#include <linux/debugfs.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/seq_file.h>
#include <linux/string.h>
#include <linux/uaccess.h>

#include "attacks.h"

#define LINE_MAX_SIZE 80

static unsigned long lookup;
module_param(lookup, ulong, 0);
MODULE_PARM_DESC(lookup, "address of kallsyms_lookup_name");

static const struct attack *const tables[] = {
	memory_attacks,
	register_attacks,
	table_attacks,
	call_attacks,
	patch_attacks,
	hypercall_attacks,
	machine_attacks,
	residual_attacks,
	race_attacks,
	device_attacks,
	start_attacks,
	replay_attacks,
	straddle_attacks,
	races_attacks,
	blocklist_attacks,
};

static DEFINE_MUTEX(lock);
static const struct attack *last;
static struct result result;
static u64 given;
static struct dentry *folder;

unsigned long symbol(const char *name)
{
	unsigned long (*find)(const char *name) = (void *)lookup;

	return find(name);
}

u64 argument(void)
{
	return given;
}

static const struct attack *attack_find(const char *name)
{
	const struct attack *attack;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(tables); i++)
		for (attack = tables[i]; attack->name; attack++)
			if (!strcmp(attack->name, name))
				return attack;
	return NULL;
}

static int attack_run(char *line)
{
	const char *name = strsep(&line, " ");
	const struct attack *attack = attack_find(name);
	int error;

	if (!attack)
		return -ENOENT;
	given = 0;
	if (line && kstrtou64(line, 0, &given))
		return -EINVAL;
	result = (struct result){ };
	last = NULL;
	error = attack->run(attack, &result);
	if (!error)
		last = attack;
	return error;
}

static ssize_t run_write(struct file *file, const char __user *user, size_t n, loff_t *at)
{
	char line[LINE_MAX_SIZE];
	int error;

	if (n >= sizeof(line))
		return -ENAMETOOLONG;
	if (copy_from_user(line, user, n))
		return -EFAULT;
	line[n] = '\0';
	mutex_lock(&lock);
	error = attack_run(strim(line));
	mutex_unlock(&lock);
	return error ? error : n;
}

static ssize_t undo_write(struct file *file, const char __user *user, size_t n, loff_t *at)
{
	mutex_lock(&lock);
	if (last && last->undo && result.effect)
		last->undo(last);
	last = NULL;
	mutex_unlock(&lock);
	return n;
}

static int result_show(struct seq_file *m, void *unused)
{
	mutex_lock(&lock);
	seq_printf(m, "effect=%d error=%d address=%#llx\n", result.effect, -result.error,
		   result.address);
	mutex_unlock(&lock);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(result);

static const struct file_operations run_fops = { .owner = THIS_MODULE, .write = run_write };
static const struct file_operations undo_fops = { .owner = THIS_MODULE, .write = undo_write };

static int __init attacks_init(void)
{
	if (!lookup)
		return -EINVAL;
	keep_init_page((unsigned long)attacks_init);
	folder = debugfs_create_dir("heki_attacks", NULL);
	debugfs_create_file("run", 0200, folder, NULL, &run_fops);
	debugfs_create_file("undo", 0200, folder, NULL, &undo_fops);
	debugfs_create_file("result", 0400, folder, NULL, &result_fops);
	return 0;
}

static void __exit attacks_exit(void)
{
	debugfs_remove(folder);
}

module_init(attacks_init);
module_exit(attacks_exit);

MODULE_DESCRIPTION("Attacks of HEKI's own tests");
MODULE_LICENSE("GPL");
