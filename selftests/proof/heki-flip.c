// SPDX-License-Identifier: GPL-2.0-only
/*
 * heki-flip [OPTION...] FILE - change every byte of recorded modules, and see that it is noticed
 *
 * Repeats a record of calls.  At each VALIDATE_MODULE of a named module a copy of this process
 * changes one byte after the other in the module's executable and read-only memory and makes the
 * very call; the core must refuse it and name the place, or the change must be another encoding that
 * is legal there by another reading of the module's file.  Signatures and digests of the file are
 * answered from the first run: the file stays as it is, and only memory is judged.
 *
 * Status: 0 when every change is explained, 1 when one is not, 2 for a bad record.
 */
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "crypto.h"
#include "judge.h"
#include "replay.h"

#define MODULES_MAX 256
#define EXAMPLES 5 /* that are shown of each kind, by module */
#define CACHE_MAX 64

/* What became of changes. */
enum outcome {
	NAMED_BYTE, /* refused, the very byte named */
	NAMED_SITE, /* refused, another byte of its site or entry named */
	NAMED_USE, /* refused, another use named of a base that only such bytes tell */
	LEGAL, /* accepted: legal there */
	NAMED_ELSEWHERE, /* refused, but another place named */
	UNEXPLAINED, /* accepted, and nothing says why */
	OUTCOMES
};

static const char *const outcome_names[OUTCOMES] = {
	"named_byte", "named_site", "named_use", "legal", "named_elsewhere", "unexplained",
};

static const char *const category_names[HEKI_ACCOUNT_COUNT] = {
	"elf", "relocated", "sorted", "padding", "alternative", "paravirt", "retpoline", "return",
	"call", "endbr", "smp_lock", "mcount", "static_call", "jump_label",
};

struct tally {
	uint64_t bytes[HEKI_ACCOUNT_COUNT]; /* that were changed */
	uint64_t left_out[HEKI_ACCOUNT_COUNT]; /* pages that were not in the sample */
	uint64_t count[HEKI_ACCOUNT_COUNT][OUTCOMES];
	bool done;
};

/* Command line. */
static struct {
	uint8_t masks[8];
	unsigned int masks_count;
	unsigned int pages; /* of a module; more are sampled */
	unsigned int jobs;
	const char *json;
	const char *names; /* ",a,b," or NULL */
	const char *file;
} options;

/**
 * struct target - a module in the guest's memory
 * @g:     guest
 * @c:     its call
 * @name:  its name
 * @va, @pages, @pa: by memory type
 * @elf:   its file
 * @elf_size: bytes
 * @r:     another reading of it
 * @tally: shared with the first process
 * @examples: shown so far, by outcome
 */
struct target {
	struct guest *g;
	const struct recorded_call *c;
	char name[HEKI_MODULE_NAME_LEN];
	uint64_t va[HEKI_MOD_MEM_TYPES];
	uint32_t pages[HEKI_MOD_MEM_TYPES];
	uint64_t *pa[HEKI_MOD_MEM_TYPES];
	uint8_t *elf;
	size_t elf_size;
	struct reading r;
	struct tally *tally;
	unsigned int examples[OUTCOMES];
};

/* --- digests and signatures, kept from the first run --- */

/*
 * The n-th digest and the n-th signature of a call are those of the first run, since the file is the
 * same; no byte of it is hashed again.
 */
static struct {
	bool replaying;
	unsigned int hash, hashes;
	uint8_t digests[CACHE_MAX][HEKI_HASH_MAX];
	size_t sizes[CACHE_MAX];
	unsigned int verify, verifies;
	int results[CACHE_MAX];
} cache;

static int cached_begin(void *host, enum heki_hash algorithm, struct heki_hash_state *state)
{
	if (!cache.replaying)
		return user_hash_begin(host, algorithm, state);
	return 0;
}

static int cached_update(void *host, struct heki_hash_state *state, const void *bytes, size_t n)
{
	return cache.replaying ? 0 : user_hash_update(host, state, bytes, n);
}

static int cached_copy(void *host, struct heki_hash_state *to, const struct heki_hash_state *from)
{
	return cache.replaying ? 0 : user_hash_copy(host, to, from);
}

