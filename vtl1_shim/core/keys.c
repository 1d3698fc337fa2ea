// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Certificates that come one by one: built-in trust anchors, COPY_SECONDARY_KEY and REVOKE.
 *
 * Trust boundary: both calls stay open after end of boot, when VTL0 is the attacker. A key enters
 * only when a trusted authority signed it; a revocation needs no authority, because it can only
 * tighten. Dispatch lets one such call run at a time.
 */
#include "call.h"

/* The bytes of all ranges, which must be of type 0. */
static int key_bytes(struct call *c, uint64_t limit, struct span *der)
{
	struct range_list list;
	uint32_t i;
	int result;

	result = ranges_copy_in(c, c->p[0], c->p[1], &list);
	if (result)
		return result;
	for (i = 0; i < list.n; i++)
		if (list.r[i].attributes)
			return refuse(c, HEKI_E_PARAMETER, list.r[i].attributes);
	result = ranges_bytes(c, &list, 0, limit, HEKI_E_CERT_LENGTH, der);
	if (result)
		return result;
	return der->n ? 0 : -HEKI_E_CERT_LENGTH;
}

static char printable(uint8_t ch)
{
	return ch >= ' ' && ch <= '~' ? (char)ch : '?';
}

/* One record: what happened to a certificate, and its name. */
static void log_key(struct call *c, const char *what, struct span name)
{
	struct heki_log_record record = { .call = c->id, .event = HEKI_LOG_KEY };
	size_t i, n;

	text_clear(c);
	text_str(c, what);
	memcpy(record.text, c->text, sizeof(record.text));
	for (n = 0; record.text[n]; n++)
		;
	for (i = 0; i < name.n && n < sizeof(record.text) - 1; i++)
		record.text[n++] = printable(name.p[i]);
	text_clear(c);
	log_write(c->core, &record);
}

int call_copy_secondary_key(struct call *c)
{
	struct x509 cert;
	struct span der;
	int result;

	result = key_bytes(c, CERT_DER_MAX, &der);
	if (result)
		return result;
	result = certs_vouched(c, der);
	if (result)
		return result;
	result = certs_add(c, HEKI_CERTS_SECONDARY, der);
	if (result)
		return result;
	x509_parse(der, &cert);
	log_key(c, "secondary key: ", cert.common_name);
	return 0;
}

static void log_revoked(struct call *c, struct span ders)
{
	struct x509 cert;
	long n;

	while (ders.n) {
		n = x509_parse(ders, &cert);
		if (n < 0)
			return;
		log_key(c, "revoked: ", cert.common_name);
		ders.p += n;
		ders.n -= (size_t)n;
	}
}

int call_revoke(struct call *c)
{
	struct certs_mark mark;
	struct span ders;
	int result;

	result = key_bytes(c, c->core->limits.cert_bytes, &ders);
	if (result)
		return result;
	result = certs_mark(c, &mark);
	if (result)
		return result;
	result = certs_add_all(c, HEKI_CERTS_REVOKED, ders);
	if (result) {
		certs_rollback(c->core, &mark);
		return result;
	}
	certs_commit(c->core, &mark);
	log_revoked(c, ders);
	return 0;
}

int heki_core_trust(struct heki_core *core, enum heki_cert_set set, struct span der)
{
	struct call c = { .core = core };
	int rc;

	if (set != HEKI_CERTS_SYSTEM && set != HEKI_CERTS_KEXEC)
		return -HEKI_E_PARAMETER;
	rc = certs_add(&c, set, der);
	if (!rc && set == HEKI_CERTS_SYSTEM)
		core->system_certs_built_in = true;
	return rc;
}
