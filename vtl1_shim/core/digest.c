// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Digests of bytes that are there as a whole.
 *
 * Trust boundary: none, the bytes are VTL1's copies. Locks: none; hosts may sleep while hashing.
 */
#include "call.h"

static int begin(struct heki_core *core, enum heki_hash algorithm, struct heki_hash_state *state)
{
	return core->ops->hash_begin(core->host, algorithm, state);
}

static int update(struct call *c, struct heki_hash_state *state, const struct span *spans, size_t count)
{
	const struct heki_host_ops *ops = c->core->ops;
	size_t part;
	size_t at;
	size_t i;

	for (i = 0; i < count; i++) {
		for (at = 0; at < spans[i].n; at += part) {
			part = (size_t)min_u64(spans[i].n - at, WORK_PART);
			call_work(c, part);
			if (ops->hash_update(c->core->host, state, spans[i].p + at, part))
				return -1;
		}
	}
	return 0;
}

static int end(struct heki_core *core, struct heki_hash_state *state, uint8_t *digest)
{
	return core->ops->hash_end(core->host, state, digest);
}

int hash_spans(struct call *c, enum heki_hash algorithm, const struct span *spans, size_t count,
	       uint8_t *digest)
{
	struct heki_core *core = c->core;
	struct heki_hash_state state;

	if (begin(core, algorithm, &state) || update(c, &state, spans, count) ||
	    end(core, &state, digest))
		return -1;
	return 0;
}

/* SHA-256 of spans whose digest by @algorithm is in @same: its state, if it is the same hash. */
static int fork_sha256(struct call *c, enum heki_hash algorithm,
		       const struct heki_hash_state *same, const struct span *spans, size_t count,
		       struct heki_hash_state *out)
{
	struct heki_core *core = c->core;

	if (algorithm == HEKI_SHA256)
		return core->ops->hash_copy(core->host, out, same);
	if (begin(core, HEKI_SHA256, out))
		return -1;
	return update(c, out, spans, count);
}

int hash_with_sha256(struct call *c, const struct span *spans, size_t count, size_t covered,
		     struct digest *out, uint8_t *sha256)
{
	struct heki_core *core = c->core;
	struct heki_hash_state state, whole;

	if (begin(core, out->algorithm, &state) || update(c, &state, spans, covered) ||
	    fork_sha256(c, out->algorithm, &state, spans, covered, &whole) ||
	    end(core, &state, out->bytes))
		return -1;
	if (update(c, &whole, spans + covered, count - covered) || end(core, &whole, sha256))
		return -1;
	return 0;
}