/* Bytes of @digest that are not what filled it before. */
static size_t written(const uint8_t *digest, uint8_t filler)
{
	size_t n = HEKI_HASH_MAX;

	while (n && digest[n - 1] == filler)
		n--;
	return n;
}

/* Keep a digest and its size, which shows in one of two buffers that were filled differently. */
static int keep_digest(void *host, struct heki_hash_state *state, unsigned int i)
{
	uint8_t *digest = cache.digests[i], again[HEKI_HASH_MAX];
	struct heki_hash_state copy;
	size_t a, b;

	memset(digest, 0, HEKI_HASH_MAX);
	memset(again, 0xff, sizeof(again));
	if (user_hash_copy(host, &copy, state) || user_hash_end(host, state, digest) ||
	    user_hash_end(host, &copy, again))
		return -1;
	a = written(digest, 0);
	b = written(again, 0xff);
	cache.sizes[i] = a > b ? a : b;
	cache.hashes = i + 1;
	return 0;
}

static int cached_end(void *host, struct heki_hash_state *state, uint8_t *digest)
{
	unsigned int i = cache.hash++;

	if (i >= CACHE_MAX || (cache.replaying && i >= cache.hashes))
		die("more digests than there is room for");
	if (!cache.replaying && keep_digest(host, state, i))
		return -1;
	memcpy(digest, cache.digests[i], cache.sizes[i]);
	return 0;
}

static int cached_verify(void *host, struct span cert, enum heki_hash algorithm, struct span digest,
			 struct span sig)
{
	unsigned int i = cache.verify++;

	if (cache.replaying && i < cache.verifies)
		return cache.results[i];
	if (i >= CACHE_MAX)
		die("more signatures than there is room for");
	cache.results[i] = user_verify(host, cert, algorithm, digest, sig);
	cache.verifies = i + 1;
	return cache.results[i];
}

static int32_t call_again(const struct target *t)
{
	cache.hash = 0;
	cache.verify = 0;
	return replay_call(t->g, t->c);
}

/* --- one module --- */

static void add_pages(struct target *t, const struct heki_range *r)
{
	uint32_t type = (uint32_t)r->attributes;
	uint32_t n = (uint32_t)((r->epa - r->pa) >> HEKI_PAGE_SHIFT);

	if (!t->pages[type])
		t->va[type] = r->va;
	t->pa[type] = must(realloc(t->pa[type], (t->pages[type] + n) * sizeof(*t->pa[type])));
	for (uint32_t i = 0; i < n; i++)
		t->pa[type][t->pages[type]++] = r->pa + ((uint64_t)i << HEKI_PAGE_SHIFT);
}

static void add_file(struct target *t, const struct heki_range *r)
{
	size_t n = (size_t)(r->epa - r->pa);

	t->elf = must(realloc(t->elf, t->elf_size + n));
	memcpy(t->elf + t->elf_size, guest_at(t->g, r->pa), n);
	t->elf_size += n;
}

/* What VTL0 has sent, from the pages of ranges that are in the guest now. */
static void read_ranges(struct target *t)
{
	uint64_t left = t->c->regs.rdx, pa = t->c->regs.rsi;

	while (left && pa) {
		const struct heki_page *page = guest_at(t->g, pa);

		for (uint64_t i = 0; i < page->nranges && i < HEKI_MAX_RANGES; i++) {
			const struct heki_range *r = &page->ranges[i];

			if (r->attributes < HEKI_MOD_MEM_TYPES)
				add_pages(t, r);
			else if (r->attributes == HEKI_MOD_ELF_BUFFER)
				add_file(t, r);
		}
		left -= page->nranges < left ? page->nranges : left;
		pa = page->next_pa;
	}
}

static uint8_t *byte_at(const struct target *t, uint32_t type, uint32_t offset)
{
	return guest_at(t->g, t->pa[type][offset >> HEKI_PAGE_SHIFT] + (offset & HEKI_PAGE_MASK));
}

