// SPDX-License-Identifier: GPL-2.0-only
/* The log ring and the text of its records. */
#include "log.h"
#include "suites.h"

static void write_one(uint64_t address)
{
	struct heki_log_record record = { .seq = 77, .address = address };

	log_write(&record);
}

static void in_order(void)
{
	struct heki_log_record record;

	CHECK_EQUAL(log_written(), 0);
	CHECK_EQUAL(log_read(1, &record), -1);
	write_one(5);
	write_one(6);
	CHECK_EQUAL(log_written(), 2);
	CHECK_EQUAL(log_read(2, &record), 0);
	CHECK_EQUAL(record.seq, 2);
	CHECK_EQUAL(record.address, 6);
	CHECK_EQUAL(log_read(0, &record), -1);
	CHECK_EQUAL(log_read(3, &record), -1);
	CHECK_EQUAL(log_read(~0ull, &record), -1);
}

static void overwrites_the_oldest(void)
{
	struct heki_log_record record;

	for (uint64_t i = 1; i <= LOG_RECORDS + 3; i++)
		write_one(i);
	CHECK_EQUAL(log_read(3, &record), -1);
	CHECK_EQUAL(log_read(4, &record), 0);
	CHECK_EQUAL(record.address, 4);
	CHECK_EQUAL(log_read(LOG_RECORDS + 3, &record), 0);
	CHECK_EQUAL(record.address, LOG_RECORDS + 3);
}

static void numbers(void)
{
	struct words w = { .n = 0 };

	words_hex(&w, "a ", 0);
	words_hex(&w, " b ", ~0ull);
	words_hex(&w, " ", 0x10);
	CHECK(!strcmp(w.text, "a 0x0 b 0xffffffffffffffff 0x10"));
}

static void long_text_is_cut(void)
{
	struct words w = { .n = 0 };

	for (int i = 0; i < 20; i++)
		words_str(&w, "0123456789");
	words_hex(&w, "x", 1);
	CHECK_EQUAL(strlen(w.text), HEKI_LOG_TEXT - 1);
	CHECK_EQUAL(w.n, HEKI_LOG_TEXT - 1);
}

const struct test log_tests[] = {
	{ "in_order", in_order },
	{ "overwrites_the_oldest", overwrites_the_oldest },
	{ "numbers", numbers },
	{ "long_text_is_cut", long_text_is_cut },
	{ NULL, NULL },
};
