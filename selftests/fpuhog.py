#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Keeps the FPU of its CPU in use inside the kernel: encrypts AES-GCM with AF_ALG until it is killed."""

import socket

TEXT = bytes(60000)

with socket.socket(socket.AF_ALG, socket.SOCK_SEQPACKET) as algorithm:
    algorithm.bind(("aead", "gcm(aes)"))
    algorithm.setsockopt(socket.SOL_ALG, socket.ALG_SET_KEY, bytes(32))
    algorithm.setsockopt(socket.SOL_ALG, socket.ALG_SET_AEAD_AUTHSIZE, None, 16)
    print("encrypting", flush=True)
    while True:
        operation, _ = algorithm.accept()
        with operation:
            operation.sendmsg_afalg([TEXT], op=socket.ALG_OP_ENCRYPT, iv=bytes(12), assoclen=0)
            operation.recv(len(TEXT) + 16)