/* Memory of a type in one piece. */
static uint8_t *copy_memory(const struct target *t, uint32_t type)
{
	uint8_t *p = must(malloc(t->pages[type] * HEKI_PAGE_SIZE));

	for (uint32_t i = 0; i < t->pages[type]; i++)
		memcpy(p + i * HEKI_PAGE_SIZE, guest_at(t->g, t->pa[type][i]), HEKI_PAGE_SIZE);
	return p;
}

__attribute__((format(printf, 5, 6)))
static void example(struct target *t, enum outcome outcome, uint32_t type, uint32_t offset,
		    const char *format, ...)
{
	const char *section;
	va_list args;
	uint32_t in;

	if (t->examples[outcome]++ >= EXAMPLES)
		return;
	section = reading_section(&t->r, type, offset, &in);
	printf("# %s %s: %s+%#x %s: ", outcome_names[outcome], t->name, section, in,
	       category_names[t->r.category[type][offset]]);
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	putchar('\n');
}

static enum outcome accepted(struct target *t, uint32_t type, uint32_t offset, uint8_t mask)
{
	uint8_t *after = copy_memory(t, type), *before = copy_memory(t, type);
	struct change c = {
		.r = &t->r, .g = t->g, .type = type, .offset = offset, .va = t->va[type],
		.before = before, .after = after, .size = t->pages[type] * HEKI_PAGE_SIZE,
	};
	const char *why;

	before[offset] ^= mask;
	why = judge(&c);
	example(t, why ? LEGAL : UNEXPLAINED, type, offset, "%02x -> %02x%s%s", before[offset],
		after[offset], why ? ": " : "", why ? why : "");
	free(before);
	free(after);
	return why ? LEGAL : UNEXPLAINED;
}

/* Which byte of the module the log names; false: none. */
static bool named(const struct target *t, uint64_t address, uint32_t *type, uint32_t *offset)
{
	for (*type = 0; *type < HEKI_MOD_MEM_TYPES; ++*type) {
		if (address - t->va[*type] < (uint64_t)t->pages[*type] * HEKI_PAGE_SIZE) {
			*offset = (uint32_t)(address - t->va[*type]);
			return true;
		}
	}
	return false;
}

/* The address that an entry of a sorted table begins with. */
static uint64_t entry_address(const struct target *t, const struct spot_table *table, uint32_t entry)
{
	uint32_t at = table->start + entry * table->entry;
	uint8_t bytes[8];

	for (uint32_t i = 0; i < sizeof(bytes) && i < table->entry; i++)
		bytes[i] = *byte_at(t, table->type, at + i);
	if (table->entry == sizeof(bytes))
		return get_le64(bytes);
	return at + (uint64_t)(int64_t)(int32_t)get_le32(bytes);
}

/* By the change two entries of a table have become the same: which of them is meant nobody can say. */
static bool twins(const struct target *t, uint32_t type_a, uint32_t a, uint32_t type_b, uint32_t b)
{
	uint32_t entry_a, entry_b;
	const struct spot_table *table = reading_entry(&t->r, type_a, a, &entry_a);

	return table && table == reading_entry(&t->r, type_b, b, &entry_b) &&
	       entry_address(t, table, entry_a) == entry_address(t, table, entry_b);
}

static enum outcome refused(struct target *t, uint32_t type, uint32_t offset)
{
	const struct heki_log_record *log = replay_log(t->g);
	uint32_t there_type, there;

	if (log->error == HEKI_E_MODULE_DIFFERS && named(t, log->address, &there_type, &there)) {
		if (there_type == type && there == offset)
			return NAMED_BYTE;
		if (reading_together(&t->r, type, offset, there_type, there) ||
		    twins(t, type, offset, there_type, there))
			return NAMED_SITE;
		if (reading_absent(&t->r, t->pages, type, offset) &&
		    t->r.category[there_type][there] != HEKI_ACCOUNT_ELF)
			return NAMED_USE;
	}
	example(t, NAMED_ELSEWHERE, type, offset, "%s at %#llx: %.*s", heki_error_name(log->error),
		(unsigned long long)log->address, HEKI_LOG_TEXT, log->text);
	return NAMED_ELSEWHERE;
}

