// SPDX-License-Identifier: GPL-2.0-only
/*
 * A file over one of VTL1's lists: each reply of LIST is one element of the sequence, so that a
 * long list needs one page, not memory for all of its text.
 */
#include <linux/fs.h>
#include <linux/gfp.h>
#include <linux/module.h>

#include <heki/device.h>

#include "show.h"

/**
 * struct list_reader - an open file
 * @list:  which one
 * @reply: the reply that is shown
 * @index: its place in the sequence; 0 is the head line
 */
struct list_reader {
	const struct show_list *list;
	struct heki_list_reply *reply;
	loff_t index;
};

/* Fetch the reply that follows. False at the end of the list, or of what VTL1 answers. */
static bool reader_advance(struct list_reader *r)
{
	u64 cursor = r->index ? r->reply->next_cursor : 0;

	if (r->index && !cursor)
		return false;
	if (client_reply(HEKI_CALL_LIST, r->list->kind, cursor, r->reply))
		return false;
	r->index++;
	return true;
}

static void *list_start(struct seq_file *m, loff_t *pos)
{
	struct list_reader *r = m->private;

	if (*pos < r->index || !*pos)
		r->index = 0;
	while (r->index < *pos)
		if (!reader_advance(r))
			return NULL;
	return r;
}

static void *list_next(struct seq_file *m, void *element, loff_t *pos)
{
	(*pos)++;
	return list_start(m, pos);
}

static void list_stop(struct seq_file *m, void *element)
{
}

static int list_show(struct seq_file *m, void *element)
{
	struct list_reader *r = m->private;
	u32 size = r->reply->entry_size, i;
	const void *entry = r->reply + 1;

	if (!r->index) {
		seq_printf(m, "heki-%s %u\n", r->list->name, HEKI_SECURITYFS_VERSION);
		return 0;
	}
	/* Entries of another size come from a VTL1 of another version. */
	if (size != r->list->entry_size || r->reply->count > (PAGE_SIZE - sizeof(*r->reply)) / size)
		return -EPROTO;
	for (i = 0; i < r->reply->count; i++) {
		r->list->show(m, entry + i * size);
		seq_putc(m, '\n');
	}
	return 0;
}

static const struct seq_operations list_ops = {
	.start = list_start,
	.next = list_next,
	.stop = list_stop,
	.show = list_show,
};

static int list_open(struct inode *inode, struct file *file)
{
	struct list_reader *r = __seq_open_private(file, &list_ops, sizeof(*r));

	if (!r)
		return -ENOMEM;
	r->list = inode->i_private;
	r->reply = (void *)get_zeroed_page(GFP_KERNEL);
	if (r->reply)
		return 0;
	seq_release_private(inode, file);
	return -ENOMEM;
}

static int list_release(struct inode *inode, struct file *file)
{
	struct seq_file *m = file->private_data;
	struct list_reader *r = m->private;

	free_page((unsigned long)r->reply);
	return seq_release_private(inode, file);
}

const struct file_operations show_list_fops = {
	.owner = THIS_MODULE,
	.open = list_open,
	.read = seq_read,
	.llseek = seq_lseek,
	.release = list_release,
};
