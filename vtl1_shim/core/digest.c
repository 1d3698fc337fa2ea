// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Digests of bytes that are there as a whole.
 *
 * Trust boundary: none, the bytes are VTL1's copies. Locks: none; hosts may sleep while hashing.
 */
#include "core.h"

static int begin(struct heki_core *core, enum heki_hash algorithm, struct heki_hash_state *state)
{
	return core->ops->hash_begin(core->host, algorithm, state);
}

static int update(struct heki_core *core, struct heki_hash_state *state, const struct span *spans,
		  size_t count)
{
	int result = 0;
	size_t i;

	for (i = 0; !result && i < count; i++)
		if (spans[i].n)
			result = core->ops->hash_update(core->host, state, spans[i].p, spans[i].n);
	return result;
}

static int end(struct heki_core *core, struct heki_hash_state *state, uint8_t *digest)
{
	return core->ops->hash_end(core->host, state, digest);
}

int hash_spans(struct heki_core *core, enum heki_hash algorithm, const struct span *spans,
	       size_t count, uint8_t *digest)
{
	struct heki_hash_state state;

	if (begin(core, algorithm, &state) || update(core, &state, spans, count) ||
	    end(core, &state, digest))
		return -1;
	return 0;
}

/* SHA-256 of spans whose digest by @algorithm is in @same: its state, if it is the same hash. */
static int fork_sha256(struct heki_core *core, enum heki_hash algorithm,
		       const struct heki_hash_state *same, const struct span *spans, size_t count,
		       struct heki_hash_state *out)
{
	if (algorithm == HEKI_SHA256)
		return core->ops->hash_copy(core->host, out, same);
	if (begin(core, HEKI_SHA256, out))
		return -1;
	return update(core, out, spans, count);
}

int hash_with_sha256(struct heki_core *core, const struct span *spans, size_t count,
		     size_t covered, struct digest *out, uint8_t *sha256)
{
	struct heki_hash_state state, whole;

	if (begin(core, out->algorithm, &state) || update(core, &state, spans, covered) ||
	    fork_sha256(core, out->algorithm, &state, spans, covered, &whole) ||
	    end(core, &state, out->bytes))
		return -1;
	if (update(core, &whole, spans + covered, count - covered) || end(core, &whole, sha256))
		return -1;
	return 0;
}