static void change_byte(struct target *t, uint32_t type, uint32_t offset, uint8_t mask)
{
	uint8_t category = t->r.category[type][offset];
	uint8_t *byte = byte_at(t, type, offset);
	enum outcome outcome;
	int32_t result;

	*byte ^= mask;
	result = call_again(t);
	if (result > 0) {
		outcome = accepted(t, type, offset, mask);
		if (guest_call(t->g, HEKI_CALL_UNLOAD_MODULE, (uint64_t)result, 0, 0))
			die("%s: cannot be unloaded", t->name);
	} else {
		outcome = refused(t, type, offset);
	}
	*byte ^= mask;
	t->tally->count[category][outcome]++;
}

/* Whether a page is in the sample: all, or some that are spread evenly. */
static bool sampled(const struct target *t, uint32_t type, uint32_t page)
{
	uint32_t n = t->pages[type], want = options.pages;

	return !want || n <= want || (uint64_t)page * want / n != (uint64_t)(page + 1) * want / n;
}

static void change_type(struct target *t, uint32_t type)
{
	for (uint32_t offset = 0; offset < t->pages[type] * HEKI_PAGE_SIZE; offset++) {
		uint8_t category = t->r.category[type][offset];

		if (!sampled(t, type, offset >> HEKI_PAGE_SHIFT)) {
			t->tally->left_out[category]++;
			continue;
		}
		t->tally->bytes[category]++;
		for (unsigned int i = 0; i < options.masks_count; i++)
			change_byte(t, type, offset, options.masks[i]);
	}
}

static uint64_t total(const struct tally *t, enum outcome outcome)
{
	uint64_t n = 0;

	for (unsigned int i = 0; i < HEKI_ACCOUNT_COUNT; i++)
		n += t->count[i][outcome];
	return n;
}

static double seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void flip_module(struct target *t)
{
	static const uint32_t compared[] = { HEKI_MOD_TEXT, HEKI_MOD_RODATA, HEKI_MOD_RO_AFTER_INIT,
					     HEKI_MOD_INIT_TEXT, HEKI_MOD_INIT_RODATA };
	uint64_t n = 0;
	int32_t result;

	read_ranges(t);
	reading_make(&t->r, t->elf, t->elf_size, t->pages);
	t->g->ops.hash_begin = cached_begin;
	t->g->ops.hash_update = cached_update;
	t->g->ops.hash_end = cached_end;
	t->g->ops.hash_copy = cached_copy;
	t->g->ops.verify = cached_verify;
	result = call_again(t);
	if (result <= 0 || guest_call(t->g, HEKI_CALL_UNLOAD_MODULE, (uint64_t)result, 0, 0))
		die("%s: not accepted as it was", t->name);
	cache.replaying = true;
	for (size_t i = 0; i < HEKI_ARRAY_SIZE(compared); i++)
		change_type(t, compared[i]);
	if (call_again(t) <= 0)
		die("%s: not accepted any more", t->name);
	for (unsigned int i = 0; i < HEKI_ACCOUNT_COUNT; i++)
		n += t->tally->bytes[i];
	printf("%-24s %8llu bytes, refused %8llu, legal %4llu, elsewhere %llu, unexplained %llu, %.1f s\n",
	       t->name, (unsigned long long)n,
	       (unsigned long long)(total(t->tally, NAMED_BYTE) + total(t->tally, NAMED_SITE) +
				    total(t->tally, NAMED_USE)),
	       (unsigned long long)total(t->tally, LEGAL),
	       (unsigned long long)total(t->tally, NAMED_ELSEWHERE),
	       (unsigned long long)total(t->tally, UNEXPLAINED), seconds());
	t->tally->done = true;
	fflush(stdout);
	reading_drop(&t->r);
}

/* --- all modules --- */

static unsigned int running;

static void wait_one(void)
{
	int status;

	if (wait(&status) < 0 || status)
		die("a process for a module has died");
	running--;
}

static void fork_module(struct guest *g, const struct recorded_call *c, const char *name,
			struct tally *tally)
{
	struct target t = { .g = g, .c = c, .tally = tally };

	memcpy(t.name, name, sizeof(t.name) - 1);
	while (running >= options.jobs)
		wait_one();
	fflush(stdout);
	switch (fork()) {
	case -1:
		die("no process");
	case 0:
		flip_module(&t);
		_exit(0);
	default:
		running++;
	}
}

