/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Trust anchors that are built in.
 */
#ifndef VTL1_IMAGE_ANCHORS_H
#define VTL1_IMAGE_ANCHORS_H

#include "host.h"

/**
 * anchors_trust() - let the core trust the certificates that the image was built with
 * @core: the core
 *
 * Return: NULL, or what is wrong
 */
const char *anchors_trust(struct heki_core *core);

#endif /* VTL1_IMAGE_ANCHORS_H */
