// SPDX-License-Identifier: GPL-2.0-only
/*
 * /dev/heki: the few commands. What they may do is VTL1's decision; the device only carries them.
 */
#include "internal.h"

#include <linux/capability.h>
#include <linux/fs.h>
#include <linux/gfp.h>
#include <linux/miscdevice.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/uaccess.h>
#include <linux/vmalloc.h>

#define CERT_MAX (64u << 10)

int client_audit(struct heki_ioc_audit *audit)
{
	struct heki_audit_reply *reply = (void *)get_zeroed_page(GFP_KERNEL);
	u64 cursor = 0;
	int error;

	if (!reply)
		return -ENOMEM;
	*audit = (struct heki_ioc_audit){};
	do {
		error = client_reply(HEKI_CALL_AUDIT, cursor, 0, reply);
		if (error)
			break;
		audit->pages += reply->pages_checked;
		audit->sites += reply->sites_checked;
		audit->violations += reply->violations;
		cursor = reply->next_cursor;
		cond_resched();
		if (fatal_signal_pending(current))
			error = -EINTR;
	} while (cursor && !error);
	free_page((unsigned long)reply);
	if (!error && audit->violations)
		client_report("violation", "-", -EUCLEAN, "an audit found differences");
	return error;
}

static long ioctl_audit(void __user *argument)
{
	struct heki_ioc_audit audit;
	int error = client_audit(&audit);

	if (error)
		return error;
	return copy_to_user(argument, &audit, sizeof(audit)) ? -EFAULT : 0;
}

/* One certificate, for COPY_SECONDARY_KEY or REVOKE. */
static int send_cert(u32 id, const void *data, size_t n)
{
	struct client_ranges ranges;
	int error;

	client_ranges_init(&ranges);
	error = client_ranges_add(&ranges, data, n, 0);
	if (!error)
		error = client_ranges_call(&ranges, id, 0);
	client_ranges_free(&ranges);
	return error < 0 ? error : 0;
}

static int add_key(const void *data, size_t n)
{
	return send_cert(HEKI_CALL_COPY_SECONDARY_KEY, data, n);
}

static int revoke(const void *data, size_t n)
{
	return send_cert(HEKI_CALL_REVOKE, data, n);
}

/**
 * struct command - a command that takes a buffer of userspace
 * @number: HEKI_IOC_*
 * @limit:  most bytes
 * @call:   vtlcall whose refusal explains a failure
 * @run:    made with a copy in vmalloc memory
 */
struct command {
	unsigned int number;
	size_t limit;
	u32 call;
	int (*run)(const void *data, size_t n);
};

static const struct command commands[] = {
	{ HEKI_IOC_ADD_KEY, CERT_MAX, HEKI_CALL_COPY_SECONDARY_KEY, add_key },
	{ HEKI_IOC_REVOKE, CERT_MAX, HEKI_CALL_REVOKE, revoke },
	{ HEKI_IOC_SYSTEM_CERTS, CERT_MAX, HEKI_CALL_LOAD_KDATA, client_lock_certs },
	{ HEKI_IOC_OFFER_MODULE, HEKI_ELF_MAX, HEKI_CALL_VALIDATE_MODULE, client_lock_offer },
};

/* VTL1's name for a failure; 0 when the client itself refused. */
static u32 refusal_since(u32 call, u64 seq)
{
	struct heki_log_record record;

	return client_refusal(call, &record) && record.seq > seq ? record.error : 0;
}

static u64 refusal_seq(u32 call)
{
	struct heki_log_record record;

	return client_refusal(call, &record) ? record.seq : 0;
}

static int command_run(const struct command *command, struct heki_ioc_buffer *buffer)
{
	u64 seq;
	void *data;
	int error;

	if (buffer->flags || buffer->padding || !buffer->size || buffer->size > command->limit)
		return -EINVAL;
	data = vmalloc(buffer->size);
	if (!data)
		return -ENOMEM;
	if (copy_from_user(data, u64_to_user_ptr(buffer->data), buffer->size)) {
		error = -EFAULT;
		goto out;
	}
	seq = refusal_seq(command->call);
	error = command->run(data, buffer->size);
	buffer->error = error ? refusal_since(command->call, seq) : 0;
out:
	vfree(data);
	return error;
}

static long ioctl_buffer(const struct command *command, void __user *argument)
{
	struct heki_ioc_buffer buffer;
	int error;

	if (copy_from_user(&buffer, argument, sizeof(buffer)))
		return -EFAULT;
	buffer.error = 0;
	error = command_run(command, &buffer);
	if (copy_to_user(argument, &buffer, sizeof(buffer)))
		return -EFAULT;
	return error;
}

static long device_ioctl(struct file *file, unsigned int number, unsigned long argument)
{
	void __user *user = (void __user *)argument;
	size_t i;

	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;
	if (number == HEKI_IOC_AUDIT)
		return ioctl_audit(user);
	if (number == HEKI_IOC_LOCK)
		return client_lock_now();
	for (i = 0; i < ARRAY_SIZE(commands); i++)
		if (commands[i].number == number)
			return ioctl_buffer(&commands[i], user);
	return -ENOTTY;
}

static const struct file_operations device_fops = {
	.owner = THIS_MODULE,
	.unlocked_ioctl = device_ioctl,
	.llseek = noop_llseek,
};

static struct miscdevice device = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = HEKI_DEVICE_NAME,
	.fops = &device_fops,
	.mode = 0600,
};

int client_device_init(void)
{
	return misc_register(&device);
}

void client_device_exit(void)
{
	misc_deregister(&device);
}