static bool wanted(const char *name)
{
	char word[HEKI_MODULE_NAME_LEN + 2];

	if (!options.names)
		return true;
	snprintf(word, sizeof(word), ",%s,", name);
	return strstr(options.names, word) != NULL;
}

/* The name under which the core has accepted the last module. */
static void name_of(const struct guest *g, int32_t token, char *name)
{
	const struct module *m = modules_find(g->core, (uint64_t)token);

	memcpy(name, m ? m->name : "", m ? HEKI_MODULE_NAME_LEN : 1);
}

/*
 * The name of a module is known when it has been accepted: a copy of the guest would be needed to go
 * back.  So the record is repeated once to learn the names, and again to change bytes.
 */
static unsigned int repeat(const struct recording *r, char (*names)[HEKI_MODULE_NAME_LEN],
			   struct tally *tallies, bool flip)
{
	struct guest *g = replay_start();
	unsigned int n = 0;

	for (size_t i = 0; i < r->n; i++) {
		const struct recorded_call *c = &r->calls[i];
		bool module = c->regs.rdi == HEKI_CALL_VALIDATE_MODULE && c->result > 0 &&
			      !(c->regs.r8 & HEKI_MODULE_UNVERIFIED);

		replay_prepare(g, c);
		if (module && n == MODULES_MAX)
			die("more than %d modules", MODULES_MAX);
		if (flip && module && wanted(names[n]))
			fork_module(g, c, names[n], &tallies[n]);
		if (replay_call(g, c) != c->result)
			die("call %zu: another result than in the guest: heki-replay says more", i);
		if (module)
			name_of(g, c->result, names[n++]);
	}
	while (running)
		wait_one();
	guest_destroy(g);
	return n;
}

static void print_table(const struct tally *sum, unsigned int modules)
{
	uint64_t bytes = 0, changes = 0;

	printf("%-12s %10s %10s %10s %10s %10s %8s %10s %12s\n", "category", "bytes", "changes",
	       "this byte", "its site", "its base", "legal", "elsewhere", "unexplained");
	for (unsigned int i = 0; i < HEKI_ACCOUNT_COUNT; i++) {
		uint64_t n = 0;

		for (unsigned int k = 0; k < OUTCOMES; k++)
			n += sum->count[i][k];
		bytes += sum->bytes[i];
		changes += n;
		printf("%-12s %10llu %10llu %10llu %10llu %10llu %8llu %10llu %12llu\n", category_names[i],
		       (unsigned long long)sum->bytes[i], (unsigned long long)n,
		       (unsigned long long)sum->count[i][NAMED_BYTE],
		       (unsigned long long)sum->count[i][NAMED_SITE],
		       (unsigned long long)sum->count[i][NAMED_USE],
		       (unsigned long long)sum->count[i][LEGAL],
		       (unsigned long long)sum->count[i][NAMED_ELSEWHERE],
		       (unsigned long long)sum->count[i][UNEXPLAINED]);
	}
	printf("%u modules, %llu bytes, %llu changes, not looked at %llu\n", modules,
	       (unsigned long long)bytes, (unsigned long long)changes,
	       (unsigned long long)(options.masks_count * bytes - changes));
}

static void write_json(const struct tally *sum, unsigned int modules)
{
	FILE *out = fopen(options.json, "w");

	if (!out)
		die("%s: cannot be written", options.json);
	fprintf(out, "{\n\t\"modules\": %u,\n\t\"categories\": [", modules);
	for (unsigned int i = 0; i < HEKI_ACCOUNT_COUNT; i++) {
		fprintf(out, "%s\n\t\t{\"category\": \"%s\", \"bytes\": %llu, \"left_out\": %llu",
			i ? "," : "", category_names[i], (unsigned long long)sum->bytes[i],
			(unsigned long long)sum->left_out[i]);
		for (unsigned int k = 0; k < OUTCOMES; k++)
			fprintf(out, ", \"%s\": %llu", outcome_names[k],
				(unsigned long long)sum->count[i][k]);
		fputc('}', out);
	}
	fprintf(out, "\n\t]\n}\n");
	if (fclose(out))
		die("%s: cannot be written", options.json);
}

