// SPDX-License-Identifier: GPL-2.0-only
/*
 * The ready marker, "HEKIVM-READY ADDRESS", anywhere in the stream of the console: it may come in
 * pieces, behind binary bytes or in a line without an end, and other text may follow the address.
 *
 * Trust boundary: the bytes are the guest's; what is kept of them is a text that inet_pton() took.
 */
#include <arpa/inet.h>
#include <string.h>

#include "hekivm.h"

static const char marker[] = "HEKIVM-READY ";

/* How much of a text is an address, of one of the two families. */
static size_t address_length(const char *text, int family)
{
	bool inet = family == AF_INET;
	size_t length = strspn(text, inet ? "0123456789." : "0123456789abcdefABCDEF:.");
	char copy[HEKIVM_ADDRESS_MAX], binary[16];

	/* The dot or colon of a sentence. */
	if (length && (text[length - 1] == '.' || (!inet && text[length - 1] == ':' &&
						   !(length > 1 && text[length - 2] == ':'))))
		length--;
	if (!length || length >= sizeof(copy))
		return 0;
	memcpy(copy, text, length);
	copy[length] = '\0';
	return inet_pton(family, copy, binary) == 1 ? length : 0;
}

/* A byte that no address has in it has come: was the text before it an address? */
static void end_address(struct ready *ready)
{
	size_t length;

	ready->text[ready->length] = '\0';
	length = address_length(ready->text, AF_INET);
	if (!length)
		length = address_length(ready->text, AF_INET6);
	memcpy(ready->address, ready->text, length);
	ready->address[length] = '\0';
	ready->matched = 0;
	ready->length = 0;
}

/* The marker's first letter is nowhere else in it, so a mismatch can only begin anew. */
static void match(struct ready *ready, char byte)
{
	if (byte == marker[ready->matched])
		ready->matched++;
	else
		ready->matched = byte == marker[0];
}

static void take(struct ready *ready, char byte)
{
	if (ready->matched < sizeof(marker) - 1) {
		match(ready, byte);
	} else if (byte && strchr("0123456789abcdefABCDEF:.", byte) &&
		   ready->length < sizeof(ready->text) - 1) {
		ready->text[ready->length++] = byte;
	} else {
		end_address(ready);
		match(ready, byte);
	}
}

/**
 * ready_scan - look for the marker
 * @ready: the search
 * @data:  the next bytes of the console
 * @size:  their number
 *
 * The first marker with an address counts, and those after it do not.
 */
void ready_scan(struct ready *ready, const char *data, size_t size)
{
	size_t i;

	for (i = 0; i < size && !ready->address[0]; i++)
		take(ready, data[i]);
}
