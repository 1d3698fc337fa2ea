/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * /dev/heki.
 */
#ifndef HEKICTL_DEVICE_H
#define HEKICTL_DEVICE_H

#include "file.h"
#include "hekictl.h"

/**
 * device_open() - open the client's device, or say why not
 * @run: the run
 * @fd:  out
 *
 * Return: exit code
 */
int device_open(struct run *run, int *fd);

/**
 * device_give() - hand a buffer to the client
 * @fd:      the device
 * @request: HEKI_IOC_ADD_KEY and its like
 * @data:    the bytes
 * @error:   out: enum heki_error of a refusal by VTL1, or 0
 *
 * Return: 0 or minus an errno
 */
int device_give(int fd, unsigned long request, const struct file_data *data, uint32_t *error);

/* Why a request failed, on the heap: the named error of VTL1, or the errno. */
char *device_why(int error, uint32_t heki_error);

/* The exit code of a request that failed. */
enum exit_code device_code(int error, uint32_t heki_error);

#endif /* HEKICTL_DEVICE_H */
