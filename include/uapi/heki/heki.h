/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/* The whole contract between VTL0 and VTL1. */
#ifndef _UAPI_HEKI_HEKI_H
#define _UAPI_HEKI_HEKI_H

#include "types.h"
#include "errors.h"
#include "calls.h"
#include "data.h"
#include "log.h"
#include "ext.h"
#include "image.h"

#endif /* _UAPI_HEKI_HEKI_H */