static int report(const struct tally *tallies, unsigned int n)
{
	struct tally sum = { 0 };
	unsigned int modules = 0;

	for (unsigned int m = 0; m < n; m++) {
		modules += tallies[m].done;
		for (unsigned int i = 0; i < HEKI_ACCOUNT_COUNT; i++) {
			sum.bytes[i] += tallies[m].bytes[i];
			sum.left_out[i] += tallies[m].left_out[i];
			for (unsigned int k = 0; k < OUTCOMES; k++)
				sum.count[i][k] += tallies[m].count[i][k];
		}
	}
	print_table(&sum, modules);
	if (options.json)
		write_json(&sum, modules);
	return !modules || total(&sum, NAMED_ELSEWHERE) || total(&sum, UNEXPLAINED);
}

static void usage(int status)
{
	fputs("usage: heki-flip [OPTION...] FILE\n"
	      "\n"
	      "Change every byte of the modules of a record of calls, and see that it is noticed.\n"
	      "\n"
	      "  -m, --modules A,B   only these\n"
	      "  -x, --xor A,B       what bytes are changed by, hexadecimal (ff,ce)\n"
	      "  -b, --bits          change each bit by itself\n"
	      "  -p, --pages N       at most so many pages of each kind of memory of a module,\n"
	      "                      spread evenly (all)\n"
	      "  -j, --jobs N        modules at a time (1)\n"
	      "      --json FILE     write the table here too\n"
	      "  -h, --help          this\n",
	      status ? stderr : stdout);
	exit(status);
}

static unsigned int number(const char *text)
{
	char *end;
	unsigned long n = strtoul(text, &end, 10);

	if (!n || *end || n > 1000000)
		usage(2);
	return (unsigned int)n;
}

static void read_masks(const char *text)
{
	char *end;

	for (options.masks_count = 0; options.masks_count < 8; text = end + 1) {
		unsigned long mask = strtoul(text, &end, 16);

		if (!mask || mask > 0xff || (*end && *end != ','))
			usage(2);
		options.masks[options.masks_count++] = (uint8_t)mask;
		if (!*end)
			return;
	}
	usage(2);
}

static void read_options(int argc, char **argv)
{
	static const struct option words[] = {
		{ "modules", required_argument, NULL, 'm' }, { "xor", required_argument, NULL, 'x' },
		{ "bits", no_argument, NULL, 'b' },	     { "pages", required_argument, NULL, 'p' },
		{ "jobs", required_argument, NULL, 'j' },    { "json", required_argument, NULL, 'J' },
		{ "help", no_argument, NULL, 'h' },	     { NULL, 0, NULL, 0 },
	};
	char *names;
	int option;

	options.jobs = 1;
	read_masks("ff,ce");
	while ((option = getopt_long(argc, argv, "m:x:bp:j:h", words, NULL)) != -1) {
		switch (option) {
		case 'm':
			must(asprintf(&names, ",%s,", optarg) < 0 ? NULL : names);
			options.names = names;
			break;
		case 'x':
			read_masks(optarg);
			break;
		case 'b':
			read_masks("1,2,4,8,10,20,40,80");
			break;
		case 'p':
			options.pages = number(optarg);
			break;
		case 'j':
			options.jobs = number(optarg);
			break;
		case 'J':
			options.json = optarg;
			break;
		default:
			usage(option == 'h' ? 0 : 2);
		}
	}
	if (optind + 1 != argc)
		usage(2);
	options.file = argv[optind];
}

int main(int argc, char **argv)
{
	static char names[MODULES_MAX][HEKI_MODULE_NAME_LEN];
	struct tally *tallies;
	struct recording r;
	unsigned int n;

	read_options(argc, argv);
	tallies = mmap(NULL, MODULES_MAX * sizeof(*tallies), PROT_READ | PROT_WRITE,
		       MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (tallies == MAP_FAILED)
		die("no memory");
	recording_load(options.file, &r);
	repeat(&r, names, tallies, false);
	n = repeat(&r, names, tallies, true);
	recording_drop(&r);
	return report(tallies, n);
}
