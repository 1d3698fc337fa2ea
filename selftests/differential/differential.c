// SPDX-License-Identifier: GPL-2.0-only
/*
 * differential [--device FILE] PLAN - print the core's verdicts on what a plan names, a line each
 *
 * Without --device by this program's own core on Mbed TLS, with it by heki_verdict.ko in the kernel
 * that runs.  Both make the same mutants of the same files, so that the outputs can be compared.
 *
 * Lines of a plan, whose files are relative to its folder: "reset", "trust CERT", "module FILE",
 * "mutants N FILE" (of a module), "cert-mutants N CERT FILE" (of a certificate, by which FILE is
 * then judged).
 */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "crypto.h"
#include "judge.h"

#define MARKER "~Module signature appended~\n"
#define TRAILER (12 + sizeof(MARKER) - 1) /* the description of the signature and its marker */
#define ROOM 64 /* bytes that a mutant may be longer */

static const struct heki_host_ops ops = JUDGE_OPS(user);
static void *memory;
static int device = -1;

/* Bytes with one in front for the kind of request, and room behind. */
struct file {
	uint8_t *request;
	size_t n;
};

__attribute__((format(printf, 1, 2), noreturn))
static void die(const char *format, ...)
{
	va_list args;

	fprintf(stderr, "differential: ");
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	exit(2);
}

static void *must(void *p)
{
	if (!p)
		die("no memory");
	return p;
}

static struct file load(const char *path)
{
	FILE *f = fopen(path, "rb");
	struct file file = { 0 };
	long size = -1;

	if (f && !fseek(f, 0, SEEK_END))
		size = ftell(f);
	if (size < 0)
		die("%s: %s", path, strerror(errno));
	rewind(f);
	file.n = (size_t)size;
	file.request = must(malloc(1 + file.n + ROOM));
	if (fread(file.request + 1, 1, file.n, f) != file.n)
		die("%s: short", path);
	fclose(f);
	return file;
}

static const char *ask_device(const struct file *f)
{
	static char line[64];
	ssize_t n;

	if (write(device, f->request, f->n + 1) != (ssize_t)f->n + 1)
		die("device: %s", strerror(errno));
	n = read(device, line, sizeof(line) - 1);
	if (n <= 0)
		die("device: no verdict");
	line[n - 1] = 0;
	return line;
}

static const char *verdict(struct file *f, char kind)
{
	uint32_t error;

	f->request[0] = (uint8_t)kind;
	if (device >= 0)
		return ask_device(f);
	error = judge(memory, &ops, kind, (struct span){ f->request + 1, f->n });
	return error ? heki_error_name(error) : "OK";
}

static void reset(void)
{
	uint8_t request[1];
	struct file none = { request, 0 };

	verdict(&none, JUDGE_RESET);
}

/* --- mutants --- */

/* The same for the same file and number, wherever it is made. */
struct dice {
	uint64_t state;
};

static struct dice dice(const char *name, unsigned int number)
{
	struct dice d = { 0xcbf29ce484222325 };

	for (; *name; name++)
		d.state = (d.state ^ (uint8_t)*name) * 0x100000001b3;
	d.state = (d.state ^ number) * 0x100000001b3;
	return d;
}

static uint32_t roll(struct dice *d, size_t sides)
{
	d->state = d->state * 6364136223846793005ull + 1442695040888963407ull;
	return (uint32_t)((d->state >> 33) % sides);
}

/* Change a byte of n from @p on to another. */
static void change(struct dice *d, uint8_t *p, size_t n)
{
	p[roll(d, n)] ^= (uint8_t)(1 + roll(d, 255));
}

static size_t signature_size(const struct file *f)
{
	const uint8_t *p = f->request + 1 + f->n - TRAILER + 8;

	return (size_t)p[0] << 24 | (size_t)p[1] << 16 | (size_t)p[2] << 8 | p[3];
}

static void set_signature_size(struct file *f, size_t n)
{
	uint8_t *p = f->request + 1 + f->n - TRAILER + 8;

	for (int i = 0; i < 4; i++)
		p[i] = (uint8_t)(n >> (24 - 8 * i));
}

/* Make the file longer or shorter at @at by @by bytes. */
static void resize(struct dice *d, struct file *f, size_t at, int by)
{
	uint8_t *p = f->request + 1 + at;

	if (by < 0) {
		memmove(p, p - by, f->n - at - (size_t)-by);
	} else {
		memmove(p + by, p, f->n - at);
		for (int i = 0; i < by; i++)
			p[i] = (uint8_t)roll(d, 256);
	}
	f->n += (size_t)by;
}

/* Put something else into one of the object identifiers of algorithms. */
static void change_algorithm(struct dice *d, uint8_t *p, size_t n)
{
	static const uint8_t prefixes[][9] = {
		{ 8, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02 }, /* hashes */
		{ 8, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01 }, /* RSA */
		{ 7, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03 }, /* ECDSA */
	};
	size_t found[32], count = 0;

	for (size_t i = 0; i + 9 < n; i++)
		for (size_t k = 0; k < 3; k++)
			if (!memcmp(p + i, prefixes[k] + 1, prefixes[k][0]) && count < 32)
				found[count++] = i + prefixes[k][0];
	if (count)
		p[found[roll(d, count)]] = (uint8_t)roll(d, 16);
	else
		change(d, p, n);
}

