// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * The blocklist: hashes of files ("bin:") and of to-be-signed certificates ("tbs:").
 *
 * Locks: HEKI_LOCK_TABLES around each look into the table; never while hashing.
 */
#include "call.h"

#define PREFIX 4 /* "bin:" or "tbs:" */

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return -1;
}

/* Hex digits up to the first NUL, which only NULs may follow: the bytes, or 0. */
static uint8_t parse_hex(const char *s, size_t n, uint8_t *bytes)
{
	size_t digits = 0;
	size_t i;

	while (digits < n && s[digits])
		digits++;
	for (i = digits; i < n; i++)
		if (s[i])
			return 0;
	if (digits % 2 || digits / 2 > HEKI_HASH_MAX)
		return 0;
	for (i = 0; i < digits; i += 2) {
		int high = hex_value(s[i]);
		int low = hex_value(s[i + 1]);

		if (high < 0 || low < 0)
			return 0;
		bytes[i / 2] = (uint8_t)(high << 4 | low);
	}
	return (uint8_t)(digits / 2);
}

/* Under HEKI_LOCK_TABLES. */
static bool find(const struct heki_core *core, bool tbs, const uint8_t *digest, size_t n)
{
	uint32_t i;

	for (i = 0; i < core->hashes_count; i++) {
		const struct hash_record *r = &core->hashes[i];

		if (r->tbs == tbs && r->size == n && !memcmp(r->digest, digest, n))
			return true;
	}
	return false;
}

/* Under HEKI_LOCK_TABLES. */
static int append(struct heki_core *core, const struct hash_record *record)
{
	if (find(core, record->tbs, record->digest, record->size))
		return 0;
	if (core->hashes_count == core->limits.hashes)
		return -HEKI_E_NO_MEMORY;
	core->hashes[core->hashes_count++] = *record;
	return 0;
}

int hashes_add(struct heki_core *core, const char record[HEKI_BLOCKLIST_RECORD])
{
	struct hash_record entry = { 0 };
	int result;

	if (!memcmp(record, "tbs:", PREFIX))
		entry.tbs = 1;
	else if (memcmp(record, "bin:", PREFIX))
		return -HEKI_E_BLOCKLIST_FORMAT;
	entry.size = parse_hex(record + PREFIX, HEKI_BLOCKLIST_RECORD - PREFIX, entry.digest);
	if (!entry.size)
		return -HEKI_E_BLOCKLIST_FORMAT;
	core_lock(core);
	result = append(core, &entry);
	core_unlock(core);
	return result;
}

static bool listed(struct heki_core *core, bool tbs, const uint8_t *digest, size_t n)
{
	bool found;

	core_lock(core);
	found = find(core, tbs, digest, n);
	core_unlock(core);
	return found;
}

bool hashes_listed(struct heki_core *core, const uint8_t *digest, size_t n)
{
	return listed(core, false, digest, n);
}

static bool has_size(struct heki_core *core, bool tbs, size_t n)
{
	bool found = false;
	uint32_t i;

	core_lock(core);
	for (i = 0; i < core->hashes_count && !found; i++)
		found = core->hashes[i].tbs == tbs && core->hashes[i].size == n;
	core_unlock(core);
	return found;
}

/* A host without an algorithm cannot apply records of it. */
static bool get_digest(struct call *c, enum heki_hash algorithm, struct span bytes,
		       const struct digest *known, uint8_t *digest)
{
	if (!known || known->algorithm != algorithm)
		return !hash_spans(c, algorithm, &bytes, 1, digest);
	memcpy(digest, known->bytes, hash_size(algorithm));
	return true;
}

bool hashes_cover(struct call *c, bool tbs, struct span bytes, const struct digest *known)
{
	struct heki_core *core = c->core;
	uint8_t digest[HEKI_HASH_MAX];
	unsigned int i;

	for (i = 0; i < HEKI_HASH_COUNT; i++) {
		size_t n = hash_size((enum heki_hash)i);

		if (has_size(core, tbs, n) &&
		    get_digest(c, (enum heki_hash)i, bytes, known, digest) &&
		    listed(core, tbs, digest, n))
			return true;
	}
	return false;
}
