/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * /dev/heki (mode 0600): the few commands of the client, and the names of its securityfs files.
 *
 * Each securityfs file starts with the line "heki-NAME VERSION".  "status" and "counters" go on
 * with one KEY=VALUE a line; all others with one record a line, KEY=VALUE separated by blanks.
 * Bytes of a value up to blank, '%' and DEL are written %XX.
 */
#ifndef _UAPI_HEKI_DEVICE_H
#define _UAPI_HEKI_DEVICE_H

#include "types.h"

#ifdef __KERNEL__
#include <linux/ioctl.h>
#else
#include <sys/ioctl.h>
#endif

#define HEKI_SECURITYFS_DIR "heki"
#define HEKI_SECURITYFS_VERSION 1
#define HEKI_DEVICE_NAME "heki"

/**
 * struct heki_ioc_buffer - a buffer of userspace
 * @data:   address of the bytes
 * @size:   their number
 * @flags:  0
 * @error:  out: enum heki_error of a refusal by VTL1, 0 otherwise
 * @padding: 0
 */
struct heki_ioc_buffer {
	uint64_t data;
	uint64_t size;
	uint32_t flags;
	uint32_t error;
	uint64_t padding;
};
HEKI_ASSERT_SIZE(struct heki_ioc_buffer, 32);

/**
 * struct heki_ioc_audit - result of a whole audit
 * @pages:      pages hashed
 * @sites:      patch sites checked
 * @violations: differences found; details are in the log
 * @reserved:   0
 */
struct heki_ioc_audit {
	uint64_t pages;
	uint64_t sites;
	uint64_t violations;
	uint64_t reserved;
};
HEKI_ASSERT_SIZE(struct heki_ioc_audit, 32);

#define HEKI_IOC_MAGIC 'H'
#define HEKI_IOC_AUDIT _IOR(HEKI_IOC_MAGIC, 1, struct heki_ioc_audit)
/* A certificate (DER) for the secondary trusted set. */
#define HEKI_IOC_ADD_KEY _IOWR(HEKI_IOC_MAGIC, 2, struct heki_ioc_buffer)
/* A certificate (DER) never to be trusted again. */
#define HEKI_IOC_REVOKE _IOWR(HEKI_IOC_MAGIC, 3, struct heki_ioc_buffer)
/* Late load, before lock: system certificates (DER, concatenated), once; then EALREADY. */
#define HEKI_IOC_SYSTEM_CERTS _IOWR(HEKI_IOC_MAGIC, 4, struct heki_ioc_buffer)
/* Late load, before lock: the file of a module that was loaded before the client. */
#define HEKI_IOC_OFFER_MODULE _IOWR(HEKI_IOC_MAGIC, 5, struct heki_ioc_buffer)
/* Late load: collect, protect, end of boot. ETXTBSY while a kprobe stands in text; without it, again. */
#define HEKI_IOC_LOCK _IO(HEKI_IOC_MAGIC, 6)

#endif /* _UAPI_HEKI_DEVICE_H */