static void mutate_module(struct dice *d, struct file *f)
{
	size_t size = signature_size(f), content = f->n - TRAILER - size;
	uint8_t *file = f->request + 1, *cms = file + content;
	int by;

	switch (roll(d, 9)) {
	case 0:
		change(d, file, content);
		break;
	case 1: /* the signature's value is at the end */
		change(d, cms + size - 64, 64);
		break;
	case 2: /* the signature gets longer or shorter, and its description knows */
		by = (int)roll(d, 2 * ROOM) - ROOM;
		resize(d, f, content + roll(d, size - ROOM), by);
		set_signature_size(f, size + (size_t)by);
		break;
	case 3: /* the same, and it does not */
		resize(d, f, content + roll(d, size - ROOM), (int)roll(d, 2 * ROOM) - ROOM);
		break;
	case 4:
		change_algorithm(d, cms, size);
		break;
	case 5: /* outer headers */
		change(d, cms, 60);
		break;
	case 6: /* what describes the signature */
		change(d, file + f->n - TRAILER, TRAILER);
		break;
	case 7:
		change(d, cms, size);
		change(d, cms, size);
		break;
	default:
		change(d, cms, size);
	}
}

static void mutate_cert(struct dice *d, struct file *f)
{
	uint8_t *p = f->request + 1;

	switch (roll(d, 6)) {
	case 0:
		f->n -= 1 + roll(d, f->n - 1);
		break;
	case 1:
		resize(d, f, roll(d, f->n - ROOM), (int)roll(d, 16) - 8);
		break;
	case 2:
		change_algorithm(d, p, f->n);
		break;
	case 3:
		change(d, p, f->n < 64 ? f->n : 64);
		break;
	default:
		change(d, p, f->n);
	}
}

static struct file copy(const struct file *f)
{
	struct file c = { must(malloc(1 + f->n + ROOM)), f->n };

	memcpy(c.request, f->request, 1 + f->n);
	return c;
}

/* For whoever looks into it: where the mutant begins to differ. */
static size_t first_change(const struct file *f, const struct file *mutant)
{
	size_t i = 0;

	while (i < f->n && i < mutant->n && f->request[1 + i] == mutant->request[1 + i])
		i++;
	return i;
}

static void module_mutants(unsigned int n, const char *path)
{
	struct file f = load(path);

	for (unsigned int i = 0; i < n; i++) {
		struct dice d = dice(path, i);
		struct file mutant = copy(&f);

		mutate_module(&d, &mutant);
		printf("module %s mutant %u at %zu %s\n", path, i, first_change(&f, &mutant),
		       verdict(&mutant, JUDGE_MODULE));
		free(mutant.request);
	}
	free(f.request);
}

static void cert_mutants(unsigned int n, const char *cert, const char *module)
{
	struct file c = load(cert), m = load(module);

	for (unsigned int i = 0; i < n; i++) {
		struct dice d = dice(cert, i);
		struct file mutant = copy(&c);

		mutate_cert(&d, &mutant);
		reset();
		printf("cert %s mutant %u at %zu %s", cert, i, first_change(&c, &mutant),
		       verdict(&mutant, JUDGE_TRUST));
		printf(" module %s\n", verdict(&m, JUDGE_MODULE));
		free(mutant.request);
	}
	reset();
	free(c.request);
	free(m.request);
}

static void whole_file(const char *what, const char *path, char kind)
{
	struct file f = load(path);

	printf("%s %s %s\n", what, path, verdict(&f, kind));
	free(f.request);
}

static void step(const char *line)
{
	char a[400], b[400];
	unsigned int n;

	if (!strcmp(line, "reset\n"))
		reset();
	else if (sscanf(line, "trust %399s", a) == 1)
		whole_file("cert", a, JUDGE_TRUST);
	else if (sscanf(line, "module %399s", a) == 1)
		whole_file("module", a, JUDGE_MODULE);
	else if (sscanf(line, "mutants %u %399s", &n, a) == 2)
		module_mutants(n, a);
	else if (sscanf(line, "cert-mutants %u %399s %399s", &n, a, b) == 3)
		cert_mutants(n, a, b);
	else
		die("plan: %s", line);
}

static void judge_here(void)
{
	memory = must(aligned_alloc(HEKI_PAGE_SIZE, judge_size()));
}

int main(int argc, char **argv)
{
	char line[1024], *slash;
	FILE *plan;

	if (argc == 4 && !strcmp(argv[1], "--device")) {
		device = open(argv[2], O_RDWR);
		if (device < 0)
			die("%s: %s", argv[2], strerror(errno));
	} else if (argc == 2) {
		judge_here();
	} else {
		die("usage: differential [--device FILE] PLAN");
	}
	plan = fopen(argv[argc - 1], "r");
	if (!plan)
		die("%s: %s", argv[argc - 1], strerror(errno));
	slash = strrchr(argv[argc - 1], '/');
	if (slash) {
		*slash = 0;
		if (chdir(argv[argc - 1]))
			die("%s: %s", argv[argc - 1], strerror(errno));
	}
	reset();
	while (fgets(line, sizeof(line), plan))
		step(line);
	return 0;
}
