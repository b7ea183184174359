/* SPDX-License-Identifier: GPL-2.0 */
/* Known-answer tests of AES-256-GCM when the module is loaded. */
#ifndef QLINK_SELFTEST_H
#define QLINK_SELFTEST_H

int qlink_selftest(void);

#endif
