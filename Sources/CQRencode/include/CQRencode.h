#pragma once

/* The largest QR code has this many modules on each side (ISO/IEC 18004, version 40). */
#define CQRENCODE_MAXIMUM 177

/*
 * Encodes a text as a QR code by libqrencode, which is loaded now; the lowest level of correction
 * gives the smallest code. Each module is a byte of `modules`, row by row: 1 for a dark one.
 * Returns the number of modules on each side; 0 when the library is not there, or cannot.
 */
int cqrencode(const char *text, unsigned char modules[CQRENCODE_MAXIMUM * CQRENCODE_MAXIMUM]);
