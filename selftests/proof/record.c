// SPDX-License-Identifier: GPL-2.0-only
/* Reading and writing records of calls. */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "replay.h"

void die(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	exit(2);
}

void *must(void *p)
{
	if (!p)
		die("no memory");
	return p;
}

static uint8_t *map_file(const char *path, size_t *n)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;
	void *p;

	if (fd < 0 || fstat(fd, &st) || !st.st_size)
		die("%s: cannot be read, or is empty", path);
	*n = (size_t)st.st_size;
	p = mmap(NULL, *n, PROT_READ, MAP_PRIVATE, fd, 0);
	close(fd);
	if (p == MAP_FAILED)
		die("%s: cannot be mapped", path);
	return p;
}

/* Whether a whole chunk begins here, of @n bytes that are left. */
static bool chunk_at(const uint8_t *p, size_t n, struct record_chunk *c)
{
	if (n < sizeof(*c))
		return false;
	memcpy(c, p, sizeof(*c));
	return !memcmp(c->magic, RECORD_MAGIC, sizeof(RECORD_MAGIC)) && c->size <= n &&
	       c->used >= sizeof(*c) && c->used <= c->size && !(c->used % 8);
}

struct place {
	uint64_t number;
	size_t at;
};

static int by_number(const void *a, const void *b)
{
	const struct place *x = a, *y = b;

	return (x->number > y->number) - (x->number < y->number);
}

void record_extract(const char *image, const char *path)
{
	size_t n, count = 0, room = 1024;
	uint8_t *p = map_file(image, &n);
	struct place *places = must(calloc(room, sizeof(*places)));
	struct record_chunk c;
	FILE *out = fopen(path, "wb");

	if (!out)
		die("%s: cannot be written", path);
	for (size_t at = 0; at < n && count < room; at += HEKI_PAGE_SIZE)
		if (chunk_at(p + at, n - at, &c) && c.pa == at)
			places[count++] = (struct place){ c.number, at };
	if (!count || count == room)
		die("%s: %zu chunks of a record", image, count);
	qsort(places, count, sizeof(*places), by_number);
	for (size_t i = 0; i < count; i++) {
		chunk_at(p + places[i].at, n - places[i].at, &c);
		c.size = c.used;
		if (fwrite(&c, sizeof(c), 1, out) != 1 ||
		    fwrite(p + places[i].at + sizeof(c), c.used - sizeof(c), 1, out) != 1)
			die("%s: cannot be written", path);
	}
	if (fclose(out))
		die("%s: cannot be written", path);
	free(places);
	munmap(p, n);
}

static struct recorded_call *call_of(struct recording *r, uint32_t number)
{
	size_t room;

	if (!number || number > 1u << 24)
		die("an event of call %u", number);
	if (number > r->n) {
		for (room = 256; room < number; room *= 2)
			;
		r->calls = must(realloc(r->calls, room * sizeof(*r->calls)));
		memset(r->calls + r->n, 0, (room - r->n) * sizeof(*r->calls));
		r->n = number;
	}
	return &r->calls[number - 1];
}

static void add_event(struct recorded_call *c, const struct event *e)
{
	if (!(c->n & (c->n - 1)))
		c->events = must(realloc(c->events, (c->n ? 2 * c->n : 1) * sizeof(*c->events)));
	c->events[c->n++] = *e;
}

static void take_event(struct recording *r, const struct event *e, size_t index)
{
	struct recorded_call *c = call_of(r, e->head.call);

	switch (e->head.type) {
	case RECORD_CALL:
		if (e->head.n != sizeof(c->regs))
			die("a call of %llu bytes", (unsigned long long)e->head.n);
		memcpy(&c->regs, e->bytes, sizeof(c->regs));
		c->vp = (uint32_t)e->head.value;
		break;
	case RECORD_READ:
	case RECORD_REGS:
		add_event(c, e);
		break;
	case RECORD_RESULT:
		c->result = (int32_t)e->head.value;
		c->end = index;
		c->done = true;
		break;
	default:
		die("an event of type %u", e->head.type);
	}
}

static size_t take_chunk(struct recording *r, const struct record_chunk *c, const uint8_t *p,
			 size_t index)
{
	struct event e;

	for (size_t at = sizeof(*c); at < c->used; at += (size_t)(e.head.n + 7) & ~(size_t)7) {
		if (c->used - at < sizeof(e.head))
			die("chunk %llu is cut", (unsigned long long)c->number);
		memcpy(&e.head, p + at, sizeof(e.head));
		at += sizeof(e.head);
		e.bytes = p + at;
		if (e.head.n > RECORD_EVENT_MAX || e.head.n > c->used - at)
			die("chunk %llu is cut", (unsigned long long)c->number);
		take_event(r, &e, index++);
	}
	return index;
}

static int by_end(const void *a, const void *b)
{
	const struct recorded_call *x = a, *y = b;

	if (x->done != y->done)
		return x->done ? -1 : 1;
	return (x->end > y->end) - (x->end < y->end);
}

static bool same_call(const struct recorded_call *a, const struct recorded_call *b)
{
	return !memcmp(&a->regs, &b->regs, sizeof(a->regs));
}

/* The events of @from come before those of @to, which goes on where that stopped. */
static void join(struct recorded_call *from, struct recorded_call *to)
{
	for (size_t i = 0; i < to->n; i++)
		add_event(from, &to->events[i]);
	free(to->events);
	to->events = from->events;
	to->n = from->n;
	from->events = NULL;
	from->n = 0;
}

/*
 * A long call stops with EAGAIN and is made again until it has an answer: here it is one.  What has
 * none when the machine ends is left out.
 */
static void join_continued(struct recording *r)
{
	size_t left = 0;

	for (size_t i = 0; i < r->n; i++) {
		struct recorded_call *c = &r->calls[i];
		size_t next = i + 1;

		if (c->result != -EAGAIN) {
			r->calls[left++] = *c;
			continue;
		}
		while (next < r->n && !same_call(c, &r->calls[next]))
			next++;
		if (next < r->n)
			join(c, &r->calls[next]);
		free(c->events);
	}
	r->n = left;
}

void recording_load(const char *path, struct recording *r)
{
	struct record_chunk c;
	size_t index = 0;

	memset(r, 0, sizeof(*r));
	r->bytes = map_file(path, &r->size);
	for (size_t at = 0, i = 0; at < r->size; at += c.used, i++) {
		if (!chunk_at(r->bytes + at, r->size - at, &c) || c.number != i || c.size != c.used)
			die("%s: no record, or chunk %zu is missing", path, i);
		index = take_chunk(r, &c, r->bytes + at, index);
	}
	/* Calls that were running when the machine ended come last, and are left out. */
	qsort(r->calls, r->n, sizeof(*r->calls), by_end);
	while (r->n && !r->calls[r->n - 1].done)
		free(r->calls[--r->n].events);
	join_continued(r);
}

void recording_drop(struct recording *r)
{
	for (size_t i = 0; i < r->n; i++)
		free(r->calls[i].events);
	free(r->calls);
	munmap(r->bytes, r->size);
}
