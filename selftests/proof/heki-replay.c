// SPDX-License-Identifier: GPL-2.0-only
/*
 * heki-replay FILE - repeat a record of calls on the core in userspace
 * heki-replay --extract IMAGE FILE - make the record out of an image of a guest's memory
 *
 * Every call must have the result that it had in the guest.  Prints a line for each validated module
 * and the totals; status 0 when all results agree, 1 when one does not.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "replay.h"

struct totals {
	size_t calls;
	size_t modules;
	size_t refused;
	size_t differ;
};

/* VTL1's own answer to the question that a call for a module asks. */
static void tell(const struct guest *g, const struct recorded_call *c, struct totals *t)
{
	const struct heki_log_record *log = replay_log(g);

	if (c->result < 0)
		t->refused++;
	else
		t->modules++;
	printf("%s %.*s: %.*s\n", c->result < 0 ? "refused " : "accepted", HEKI_MODULE_NAME_LEN,
	       log->name, HEKI_LOG_TEXT, log->text);
}

static int replay(const char *path)
{
	struct guest *g = replay_start();
	struct totals t = { 0 };
	struct recording r;

	recording_load(path, &r);
	for (size_t i = 0; i < r.n; i++) {
		const struct recorded_call *c = &r.calls[i];
		int32_t result;

		replay_prepare(g, c);
		result = replay_call(g, c);
		t.calls++;
		if (c->regs.rdi == HEKI_CALL_VALIDATE_MODULE)
			tell(g, c, &t);
		if (result == c->result)
			continue;
		t.differ++;
		printf("differs: call %zu %s(%#llx, %#llx, %#llx): %d in the guest, %d here: %s %.*s\n", i,
		       heki_call_name((uint32_t)c->regs.rdi), (unsigned long long)c->regs.rsi,
		       (unsigned long long)c->regs.rdx, (unsigned long long)c->regs.r8, c->result,
		       result, heki_error_name(replay_log(g)->error), HEKI_LOG_TEXT,
		       replay_log(g)->text);
	}
	if (g->misuse)
		printf("differs: %s\n", g->misuse);
	printf("%zu calls, %zu modules accepted, %zu refused, %zu results differ\n", t.calls,
	       t.modules, t.refused, t.differ);
	recording_drop(&r);
	t.differ += g->misuse != NULL;
	guest_destroy(g);
	return t.differ || !t.modules;
}

int main(int argc, char **argv)
{
	if (argc == 4 && !strcmp(argv[1], "--extract")) {
		record_extract(argv[2], argv[3]);
		return 0;
	}
	if (argc == 2 && argv[1][0] != '-')
		return replay(argv[1]);
	fprintf(stderr, "usage: heki-replay FILE\n       heki-replay --extract IMAGE FILE\n");
	return 2;
}
