// SPDX-License-Identifier: GPL-2.0-only
/*
 * heki_livepatch - replaces a function of the kernel, as livepatch modules do: for refuse.sh
 */
#include <linux/livepatch.h>
#include <linux/module.h>
#include <linux/seq_file.h>

static int replaced_show(struct seq_file *m, void *v)
{
	seq_puts(m, "live patched\n");
	return 0;
}

static struct klp_func functions[] = {
	{ .old_name = "cmdline_proc_show", .new_func = replaced_show },
	{ }
};

static struct klp_object objects[] = {
	{ .funcs = functions },
	{ }
};

static struct klp_patch patch = {
	.mod = THIS_MODULE,
	.objs = objects,
};

static int __init heki_livepatch_init(void)
{
	return klp_enable_patch(&patch);
}

static void __exit heki_livepatch_exit(void)
{
}

module_init(heki_livepatch_init);
module_exit(heki_livepatch_exit);

MODULE_DESCRIPTION("HEKI test: a live patch");
MODULE_LICENSE("GPL");
MODULE_INFO(livepatch, "Y");
