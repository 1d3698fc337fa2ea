/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Log records in words.
 */
#ifndef HEKICTL_LOG_H
#define HEKICTL_LOG_H

#include "out.h"

bool log_is_refusal(const struct hekifs_record *record);
enum color log_color(const struct hekifs_record *record);

/* Each on the heap and not yet printable(). Seconds and microseconds; NULL when not known. */
char *log_time(const struct hekifs_record *record);
/* The refused call or the event, and the module. */
char *log_what(const struct hekifs_record *record);
/* The error with its meaning, the address, the details. */
char *log_why(const struct hekifs_record *record);

#endif /* HEKICTL_LOG_H */
