// SPDX-License-Identifier: GPL-2.0-only
/*
 * heki_verdict.ko: the core's verdicts on the kernel's crypto, for the differential test.
 *
 * /dev/heki_verdict: a write is one request, its kind (judge.h) and its bytes; a read gives the
 * verdict, one line. For root only, and for tests only: it judges what it is given and changes
 * nothing. Locks: requests, around each.
 */
#include "shim.h"

#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/uaccess.h>
#include <linux/vmalloc.h>

#include "judge.h"

static const struct heki_host_ops ops = JUDGE_OPS(shim);
static DEFINE_MUTEX(requests);
static void *judge_memory;
static u32 verdict;

static ssize_t verdict_write(struct file *file, const char __user *from, size_t n, loff_t *at)
{
	char *request;

	if (!n || n > JUDGE_REQUEST_MAX)
		return -EINVAL;
	request = vmalloc(n);
	if (!request)
		return -ENOMEM;
	if (copy_from_user(request, from, n)) {
		vfree(request);
		return -EFAULT;
	}
	mutex_lock(&requests);
	verdict = judge(judge_memory, &ops, request[0],
			(struct span){ (u8 *)request + 1, n - 1 });
	mutex_unlock(&requests);
	vfree(request);
	return n;
}

static ssize_t verdict_read(struct file *file, char __user *to, size_t n, loff_t *at)
{
	const char *name;
	loff_t start = 0;
	char line[64];
	int length;

	mutex_lock(&requests);
	name = verdict ? heki_error_name(verdict) : "OK";
	length = scnprintf(line, sizeof(line), "%s\n", name ?: "?");
	mutex_unlock(&requests);
	return simple_read_from_buffer(to, n, &start, line, length);
}

static const struct file_operations verdict_fops = {
	.owner = THIS_MODULE,
	.open = nonseekable_open,
	.write = verdict_write,
	.read = verdict_read,
};

static struct miscdevice verdict_device = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "heki_verdict",
	.fops = &verdict_fops,
	.mode = 0600,
};

static int __init verdict_init(void)
{
	int error = shim_crypto_init();

	if (error)
		return error;
	judge_memory = vzalloc(judge_size());
	if (!judge_memory) {
		error = -ENOMEM;
		goto out_crypto;
	}
	judge(judge_memory, &ops, JUDGE_RESET, (struct span){ NULL, 0 });
	error = misc_register(&verdict_device);
	if (error)
		goto out_memory;
	return 0;

out_memory:
	vfree(judge_memory);
out_crypto:
	shim_crypto_exit();
	return error;
}

static void __exit verdict_exit(void)
{
	misc_deregister(&verdict_device);
	vfree(judge_memory);
	shim_crypto_exit();
}

module_init(verdict_init);
module_exit(verdict_exit);

MODULE_DESCRIPTION("HEKI's verdicts on signatures, for a test");
MODULE_LICENSE("GPL");
